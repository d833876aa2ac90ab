"""The machine under Bochs: ATA disks, and Intel's VMX, which QEMU does not emulate."""

from __future__ import annotations

import struct
from pathlib import Path

from portkit.errors import EnvironmentProblem
from portkit.vm.machine import Job, environment
from portkit.vm.tools import tool

#: VMX with EPT and unrestricted guest, and a steady clock.
DEFAULT_CPU = "corei7_haswell_4770"

_SECTOR = 512
_TABLE_SECTOR = 33  # behind boot sector and loader, see guest/ata.c
_TABLE = struct.Struct("<4sIIII")
_CYLINDER = 16 * 63 * _SECTOR
_BIOS = Path("/usr/share/bochs/BIOS-bochs-latest")
_VGA_BIOS = Path("/usr/share/vgabios/vgabios.bin")
_PLUGINS = "/usr/lib/*/bochs/plugins/libbx_term_gui.so"

_CONFIG = """\
plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, serial=1, gameport=0, \
iodebug=1
config_interface: textconfig
display_library: term
memory: guest={memory}, host={memory}
romimage: file={bios}, options=fastboot
vgaromimage: file={vga_bios}
cpu: model={cpu}, count={cpus}, ips=30000000, reset_on_triple_fault=0, ignore_bad_msrs=1, quantum=16
clock: sync=none, time0=utc
pci: enabled=1, chipset=i440fx
vga: extension=vbe, update_freq=1
boot: disk
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15
ata0-master: type=disk, mode=flat, path=boot.img, cylinders=0, translation=lba
ata0-slave: type=disk, mode=volatile, path=root.img, cylinders=0, journal=root.redo
ata1-master: type=disk, mode=flat, path=t.img, cylinders=0, translation=lba
ata1-slave: type=disk, mode=flat, path=exchange.img, cylinders=0, translation=lba
com1: enabled=1, mode=file, dev=/dev/fd/{console}
com2: enabled=1, mode=file, dev=/dev/fd/{output}
magic_break: enabled=0
log: bochs.log
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
"""


def prepare(job: Job) -> list[str]:
    """Write the run's files; returns the command to start in its directory.

    Raises:
        EnvironmentProblem: Bochs, its BIOS or its text display is missing.
    """
    program = tool("bochs")
    for path, package in ((_BIOS, "bochsbios"), (_VGA_BIOS, "vgabios")):
        if not path.exists():
            raise EnvironmentProblem(
                f"{path} is missing", hint=f"install it (Debian: apt install {package})"
            )
    if not any(Path("/").glob(_PLUGINS.removeprefix("/"))):
        raise EnvironmentProblem(
            "Bochs has no text display", hint="install it (Debian: apt install bochs-term)"
        )
    settings = environment(
        job, root="ada1", t="ada2", exchange="ada3",
        more=(
            # Bochs 2.7: another processor's store does not end an MWAIT.
            "machdep.idle_mwait=0",
            *_hints(),
        ),
    )  # fmt: skip
    _write_boot_disk(job, settings.encode())
    (job.directory / "root.img").symlink_to(job.root.resolve())
    machine = job.machine
    (job.directory / "bochsrc").write_text(
        _CONFIG.format(
            memory=machine.memory, cpus=machine.cpus, cpu=machine.cpu or DEFAULT_CPU,
            bios=_BIOS, vga_bios=_VGA_BIOS, console=job.console, output=job.output,
        ),
        encoding="utf-8",
    )  # fmt: skip
    # Debian's Bochs is the debugger's build: it asks for a command before it starts.
    (job.directory / "continue").write_text("c\n", encoding="utf-8")
    return [program, "-q", "-f", "bochsrc", "-rc", "continue"]


def _hints() -> list[str]:
    """A disk's name says its place; else whichever answers first has the lower number."""
    hints = [f"hint.scbus.{bus}.at=ata{bus}" for bus in range(2)]
    for disk in range(4):
        hints += [f"hint.ada.{disk}.at=scbus{disk // 2}", f"hint.ada.{disk}.target={disk % 2}"]
    return hints


def _write_boot_disk(job: Job, settings: bytes) -> None:
    kernel = job.kernel.read_bytes()
    kernel_at = _TABLE_SECTOR + 1
    env_at = kernel_at + -(-len(kernel) // _SECTOR)
    pieces = (
        (0, job.guest.bootsect.read_bytes()),
        (1, job.guest.ata.read_bytes()),
        (_TABLE_SECTOR, _TABLE.pack(b"KPVM", kernel_at, len(kernel), env_at, len(settings))),
        (kernel_at, kernel),
        (env_at, settings),
    )
    with (job.directory / "boot.img").open("wb") as disk:
        for sector, data in pieces:
            disk.seek(sector * _SECTOR)
            disk.write(data)
        disk.truncate(-(-disk.tell() // _CYLINDER) * _CYLINDER)
