"""What exits and page faults cost: this module on FreeBSD, and Linux's own KVM of the same release.

    python bench/kvm/run.py [--time counted|real] [--batches N]

Both hosts run the same client (exits.c) on the same emulated machine, one after the other. The
FreeBSD is the imported plain one with the module of KVM_KO; LINUX is the tree that it was built
from. The Linux is Debian's cloud kernel, downloaded once through apt. docs/bench-kvm.md explains.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY))

from portkit.vm import qemu  # noqa: E402
from portkit.vm.cache import Cache, default_directory  # noqa: E402
from portkit.vm.machine import Machine  # noqa: E402
from portkit.vm.run import run  # noqa: E402
from portkit.vm.tools import tool  # noqa: E402
from tests.vm.boot import debian, programs  # noqa: E402
from tests.vm.boot.initramfs import initramfs  # noqa: E402

HERE = Path(__file__).parent
PACKAGE, SUITES = "linux-image-6.12.107+deb13-cloud-amd64", ("trixie",)
SETTINGS = "console=ttyS0 quiet mitigations=off nokaslr panic=-1"
#: As on real machines, and as Linux does unasked: the emulator does not say that its TSC is
#: invariant.
TSC_IS_CLOCK = ("kern.timecounter.invariant_tsc=1", "kern.timecounter.smp_tsc=1")
MEMORY = 1536  # MiB
SECONDS = 3600

#: Kind of exit -> the least and the median of the batches, in cycles.
Results = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Host:
    """The emulated machine, and what it runs.

    Attributes:
        counted: time is instructions.
        batches: how often each kind is measured.
        kind: the only one to measure; all if it is empty.
        options: more of the emulator's.
        on_output: gets what the machine writes, while it runs. If it is given, the machine first
            says where its functions are, and that it is ready.
    """

    counted: bool
    batches: int
    kind: str = ""
    options: tuple[str, ...] = ()
    on_output: Callable[[bytes], object] | None = None

    @property
    def cpus(self) -> int:
        """Counting needs one: the emulator's processors would take turns."""
        return 1 if self.counted else 2


def parse(text: str) -> Results:
    return {
        match[1]: (int(match[2]), int(match[3]))
        for match in re.finditer(r"^([a-z-]+) (\d+) (\d+)\r?$", text, re.MULTILINE)
    }


def on_freebsd(host: Host, work: Path) -> Results:
    cache = Cache(default_directory())
    programs.for_freebsd(cache, [HERE / "exits.c"], work / "exits")
    shutil.copy(os.environ["KVM_KO"], work / "kvm.ko")
    machine = Machine(
        cpus=host.cpus, memory=MEMORY, counted=host.counted, options=host.options,
        tunables=TSC_IS_CLOCK,
    )  # fmt: skip
    script = (
        "kldload ./kvm.ko &&"
        f"{' kldstat && echo ready &&' if host.on_output else ''}"
        f" ./exits {host.batches} {host.kind}"
    )
    result = run(
        cache, machine, work, ["sh", "-c", script], timeout=SECONDS,
        on_output=host.on_output or (lambda data: None),
    )  # fmt: skip
    return parse(result.output.decode(errors="replace"))


def on_linux(host: Host, work: Path) -> Results:
    kernel = debian.kernel(work.parent / "linux", PACKAGE, SUITES)
    files = {
        "init": programs.for_linux([HERE / "host.c"], work / "init").read_bytes(),
        "program": programs.for_linux([HERE / "exits.c"], work / "exits").read_bytes(),
    }
    files |= {f"modules/{i}": path.read_bytes() for i, path in enumerate(kernel.modules)}
    (work / "initrd").write_bytes(initramfs(files))
    settings = f"{SETTINGS} batches={host.batches}"
    settings += f" kind={host.kind}" if host.kind else ""
    settings += " symbols=1" if host.on_output else ""
    command = (
        [tool("qemu-system-x86_64"), *qemu.ACCEL[host.counted], "-machine", "pc",
         "-cpu", qemu.DEFAULT_CPU, "-smp", str(host.cpus), "-m", str(MEMORY),
         "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
         "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", str(kernel.image),
         "-initrd", str(work / "initrd"), "-append", settings, *host.options]
    )  # fmt: skip
    output = b""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as emulator:
        assert emulator.stdout is not None
        while data := os.read(emulator.stdout.fileno(), 65536):
            output += data
            if host.on_output:
                host.on_output(data)
    return parse(output.decode(errors="replace"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--time", choices=("counted", "real"), default="counted")
    parser.add_argument("--batches", type=int, default=10)
    args = parser.parse_args()
    # In real time the first use of the emulator's own memory would count as the guest's.
    host = Host(args.time == "counted", args.batches, options=("-mem-prealloc",))
    place = default_directory().parent
    with (
        tempfile.TemporaryDirectory(dir=place) as ours,
        tempfile.TemporaryDirectory(dir=place) as theirs,
    ):
        freebsd = on_freebsd(host, Path(ours))
        linux = on_linux(host, Path(theirs))
    print(f"{'':14}{'Linux':>16}{'FreeBSD':>16}  ratio")
    for kind, (least, median) in freebsd.items():
        if kind not in linux:
            continue
        theirs_least, theirs_median = linux[kind]
        print(
            f"{kind:14}{theirs_least:8}{theirs_median:8}{least:8}{median:8}"
            f"  {least / theirs_least:.2f}"
        )


if __name__ == "__main__":
    main()
