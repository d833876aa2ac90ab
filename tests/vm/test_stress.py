"""Guests under stress: odd memory, fork, kill, ptrace, closed files, load; nothing is lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Machine
from tests.guests import suite
from tests.stress import measure, stress
from tests.stress.fuzz import COMPLAINT

pytestmark = pytest.mark.vm


@pytest.mark.parametrize("memory", [192, 1024], ids=["small", "large"])
@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_all_cases_pass_and_leave_nothing(
    imported: Cache, kind: Kind, cpus: int, memory: int, tmp_path: Path
) -> None:
    stress.build(imported, tmp_path)
    machine = Machine(kind, cpus, memory=memory)
    result = stress.run_cases(imported, machine, tmp_path, timeout=2400)
    assert result.panic is None, result.panic.text
    said = result.output.decode(errors="replace")
    verdicts = suite.verdicts(said)
    assert {name for name, verdict in verdicts.items() if verdict.outcome == "not ok"} == set(), (
        said
    )
    assert len(verdicts) > 20
    assert re.search(r"^1\.\.\d+$", said, re.MULTILINE), said + result.console
    assert not result.lock_reports, "\n".join(report.text for report in result.lock_reports)
    assert result.status == 0, said
    assert COMPLAINT.findall(result.console) == []
    assert measure.difference(tmp_path) == ""
