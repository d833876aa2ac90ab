"""A case fails on VT-x in each mode with EPT: Linux's own KVM says the same in that emulator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from portkit.errors import EnvironmentProblem
from tests.guests import linux_host, suite, table

CASE = "exceptions.guest_debug"


def test_the_suite_compiles_for_linux(tmp_path: Path) -> None:
    assert linux_host.build(tmp_path).exists()


@pytest.mark.vm
@pytest.mark.network
@pytest.mark.usefixtures("imported")
def test_linux_says_the_same(tmp_path: Path) -> None:
    program = linux_host.build(tmp_path)
    try:
        linux_host.kernel()
    except EnvironmentProblem as problem:
        pytest.skip(f"no Linux kernel: {problem}")
    cpu = "corei7_haswell_4770"
    result = linux_host.boot(tmp_path, program, cpu, "", ["exceptions."], timeout=1800)
    found = suite.verdicts(result.output.decode(errors="replace").replace("\r", ""))
    ours = json.loads(table.DATA.read_text())["vmx"]["plain-1"]
    names = [name for name in suite.names() if name.startswith("exceptions.")]
    assert {name: table.said(found, name) for name in names} == {n: ours[n] for n in names}
    assert table.outcome(ours[CASE]) == "not ok"
