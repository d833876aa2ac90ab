"""The FreeBSD side of linux-kmod-compat in a live kernel, with a test module as its Linux side.

`tests/kmod/host` has the module, which puts each primitive of the bridge through its contract,
and a client for what needs processes. A debug kernel checks locks, contexts and leaks besides.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Machine
from portkit.vm.run import run
from tests.guests import suite
from tests.vm import cross

pytestmark = pytest.mark.vm

ROOT = Path(__file__).parents[2]
HOST = ROOT / "tests/kmod/host"
COMPAT = ROOT / "ports/devel/linux-kmod-compat/src"
BOOT_SECONDS = 300


@pytest.fixture
def directory(tmp_path: Path, kind: Kind, imported: Cache) -> Path:
    """A directory with the test module for a kernel, and its client."""
    sources = [*(COMPAT / "freebsd").glob("lkc_*.c"), *HOST.glob("hosttest*.c")]
    include = [COMPAT / "bridge", COMPAT / "freebsd"]
    cross.module(sources, tmp_path / "hosttest.ko", kind, include)
    cross.program(imported, HOST / "client.c", tmp_path / "client")
    return tmp_path


def test_every_primitive_keeps_its_contract(
    imported: Cache, directory: Path, machine: Machine
) -> None:
    command = [
        "sh", "-ec",
        "for i in 1 2 3; do kldload ./hosttest.ko; ./client; kldunload hosttest; done;"
        " ! sysctl -q hw.hosttest",
    ]  # fmt: skip
    result = run(imported, machine, directory, command, timeout=BOOT_SECONDS)
    assert result.panic is None, result.panic.text
    assert result.lock_reports == ()
    assert result.status == 0, result.output
    assert b"client: 0 failures" in result.output
    assert suite.COMPLAINT.findall(result.console) == []


def test_parameters_are_sysctls(imported: Cache, directory: Path, machine: Machine) -> None:
    command = [
        "sh", "-ec",
        "kldload ./hosttest.ko; sysctl -n hw.hosttest.digit; sysctl hw.hosttest.digit=3 >/dev/null;"
        " sysctl -n hw.hosttest.sub.digit; ! sysctl hw.hosttest.digit=x >/dev/null 2>&1;"
        " kldunload hosttest",
    ]  # fmt: skip
    result = run(imported, machine, directory, command, timeout=BOOT_SECONDS)
    assert result.status == 0, result.output
    assert result.output.split() == [b"7", b"3"]
