"""What a machine is made of, and what an emulator needs to know to start it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from portkit.vm.cache import Kind
from portkit.vm.guest import Guest

Emulator = Literal["qemu", "bochs"]


@dataclass(frozen=True, slots=True)
class Machine:
    """The user's choice.

    Attributes:
        kernel: which of the imported kernels.
        cpus: processors.
        memory: MiB.
        emulator: QEMU emulates AMD's SVM, Bochs Intel's VMX too.
        cpu: model as the emulator calls it; None for the one that shows most of it.
        counted: time is the number of instructions executed, so that measurements do not depend
            on how busy the host is (QEMU only; one nanosecond and one TSC cycle each).
        tunables: ``NAME=VALUE`` for the kernel's environment, as in loader.conf.
        options: more of QEMU's own, for tools that look into the machine.
    """

    kernel: Kind = "plain"
    cpus: int = 1
    memory: int = 1024
    emulator: Emulator = "qemu"
    cpu: str | None = None
    counted: bool = False
    tunables: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """One run's files and open ends, for ``qemu.prepare`` or ``bochs.prepare``.

    Attributes:
        directory: the emulator's working directory; it holds ``t.img`` and ``exchange.img``.
        console: descriptor that takes the first serial port's output.
        output: the same for the second one.
    """

    machine: Machine
    guest: Guest
    kernel: Path
    root: Path
    directory: Path
    console: int
    output: int


def environment(job: Job, *, root: str, t: str, exchange: str, more: tuple[str, ...]) -> str:
    """The kernel's environment, as loader.conf and device.hints would have it.

    Args:
        job: the run.
        root: device of the root file system, e.g. ``vtbd0``.
        t: device of the user's directory.
        exchange: device of the exchange disk.
        more: settings for this emulator.
    """
    lines = (
        *job.machine.tunables,  # the kernel takes the first of two
        "console=comconsole",
        "boot_serial=YES",
        "hw.uart.console=io:0x3f8,br:115200",
        "hint.uart.0.at=isa",
        "hint.uart.0.port=0x3F8",
        "hint.uart.0.irq=4",
        "hint.uart.0.flags=0x10",
        "hint.uart.1.at=isa",
        "hint.uart.1.port=0x2F8",
        "hint.uart.1.irq=3",
        "hint.psm.0.disabled=1",
        "hint.atkbd.0.disabled=1",
        "hint.atkbdc.0.disabled=1",
        "hint.vga.0.disabled=1",
        "hint.sc.0.disabled=1",
        "hint.orm.0.disabled=1",
        f"vfs.root.mountfrom=ufs:/dev/{root}",
        f"portkit.root=/dev/{root}",
        f"portkit.t=/dev/{t}",
        f"portkit.exchange=/dev/{exchange}",
        "init_path=/portkit-init",
        f"module_path=/t;/boot/{job.machine.kernel}",
        # A panic prints its backtrace and ends the machine.
        "debug.debugger_on_panic=0",
        "debug.trace_on_panic=1",
        "kern.panic_reboot_wait_time=0",
        "kern.shutdown.poweroff_delay=0",
        *more,
    )
    return "\n".join(lines) + "\n"
