"""``new``, ``edit``, ``refresh``, ``drop``, ``move``: all of the edit, or nothing of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from portkit.engine.checkout import Checkout
from portkit.manifest.model import Manifest
from portkit.mirror.store import Mirror
from portkit.series.model import Change, Patch
from portkit.series.store import load_series
from tests.engine.support import chain, portkit, snapshot
from tests.support import make_project

LINES = "".join(f"line {number}\n" for number in range(1, 31))


def lines(**changes: str) -> str:
    """The lines, some replaced: ``lines(l7="seven")``."""
    text = LINES
    for name, value in changes.items():
        text = text.replace(f"line {name[1:]}\n", f"{value}\n")
    return text


STATES = [
    {"a.c": LINES, "b.c": LINES},
    {"a.c": lines(l5="five"), "b.c": LINES},
    {"a.c": lines(l5="five", l6="six"), "b.c": LINES},
    {"a.c": lines(l5="five", l6="six", l25="late"), "b.c": lines(l9="nine")},
]


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "New, Author")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "new@example.org")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "1700000000 -0330")


@pytest.fixture
def project(tmp_path: Path) -> Manifest:
    (tmp_path / "p").mkdir()
    return make_project(tmp_path / "p", {"1.0": STATES[0]}, chain(*STATES))


@pytest.fixture
def tree(project: Manifest, tmp_path: Path) -> Path:
    ok(project, "apply", "s", "--worktree", str(tmp_path / "tree"))
    return tmp_path / "tree"


def ok(manifest: Manifest, *args: str) -> str:
    result = portkit(manifest.root, *args)
    assert result.exit_code == 0, result.exception
    return result.output


def refused(manifest: Manifest, code: int, what: str, *args: str) -> None:
    """The command says why and has changed nothing."""
    before = snapshot(manifest.root)
    result = portkit(manifest.root, *args)
    assert result.exit_code == code
    assert what in str(result.exception)
    assert getattr(result.exception, "hint", None)
    assert snapshot(manifest.root) == before


def patches(manifest: Manifest) -> list[Patch]:
    return list(load_series(manifest.series["s"]).patches)


def names(manifest: Manifest) -> list[str]:
    return [patch.name for patch in patches(manifest)]


def result_of(manifest: Manifest, path: str = "a.c") -> str:
    """A file with the whole series applied."""
    ok(manifest, "apply", "s")
    (blob,) = Mirror(manifest, "up").repo.cat_file([f"refs/heads/s/1.0:{path}"])
    assert blob is not None
    return blob.data.decode()


def git(directory: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=C", "-c", "user.email=c@d", "-C", directory, *args],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout


# --- new ---


def test_new_from_a_worktree(project: Manifest, tree: Path) -> None:
    (tree / "a.c").write_text((tree / "a.c").read_text().replace("line 15", "fifteen"))
    git(tree, "mv", "b.c", "moved.c")
    (tree / "added.c").write_text("added\n")
    ok(
        project,
        "new",
        "s",
        "--worktree",
        str(tree),
        "-m",
        "area: do it",
        "-m",
        "Why.",
        "-m",
        "X: y",
    )
    new = patches(project)[-1]
    assert new.name == "area-do-it.patch"
    assert new.author == '"New, Author" <new@example.org>'
    assert new.date == "Tue, 14 Nov 2023 18:43:20 -0330"
    assert (new.subject, new.body) == ("area: do it", "Why.\n\nX: y")
    assert [(file.change, str(file.path)) for file in new.files] == [
        (Change.MODIFY, "a.c"), (Change.ADD, "added.c"), (Change.RENAME, "moved.c"),
    ]  # fmt: skip
    assert result_of(project) == (tree / "a.c").read_text()
    assert git(tree, "status", "--porcelain") == ""
    refused(project, 1, "no changes", "new", "s", "--worktree", str(tree), "-m", "x")


def test_new_needs_a_checkout_of_the_series_as_it_is(project: Manifest, tree: Path) -> None:
    ok(project, "drop", "s", "3.patch")
    (tree / "a.c").write_text("changed\n")
    args = ("new", "s", "--worktree", str(tree), "-m", "x")
    refused(project, 1, "not a checkout of the series as it is now", *args)
    assert (tree / "a.c").read_text() == "changed\n"


def test_new_refuses_what_is_no_checkout(project: Manifest, tmp_path: Path) -> None:
    refused(project, 2, "not a checkout", "new", "s", "--worktree", str(tmp_path), "-m", "x")
    refused(project, 2, "nothing to make", "new", "s", "-m", "x")


def test_new_from_a_commit_is_merged(project: Manifest, tree: Path) -> None:
    (tree / "a.c").write_text((tree / "a.c").read_text().replace("line 15", "fifteen"))
    git(tree, "commit", "-qam", "area: commit\n\nWhy.")
    commit = git(tree, "rev-parse", "HEAD").strip()
    ok(project, "move", "s", "3.patch", "--to", "1")
    ok(project, "new", "s", "--commit", commit)
    assert patches(project)[-1].subject == "area: commit"
    assert "fifteen\n" in result_of(project)
    refused(project, 1, "nothing of this patch is left", "new", "s", "--commit", commit)
    refused(project, 2, "git does not know", "new", "s", "--commit", "nope")
    refused(project, 2, "2 commits", "new", "s", "--commit", f"{commit}~2..{commit}")


def test_new_from_a_commit_that_conflicts(project: Manifest, tree: Path) -> None:
    git(tree, "checkout", "-q", "HEAD~2")
    (tree / "a.c").write_text((tree / "a.c").read_text().replace("line 6", "sechs"))
    git(tree, "commit", "-qam", "area: conflict")
    args = ("new", "s", "--worktree", str(tree), "--commit", "HEAD")
    refused(project, 1, "conflict in a.c (content)", *args)


def test_a_binary_file_is_refused(project: Manifest, tree: Path) -> None:
    (tree / "image").write_bytes(b"\0\1")
    args = ("new", "s", "--worktree", str(tree), "-m", "x")
    refused(project, 2, "image: binary file", *args)


# --- edit ---


def test_edit_the_message(project: Manifest) -> None:
    before = patches(project)
    ok(
        project,
        "edit",
        "s",
        "2.patch",
        "-m",
        "area: better",
        "-m",
        "Because.",
        "-m",
        "Forwarded: no",
    )
    after = patches(project)
    assert (after[1].subject, after[1].body) == ("area: better", "Because.\n\nForwarded: no")
    assert (after[1].author, after[1].date) == (before[1].author, before[1].date)
    assert after[1].files[0].hunks[0].new == before[1].files[0].hunks[0].new
    assert [after[0], after[2]] == [before[0], before[2]]


def test_edit_from_a_file(project: Manifest, tmp_path: Path) -> None:
    (tmp_path / "m").write_text("From: B <b@c>\nSubject: area: file\n\nWhy.\n")
    ok(project, "edit", "s", "1.patch", "-F", str(tmp_path / "m"))
    assert (patches(project)[0].author, patches(project)[0].subject) == ("B <b@c>", "area: file")
    (tmp_path / "m").write_text("area: plain\n\nWhy not.\n")
    ok(project, "edit", "s", "1.patch", "-F", str(tmp_path / "m"))
    assert (patches(project)[0].author, patches(project)[0].body) == ("B <b@c>", "Why not.")


def editor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    path = tmp_path / "editor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(path))


def test_edit_in_the_editor(
    project: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(project.root)
    editor(monkeypatch, tmp_path, "true")
    ok(project, "edit", "s", "1.patch")
    assert snapshot(project.root) == before
    editor(monkeypatch, tmp_path, 'sed -i s/Because/Therefore/ "$1"')
    ok(project, "edit", "s", "1.patch")
    assert patches(project)[0].body == "Therefore."


def test_the_text_of_the_editor_is_kept_when_it_is_refused(
    project: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(monkeypatch, tmp_path, 'printf "From: A <a@b>\\n\\nlong thoughts\\n" > "$1"')
    refused(project, 2, "has no subject", "edit", "s", "1.patch")
    assert (project.state_dir / "message.txt").read_text().endswith("long thoughts\n")
    editor(monkeypatch, tmp_path, 'printf "Subject: x\\n\\na\\n---\\nb\\n" > "$1"')
    refused(project, 2, "message.txt, give it with -F", "edit", "s", "1.patch")
    editor(monkeypatch, tmp_path, f"cd {project.root}; echo >> patches/s/1.patch")
    result = portkit(project.root, "edit", "s", "1.patch")
    assert "was changed while you edited it" in str(result.exception)
    assert "message.txt" in str(result.exception)


def test_edit_refusals(project: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(project, 2, "no patch 'x'", "edit", "s", "x", "-m", "y")
    refused(project, 2, "no series 'x'", "edit", "x", "1.patch", "-m", "y")
    refused(
        project, 2, "would not be read back", "edit", "s", "1.patch", "-m", "a", "-m", "b\n---\nc"
    )
    refused(project, 2, "-m and -F", "edit", "s", "1.patch", "-m", "a", "-F", "b")
    monkeypatch.setenv("VISUAL", str(tmp_path / "none"))
    refused(project, 4, "none", "edit", "s", "1.patch")


# --- refresh ---


def test_refresh_the_last_patch(project: Manifest, tree: Path) -> None:
    (tree / "b.c").write_text((tree / "b.c").read_text().replace("nine", "neun"))
    before = patches(project)
    report = json.loads(ok(project, "--json", "refresh", "s", "3.patch", "--worktree", str(tree)))
    assert report["rewritten"] == ["3.patch"]
    assert patches(project)[:2] == before[:2]
    assert patches(project)[2].subject == before[2].subject
    assert result_of(project, "b.c") == (tree / "b.c").read_text()
    assert git(tree, "status", "--porcelain") == ""


def test_refresh_an_early_patch_carries_the_later_ones(project: Manifest, tree: Path) -> None:
    text = "new\n" + (tree / "a.c").read_text().replace("line 15", "fifteen")
    (tree / "a.c").write_text(text)
    (tree / "fresh.c").write_text("x\n")
    ok(project, "refresh", "s", "1.patch", "--worktree", str(tree))
    first, second, third = patches(project)
    assert {str(file.path) for file in first.files} == {"a.c", "fresh.c"}
    assert second.files[0].hunks[0].old_start == 4  # one line further than before
    assert [str(file.path) for file in third.files] == ["a.c", "b.c"]
    assert result_of(project) == text
    ok(project, "apply", "s", "--worktree", str(tree))


def test_refresh_of_lines_that_a_later_patch_made(project: Manifest, tree: Path) -> None:
    (tree / "a.c").write_text((tree / "a.c").read_text().replace("late", "later"))
    refused(project, 1, "lines of later patches (2.patch, 3.patch)",
            "refresh", "s", "1.patch", "--worktree", str(tree))  # fmt: skip
    assert "later\n" in (tree / "a.c").read_text()
    ok(project, "refresh", "s", "3.patch", "--worktree", str(tree))


def test_a_patch_that_is_refreshed_to_nothing(project: Manifest, tree: Path) -> None:
    for name in ("a.c", "b.c"):
        (tree / name).write_text((tree / name).read_text().replace("late", "line 25"))
    (tree / "b.c").write_text(LINES)
    args = ("refresh", "s", "3.patch", "--worktree", str(tree))
    refused(project, 1, "would change nothing any more", *args)


def test_a_kill_between_the_patch_files_and_the_worktree(
    project: Manifest, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "b.c").write_text((tree / "b.c").read_text().replace("nine", "neun"))
    args = ("refresh", "s", "3.patch", "--worktree", str(tree))
    with monkeypatch.context() as patched:
        patched.setattr(Checkout, "settle", lambda self, patches: sys.exit(9))
        with pytest.raises(SystemExit):
            portkit(project.root, *args)
    assert result_of(project, "b.c") == (tree / "b.c").read_text()
    refused(project, 1, "no changes in this worktree", *args)
    assert git(tree, "status", "--porcelain") == ""
    ok(project, "apply", "s", "--worktree", str(tree))


# --- drop and move ---


def test_drop_carries_the_later_patches(project: Manifest) -> None:
    report = json.loads(ok(project, "--json", "drop", "s", "2.patch"))
    assert (report["removed"], report["added"]) == (["2.patch"], [])
    assert names(project) == ["1.patch", "3.patch"]
    assert result_of(project) == lines(l5="five", l25="late")


def test_drop_of_what_others_need_is_refused(project: Manifest) -> None:
    refused(project, 1, "2.patch: conflict in a.c", "drop", "s", "1.patch")
    refused(project, 2, "no patch", "drop", "s", "9.patch")


def test_drop_of_the_last_patch_needs_no_mirror(project: Manifest) -> None:
    (project.state_dir / "mirror").rename(project.state_dir / "away")
    ok(project, "drop", "s", "3.patch")
    assert names(project) == ["1.patch", "2.patch"]
    refused(project, 4, "not mirrored", "drop", "s", "1.patch")


def test_drop_of_a_patch_that_does_not_apply(project: Manifest) -> None:
    bad = project.series["s"].directory / "1.patch"
    bad.write_text(bad.read_text().replace("line 5", "other"))
    second = project.series["s"].directory / "2.patch"
    second.write_text(second.read_text().replace(" five", " line 5"))
    third = project.series["s"].directory / "3.patch"
    assert third.exists()
    refused(project, 1, "1.patch:", "drop", "s", "2.patch")
    ok(project, "drop", "s", "1.patch")
    assert names(project) == ["2.patch", "3.patch"]


@pytest.mark.parametrize(
    ("place", "order"),
    [
        (("--to", "1"), ["3.patch", "1.patch", "2.patch"]),
        (("--before", "2.patch"), ["1.patch", "3.patch", "2.patch"]),
        (("--after", "1.patch"), ["1.patch", "3.patch", "2.patch"]),
        (("--to", "99"), ["1.patch", "2.patch", "3.patch"]),
        (("--after", "2.patch"), ["1.patch", "2.patch", "3.patch"]),
    ],
)
def test_move(project: Manifest, place: tuple[str, str], order: list[str]) -> None:
    before = result_of(project)
    ok(project, "move", "s", "3.patch", *place)
    assert names(project) == order
    assert result_of(project) == before


def test_moves_that_are_refused(project: Manifest) -> None:
    refused(project, 1, "2.patch: conflict in a.c", "move", "s", "2.patch", "--to", "1")
    refused(project, 2, "no single place", "move", "s", "2.patch")
    refused(
        project, 2, "no single place", "move", "s", "2.patch", "--to", "1", "--after", "1.patch"
    )
    refused(project, 2, "next to itself", "move", "s", "2.patch", "--after", "2.patch")
    refused(project, 2, "no patch", "move", "s", "2.patch", "--after", "9.patch")


def test_no_edit_during_a_rebase(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    theirs = {"a.c": lines(l5="theirs"), "b.c": LINES}
    releases = {"1.0": STATES[0], "1.1": theirs}
    manifest = make_project(tmp_path / "p", releases, chain(*STATES))
    assert portkit(manifest.root, "rebase", "s", "--onto", "1.1").exit_code == 3
    refused(manifest, 2, "a rebase of s is in progress", "drop", "s", "3.patch")


def test_comments_of_the_series_file_stay(project: Manifest) -> None:
    series = project.series["s"].directory / "series"
    series.write_text("# first\n1.patch\n2.patch  # why\n# late\n3.patch -p1\n")
    ok(project, "drop", "s", "2.patch")
    assert series.read_text() == "# first\n1.patch\n# late\n3.patch -p1\n"
