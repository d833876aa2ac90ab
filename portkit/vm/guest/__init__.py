"""The programs that start and end the machine: sources beside this file, built when needed.

They need clang and lld, but neither FreeBSD's headers nor its libraries.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from portkit.errors import EnvironmentProblem
from portkit.vm.tools import call

_SOURCES = Path(__file__).parent
_COMMON = (
    "-ffreestanding", "-fno-stack-protector", "-fno-pic", "-Wall", "-Wextra", "-Werror",
    "-Wno-unused-command-line-argument",
)  # fmt: skip
_LOADER = ("--target=i386-unknown-none", "-Os", "-mno-mmx", "-mno-sse", *_COMMON)
_INIT = ("--target=x86_64-unknown-freebsd13", "-O1", *_COMMON)
_BOCHS_LOADER_MAX = 32 * 512  # what bootsect.S reads


@dataclass(frozen=True, slots=True)
class Guest:
    """The built programs.

    Attributes:
        ident: changes whenever a source does.
        multiboot: the loader for QEMU's ``-kernel``.
        bootsect: one sector, starts the loader under Bochs.
        ata: the loader under Bochs, a flat image.
        init: PID 1.
    """

    ident: str
    multiboot: Path
    bootsect: Path
    ata: Path
    init: Path


def build(directory: Path) -> Guest:
    """Build the programs below a directory, unless they are there.

    Raises:
        EnvironmentProblem: clang or lld is missing.
    """
    ident = _ident()
    into = directory / ident
    if not into.exists():
        directory.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix="new-", dir=directory))
        try:
            _build(work)
            os.rename(work, into)  # noqa: PTH104  (Path.rename has no "exists already" on a race)
        except OSError:
            if not into.exists():
                raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return Guest(ident, into / "multiboot", into / "bootsect", into / "ata", into / "init")


def _ident() -> str:
    digest = hashlib.sha256()
    for source in sorted(_SOURCES.iterdir()):
        if source.suffix != ".pyc" and source.is_file():
            digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


def _build(work: Path) -> None:
    for source in ("load.c", "multiboot.c", "ata.c", "enter.S", "multiboot.S", "bootsect.S"):
        _compile(source, _LOADER, work)
    for source in ("init.c", "archive.c"):
        _compile(source, _INIT, work)
    loader = ("load.c.o", "enter.S.o")
    _link(work, "multiboot", "-m", "elf_i386", "--image-base=0x4800000", "-e", "_start",
          "multiboot.S.o", "multiboot.c.o", *loader)  # fmt: skip
    _link(work, "ata", "-m", "elf_i386", "--oformat", "binary",
          "-T", str(_SOURCES / "ata.ld"), "ata.c.o", *loader)  # fmt: skip
    _link(work, "bootsect", "-m", "elf_i386", "--oformat", "binary", "-Ttext=0x7c00",
          "-e", "_start", "bootsect.S.o")  # fmt: skip
    _link(work, "init", "-m", "elf_x86_64_fbsd", "-e", "start", "init.c.o", "archive.c.o")
    if (work / "ata").stat().st_size > _BOCHS_LOADER_MAX:
        raise EnvironmentProblem("the loader for Bochs is too large", where=str(work / "ata"))


def _compile(source: str, flags: tuple[str, ...], work: Path) -> None:
    call("clang", *flags, "-c", str(_SOURCES / source), "-o", f"{source}.o", cwd=work)


def _link(work: Path, output: str, *args: str) -> None:
    call("ld.lld", "-static", "-o", output, *args, cwd=work)
