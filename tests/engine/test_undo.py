"""``portkit undo``: every command that rewrote a series is taken back, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from portkit.engine import undo as undo_module
from portkit.manifest.load import load_manifest
from portkit.manifest.model import Manifest
from tests.engine.support import chain, make_patch, portkit, snapshot
from tests.support import make_project

LINES = "".join(f"{number}\n" for number in range(1, 41))


def lines(**changes: str) -> dict[str, str]:
    text = LINES
    for name, value in changes.items():
        text = text.replace(f"\n{name[1:]}\n", f"\n{value}\n")
    return {"a.c": text}


STATES = [lines(), lines(l5="five"), lines(l5="five", l15="x"), lines(l5="five", l15="x", l35="y")]


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "A U Thor")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "author@example.org")


@pytest.fixture
def project(tmp_path: Path) -> Manifest:
    """Three patches; on 1.1 the second one is upstream already and the third one collides."""
    (tmp_path / "p").mkdir()
    releases = {"1.0": STATES[0], "1.1": lines(l15="x", l35="theirs")}
    return make_project(tmp_path / "p", releases, chain(*STATES))


def ok(manifest: Manifest, *args: str) -> str:
    result = portkit(manifest.root, *args)
    assert result.exit_code == 0, result.exception
    return result.stdout


def _new(manifest: Manifest) -> None:
    tree = manifest.root.parent / "tree"
    ok(manifest, "apply", "s", "--worktree", str(tree))
    (tree / "new.c").write_text("new\n")
    ok(manifest, "new", "s", "--worktree", str(tree), "-m", "Add it")


def _refresh(manifest: Manifest) -> None:
    tree = manifest.root.parent / "tree"
    ok(manifest, "apply", "s", "--worktree", str(tree))
    (tree / "a.c").write_text((tree / "a.c").read_text().replace("five", "FIVE"))
    ok(manifest, "refresh", "s", "1.patch", "--worktree", str(tree))


def _import(manifest: Manifest) -> None:
    mail = manifest.root.parent / "fix.patch"
    mail.write_text(make_patch("fix.patch", STATES[3], {**STATES[3], "b.c": "b\n"}))
    ok(manifest, "import", "s", str(mail))


def _rebase(manifest: Manifest) -> None:
    assert portkit(manifest.root, "rebase", "s", "--onto", "1.1").exit_code == 3
    ok(manifest, "rebase", "s", "--skip")


COMMANDS: dict[str, Callable[[Manifest], object]] = {
    "new": _new,
    "edit": lambda manifest: ok(manifest, "edit", "s", "2.patch", "-m", "Say it better"),
    "refresh": _refresh,
    "drop": lambda manifest: ok(manifest, "drop", "s", "1.patch"),
    "move": lambda manifest: ok(manifest, "move", "s", "3.patch", "--to", "1"),
    "import": _import,
    "rebase": _rebase,
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_rewrote_a_series_can_be_undone_and_redone(
    project: Manifest, command: str
) -> None:
    before = snapshot(project.root)
    COMMANDS[command](project)
    after = snapshot(project.root)
    assert after != before
    assert f"s: undone: {command} s" in ok(project, "undo", "s")
    assert snapshot(project.root) == before
    ok(project, "undo", "s", "--redo")
    assert snapshot(project.root) == after
    ok(project, "undo", "s")
    assert snapshot(project.root) == before
    assert "3 patches" in ok(project, "apply", "s")


def test_undo_goes_back_step_by_step_and_a_new_change_ends_redo(project: Manifest) -> None:
    states = [snapshot(project.root)]
    for patch in ("3.patch", "2.patch", "1.patch"):
        ok(project, "drop", "s", patch)
        states.append(snapshot(project.root))
    ok(project, "undo", "s")
    assert snapshot(project.root) == states[2]
    ok(project, "undo", "s")
    assert snapshot(project.root) == states[1]
    ok(project, "edit", "s", "1.patch", "-m", "Another way")
    result = portkit(project.root, "undo", "s", "--redo")
    assert result.exit_code == 1
    assert "there is nothing to redo" in str(result.exception)
    ok(project, "undo", "s")
    ok(project, "undo", "s")
    assert snapshot(project.root) == states[0]
    result = portkit(project.root, "undo", "s")
    assert result.exit_code == 1
    assert "there is nothing to undo" in str(result.exception)


def test_the_list_names_what_would_be_undone(project: Manifest) -> None:
    assert "nothing to undo" in ok(project, "undo", "s", "--list")
    ok(project, "drop", "s", "3.patch")
    ok(project, "rebase", "s", "--onto", "1.1")
    text = ok(project, "undo", "s", "--list").splitlines()
    assert "rebase s --onto 1.1" in text[0]
    assert "pin 1.0 -> 1.1" in text[0]
    assert "drop s 3.patch (2 files)" in text[1]
    report = json.loads(ok(project, "--json", "undo", "s", "--list"))
    assert [change["pin"] for change in report["changes"]] == [None, ["1.0", "1.1"]]
    undone = json.loads(ok(project, "--json", "undo", "s"))
    again = json.loads(ok(project, "--json", "undo", "s", "--redo"))
    assert (undone["pin"], again["pin"]) == (["1.0", "1.1"], ["1.0", "1.1"])
    assert report["changes"][0]["files"] == ["patches/s/3.patch", "patches/s/series"]


def test_other_edits_of_the_manifest_stay(project: Manifest) -> None:
    ok(project, "drop", "s", "3.patch")
    ok(project, "rebase", "s", "--onto", "1.1")
    path = project.root / "portkit.toml"
    path.write_text("# a note\n" + path.read_text())
    ok(project, "undo", "s")
    assert path.read_text().startswith("# a note\n")
    assert load_manifest(path).series["s"].pin == "1.0"


@pytest.mark.parametrize("what", ["patch", "removed", "pin"])
def test_work_that_came_after_is_not_lost(project: Manifest, what: str) -> None:
    ok(project, "drop", "s", "3.patch")
    ok(project, "rebase", "s", "--onto", "1.1")
    manifest, patch = project.root / "portkit.toml", project.root / "patches/s/1.patch"
    if what == "patch":
        ok(project, "undo", "s")
        ok(project, "edit", "s", "1.patch", "-m", "By portkit")
        patch.write_text(patch.read_text().replace("By portkit", "By hand"))
    elif what == "removed":
        (project.root / "patches/s/series").unlink()
    else:
        manifest.write_text(manifest.read_text().replace('pin = "1.1"', 'pin = "1.2"'))
    before = snapshot(project.root)
    result = portkit(project.root, "undo", "s")
    assert result.exit_code == 1
    assert "would lose other work" in str(result.exception)
    assert snapshot(project.root) == before


def test_bytes_that_are_no_text_come_back(project: Manifest) -> None:
    path = project.root / "patches/s/2.patch"
    path.write_bytes(path.read_bytes().replace(b"Because.", b"Caf\xe9 \xff."))
    before = snapshot(project.root)
    ok(project, "drop", "s", "2.patch")
    ok(project, "undo", "s")
    assert snapshot(project.root) == before


def test_not_during_a_rebase(project: Manifest) -> None:
    ok(project, "edit", "s", "1.patch", "-m", "x")
    portkit(project.root, "rebase", "s", "--onto", "1.1")
    result = portkit(project.root, "undo", "s")
    assert result.exit_code == 2
    assert "--abort" in str(result.exception)


def test_a_damaged_record_is_named(project: Manifest) -> None:
    ok(project, "drop", "s", "3.patch")
    (record,) = (project.root / ".portkit/undo/s").glob("*.json")
    record.write_text('{"files": []}')
    result = portkit(project.root, "undo", "s")
    assert result.exit_code == 4
    assert str(record) in str(result.exception)


def test_only_so_many_are_kept(project: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo_module, "_KEPT", 3)
    for number in range(5):
        ok(project, "edit", "s", "1.patch", "-m", f"Wording {number}")
    changes = json.loads(ok(project, "--json", "undo", "s", "--list"))["changes"]
    assert len(changes) == 3
