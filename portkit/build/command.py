"""The programs of a build: where they are, and what they said when they failed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from portkit.errors import EnvironmentProblem, Refused

#: Debian's package of a program that is called otherwise; pip's are named in pyproject.toml.
_PACKAGES = {
    "ld.lld": "lld", "awk": "mawk", "autoreconf": "autoconf automake libltdl-dev libtool",
    "cc": "gcc", "pkg-config": "pkgconf", "meson": "meson (or portkit[cross])",
    "ninja": "ninja-build (or portkit[cross])",
}  # fmt: skip
_PASSED = ("PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME")
_ERROR = re.compile(
    r"(?:^|: )(?:fatal )?error: |^ERROR: |:\d+:\d+: ERROR: |^(?:ld\S*|bmake): |^\*\*\* "
)


def find_tool(name: str) -> str:
    """Path of a program: of this Python's environment, or else of the system.

    Of an LLVM tool also the newest versioned one serves, e.g. ``llvm-nm-19``.

    Raises:
        EnvironmentProblem: it is not installed; the message has Debian's package.
    """
    own = str(Path(sys.executable).parent)
    for candidate in (name, *(f"{name}-{version}" for version in range(30, 13, -1))):
        if found := shutil.which(candidate, path=own) or shutil.which(candidate):
            return found
    package = "llvm" if name.startswith("llvm-") else _PACKAGES.get(name, name)
    raise EnvironmentProblem(f"{name} is not installed", hint=f"install the package {package}")


def run_logged(
    command: Sequence[str],
    what: str,
    directory: Path,
    log: Path,
    environment: Mapping[str, str],
    *,
    append: bool = False,
) -> None:
    """Run one step of a build, with its output in a log file.

    Args:
        command: program and arguments.
        what: what messages call the step.
        directory: where it runs.
        log: the file.
        environment: variables beside the few that are passed on.
        append: go on in the log instead of starting anew.

    Raises:
        Refused: it failed; the first error is in the message, all in the log.
    """
    passed = {key: os.environ[key] for key in _PASSED if key in os.environ}
    with log.open("ab" if append else "wb") as out:
        start = out.tell()
        done = subprocess.run(
            command, cwd=directory, env={**passed, "LC_ALL": "C.UTF-8", **environment},
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    if done.returncode != 0:
        with log.open("rb") as file:
            file.seek(start)
            lines = file.read().decode(errors="replace").splitlines()
        errors = [line for line in lines if _ERROR.search(line)]
        name = Path(command[0]).name
        first = errors[0].strip() if errors else f"{name} ended with status {done.returncode}"
        raise Refused(f"{what} failed: {first}", hint=f"see {log}")
