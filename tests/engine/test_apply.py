"""``portkit apply``: a series as commits of the mirror, and its checkout."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from portkit.manifest.model import Manifest
from portkit.mirror.store import Mirror
from tests.engine.support import chain, make_patch, portkit, snapshot
from tests.support import make_project

FIRST = {"a.c": "1\n2\n3\n", "dir/b.sh": ("100755", b"#!/bin/sh\n"), "link": ("120000", b"a.c")}
SECOND = {**FIRST, "a.c": "1\ntwo\n3\n", "dir/new \u00fc.c": "x\n"}
THIRD = {**SECOND, "link": ("120000", b"dir")}


@pytest.fixture
def project(tmp_path: Path) -> Manifest:
    releases = {"1.1": FIRST, "1.2": {**FIRST, "a.c": "0\n1\n2\n3\n"}}
    return make_project(tmp_path, releases, chain(FIRST, SECOND, THIRD))


def apply(root: Path, *args: str) -> dict[str, object]:
    result = portkit(root, "--json", "apply", "s", *args)
    assert result.exit_code == 0, result.exception
    report = json.loads(result.stdout)
    assert isinstance(report, dict)
    return report


def test_one_commit_a_patch_with_author_date_and_message(project: Manifest) -> None:
    report = apply(project.root)
    repo = Mirror(project, "up").repo
    log = repo.text("log", "--reverse", "--format=%H|%an <%ae>|%aI|%cn|%s|%b", "refs/heads/s/1.1")
    release, first, second = log.replace("\n|", "|").split("\n\n")[0].split("\n")[0], *[
        line for line in log.split("\n") if "|A U Thor <author@example.org>|" in line
    ]  # fmt: skip
    assert release.split("|")[0] == Mirror(project, "up").release("1.1").commit
    for line, name in ((first, "1.patch"), (second, "2.patch")):
        commit, _, when, committer, subject, body = line.split("|")
        assert {"name": name, "commit": commit} in report["patches"]  # type: ignore[operator]
        assert (when, committer) == ("2023-01-02T03:04:05+01:00", "portkit")
        assert (subject, body) == (f"Make {name}", "Because.")


def test_the_tree_is_exact(project: Manifest) -> None:
    tip = apply(project.root)["commit"]
    repo = Mirror(project, "up").repo
    listed = repo.text("ls-tree", "-r", "-z", str(tip)).rstrip("\0").split("\0")
    modes = {line.split("\t")[1]: line.split(" ")[0] for line in listed}
    assert modes == {
        "a.c": "100644", "dir/b.sh": "100755", "dir/new \u00fc.c": "100644", "link": "120000",
    }  # fmt: skip
    (link,) = repo.cat_file([f"{tip}:link"])
    assert link is not None
    assert link.data == b"dir"


def test_the_same_patches_give_the_same_commits(project: Manifest, tmp_path: Path) -> None:
    first = apply(project.root)
    (tmp_path / "again").mkdir()
    again = make_project(tmp_path / "again", {"1.1": FIRST}, chain(FIRST, SECOND, THIRD))
    assert apply(again.root)["patches"] == first["patches"]
    assert apply(project.root)["patches"] == first["patches"]


def test_odd_dates_and_authors_do_not_stop_it(tmp_path: Path) -> None:
    text = make_patch("1.patch", FIRST, SECOND)
    odd = [
        ("1.patch", text.replace("Mon, 02 Jan 2023 03:04:05 +0100", "yesterday")),
        ("2.patch", make_patch("2.patch", SECOND, THIRD)
            .replace("+0100", "+2359").replace("A U Thor <author@example.org>", "nobody")),
    ]  # fmt: skip
    manifest = make_project(tmp_path, {"1.1": FIRST}, odd)
    apply(manifest.root)
    repo = Mirror(manifest, "up").repo
    log = repo.text("log", "-2", "--format=%an <%ae> %ad", "--date=raw", "refs/heads/s/1.1")
    assert log == "nobody <> 1672542305 +0000\nA U Thor <author@example.org> 0 +0000"


def test_an_empty_series_is_the_release(tmp_path: Path) -> None:
    manifest = make_project(tmp_path, {"1.1": FIRST})
    assert apply(tmp_path)["commit"] == Mirror(manifest, "up").release("1.1").commit


def test_a_patch_that_does_not_apply_changes_nothing(tmp_path: Path) -> None:
    manifest = make_project(tmp_path, {"1.1": FIRST}, chain(SECOND, THIRD, FIRST))
    result = portkit(tmp_path, "apply", "s")
    assert result.exit_code == 1
    assert "2.patch" in str(result.exception)
    assert Mirror(manifest, "up").repo.refs("refs/heads/") == {}


def test_onto_merges_in_memory_and_leaves_the_patches(project: Manifest) -> None:
    before = snapshot(project.root)
    tip = apply(project.root, "--onto", "1.2")["commit"]
    (blob,) = Mirror(project, "up").repo.cat_file([f"{tip}:a.c"])
    assert blob is not None
    assert blob.data == b"0\n1\ntwo\n3\n"
    assert snapshot(project.root) == before


def test_onto_a_release_with_a_conflict_names_it(tmp_path: Path) -> None:
    make_project(
        tmp_path, {"1.1": FIRST, "1.2": {**FIRST, "a.c": "1\nzwei\n3\n"}}, chain(FIRST, SECOND)
    )
    result = portkit(tmp_path, "apply", "s", "--onto", "1.2")
    assert result.exit_code == 1
    assert "1.patch: conflict with 1.2 in a.c; run 'portkit rebase s --onto 1.2'" in str(
        result.exception
    )


def test_unknown_series_and_release(project: Manifest) -> None:
    assert portkit(project.root, "apply", "none").exit_code == 2
    assert portkit(project.root, "apply", "s", "--onto", "9.9").exit_code == 4


def test_a_checkout_is_made_and_moved(project: Manifest, tmp_path: Path) -> None:
    directory = tmp_path / "out"
    apply(project.root, "--worktree", str(directory))
    assert (directory / "a.c").read_text() == "1\ntwo\n3\n"
    assert (directory / "link").readlink() == Path("dir")
    assert os.access(directory / "dir/b.sh", os.X_OK)
    apply(project.root, "--worktree", str(directory), "--onto", "1.2")
    assert (directory / "a.c").read_text() == "0\n1\ntwo\n3\n"


def test_a_changed_checkout_is_refused(project: Manifest, tmp_path: Path) -> None:
    directory = tmp_path / "out"
    apply(project.root, "--worktree", str(directory))
    (directory / "a.c").write_text("mine\n")
    result = portkit(project.root, "apply", "s", "--worktree", str(directory))
    assert result.exit_code == 1
    assert "this checkout has changes" in str(result.exception)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@y", "-C", str(directory)]
    subprocess.run([*git, "commit", "-qam", "mine"], check=True)
    result = portkit(project.root, "apply", "s", "--worktree", str(directory))
    assert "commits of its own" in str(result.exception)
    assert (directory / "a.c").read_text() == "mine\n"


def test_a_foreign_directory_is_refused(project: Manifest, tmp_path: Path) -> None:
    directory = tmp_path / "home"
    (directory / "sub").mkdir(parents=True)
    (directory / "file").write_text("precious\n")
    result = portkit(project.root, "apply", "s", "--worktree", str(directory))
    assert result.exit_code == 2
    subprocess.run(["git", "init", "-q", str(directory)], check=True)
    result = portkit(project.root, "apply", "s", "--worktree", str(directory))
    assert result.exit_code == 2
    assert (directory / "file").read_text() == "precious\n"


def test_a_patch_that_does_not_apply_leaves_nothing_in_the_mirror(project: Manifest) -> None:
    mirror = Mirror(project, "up").repo.path
    before = sorted(mirror.rglob("*"))
    patch = project.root / "patches/s/2.patch"
    patch.write_text(patch.read_text().replace("-a.c", "-other"))
    assert portkit(project.root, "apply", "s").exit_code == 1
    assert sorted(mirror.rglob("*")) == before


def test_many_runs_leave_few_packs_and_every_checkout_whole(
    project: Manifest, tmp_path: Path
) -> None:
    repo = Mirror(project, "up").repo
    patch = project.root / "patches/s/1.patch"
    text = patch.read_text()
    apply(project.root, "--worktree", str(tmp_path / "old"))
    for number in range(25):
        patch.write_text(text.replace("+two", f"+two {number}"))
        apply(project.root)
    packs = (repo.path / "objects/pack").glob("*.pack")
    assert len(list(packs)) < 25
    repo.run("fsck", "--full", "--strict", "--no-dangling")
    done = subprocess.run(
        ["git", "-C", tmp_path / "old", "log", "--stat"], capture_output=True, check=True
    )
    assert b"Make 2.patch" in done.stdout
    tip = apply(project.root)["commit"]
    (blob,) = repo.cat_file([f"{tip}:a.c"])
    assert blob is not None
    assert blob.data == b"1\ntwo 24\n3\n"
