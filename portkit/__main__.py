"""``python -m portkit``."""

from portkit.cli import entry

entry()
