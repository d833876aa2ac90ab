"""Suspend to memory: refused while /dev/kvm is in use, and else VMX and SVM are off meanwhile.

Devices and processors are suspended and resumed, but the machine does not sleep: FreeBSD has a
setting for this. Under QEMU it does not come back from a sleep, without our module either.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Emulator, Machine
from tests.vm import cross
from tests.vm.peek import script_with_kvm as script

pytestmark = pytest.mark.vm

HERE = Path(__file__).parent
HOST_STATE = HERE / "host_state"


@pytest.fixture
def directory(imported: Cache, kind: Kind, tmp_path: Path) -> Path:
    """A directory with the modules for a kernel, and the programs."""
    directory = tmp_path / "t"
    directory.mkdir()
    shutil.copy(cross.kvm_ko(kind), directory / "kvm.ko")
    cross.module([HOST_STATE / "peek.c"], directory / "peek.ko", kind)
    cross.program(imported, HOST_STATE / "suspend.c", directory / "suspend")
    cross.kvm_program(imported, HERE / "kvm_client.c", directory / "kvm_client")
    return directory


@pytest.mark.parametrize("cpus", [1, 2])
@pytest.mark.parametrize("emulator", ["qemu", "bochs"])
def test_refused_while_in_use(
    imported: Cache, kind: Kind, directory: Path, emulator: Emulator, cpus: int
) -> None:
    result = script(
        imported, Machine(kind, cpus, emulator=emulator), directory,
        "./kvm_client hold & sleep 2; ./suspend; sysctl -n debug.peek.virtual; kill $!; wait $!;"
        " ./kvm_client guest && kldunload kvm && sysctl -n debug.peek.virtual",
    )  # fmt: skip
    assert "kvm: the system is not suspended: /dev/kvm is in use" in result.console
    assert result.output.split() == [
        b"held", b"awake", b"%d" % cpus,
        *b"ports and ioeventfd irqfd new memory signal mask refusals".split(), b"0",
    ], result.output  # fmt: skip


@pytest.mark.parametrize("cpus", [1, 2])
@pytest.mark.parametrize("emulator", ["qemu", "bochs"])
def test_guests_run_after_it(
    imported: Cache, kind: Kind, directory: Path, emulator: Emulator, cpus: int
) -> None:
    # FreeBSD's VGA driver panics at a suspend when it was switched off by this hint.
    machine = Machine(kind, cpus, emulator=emulator, tunables=("hint.vga.0.disabled=0",))
    result = script(
        imported, machine, directory,
        "sysctl debug.acpi.suspend_bounce=1 > /dev/null; ./suspend; sysctl -n debug.peek.asleep"
        " debug.peek.virtual; ./kvm_client guest && kldunload kvm && sysctl -n debug.peek.virtual",
    )  # fmt: skip
    assert result.output.split() == [
        b"awake", b"0", b"%d" % cpus,
        *b"ports and ioeventfd irqfd new memory signal mask refusals".split(), b"0",
    ], result.output  # fmt: skip
