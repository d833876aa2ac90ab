"""The example of the porting guide: the layer carries a driver that is not KVM."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from portkit.build.command import find_tool
from portkit.build.cross import Target, _headers
from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Machine
from portkit.vm.run import run
from tests.engine.support import portkit
from tests.vm import cross

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "ntsync"


def build(linux: Path, objects: Path, variables: dict[str, object]) -> Path:
    """ntsync.ko, by the example's makefile."""
    objects.mkdir()
    words = {
        "LKC_CROSS": "yes", "LINUX": linux, "CC": find_tool("clang"), "LD": find_tool("ld.lld"),
        "OBJCOPY": find_tool("llvm-objcopy"), "MAKEOBJDIR": objects, **variables,
    }  # fmt: skip
    done = subprocess.run(
        [find_tool("bmake"), "-j2", "-f", str(EXAMPLE / "Makefile"),
         *(f"{name}={value}" for name, value in words.items())],
        cwd=objects, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, "\n".join(
        line for line in (done.stdout + done.stderr).splitlines() if "error:" in line
    )
    return objects / "ntsync.ko"


@pytest.fixture(scope="session")
def linux(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Linux with the example's series, mirrored and applied as its reader would do it."""
    if "NTSYNC_LINUX" in os.environ:
        return Path(os.environ["NTSYNC_LINUX"])
    if shutil.which("apt-get") is None:
        pytest.skip("needs apt, or a tree with the series applied in NTSYNC_LINUX")
    root = tmp_path_factory.mktemp("ntsync") / "project"
    shutil.copytree(EXAMPLE, root)
    tree = root / "tree"
    assert portkit(root, "sync", "linux").exit_code == 0
    done = portkit(root, "apply", "ntsync", "--stand-in", "--worktree", str(tree))
    assert done.exit_code == 0, str(done.exception)
    return tree


@pytest.mark.network
@pytest.mark.slow
def test_it_compiles_with_the_headers_of_a_release(linux: Path, tmp_path: Path) -> None:
    variables = _headers(Target(1400097, "clang"), tmp_path / "ck")
    module = build(linux, tmp_path / "objects", variables)
    assert module.read_bytes()[:4] == b"\x7fELF"


@pytest.mark.vm
@pytest.mark.network
def test_it_loads_keeps_its_promises_and_goes(
    imported: Cache, kind: Kind, linux: Path, tmp_path: Path
) -> None:
    kernel = cross.kernel_build(kind)
    variables: dict[str, object] = {"SYSDIR": os.environ["SYSDIR"], "KERNBUILDDIR": kernel}
    directory = tmp_path / "t"
    directory.mkdir()
    shutil.copy(build(linux, tmp_path / "objects", variables), directory)
    cross.program(imported, EXAMPLE / "test.c", directory / "test")
    (directory / "script").write_text(
        "kldload ./ntsync.ko; ./test; exec 3<>/dev/ntsync; ! kldunload ntsync 2>/dev/null;"
        " exec 3>&-; kldunload ntsync; [ ! -e /dev/ntsync ]; kldload ./ntsync.ko; ./test;"
        " kldunload ntsync"
    )
    result = run(imported, Machine(kind, 2), directory, ["sh", "-ex", "./script"], timeout=300)
    assert result.panic is None, result.panic.text
    assert result.lock_reports == ()
    assert (result.outcome, result.status) == ("exited", 0), result.output
