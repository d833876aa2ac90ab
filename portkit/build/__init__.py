"""What this host can build of a port, and the audits of what was built."""
