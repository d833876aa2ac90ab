"""The exchange disk: the command goes in, its status and the files it wrote come out.

Its layout is known to ``guest/init.c`` too: the request, 64 KiB; the answer, one sector; the
files, a tar archive. What the guest writes is not trusted.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portkit.errors import EnvironmentProblem, UsageError
from portkit.vm.unpack import unpack

_REQUEST_SIZE = 65536
_REQUEST = struct.Struct("<8s16sI")
_ANSWER = struct.Struct("<8s16sIIQ256s")
_ARCHIVE_AT = _REQUEST_SIZE + 512
_ARGS_MAX = 1000
_CYLINDER = 16 * 63 * 512  # what Bochs counts disks in
_EXITED, _FAILED = 1, 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What the guest says at the end.

    Attributes:
        status: of the command, as a shell has it: 128 + N for signal N.
        archive: bytes of the archive of changed files.
    """

    status: int
    archive: int


class Exchange:
    """The disk of one run.

    Args:
        path: the file, which ``write_request`` makes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._token = os.urandom(8).hex().encode()

    def write_request(self, command: Sequence[str], capacity: int) -> None:
        """Make the disk.

        Args:
            command: program and arguments.
            capacity: bytes that the results may take.

        Raises:
            UsageError: the command is empty or too long.
        """
        args = b"".join(os.fsencode(arg) + b"\0" for arg in command)
        request = _REQUEST.pack(b"pkvm-req", self._token, len(command)) + args
        if not command or not command[0]:
            raise UsageError("there is no command to run")
        if len(request) >= _REQUEST_SIZE or len(command) > _ARGS_MAX:
            raise UsageError(
                f"the command is longer than {_REQUEST_SIZE >> 10} KiB or has more than "
                f"{_ARGS_MAX} arguments",
                hint="put it into a script in the directory",
            )
        with self.path.open("wb") as disk:
            disk.write(request)
            disk.truncate(-(-(_ARCHIVE_AT + capacity) // _CYLINDER) * _CYLINDER)

    def read_answer(self) -> Answer | None:
        """The guest's answer; None when it did not get that far.

        Raises:
            EnvironmentProblem: the guest could not do what it should, and says what.
        """
        with self.path.open("rb") as disk:
            disk.seek(_REQUEST_SIZE)
            magic, token, kind, status, archive, message = _ANSWER.unpack(disk.read(_ANSWER.size))
        if magic != b"pkvm-ans" or token != self._token:
            return None
        if kind == _FAILED:
            text = message.partition(b"\0")[0].decode(errors="replace")
            raise EnvironmentProblem(
                " ".join(text.split()), where="PID 1 of the machine",
                hint="look at its console with -v",
            )  # fmt: skip
        if kind != _EXITED or archive > self.path.stat().st_size - _ARCHIVE_AT:
            return None
        return Answer(status & 0xFF, archive)

    def read_files(self, into: Path) -> list[str]:
        """Unpack the files that the guest changed; returns their paths.

        Raises:
            BadArchive: one of them would land elsewhere.
        """
        with self.path.open("rb") as disk:
            disk.seek(_ARCHIVE_AT)
            return unpack(disk, "the machine's results", into, limit=self.path.stat().st_size)
