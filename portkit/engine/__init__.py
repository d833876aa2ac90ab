"""Apply, rebase and check a series in memory."""
