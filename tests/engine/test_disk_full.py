"""A disk that is full: one line, exit code 4, nothing lost, and the next run goes on.

A limit on the size of files stands in for the disk: writes fail from a certain size on, for
portkit and for git.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from portkit.manifest.model import Manifest
from tests.engine.support import Files, chain, portkit, snapshot
from tests.support import make_project

LINES = "".join(f"line {number}\n" for number in range(1, 400))
LIMITS = (0, 20, 300, 1500, 4000, 9000)


def limited(limit: int, root: Path, *args: str) -> subprocess.CompletedProcess[str]:
    def set_limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "portkit", "-C", str(root), *args],
        cwd=Path(__file__).parents[2], preexec_fn=set_limit,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def refused(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether it failed for want of space; then it says so in one line."""
    if done.returncode == 0:
        return False
    assert done.returncode == 4, done.stderr
    assert len(done.stderr.splitlines()) == 1
    return True


@pytest.fixture
def project(tmp_path: Path) -> Manifest:
    first: Files = {"a.c": LINES}
    ours = LINES.replace("line 7\n", "ours\n" * 900)
    patches = chain(first, {"a.c": ours}, {"a.c": ours + "end\n"})
    releases: dict[str, Files] = {
        "1.1": first,
        "1.2": {"a.c": "new\n" + LINES},
        "1.3": {"a.c": LINES.replace("line 7\n", "theirs\n")},
    }
    return make_project(tmp_path, releases, patches)


@pytest.mark.parametrize("limit", LIMITS)
def test_apply_and_rebase(project: Manifest, limit: int) -> None:
    root = project.root
    before = snapshot(root)
    if refused(limited(limit, root, "apply", "s")):
        assert snapshot(root) == before
    if refused(limited(limit, root, "rebase", "s", "--onto", "1.2")):
        assert snapshot(root) == before
        assert portkit(root, "rebase", "s", "--onto", "1.2").exit_code == 0
    assert portkit(root, "apply", "s").exit_code == 0


@pytest.mark.parametrize("limit", LIMITS)
def test_a_conflict_and_its_resolution(project: Manifest, limit: int) -> None:
    root = project.root
    before = snapshot(root)
    done = limited(limit, root, "rebase", "s", "--onto", "1.3")
    assert done.returncode in (3, 4)
    assert snapshot(root) == before
    again = ("--continue",) if (root / ".portkit/rebase/s/state.json").exists() else (
        "--onto", "1.3")  # fmt: skip
    if done.returncode == 4:
        assert portkit(root, "rebase", "s", *again).exit_code == 3
    resolved = LINES.replace("line 7\n", "both\n")
    (root / ".portkit/rebase/s/worktree/a.c").write_text(resolved)
    if refused(limited(limit, root, "rebase", "s", "--continue")):
        assert (root / ".portkit/rebase/s/worktree/a.c").read_text() == resolved
        assert snapshot(root).items() >= before.items()
        assert portkit(root, "rebase", "s", "--continue").exit_code == 0
    assert portkit(root, "apply", "s").exit_code == 0
