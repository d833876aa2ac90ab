"""Build the stress cases and run them in a machine, measuring what they leave behind."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path

from portkit.vm.cache import Cache
from portkit.vm.machine import Machine
from portkit.vm.run import Result, run
from tests.guests.suite import HERE as GUESTS
from tests.stress import measure
from tests.vm import cross

HERE = Path(__file__).parent


def build(cache: Cache, directory: Path) -> None:
    """Make the program ``stress`` in a directory."""
    sources = [*sorted(HERE.glob("stress*.c")), HERE / "stress_guest.S", *GUESTS.glob("client*.c")]
    first, *more = sources
    cross.kvm_program(cache, first, directory / "stress", Path(f"-I{GUESTS}"), *more)


def run_cases(
    cache: Cache, machine: Machine, directory: Path, cases: str = "", *, timeout: float
) -> Result:
    """Run cases; a few run before, so that caches are warm when the first measure is taken.

    The machine gets a disk to swap to.
    """
    shutil.copy(cross.kvm_ko(machine.kernel), directory / "kvm.ko")
    script = (
        "kldload ./kvm.ko && sysctl kern.corefile=/tmp/%N.core > /dev/null &&"
        f" ./stress -t 120 memory.fork process.killed > warm-up;"
        f" {measure.SCRIPT.format(name='before')}; ./stress -t 400 {cases}; s=$?;"
        f" {measure.SCRIPT.format(name='after')}; kldunload kvm || exit 3; exit $s"
    )
    with tempfile.NamedTemporaryFile() as swap:
        swap.truncate(512 << 20)
        disk = ("-drive", f"file={swap.name},if=virtio,format=raw,cache=unsafe")
        machine = dataclasses.replace(machine, options=(*machine.options, *disk))
        return run(cache, machine, directory, ["sh", "-c", script], timeout=timeout)
