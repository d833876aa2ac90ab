"""Toy clients and toy guests on the loaded module, on every kernel and 1, 2 and 4 CPUs.

One boot runs the whole suite; each of its cases is one test here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Machine
from portkit.vm.run import Result
from tests.guests import suite

pytestmark = pytest.mark.vm

MACHINES: list[tuple[Kind, int]] = [
    ("plain", 1), ("plain", 2), ("plain", 4), ("debug", 1), ("debug", 2), ("debug", 4),
]  # fmt: skip

Boot = Callable[[Kind, int], Result]


@pytest.fixture(scope="module")
def boot(imported: Cache, tmp_path_factory: pytest.TempPathFactory) -> Boot:
    """Boots a machine at its first use, and remembers what it did."""
    program = suite.build(imported, tmp_path_factory.mktemp("build"))
    done: dict[tuple[Kind, int], Result] = {}

    def booted(kind: Kind, cpus: int) -> Result:
        if kind not in imported.state.kernels:
            pytest.skip(f"no {kind} kernel was imported")
        if (kind, cpus) not in done:
            directory: Path = tmp_path_factory.mktemp("machine")
            done[kind, cpus] = suite.boot(imported, Machine(kind, cpus), program, directory)
        return done[kind, cpus]

    return booted


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: f"{m[0]}-{m[1]}")
def test_nothing_else_happens(boot: Boot, machine: tuple[Kind, int]) -> None:
    result = boot(*machine)
    assert result.panic is None, result.panic.text
    assert result.outcome == "exited", result.console
    assert result.lock_reports == ()
    assert result.status != 3, "kvm.ko does not unload"
    assert suite.COMPLAINT.findall(result.console) == []


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: f"{m[0]}-{m[1]}")
@pytest.mark.parametrize("case", suite.names())
def test_guest(boot: Boot, machine: tuple[Kind, int], case: str) -> None:
    result = boot(*machine)
    verdict = suite.verdicts(result.output.decode(errors="replace")).get(case)
    if verdict is None:
        pytest.fail(f"did not end: {result.outcome}\n{result.console[-3000:]}")
    if verdict.outcome == "skip":
        pytest.skip(verdict.text)
    assert verdict.outcome == "ok", verdict.text
