"""A FreeBSD in an emulator for the tests marked ``vm``; they run when asked for with ``-m vm``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind, default_directory
from portkit.vm.machine import Machine

_MISSING = "no FreeBSD was imported: portkit vm import --kernel KERNEL --base BASE"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "vm" in str(config.getoption("markexpr")):
        return
    skip = pytest.mark.skip(reason="boots machines: ask for it with -m vm")
    for item in items:
        if item.get_closest_marker("vm"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def imported() -> Cache:
    """What the user imported; skips the test when that is nothing."""
    cache = Cache(default_directory())
    if cache.state.base is None or "plain" not in cache.state.kernels:
        pytest.skip(_MISSING)
    return cache


@pytest.fixture(params=["plain", "debug"])
def kind(request: pytest.FixtureRequest, imported: Cache) -> Kind:
    """Each kind of kernel in turn."""
    if request.param not in imported.state.kernels:
        pytest.skip(f"no {request.param} kernel was imported")
    chosen: Kind = request.param
    return chosen


@pytest.fixture(params=[1, 2, 4])
def machine(request: pytest.FixtureRequest, kind: Kind) -> Machine:
    """Each kind of kernel on each number of processors."""
    return Machine(kind, request.param)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    """An empty cache, which the commands use too."""
    monkeypatch.setenv("PORTKIT_VM_DIR", str(tmp_path / "cache"))
    return Cache(tmp_path / "cache")


@pytest.fixture(scope="session")
def tools() -> None:
    """Skips the test where makefs, clang or lld are missing."""
    if not Path("/usr/sbin/makefs").exists() and shutil.which("makefs") is None:
        pytest.skip("needs makefs")
    if not any(shutil.which(f"clang{v}") for v in ("", *(f"-{n}" for n in range(13, 23)))):
        pytest.skip("needs clang")
    if shutil.which("ld.lld") is None:
        pytest.skip("needs lld")
