"""The machine under QEMU: virtio disks, AMD's SVM."""

from __future__ import annotations

from portkit.vm.machine import Job, environment
from portkit.vm.tools import tool

#: SVM with nested paging on a processor that TCG emulates without a warning.
DEFAULT_CPU = "qemu64,+svm,+npt"

ACCEL = {
    False: ("-accel", "tcg,thread=multi"),
    True: ("-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"),
}


def prepare(job: Job) -> list[str]:
    """Write the run's files; returns the command to start in its directory."""
    machine = job.machine
    settings = environment(
        job, root="vtbd0", t="vtbd1", exchange="vtbd2",
        more=(  # no time is lost looking for disks that are not there
            "hint.atapci.0.disabled=1", "hint.ata.0.disabled=1", "hint.ata.1.disabled=1",
        ),
    )  # fmt: skip
    (job.directory / "env").write_text(settings, encoding="utf-8")
    for name, path in (("kernel", job.kernel), ("root.img", job.root)):
        (job.directory / name).symlink_to(path.resolve())
    command = [
        tool("qemu-system-x86_64"), *ACCEL[machine.counted], "-machine", "pc",
        "-cpu", machine.cpu or DEFAULT_CPU, "-smp", str(machine.cpus), "-m", str(machine.memory),
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-device", "virtio-rng-pci",
        "-kernel", str(job.guest.multiboot), "-initrd", "kernel,env",
        "-drive", "file=root.img,if=virtio,format=raw,snapshot=on",
        "-drive", "file=t.img,if=virtio,format=raw,cache=unsafe",
        "-drive", "file=exchange.img,if=virtio,format=raw,cache=unsafe",
        *machine.options,
    ]  # fmt: skip
    for name, fd in (("console", job.console), ("output", job.output)):
        command += ["-chardev", f"file,id={name},path=/dev/fd/{fd}", "-serial", f"chardev:{name}"]
    return command
