"""kvm.ko in a live kernel: loads, says what it found, serves /dev/kvm, goes without a trace."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Emulator, Machine
from portkit.vm.run import Result, run
from tests.vm import cross

pytestmark = pytest.mark.vm

BOOT_SECONDS = 300

MACHINES: list[tuple[Emulator, int]] = [
    ("qemu", 1), ("qemu", 2), ("qemu", 4), ("bochs", 1), ("bochs", 2),
]  # fmt: skip


@pytest.fixture
def directory(tmp_path: Path, kind: Kind, imported: Cache) -> Path:
    """A directory with the module for a kernel, and the client."""
    name = {"plain": "KVM_KO", "debug": "KVM_KO_DEBUG"}[kind]
    if name not in os.environ:
        pytest.skip(f"the module's tests need it linked for the {kind} kernel, in {name}")
    shutil.copy(os.environ[name], tmp_path / "kvm.ko")
    cross.program(imported, Path(__file__).parent / "kvm_api.c", tmp_path / "kvm_api")
    return tmp_path


def script(cache: Cache, machine: Machine, directory: Path, text: str) -> Result:
    (directory / "script").write_text(text)
    command = ["sh", "-e", "./script"]
    result = run(cache, machine, directory, command, timeout=BOOT_SECONDS)
    assert result.panic is None, result.panic.text
    assert result.lock_reports == ()
    assert result.outcome == "exited", result.console
    return result


@pytest.mark.parametrize(("emulator", "cpus"), MACHINES)
def test_it_loads_and_answers_and_unloads(
    imported: Cache, directory: Path, kind: Kind, emulator: Emulator, cpus: int
) -> None:
    machine = Machine(kind, cpus, emulator=emulator)
    result = script(
        imported, machine, directory,
        "kldload ./kvm.ko; [ -c /dev/kvm ]; ./kvm_api; kldunload kvm; [ ! -e /dev/kvm ]",
    )  # fmt: skip
    assert result.output == b"12\n", result.console
    assert result.status == 0, result.console


@pytest.mark.parametrize(
    ("emulator", "vendor"),
    [
        ("qemu", "kvm_amd: "),
        pytest.param(
            "bochs", "kvm_intel: ",
            marks=pytest.mark.xfail(
                strict=True, reason="Linux's VMX side says nothing when all is well; we should"
            ),
        ),
    ],
)  # fmt: skip
def test_it_says_what_it_found(
    imported: Cache, directory: Path, kind: Kind, emulator: Emulator, vendor: str
) -> None:
    machine = Machine(kind, emulator=emulator)
    result = script(imported, machine, directory, "kldload ./kvm.ko")
    assert [line for line in result.console.splitlines() if line.startswith(vendor)] != []


def test_an_open_descriptor_keeps_it_loaded(imported: Cache, directory: Path, kind: Kind) -> None:
    result = script(
        imported, Machine(kind, 2), directory,
        "kldload ./kvm.ko; exec 3<>/dev/kvm; ! kldunload kvm 2>/dev/null; ./kvm_api;"
        " exec 3>&-; kldunload kvm",
    )  # fmt: skip
    assert result.output == b"12\n"
    assert result.status == 0


def test_without_virtualization_it_says_so(imported: Cache, directory: Path, kind: Kind) -> None:
    result = script(
        imported, Machine(kind, cpu="qemu64,-svm"), directory,
        "kldload ./kvm.ko || true; [ ! -e /dev/kvm ]",
    )  # fmt: skip
    assert result.status == 0
    assert "kvm: not started: the processor has neither VT-x nor AMD-V" in result.console


def test_a_hundred_times_leaves_no_name_behind(
    imported: Cache, directory: Path, kind: Kind
) -> None:
    result = script(
        imported, Machine(kind, 2), directory,
        """
        once() { kldload ./kvm.ko; ./kvm_api > /dev/null; kldunload kvm; }
        once; once
        i=0; while [ $i -lt 100 ]; do once; i=$((i + 1)); done
        vmstat -m > malloc.after; vmstat -z > zones.after; ps -axH > threads.after
        """,
    )  # fmt: skip
    assert result.status == 0, result.output
    for what in ("malloc", "zones", "threads"):
        left = (directory / f"{what}.after").read_text()
        assert left.count("\n") > 10  # it is a list
        assert [line for line in left.splitlines() if "kvm" in line or "lkc" in line] == []
