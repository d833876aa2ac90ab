"""kill -9 at every step of the commands that change a series: all of the change, or nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from portkit.manifest.model import Manifest
from tests.engine.kill import every_step
from tests.engine.support import Files, chain, make_patch, portkit, snapshot
from tests.support import make_project

LINES = "".join(f"line {number}\n" for number in range(1, 31))
STATES: list[Files] = [
    {"a.c": LINES},
    {"a.c": LINES.replace("line 5\n", "five\n")},
    {"a.c": LINES.replace("line 5\n", "five\n").replace("line 25\n", "late\n")},
]
MAIL = make_patch("mail", {}, {"b.c": "new\n"}).replace("[PATCH] Make", "[PATCH] b: make")


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "A")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "a@example.org")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "1700000000 +0000")


@pytest.fixture
def project(tmp_path: Path) -> Manifest:
    """A project with a checkout of its series, in which somebody has worked."""
    root = tmp_path / "project"
    root.mkdir()
    manifest = make_project(root, {"1.0": STATES[0]}, chain(*STATES))
    assert portkit(root, "apply", "s", "--worktree", str(root / "tree")).exit_code == 0
    text = (root / "tree/a.c").read_text()
    (root / "tree/a.c").write_text(text.replace("line 15\n", "fifteen\n"))
    (root / "fixes.mbox").write_text(MAIL)
    return manifest


def finished(root: Path, *args: str) -> dict[str, bytes]:
    """The files after a command that nothing interrupts; then all is as it was."""
    saved = root.with_name("before")
    shutil.copytree(root, saved, symlinks=True)
    assert portkit(root, *args).exit_code == 0
    result = snapshot(root)
    shutil.rmtree(root)
    saved.rename(root)
    return result


@pytest.mark.parametrize(
    "command",
    [
        "new s --worktree TREE -m subject",
        "new s --commit refs/heads/s/1.0~1 -m again",
        "refresh s 1.patch --worktree TREE",
        "edit s 1.patch -m subject -m body",
        "drop s 1.patch",
        "move s 1.patch --to 2",
        "import s MBOX",
    ],
)
def test_all_or_nothing(project: Manifest, command: str) -> None:
    root = project.root
    args = command.replace("TREE", f"{root}/tree").replace("MBOX", f"{root}/fixes.mbox").split()
    if "--commit" in args:  # one that the series does not have
        assert portkit(root, "drop", "s", "1.patch").exit_code == 0
    before, after = snapshot(root), finished(root, *args)
    assert after != before
    for _ in every_step(root, lambda: None, *args):
        assert portkit(root, "status").exit_code == 0  # finishes what was committed
        assert snapshot(root) in (before, after)
        if snapshot(root) == before:
            assert portkit(root, *args).exit_code == 0
        elif "--worktree" in args:  # the work is in the series; the checkout learns it now
            assert portkit(root, *args).exit_code == 1
            assert git(root / "tree", "status", "--porcelain") == ""
        assert snapshot(root) == after


@pytest.mark.parametrize("direction", [[], ["--redo"]])
def test_undo_is_all_or_nothing_and_can_go_on(project: Manifest, direction: list[str]) -> None:
    root = project.root
    assert portkit(root, "drop", "s", "1.patch").exit_code == 0
    if direction:
        assert portkit(root, "undo", "s").exit_code == 0
    before, after = snapshot(root), finished(root, "undo", "s", *direction)
    assert after != before
    for _ in every_step(root, lambda: None, "undo", "s", *direction):
        assert portkit(root, "status").exit_code == 0
        assert snapshot(root) in (before, after)
        if snapshot(root) == before:
            assert portkit(root, "undo", "s", *direction).exit_code == 0
        assert snapshot(root) == after
        assert portkit(root, "undo", "s", *([] if direction else ["--redo"])).exit_code == 0
        assert snapshot(root) == before


def git(directory: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=directory, check=True, capture_output=True, text=True)
    return done.stdout
