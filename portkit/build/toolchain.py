"""A cross toolchain for FreeBSD out of the ``ziglang`` package: programs under the usual names."""

from __future__ import annotations

import hashlib
import importlib.util
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portkit.build import zigcc
from portkit.build.command import find_tool
from portkit.errors import EnvironmentProblem

#: The oldest FreeBSD that the programs run on, as zig and as a GNU configure script call it.
ZIG_TARGET = "x86_64-freebsd.14.0"
TRIPLE = "x86_64-unknown-freebsd14.0"

# zig's headers are FreeBSD 15's; 14 has no inotify, and the header's guard keeps it unseen.
_FLAGS = ("-D_INOTIFY_H_",)


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What a foreign build is run with.

    Attributes:
        directory: where the programs are, ``TRIPLE-cc`` and so on, and ``cross.ini`` for meson.
        prefixes: where libraries that were built with it are installed.
        ident: a text that changes when what it compiles could change.
    """

    directory: Path
    prefixes: tuple[Path, ...]
    ident: str

    @property
    def compile_flags(self) -> list[str]:
        """Arguments for every compilation."""
        return [*_FLAGS, *(f"-I{prefix}/include" for prefix in self.prefixes)]

    @property
    def link_flags(self) -> list[str]:
        """Arguments for every link."""
        return [f"-L{prefix}/lib" for prefix in self.prefixes]

    @property
    def environment(self) -> dict[str, str]:
        """Variables for a configure script, make and meson."""
        names = {"CC": "cc", "AR": "ar", "RANLIB": "ranlib", "NM": "nm", "STRIP": "strip"}
        return {
            **{key: f"{TRIPLE}-{name}" for key, name in names.items()},
            "CXX": "no",  # nothing needs C++, and zig would compile a library for it first
            "PATH": f"{self.directory}:{Path(sys.executable).parent}:/usr/bin:/bin",
            "CPPFLAGS": shlex.join(self.compile_flags),
            "LDFLAGS": shlex.join(self.link_flags),
        }

    @property
    def cross_file(self) -> Path:
        """The cross file for meson."""
        return self.directory / "cross.ini"


def make_toolchain(directory: Path, prefixes: Sequence[Path]) -> Toolchain:
    """Write the programs of a toolchain.

    Args:
        directory: where they go; made when it is missing.
        prefixes: of libraries to be found.

    Raises:
        EnvironmentProblem: ziglang, pkg-config or LLVM's tools are missing, or the disk refuses.
    """
    zig, version = _zig()
    source = Path(zigcc.__file__).read_text()
    ident = " ".join([version, ZIG_TARGET, *_FLAGS, hashlib.sha256(source.encode()).hexdigest()])
    chain = Toolchain(directory, tuple(prefixes), ident)
    # A copy: a build of half an hour outlives a change of what portkit is run from.
    driver = [sys.executable, "-I", "-S", str(directory / "zigcc.py"), str(zig), ZIG_TARGET]
    found = [f"{prefix}/{d}/pkgconfig" for prefix in prefixes for d in ("lib", "libdata")]
    programs = {
        "cc": driver,
        "ar": [str(zig), "ar"],
        "ranlib": [str(zig), "ranlib"],
        **{name: [find_tool(f"llvm-{name}")] for name in ("nm", "strip", "objcopy")},
        "pkg-config": [
            "env", "PKG_CONFIG_PATH=", f"PKG_CONFIG_LIBDIR={':'.join(found)}",
            find_tool("pkg-config"), "--static",
        ],
    }  # fmt: skip
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "zigcc.py").write_text(source)
        for name, command in programs.items():
            path = directory / f"{TRIPLE}-{name}"
            path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
            path.chmod(0o755)
        chain.cross_file.write_text(_cross_file(chain))
    except OSError as error:
        raise EnvironmentProblem(
            error.strerror or str(error), where=str(error.filename or directory)
        ) from error
    return chain


def _zig() -> tuple[Path, str]:
    """The compiler and its version."""
    spec = importlib.util.find_spec("ziglang")
    if spec is None or spec.origin is None:
        raise EnvironmentProblem(
            "there is no compiler for FreeBSD here",
            hint="install the Python package ziglang (portkit[cross])",
        )
    from importlib.metadata import version

    return Path(spec.origin).parent / "zig", version("ziglang")


def _cross_file(chain: Toolchain) -> str:
    programs = {"c": "cc", "ar": "ar", "strip": "strip", "pkg-config": "pkg-config"}
    lines = ["[binaries]"]
    lines += [f"{key} = {str(chain.directory / f'{TRIPLE}-{name}')!r}"
              for key, name in programs.items()]  # fmt: skip
    lines += [
        "[host_machine]", "system = 'freebsd'", "cpu_family = 'x86_64'", "cpu = 'x86_64'",
        "endian = 'little'",
        "[built-in options]", f"c_args = {chain.compile_flags}",
        f"c_link_args = {chain.link_flags}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
