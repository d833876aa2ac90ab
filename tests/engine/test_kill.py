"""kill -9 at every step of apply and rebase: the next command goes on or starts clean."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from portkit.manifest.model import Manifest
from portkit.mirror.store import Mirror
from tests.engine.kill import every_step
from tests.engine.support import Files, chain, portkit, snapshot
from tests.support import make_project

LINES = "".join(f"line {number}\n" for number in range(1, 31))


def lines(**changes: str) -> str:
    text = LINES
    for name, value in changes.items():
        text = text.replace(f"line {name[1:]}\n", f"{value}\n")
    return text


@pytest.fixture
def project(tmp_path: Path) -> Manifest:
    first: Files = {"a.c": LINES, "b.c": LINES}
    patches = chain(
        first,
        {"a.c": lines(l2="two"), "b.c": LINES},
        {"a.c": lines(l2="two", l15="ours"), "b.c": LINES},
        {"a.c": lines(l2="two", l15="ours"), "b.c": lines(l28="end")},
    )
    releases: dict[str, Files] = {
        "1.1": first,
        "1.2": {"a.c": lines(l2="two"), "b.c": "new\n" + LINES},
        "1.3": {"a.c": lines(l15="theirs"), "b.c": "new\n" + LINES},
    }
    (tmp_path / "project").mkdir()
    return make_project(tmp_path / "project", releases, patches)


def finished(root: Path, *args: str) -> dict[str, bytes]:
    """The files after a command that nothing interrupts."""
    copy = root.with_name(root.name + ".finished")
    shutil.copytree(root, copy, symlinks=True)
    assert portkit(copy, *args).exit_code == 0
    result = snapshot(copy)
    shutil.rmtree(copy)
    return result


def nothing() -> None:
    pass


def test_apply(project: Manifest) -> None:
    root, repo = project.root, Mirror(project, "up").repo
    before = snapshot(root)
    for _ in every_step(root, nothing, "apply", "s"):
        assert snapshot(root) == before
        assert len(repo.text("rev-list", "--all").split()) in (3, 6)
        assert portkit(root, "apply", "s").exit_code == 0
        assert len(repo.refs("refs/heads/")) == 1


def test_apply_with_a_checkout(project: Manifest) -> None:
    root = project.root
    tree = root / "tree"
    for _ in every_step(root, nothing, "apply", "s", "--worktree", str(tree)):
        assert portkit(root, "apply", "s", "--worktree", str(tree)).exit_code == 0
        assert (tree / "a.c").read_text() == lines(l2="two", l15="ours")


def test_a_checkout_again(project: Manifest) -> None:
    """Files are half there, the index is locked: git was killed, too."""
    root = project.root
    args = ("apply", "s", "--worktree", str(root / "tree"))
    assert portkit(root, *args).exit_code == 0
    files = {name: (root / "tree" / name).read_text() for name in ("a.c", "b.c")}
    patch = root / "patches/s/3.patch"
    patch.write_text(patch.read_text().replace("+end", "+the end"))

    git = Mirror(project, "up").repo.path / "worktrees/tree"
    for _ in every_step(root, nothing, *args):
        if (git / "refs/worktree/portkit-unfinished").exists():
            (root / "tree/b.c").write_text("half")
            (git / "index.lock").touch()
        assert portkit(root, *args).exit_code == 0
        assert (root / "tree/a.c").read_text() == files["a.c"]
        assert (root / "tree/b.c").read_text() == files["b.c"].replace("end\n", "the end\n")


def test_a_rebase_to_its_end(project: Manifest) -> None:
    root = project.root
    before = snapshot(root)
    after = finished(root, "rebase", "s", "--onto", "1.2")
    for _ in every_step(root, nothing, "rebase", "s", "--onto", "1.2"):
        assert portkit(root, "status").exit_code == 0  # finishes what was committed
        assert snapshot(root) in (before, after)
        if snapshot(root) == before:
            assert portkit(root, "rebase", "s", "--onto", "1.2").exit_code == 0
        assert snapshot(root) == after
        assert not (root / ".portkit/rebase/s/state.json").exists()


def stop_at_conflict(root: Path) -> None:
    assert portkit(root, "rebase", "s", "--onto", "1.3").exit_code == 3


def resolve(root: Path) -> None:
    (root / ".portkit/rebase/s/worktree/a.c").write_text(lines(l2="two", l15="both"))


def in_progress(root: Path) -> bool:
    return (root / ".portkit/rebase/s/state.json").exists()


def test_a_rebase_to_its_conflict(project: Manifest) -> None:
    root = project.root
    before = snapshot(root)
    for _ in every_step(root, nothing, "rebase", "s", "--onto", "1.3"):
        assert snapshot(root) == before
        again = ("--continue",) if in_progress(root) else ("--onto", "1.3")
        result = portkit(root, "rebase", "s", *again)
        assert result.exit_code == 3
        if "marker is left" not in str(result.exception):
            assert "a.c: content" in result.stdout
        resolve(root)
        assert portkit(root, "rebase", "s", "--continue").exit_code == 0


def test_continue(project: Manifest) -> None:
    root = project.root

    def prepare() -> None:
        stop_at_conflict(root)
        resolve(root)

    final: list[dict[str, bytes]] = []

    def prepare_and_look_ahead() -> None:
        prepare()
        final.append(finished(root, "rebase", "s", "--continue"))

    for _ in every_step(root, prepare_and_look_ahead, "rebase", "s", "--continue"):
        assert portkit(root, "status").exit_code == 0
        if in_progress(root):
            assert portkit(root, "rebase", "s", "--continue").exit_code == 0
        assert snapshot(root) == final[0]


def test_skip(project: Manifest) -> None:
    root = project.root
    final: list[dict[str, bytes]] = []

    def prepare() -> None:
        stop_at_conflict(root)
        final.append(finished(root, "rebase", "s", "--skip"))

    for _ in every_step(root, prepare, "rebase", "s", "--skip"):
        assert portkit(root, "status").exit_code == 0
        if in_progress(root) and portkit(root, "rebase", "s", "--skip").exit_code == 2:
            assert portkit(root, "rebase", "s", "--continue").exit_code == 0
        assert snapshot(root) == final[0]


def test_abort(project: Manifest) -> None:
    root = project.root
    before = snapshot(root)

    def prepare() -> None:
        stop_at_conflict(root)
        resolve(root)

    for _ in every_step(root, prepare, "rebase", "s", "--abort"):
        if in_progress(root):
            assert portkit(root, "rebase", "s", "--abort").exit_code == 0
        assert snapshot(root) == before
        kept = root / ".portkit/rebase/s.aborted.1/a.c"
        assert kept.read_text() == lines(l2="two", l15="both")
        stop_at_conflict(root)
