"""Suspend to memory: refused while /dev/kvm is in use, and else VMX and SVM are off meanwhile.

QEMU's machine sleeps until it is told to wake up.
"""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Machine
from portkit.vm.run import Result, run
from tests.vm import cross

pytestmark = pytest.mark.vm

HERE = Path(__file__).parent
HOST_STATE = HERE / "host_state"
BOOT_SECONDS = 600


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


def script(cache: Cache, machine: Machine, directory: Path, text: str) -> Result:
    command = ["sh", "-c", f"kldload ./peek.ko; kldload ./kvm.ko; {text}"]
    result = run(cache, machine, directory, command, timeout=BOOT_SECONDS)
    assert result.panic is None, result.panic.text
    assert result.outcome == "exited", result.console
    return result


class Waker(threading.Thread):
    """Wakes a machine each time it has gone to sleep, until it ends."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.path = path
        self.slept = 0

    def run(self) -> None:
        while not self.path.exists():
            time.sleep(0.1)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.path))
            stream = connection.makefile("rw")
            print('{"execute": "qmp_capabilities"}', file=stream, flush=True)
            for line in stream:
                if json.loads(line).get("event") == "SUSPEND":
                    self.slept += 1
                    time.sleep(1)
                    print('{"execute": "system_wakeup"}', file=stream, flush=True)


@pytest.mark.parametrize("cpus", [1, 2])
def test_refused_while_in_use(imported: Cache, kind: Kind, directory: Path, cpus: int) -> None:
    result = script(
        imported, Machine(kind, cpus), directory,
        "./kvm_client hold & sleep 2; ./suspend; sysctl -n debug.peek.virtual; kill $!; wait $!;"
        " ./kvm_client guest && kldunload kvm && sysctl -n debug.peek.virtual",
    )  # fmt: skip
    assert "kvm: the system is not suspended: /dev/kvm is in use" in result.console
    assert result.output.split() == [
        b"held", b"awake", b"%d" % cpus,
        *b"ports and ioeventfd irqfd signal mask refusals".split(), b"0",
    ], result.output  # fmt: skip


@pytest.mark.parametrize("cpus", [1, 2])
def test_guests_run_after_it(
    imported: Cache, kind: Kind, directory: Path, cpus: int, tmp_path: Path
) -> None:
    control = tmp_path / "control"
    waker = Waker(control)
    waker.start()
    machine = Machine(kind, cpus, options=("-qmp", f"unix:{control},server=on,wait=off"))
    result = script(
        imported, machine, directory,
        # FreeBSD's VGA driver panics at a suspend where there is no VGA.
        "devctl detach vga0; ./suspend; sysctl -n debug.peek.virtual; ./kvm_client guest &&"
        " kldunload kvm && sysctl -n debug.peek.virtual",
    )  # fmt: skip
    assert waker.slept == 1
    assert result.output.split() == [
        b"awake", b"%d" % cpus, *b"ports and ioeventfd irqfd signal mask refusals".split(), b"0",
    ], result.output  # fmt: skip
