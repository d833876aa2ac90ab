"""The suite on Linux's own KVM in the same emulator: what fails there too is the emulator's fault.

``python -m tests.guests.linux_host CPU [PARAMETER=VALUE,...] [ARGUMENT...]`` boots Debian's kernel
of the release that kvm.ko is made from under Bochs, with the arguments for ``guests``, and prints
what that says.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from portkit.vm import guest
from portkit.vm.cache import Cache, Kind, default_directory
from portkit.vm.guest import Guest
from portkit.vm.machine import Machine
from portkit.vm.run import Result, run
from portkit.vm.tools import call
from tests.guests import suite
from tests.vm.boot import debian
from tests.vm.boot.initramfs import initramfs

HERE = Path(__file__).parent / "linux"
PACKAGE = "linux-image-6.12.107+deb13-cloud-amd64"
SUITES = ("trixie", "trixie-security")

_COMMAND_LINE = "console=ttyS0,115200 panic=-1 nokaslr mitigations=off tsc=reliable no_timer_check"
_PAGE = 4096


def kernel() -> debian.Kernel:
    """Debian's kernel with its KVM, downloaded once."""
    return debian.kernel(debian.downloads(), PACKAGE, SUITES)


class _Linux(Cache):
    """The imported FreeBSD, with another kernel and its loader."""

    blob: Path

    def kernel(self, kind: Kind) -> Path:
        return self.blob

    def guest(self) -> Guest:
        built = super().guest()
        return replace(built, ata=self.blob.with_name("ata"))


def _loader(directory: Path) -> None:
    """The loader that reads a Linux kernel, as ``ata`` in a directory."""
    parts = {
        "load": [str(guest._SOURCES / "load.c"), "-Dboot_kernel=boot_freebsd"],
        "ata": [str(guest._SOURCES / "ata.c")],
        "enter": [str(guest._SOURCES / "enter.S")],
        "linux": [str(HERE / "load.c"), f"-I{guest._SOURCES}"],
    }
    for name, arguments in parts.items():
        call("clang", *guest._LOADER, "-c", *arguments, "-o", f"{name}.o", cwd=directory)
    call("ld.lld", "-static", "-m", "elf_i386", "--oformat", "binary", "-T",
         str(guest._SOURCES / "ata.ld"), *(f"{name}.o" for name in parts), "-o", "ata",
         cwd=directory)  # fmt: skip


def build(directory: Path) -> Path:
    """The program ``guests`` for Linux, with KVM's headers as a distribution would install them."""
    source = suite.linux_tree()
    for path in ("include/uapi/linux/kvm.h", "arch/x86/include/uapi/asm/kvm.h",
                 "arch/x86/include/uapi/asm/kvm_para.h"):  # fmt: skip
        text = (source / path).read_text().replace("#include <linux/compiler.h>\n", "")
        into = directory / "include" / Path(path).relative_to(Path(path).parents[1])
        into.parent.mkdir(parents=True, exist_ok=True)
        into.write_text(text.replace("__user ", "").replace("__user*", "*"))
    for name in ("bits.h", "const.h", "stddef.h"):
        (directory / "include/linux" / name).write_text((suite.UAPI / "linux" / name).read_text())
    return suite.make(directory, "ON_LINUX=yes", f"KVM_INCS={directory / 'include'}")


def boot(
    directory: Path, program: Path, cpu: str | None, parameters: str, arguments: Sequence[str],
    timeout: float,
) -> Result:  # fmt: skip
    """Boot Linux on a model of Bochs with KVM's parameters; the output is the suite's."""
    linux = kernel()
    init = directory / "init"
    subprocess.run(["cc", "-static", "-O1", "-o", init, HERE / "init.c"], check=True)
    files = {path.name: path.read_bytes() for path in (init, program, *linux.modules)}
    image, disk = linux.image.read_bytes(), initramfs(files)
    line = f'{_COMMAND_LINE} PARAMETERS="{parameters}" GUESTS="{",".join(arguments)}"'
    _loader(directory)
    cache = _Linux(default_directory())
    cache.blob = directory / "kernel"
    cache.blob.write_bytes(
        struct.pack("<II", len(image), len(disk)) + line.encode().ljust(_PAGE - 8, b"\0")
        + image + bytes(-len(image) % _PAGE) + disk
    )  # fmt: skip
    (directory / "t").mkdir()
    machine = Machine(emulator="bochs", cpu=cpu)
    return run(cache, machine, directory / "t", ["none"], timeout=timeout,
               on_output=lambda data: print(data.decode(errors="replace"), end="", flush=True),
               on_console=lambda data: print(data.decode(errors="replace"), end="", flush=True,
               file=sys.stderr))  # fmt: skip


def main(cpu: str, parameters: str = "", *arguments: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        boot(directory, build(directory), cpu, parameters, arguments, timeout=3600)


if __name__ == "__main__":
    main(*sys.argv[1:])
