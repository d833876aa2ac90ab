"""One portkit at a time may change a project; readers need no lock."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from portkit.errors import EnvironmentProblem, disk_problem


@contextmanager
def project_lock(state_dir: Path) -> Iterator[None]:
    """Hold the project's lock; the kernel frees it when the process ends in any way.

    Raises:
        EnvironmentProblem: another portkit holds it (names its process), or the disk refuses.
    """
    path = state_dir / "lock"
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise disk_problem(error, str(path)) from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(fd, 32, 0).decode(errors="replace").strip() or "unknown"
            raise EnvironmentProblem(
                f"another portkit (process {holder}) is changing this project",
                where=str(path),
                hint="wait for it to end and run again",
            ) from error
        with suppress(OSError):  # a full disk: the lock is held, with or without a name in it
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(fd)
