"""The errors portkit reports; each class is one documented exit code.

An error is one line on standard error: what went wrong, where, and what to do next.
"""

from __future__ import annotations


class PortkitError(Exception):
    """Base of every error a user may see.

    Args:
        what: what went wrong, one line, no full stop.
        where: the file, line, key, patch or release concerned.
        hint: what to do next, as an imperative sentence.
    """

    exit_code = 70

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; {self.hint}" if self.hint else text


class Refused(PortkitError):
    """The answer is no: a patch does not apply, lint found something (exit 1)."""

    exit_code = 1


class UsageError(PortkitError):
    """The command line, the manifest or a series is not valid (exit 2)."""

    exit_code = 2


class Conflict(PortkitError):
    """A rebase stopped and waits for the maintainer (exit 3)."""

    exit_code = 3


class EnvironmentProblem(PortkitError):
    """Network, disk, permission or a missing tool stands in the way (exit 4)."""

    exit_code = 4
