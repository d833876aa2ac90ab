"""Fuzz /dev/kvm for hours: ``python -m tests.stress.fuzz --hours 2 --record DIRECTORY``.

A slice is one machine and one seed. What a slice did is appended to ``log.jsonl`` in the record.
When a slice goes wrong, ``SEED.console`` and ``SEED.output`` stay there, and the round that it died
in is played again with each operation said before it is done, into ``SEED.operations``; but not
when the emulator failed, which is no verdict on the module. The last lines say what all slices did.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portkit.vm.cache import Cache, Kind, default_directory
from portkit.vm.machine import Emulator, Machine
from portkit.vm.run import Result, run
from tests.stress import measure
from tests.vm import cross

HERE = Path(__file__).parent

_ROUND = re.compile(r"^round (\d+) seed", re.MULTILINE)
_COUNTS = re.compile(r"(\d+) ([a-z]+)\b")
#: Linux's WARN() says where; FreeBSD's malloc(9) says who.
COMPLAINT = re.compile(r"^WARNING: \S+\.[ch]:\d+|^.*leaked memory.*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Slice:
    """What one machine did.

    Attributes:
        seed, emulator, kernel, cpus, tunables, uid: what was asked for.
        outcome: ``ok``, or the first thing that was wrong.
        counts: rounds, operations, ioctls, exits ... of the rounds that have ended.
        complaints: the lines of COMPLAINT, and names of lock reports.
        seconds: how long the machine ran.
        emulator_failed: a signal ended the emulator; the outcome is what it said.
    """

    seed: int
    emulator: Emulator
    kernel: Kind
    cpus: int
    tunables: tuple[str, ...]
    uid: int
    outcome: str
    counts: dict[str, int]
    complaints: tuple[str, ...]
    seconds: float
    emulator_failed: bool

    @property
    def good(self) -> bool:
        """Nothing speaks against the module."""
        return (self.outcome == "ok" or self.emulator_failed) and not self.complaints


def judge(result: Result, directory: Path) -> str:
    """``ok``, or what was wrong with a run; directory: where it left its measurements."""
    if result.panic is not None:
        return f"panic: {result.panic.message}"
    if result.outcome != "exited":
        return result.emulator_fault or result.outcome
    if result.lock_reports:
        return f"lock report: {result.lock_reports[0].kind}"
    if result.status != 0:
        return f"status {result.status}"
    return measure.difference(directory) or "ok"


def fuzz(
    cache: Cache, machine: Machine, directory: Path, options: str, *, uid: int = 0, timeout: float
) -> tuple[Slice, Result]:
    """Run the fuzzer once in a directory that has ``kvm.ko`` and ``kvmfuzz``.

    Args:
        options: of kvmfuzz, without ``-u``; the seed is read from it.
        uid: the user that the rounds run as.
        timeout: of the machine, in seconds.
    """
    user = f" -u {uid}" if uid else ""
    script = (
        # The first round makes what stays: zones grow, threads start.
        "kldload ./kvm.ko && ./kvmfuzz -s 1 -n 1 -o 100 > warm-up && "
        f"{measure.SCRIPT.format(name='before')} && ./kvmfuzz {options}{user} && "
        f"{measure.SCRIPT.format(name='after')} && kldunload kvm"
    )
    result = run(cache, machine, directory, ["sh", "-c", script], timeout=timeout)
    counts: dict[str, int] = {}
    for line in result.output.decode(errors="replace").splitlines():
        if line.startswith("fuzz: ") and " rounds" in line:
            counts = {name: int(number) for number, name in _COUNTS.findall(line)}
    complaints = [*COMPLAINT.findall(result.console), *(r.kind for r in result.lock_reports)]
    seed = re.search(r"-s (\d+)", options)
    done = Slice(
        int(seed[1]) if seed else 1, machine.emulator, machine.kernel, machine.cpus,
        machine.tunables, uid,
        judge(result, directory), counts, tuple(complaints), round(result.seconds, 1),
        result.outcome == "stopped" and bool(result.emulator_fault),
    )  # fmt: skip
    return done, result


def build(cache: Cache, directory: Path) -> None:
    """Make the program ``kvmfuzz`` in a directory."""
    first, *more = sorted(HERE.glob("fuzz*.c"))
    cross.kvm_program(cache, first, directory / "kvmfuzz", *more)


def _replay(cache: Cache, machine: Machine, directory: Path, done: Slice, said: str) -> bytes:
    rounds = _ROUND.findall(said) or ["0"]
    user = f" -u {done.uid}" if done.uid else ""
    command = (
        f"kldload ./kvm.ko && ./kvmfuzz -v -s {done.seed} -f {rounds[-1]} -n 1{user}"
        " && kldunload kvm"
    )
    return run(cache, machine, directory, ["sh", "-c", command], timeout=300).output


def summary(slices: Sequence[Slice]) -> str:
    """What slices did together, and how each kind of them ended."""
    counts = Counter[str]()
    for done in slices:
        counts.update(done.counts)
    del counts["s"]
    hours = sum(done.seconds for done in slices) / 3600
    counted = ", ".join(f"{number:,} {name}" for name, number in counts.items())
    kinds = Counter(
        f"{', '.join([d.emulator, d.kernel, f'{d.cpus} CPUs', *d.tunables, f'uid {d.uid}'])}: "
        + ", ".join([d.outcome, *d.complaints])
        for d in slices
    )
    return "\n".join(
        [f"{len(slices)} slices, {hours:.2f} hours: {counted}"]
        + [f"{number:4} x {kind}" for kind, number in kinds.items()]
    )


def main() -> None:
    """Fuzz until the time is up; exit status 1 when a slice was not ok."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--slice", type=int, default=600, help="seconds that a machine fuzzes")
    parser.add_argument("--seed", type=int, default=1, help="of the first slice; then 1 more each")
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--emulator", choices=["qemu", "bochs"], default="qemu")
    parser.add_argument("--kernel", choices=["plain", "debug"], default="debug")
    parser.add_argument("--tunable", action="append", default=[], help="as hw.kvm.amd.npt=0")
    parser.add_argument("--record", type=Path, required=True)
    args = parser.parse_args()
    args.record.mkdir(parents=True, exist_ok=True)
    cache = Cache(default_directory())
    machine = Machine(
        args.kernel, args.cpus, memory=768, emulator=args.emulator, tunables=tuple(args.tunable)
    )
    end, slices = time.monotonic() + args.hours * 3600, list[Slice]()
    for seed in range(args.seed, sys.maxsize):
        left = end - time.monotonic()
        if left <= 0:
            break
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            build(cache, directory)
            shutil.copy(cross.kvm_ko(args.kernel), directory / "kvm.ko")
            seconds = int(min(left, args.slice)) + 1
            done, result = fuzz(
                cache, machine, directory, f"-s {seed} -t {seconds} -n 1000000",
                uid=seed % 2 * 1001, timeout=seconds + 480,
            )  # fmt: skip
            slices.append(done)
            with (args.record / "log.jsonl").open("a") as log:
                log.write(json.dumps(dataclasses.asdict(done)) + "\n")
            if done.outcome == "ok" and done.good:
                continue
            (args.record / f"{seed}.console").write_text(result.console)
            (args.record / f"{seed}.output").write_bytes(result.output)
            if not done.good:
                said = result.output.decode(errors="replace")
                (args.record / f"{seed}.operations").write_bytes(
                    _replay(cache, machine, directory, done, said)
                )
    print(summary(slices))
    sys.exit(not all(done.good for done in slices))


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, subprocess.CalledProcessError) as error:
        sys.exit(f"fuzz: {error}")
