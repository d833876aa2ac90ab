"""docs/capabilities.md against upstream's header and a running module."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Emulator, Machine
from portkit.vm.run import run
from tests.vm import cross

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "docs/capabilities.md"
BY_PROCESSOR = "by processor"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the device and a virtual machine say, and whether a promised call worked (None: no
    call of the client is about this capability)."""

    device: int
    machine: int
    works: bool | None


def documented() -> dict[str, str]:
    rows = re.findall(r"^\| `(KVM_CAP_\w+)` \| ([^|]+) \|", TABLE.read_text(), re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a capability is there twice"
    return dict(rows)


def numbers(linux: Path) -> dict[str, int]:
    """Upstream's capabilities."""
    text = (linux / "include/uapi/linux/kvm.h").read_text()
    found = re.findall(r"^#define\s+(KVM_CAP_\w+)\s+(\d+)", text, re.MULTILINE)
    return {name: int(number) for name, number in found}


def test_every_documented_capability_is_upstreams() -> None:
    assert documented().keys() <= numbers(cross.linux_tree()).keys()


@pytest.mark.vm
@pytest.mark.parametrize(
    ("emulator", "cpus"), [("qemu", 1), ("qemu", 2), ("qemu", 4), ("bochs", 2)]
)
def test_answers_are_as_documented_and_true(
    imported: Cache, tmp_path: Path, kind: Kind, emulator: Emulator, cpus: int
) -> None:
    known = numbers(cross.linux_tree())
    shutil.copy(cross.kvm_ko(kind), tmp_path / "kvm.ko")
    cross.kvm_program(imported, HERE / "kvm_caps.c", tmp_path / "kvm_caps")
    result = run(
        imported, Machine(kind, cpus, emulator=emulator), tmp_path,
        ["sh", "-ec", f"kldload ./kvm.ko; ./kvm_caps {max(known.values()) + 8}; kldunload kvm"],
        timeout=900,
    )  # fmt: skip
    assert result.panic is None
    assert result.lock_reports == ()
    assert result.status == 0, result.output
    answers = {}
    for line in result.output.decode().splitlines():
        number, device, machine, works = map(int, line.split())
        answers[number] = Answer(device, machine, None if works < 0 else works == 1)

    table = documented()
    for name, number in known.items():
        answer = answers[number]
        assert answer.device == answer.machine, name
        if table.get(name, "0") != BY_PROCESSOR:
            assert answer.device == int(table.get(name, "0")), name
        if answer.works is not None:
            assert answer.works == (answer.device != 0), name
    unknown = set(answers) - set(known.values())
    assert {number for number in unknown if answers[number].device} == set()
