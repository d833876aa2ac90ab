"""The errors portkit reports; each class is one documented exit code.

An error is one line on standard error: what went wrong, where, and what to do next.
"""

from __future__ import annotations

import errno

_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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

    def __reduce__(self) -> tuple[object, ...]:
        """For errors of other processes; the classes take different arguments."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(
    kind: type[PortkitError], args: tuple[object, ...], state: dict[str, object]
) -> PortkitError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


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


def disk_problem(error: OSError, where: str = "") -> EnvironmentProblem:
    """What the operating system refused, as an error that says what to do next.

    Args:
        error: the refusal.
        where: the place that it is about, if the error itself does not name one.
    """
    hint = "make room" if error.errno in _ROOM else "fix this"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        hint = "make it writable"
    return EnvironmentProblem(
        error.strerror or str(error),
        where=str(error.filename or where) or None,
        hint=f"{hint} and run again",
    )
