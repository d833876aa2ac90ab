"""Linux programs on kvm.ko: FreeBSD's Linux emulation, kvm_linux.ko, Linux's own ioctl numbers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Machine
from portkit.vm.run import Result, run
from tests.guests import suite
from tests.vm import cross

pytestmark = pytest.mark.vm

HERE = Path(__file__).parent
WORKED = b"ports and ioeventfd\nirqfd\nnew memory\nsignal mask\nrefusals\n"


@pytest.fixture
def directory(tmp_path: Path, kind: Kind, imported: Cache) -> Path:
    """All modules for a kernel, and the same client for both systems."""
    name = {"plain": "KMODS", "debug": "KMODS_DEBUG"}[kind]
    if name not in os.environ:
        pytest.skip(f"needs linux64.ko, linux_common.ko, kvm_linux.ko for {kind}, in {name}")
    for module in ("linux64.ko", "linux_common.ko", "kvm_linux.ko"):
        shutil.copy(Path(os.environ[name]) / module, tmp_path)
    shutil.copy(cross.kvm_ko(kind), tmp_path / "kvm.ko")
    cross.linux_program(HERE / "kvm_client.c", tmp_path / "linux_client")
    cross.kvm_program(imported, HERE / "kvm_client.c", tmp_path / "client")
    return tmp_path


def script(cache: Cache, machine: Machine, directory: Path, text: str) -> Result:
    (directory / "script").write_text(text)
    result = run(cache, machine, directory, ["sh", "-e", "./script"], timeout=600)
    assert result.panic is None, result.panic.text
    assert [report for report in result.lock_reports if "kvm" in report.text] == []
    assert suite.COMPLAINT.findall(result.console) == []
    assert result.outcome == "exited", result.console
    return result


def test_a_linux_program_runs_guests(imported: Cache, directory: Path, machine: Machine) -> None:
    """Ports, the vCPU's mapping, eventfds as ioeventfd and irqfd, Linux's signal numbers.

    Loading kvm_linux.ko alone loads what it needs.
    """
    result = script(
        imported, machine, directory,
        "kldload ./kvm_linux.ko; ./linux_client version; ./linux_client guest; ./client guest;"
        " kldunload kvm_linux; [ ! -e /dev/kvm ]",
    )  # fmt: skip
    assert result.output == b"12\n" + WORKED + WORKED
    assert result.status == 0


def test_without_the_module_the_ioctls_are_refused(
    imported: Cache, directory: Path, machine: Machine
) -> None:
    result = script(
        imported, machine, directory,
        "kldload linux64; kldload ./kvm.ko; ./linux_client version; kldunload kvm",
    )  # fmt: skip
    assert result.output == b"-1\n"
    assert result.status == 0


def test_unload_is_refused_while_a_linux_guest_runs(
    imported: Cache, directory: Path, machine: Machine
) -> None:
    """And neither other vCPUs nor other Linux ioctls wait for the one that runs."""
    result = script(
        imported, machine, directory,
        "kldload ./kvm_linux.ko; ./linux_client spin & sleep 3; ! kldunload kvm_linux 2>/dev/null;"
        " ./linux_client guest; kill -9 $!; wait $! || true; sleep 1; kldunload kvm_linux",
    )  # fmt: skip
    assert result.output == b"spinning\n" + WORKED
    assert result.status == 0
