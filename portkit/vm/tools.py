"""The programs of other packages that the machine needs, and how to ask for one that is missing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from portkit.errors import EnvironmentProblem

# program -> Debian package
_PACKAGES = {
    "bochs": "bochs",
    "clang": "clang",
    "ld.lld": "lld",
    "makefs": "makefs",
    "qemu-system-x86_64": "qemu-system-x86",
}
_CLANG_VERSIONS = range(22, 12, -1)
# Debian keeps makefs where an ordinary user's PATH does not look.
_ALSO = ("/usr/sbin", "/usr/local/sbin")


def tool(name: str) -> str:
    """The path of a program.

    Raises:
        EnvironmentProblem: it is not installed; names Debian's package.
    """
    names = [name]
    if name == "clang":
        names += [f"clang-{version}" for version in _CLANG_VERSIONS]
    for candidate in names:
        found = shutil.which(candidate)
        if found is None:
            found = next((f"{d}/{candidate}" for d in _ALSO if Path(d, candidate).exists()), None)
        if found is not None:
            return found
    raise EnvironmentProblem(
        f"{name} is not installed", hint=f"install it (Debian: apt install {_PACKAGES[name]})"
    )


def call(program: str, *args: str, cwd: Path | None = None) -> None:
    """Run a program that is expected to succeed and say nothing.

    Raises:
        EnvironmentProblem: it is missing or failed; quotes the last line it wrote.
    """
    command: Sequence[str] = [tool(program), *args]
    done = subprocess.run(command, cwd=cwd, capture_output=True, check=False)
    if done.returncode != 0:
        lines = (done.stderr + done.stdout).decode(errors="replace").strip().splitlines()
        errors = [line for line in lines if "error" in line] or lines[-1:]
        raise EnvironmentProblem(
            next(iter(errors), f"ended with status {done.returncode}"), where=program
        )
