"""The host's registers survive guests, and interrupts that arrive in a guest reach FreeBSD.

`host_state/checker.c` runs a guest with registers of its own and looks at the host's, with the help
of the module `host_state/peek.c`.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Emulator, Machine
from portkit.vm.run import run
from portkit.vm.tools import tool
from tests.guests.table import XSAVE
from tests.vm import cross
from tests.vm.peek import script_with_kvm as script

pytestmark = pytest.mark.vm

HERE = Path(__file__).parent
HOST_STATE = HERE / "host_state"

#: Exits to try; fewer where they take Bochs, whose processors share a thread, very long.
MANY = 1_000_000
BOCHS = {("plain", 1): MANY, ("plain", 2): 100_000, ("debug", 1): 50_000, ("debug", 2): 20_000}
#: Microseconds from signal to signal. Each stops the thread for its tracer; with one every 3 ms the
#: debug kernel gets nothing else done on Bochs.
SIGNALS = {("bochs", "debug"): 30_000}
OFTEN = 3_000
#: A status (valid, uncorrected, enabled, signalled, no context lost), and two bits of MCG_STATUS.
RECOVERABLE = 1 << 63 | 1 << 61 | 1 << 60 | 1 << 56 | 0x134
RIPV, MCIP = 1, 4
#: Exits of the guest to the kernel for one to its client.
BATCH = 1000


@pytest.fixture
def directory(imported: Cache, kind: Kind, tmp_path: Path) -> Path:
    """A directory with the modules for a kernel, and the programs."""
    shutil.copy(cross.kvm_ko(kind), tmp_path / "kvm.ko")
    cross.module([HOST_STATE / "peek.c"], tmp_path / "peek.ko", kind)
    more = (HOST_STATE / name for name in ("seen.c", "guest.S"))
    checker = HOST_STATE / "checker.c", tmp_path / "checker"
    cross.kvm_program(imported, *checker, *more, options=(f"-DBATCH={BATCH}", "-DGUEST_PORT=0x10"))
    cross.program_32(HOST_STATE / "narrow.c", tmp_path / "narrow")
    cross.kvm_program(imported, HERE / "kvm_client.c", tmp_path / "kvm_client")
    return tmp_path


@pytest.mark.parametrize(
    ("emulator", "cpu", "cpus"),
    [
        ("qemu", None, 1), ("qemu", None, 2), ("qemu", XSAVE, 1),
        ("bochs", None, 1), ("bochs", None, 2),
    ],
)  # fmt: skip
def test_the_host_is_as_before(
    imported: Cache, kind: Kind, directory: Path, emulator: Emulator, cpu: str | None, cpus: int
) -> None:
    machine = Machine(kind, cpus, emulator=emulator, cpu=cpu)
    exits = MANY if emulator == "qemu" else BOCHS[kind, cpus]
    signals = SIGNALS.get((emulator, kind), OFTEN)
    text = f"./checker {exits} ./narrow {signals} && kldunload kvm"
    result = script(imported, machine, directory, text)
    assert result.status == 0, result.output
    said = re.search(rb"^(\d+) exits, signals: yes\nhost state: as before$", result.output, re.M)
    assert said is not None, result.output
    assert int(said[1]) >= exits


@pytest.mark.parametrize("emulator", ["qemu", "bochs"])
def test_interrupts_in_a_guest_reach_the_host(
    imported: Cache, kind: Kind, directory: Path, emulator: Emulator
) -> None:
    """A guest spins on the second CPU, whose timer ticks and which obeys NMIs, as in a panic."""
    result = script(
        imported, Machine(kind, 2, emulator=emulator), directory,
        """
        cpuset -l 1 ./kvm_client spin & sleep 2
        ticks() { vmstat -i | sed -n 's/^cpu1:timer *\\([0-9]*\\) .*/ticks \\1/p'; }
        ticks; for i in 1 2 3 4 5 6 7 8 9 10; do cpuset -l 0 sysctl -n debug.peek.stop; done
        sleep 2; ticks; kill -9 $!; wait $!; kldunload kvm
        """,
    )  # fmt: skip
    assert result.output.split().count(b"1") == 10, result.output
    before, after = (int(n) for n in re.findall(rb"^ticks (\d+)$", result.output, re.MULTILINE))
    assert after > before


def test_a_machine_check_can_be_passed_on(imported: Cache, kind: Kind, directory: Path) -> None:
    """By the instruction that the module uses."""
    result = script(imported, Machine(kind), directory, "sysctl -n debug.peek.mce")
    assert result.output == b"1\n", result.console


def test_machine_checks_in_a_guest_reach_the_host(
    imported: Cache, kind: Kind, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SVM: ones from which FreeBSD recovers."""
    qemu = tool("qemu-system-x86_64")
    if b"(repaired)" not in subprocess.run([qemu, "--version"], capture_output=True).stdout:
        pytest.skip("QEMU's machine checks do not leave a guest: see docs/emulators.md")
    monitor = tmp_path / "monitor"
    wrapper = tmp_path / "bin/qemu-system-x86_64"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {qemu} "$@" -monitor unix:{monitor},server,wait=off\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")

    def inject(output: bytes) -> None:
        if b"spinning" in output:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(monitor))
                client.sendall(f"mce 1 9 {RECOVERABLE:#x} {MCIP | RIPV:#x} 0 0\n".encode())
                client.recv(4096)

    result = script(
        imported, Machine(kind, 2), directory,
        """
        cpuset -l 1 ./kvm_client spin & sleep 2
        for i in 1 2 3 4 5; do
            echo spinning; sleep 2; sysctl hw.mca.force_scan=1 >&2; sleep 1
        done
        kill -9 $!; wait $!; kldunload kvm && sysctl hw.mca.count
        """,
        on_output=inject,
    )  # fmt: skip
    assert b"hw.mca.count: 5" in result.output, result.console
    assert result.console.count(f"MCA: Bank 9, Status {RECOVERABLE:#018x}") == 5


def test_a_machine_check_in_a_guest_on_vmx_reaches_the_host(
    imported: Cache, kind: Kind, directory: Path
) -> None:
    """Bochs has no registers that say what it was, so FreeBSD can but panic."""
    machine = Machine(kind, 2, emulator="bochs")
    text = """
        case $(sysctl -n debug.peek.mce_in_guest) in 0) exit 77;; esac
        kldload ./kvm.ko; cpuset -l 1 ./kvm_client spin & sleep 2
        sysctl debug.peek.mce_in_guest=1; sleep 20
        """
    result = run(imported, machine, directory, ["sh", "-c", f"kldload ./peek.ko; {text}"],
                 timeout=600)  # fmt: skip
    if result.status == 77:
        pytest.skip("Bochs has no machine checks: see docs/emulators.md")
    assert result.panic is not None, result.console
    assert result.panic.message == "Unrecoverable machine check exception"
    assert "vmx_" in result.panic.backtrace, result.panic.text
