"""A short burst of the fuzzer of /dev/kvm with seeds that stay the same.

docs/fuzzing.md says how it runs for hours, and what it has found.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Machine
from tests.stress import fuzz
from tests.vm import cross

pytestmark = pytest.mark.vm


@pytest.mark.parametrize("uid", [0, 1001], ids=["root", "user"])
@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_a_burst_does_no_harm(
    imported: Cache, kind: Kind, cpus: int, uid: int, tmp_path: Path
) -> None:
    fuzz.build(imported, tmp_path)
    shutil.copy(cross.kvm_ko(kind), tmp_path / "kvm.ko")
    machine = Machine(kind, cpus, memory=768)
    options = f"-s {cpus} -n 6 -o 200"
    done, result = fuzz.fuzz(imported, machine, tmp_path, options, uid=uid, timeout=600)
    assert done.outcome == "ok", result.console + result.output.decode(errors="replace")
    assert done.complaints == ()
    assert done.counts["rounds"] == 6
    assert done.counts["accepted"] > 500
