"""The tiny guest: built by clang, and the checksums that it has to say."""

from __future__ import annotations

import subprocess
from pathlib import Path

from portkit.vm.tools import tool

_HERE = Path(__file__).parent
_C = (
    "-m64", "-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-pic", "-mno-red-zone",
    "-mno-sse", "-mno-mmx", "-fno-stack-protector",
)  # fmt: skip
_MASK = (1 << 64) - 1


def make(directory: Path) -> Path:
    """Build the guest as ``tiny``, beside ``tiny.elf`` with its symbols.

    QEMU takes a multiboot image only as a 32-bit file.
    """
    objects = [str(directory / "start.o"), str(directory / "tiny.o")]
    for source, output in zip(("tiny.S", "tiny.c"), objects, strict=True):
        _run("clang", "--target=x86_64-unknown-freebsd14.0", *_C, "-c", str(_HERE / source),
             "-o", output)  # fmt: skip
    linked, image = directory / "tiny.elf", directory / "tiny"
    _run("ld.lld", "-m", "elf_x86_64", "-static", "-nostdlib", "-z", "max-page-size=4096",
         "--image-base=0x100000", "-e", "_start", *objects, "-o", str(linked))  # fmt: skip
    _run("llvm-objcopy", "-O", "elf32-i386", str(linked), str(image))
    return image


def checksum(words: int) -> str:
    """What the guest says of its pattern of so many words."""
    x, s = 1, 0
    for _ in range(words):
        x = (x * 6364136223846793005 + 1442695040888963407) & _MASK
        s = ((s << 1 | s >> 63) & _MASK) ^ x
    return f"{s:016x}"


def _run(name: str, *args: str) -> None:
    done = subprocess.run([tool(name), *args], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
