"""The C compiler that a foreign build system sees: ``zig cc`` with a few arguments put right.

It runs as a program of its own, once per compilation, by ``toolchain``'s wrapper script::

    python -I -S zigcc.py ZIG TARGET ARGUMENT...
"""

import os
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

#: Of one command line; the kernel takes 2 MiB in all, and 128 KiB for one argument.
_LONGEST = 100_000


def arguments(target: str, given: Sequence[str]) -> list[str]:
    """The arguments for ``zig cc``.

    What differs from other compilers: zig defines NDEBUG when it optimises, which QEMU refuses,
    and it traps on undefined behaviour unless told otherwise. Static libraries end up in programs
    that are position-independent. What the caller says about these comes later and wins.
    zig takes no response file inside of another, so they are expanded here, and no list of the
    symbols that plugins may use, so all are exported.

    Args:
        target: zig's name of the target, e.g. ``x86_64-freebsd.14.0``.
        given: what the build system passes.
    """
    command = ["-target", target, "-UNDEBUG", "-fno-sanitize=undefined", "-fPIC"]
    for argument in _expanded(given):
        if command[-1] == "-Xlinker" and argument.startswith("--dynamic-list="):
            command[-1] = "-rdynamic"
        else:
            command.append(argument)
    return command


def _expanded(given: Sequence[str]) -> Iterator[str]:
    for argument in given:
        path = Path(argument[1:])
        if argument.startswith("@") and path.is_file():
            yield from _expanded(shlex.split(path.read_text()))
        else:
            yield argument


def main(zig: str, target: str, *given: str) -> None:
    """Become the compiler."""
    command = arguments(target, given)
    if sum(map(len, command)) > _LONGEST:
        with tempfile.NamedTemporaryFile("w", prefix="zigcc-", suffix=".rsp") as file:
            file.write("\n".join(map(shlex.quote, command)))
            file.flush()
            sys.exit(os.spawnv(os.P_WAIT, zig, [zig, "cc", f"@{file.name}"]))
    os.execv(zig, [zig, "cc", *command])


if __name__ == "__main__":
    main(*sys.argv[1:])
