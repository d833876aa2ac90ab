"""The host's registers survive guests, and interrupts that arrive in a guest reach FreeBSD.

`host_state/checker.c` runs a guest with registers of its own and looks at the host's, with the help
of the module `host_state/peek.c`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Emulator, Machine
from portkit.vm.tools import tool
from tests.guests.table import XSAVE
from tests.vm import cross
from tests.vm.peek import script_with_kvm as script

pytestmark = pytest.mark.vm

HERE = Path(__file__).parent
HOST_STATE = HERE / "host_state"

#: Exits to try. Debian's Bochs takes a quarter of an hour or more for them.
MANY = 1_000_000
#: Microseconds from signal to signal. Each stops the thread for its tracer; with one every 3 ms the
#: debug kernel gets nothing else done on Bochs.
SIGNALS = {("bochs", "debug"): 30_000}
OFTEN = 3_000
#: A bank's status: valid, uncorrected, but not enabled. FreeBSD has no other from which it recovers
#: on AMD's processors. And MCG_STATUS: in progress, the instruction pointer is valid.
SPURIOUS = 1 << 63 | 1 << 61 | 0x134
IN_PROGRESS = 5
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
    signals = SIGNALS.get((emulator, kind), OFTEN)
    text = f"./checker {MANY} ./narrow {signals} && kldunload kvm"
    result = script(imported, machine, directory, text)
    assert result.status == 0, result.output
    said = re.search(rb"^(\d+) exits, signals: yes\nhost state: as before$", result.output, re.M)
    assert said is not None, result.output
    assert int(said[1]) >= MANY


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


def qmp(control: Path, command: str) -> None:
    """Give QEMU's monitor a command and wait for its end."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(control))
        lines = client.makefile("rw")
        for name, arguments in (
            ("qmp_capabilities", {}), ("human-monitor-command", {"command-line": command}),
        ):  # fmt: skip
            lines.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
            lines.flush()
            next(line for line in lines if line.startswith('{"return"'))  # or an event


def test_machine_checks_in_a_guest_reach_the_host(
    imported: Cache, kind: Kind, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SVM. A processor's second one, before FreeBSD has taken the first, would be a reset."""
    qemu = tool("qemu-system-x86_64")
    if b"(repaired)" not in subprocess.run([qemu, "--version"], capture_output=True).stdout:
        pytest.skip("QEMU's machine checks do not leave a guest: see docs/emulators.md")
    control = tmp_path / "qmp"
    wrapper = tmp_path / "bin/qemu-system-x86_64"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {qemu} "$@" -qmp unix:{control},server,wait=off\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")

    said = bytearray()

    def inject(output: bytes) -> None:
        said.extend(output)
        if said.endswith(b"now\n"):
            said.clear()
            qmp(control, f"mce 1 9 {SPURIOUS:#x} {IN_PROGRESS} 0 0")

    result = script(
        imported, Machine(kind, 2), directory,
        """
        cpuset -l 1 ./kvm_client spin & sleep 2
        for i in 1 2 3 4 5; do
            echo now; sleep 2
            cpuset -l 1 sysctl debug.peek.mcg_status; sysctl hw.mca.force_scan=1 >&2; sleep 1
        done
        kill -9 $!; wait $!; kldunload kvm; sysctl hw.mca.count
        """,
        on_output=inject,
    )  # fmt: skip
    assert result.output.count(b"debug.peek.mcg_status: 1\n") == 5, result.output
    assert b"hw.mca.count: 5\n" in result.output, result.output
    assert result.console.count(f"MCA: Bank 9, Status {SPURIOUS:#018x}") == 5


def test_machine_checks_in_a_guest_on_vmx_reach_the_host(
    imported: Cache, kind: Kind, directory: Path
) -> None:
    result = script(
        imported, Machine(kind, 2, emulator="bochs"), directory,
        """
        sysctl debug.peek.mce_in_guest; cpuset -l 1 ./kvm_client spin & sleep 2
        for i in 1 2 3 4 5; do
            sysctl debug.peek.mce_in_guest=1 >&2; sleep 2; cpuset -l 1 sysctl debug.peek.mcg_status
        done
        kill -9 $!; wait $!; kldunload kvm
        """,
    )  # fmt: skip
    if b"debug.peek.mce_in_guest: -1\n" in result.output:
        pytest.skip("Bochs has no machine checks: see docs/emulators.md")
    assert result.output.count(b"debug.peek.mcg_status: 1\n") == 5, result.output
