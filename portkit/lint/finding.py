"""A finding: what lint says about one place of a patch or a port."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One problem in one place.

    Attributes:
        file: the file concerned, relative to the project where that is possible.
        line: its line, counted from 1; 0 means the file as a whole.
        rule: stable name of the rule, e.g. ``port-comment-case``; documented with the rules.
        message: what is wrong and what would be right, one line.
    """

    file: Path
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else f"{self.file}"
        return f"{where}: {self.message} [{self.rule}]"

    def as_json(self) -> dict[str, object]:
        """The finding as ``--json`` prints it."""
        return {**asdict(self), "file": self.file.as_posix()}
