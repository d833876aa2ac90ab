"""Kill a command at every step that it takes.

A child process runs the command and kills itself just before its N-th side effect (a file opened
for writing, renamed or removed, a directory made, a process started), for every N there is.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.engine.support import portkit

_EFFECTS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "subprocess.Popen")


def killed_at(step: int, root: Path, *args: str) -> bool:
    """Run a command in a child that dies before its N-th side effect; False when it had fewer."""
    pid = os.fork()
    if pid == 0:
        left = step

        def count(event: str, details: tuple[object, ...]) -> None:
            nonlocal left
            writes = event == "open" and isinstance(details[2], int) and details[2] & os.O_ACCMODE
            if writes or event in _EFFECTS:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            portkit(root, *args)
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def every_step(root: Path, prepare: Callable[[], None], *args: str) -> Iterator[int]:
    """Kill a command at its first step, at its second, ... until it ends by itself."""
    saved = root.with_name(root.name + ".saved")
    prepare()
    shutil.copytree(root, saved, symlinks=True)
    step = 1
    while True:
        shutil.rmtree(root)
        shutil.copytree(saved, root, symlinks=True)
        if not killed_at(step, root, *args):
            break
        yield step
        step += 1
    assert step > 3, "the command had no steps to be killed at"
