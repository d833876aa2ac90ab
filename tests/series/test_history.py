"""``portkit log`` and ``portkit range-diff``: how a series itself changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from portkit.manifest.model import Manifest
from tests.engine.support import chain, portkit
from tests.engine.upstream import git
from tests.support import add_release, make_project

LINES = "".join(f"{number}\n" for number in range(1, 61))
REAL = Path(__file__).parents[2]


def lines(**changes: str) -> dict[str, str]:
    text = LINES
    for name, value in changes.items():
        text = text.replace(f"\n{name[1:]}\n", f"\n{value}\n")
    return {"a.c": text}


STATES = [lines(), lines(l5="a"), lines(l5="a", l20="b"), lines(l5="a", l20="b", l40="c")]


def save(root: Path, subject: str) -> str:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", subject)
    return git(root, "rev-parse", "HEAD")


def ok(root: Path, *args: str) -> str:
    result = portkit(root, *args)
    assert result.exit_code == 0, result.exception
    return result.stdout


@pytest.fixture
def project(tmp_path: Path) -> Manifest:
    """A series in a directory of a repository: made, edited, rebased, moved."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / ".gitignore").write_text(".portkit\n")
    root = tmp_path / "port"
    root.mkdir()
    manifest = make_project(root, {"1.0": STATES[0]}, chain(*STATES), track="1")
    save(tmp_path, "Start")
    (tmp_path / "README").write_text("unrelated\n")
    save(tmp_path, "Unrelated")
    ok(root, "edit", "s", "2.patch", "-m", "Reworded", "-m", "Better.")
    save(tmp_path, "Reword the second patch")
    ok(root, "move", "s", "3.patch", "--to", "1")
    save(tmp_path, "Move the third patch")
    add_release(manifest, "1.1", {"a.c": "new\n" + lines(l5="a")["a.c"]})
    ok(root, "rebase", "s", "--onto", "1.1")
    save(tmp_path, "Rebase onto 1.1")
    (root / "patches/s").rename(root / "patches/t")
    toml = root / "portkit.toml"
    toml.write_text(toml.read_text().replace("patches/s", "patches/t"))
    (root / "patches/t/2.patch").rename(root / "patches/t/second.patch")
    (root / "patches/t/series").write_text("3.patch\nsecond.patch\n")
    save(tmp_path, "Rename directory and patch")
    return manifest


def log(root: Path) -> list[dict[str, Any]]:
    commits: list[dict[str, Any]] = json.loads(ok(root, "--json", "log", "s"))["commits"]
    return commits


def pairs(root: Path, *args: str) -> list[tuple[str, str | None, str | None]]:
    report = json.loads(ok(root, "--json", "range-diff", "s", *args))
    return [
        (each["outcome"], each["old"] and each["old"]["name"], each["new"] and each["new"]["name"])
        for each in report["patches"]
    ]


def test_every_commit_that_changed_the_series_the_latest_first(project: Manifest) -> None:
    entries = log(project.root)
    assert [entry["subject"] for entry in entries] == [
        "Rename directory and patch", "Rebase onto 1.1", "Move the third patch",
        "Reword the second patch", "Start",
    ]  # fmt: skip
    renamed, rebased, moved, reworded, start = entries
    assert renamed["renamed"] == [["2.patch", "second.patch"]]
    assert rebased["pin"] == ["1.0", "1.1"]
    assert rebased["removed"] == ["1.patch"]
    assert rebased["rewritten"] == ["3.patch", "2.patch"]
    assert (moved["reordered"], moved["rewritten"]) == (True, [])
    assert reworded["rewritten"] == ["2.patch"]
    assert start["added"] == ["1.patch", "2.patch", "3.patch"]
    assert start["pin"] == [None, "1.0"]
    assert start["author"] == "Up <up@example.org>"


def test_the_log_for_people(project: Manifest) -> None:
    text = ok(project.root, "log", "s")
    assert "Rebase onto 1.1\n  pin: 1.0 -> 1.1\n  removed: 1.patch\n  rewritten: 3.patch\n" in text
    assert "  renamed: 2.patch -> second.patch\n" in text


def test_revisions_are_compared_patch_by_patch(project: Manifest) -> None:
    assert pairs(project.root, "HEAD~4", "HEAD~3") == [
        ("same", "1.patch", "1.patch"), ("changed", "2.patch", "2.patch"),
        ("same", "3.patch", "3.patch"),
    ]  # fmt: skip
    report = json.loads(ok(project.root, "--json", "range-diff", "s", "HEAD~4", "HEAD~3"))
    changed = report["patches"][1]
    assert (changed["message_changed"], changed["diff_changed"]) == (True, False)
    assert "-Subject: [PATCH] Make 2.patch\n+Subject: [PATCH] Reworded\n" in changed["diff"]


def test_line_numbers_do_not_count(project: Manifest) -> None:
    """The rebase wrote both patches anew, because upstream has one more line above."""
    assert pairs(project.root, "HEAD~2", "HEAD~1") == [
        ("same", "3.patch", "3.patch"), ("removed", "1.patch", None),
        ("same", "2.patch", "2.patch"),
    ]  # fmt: skip


def test_blob_ids_and_a_diffstat_do_not_count(project: Manifest) -> None:
    path = project.root / "patches/t/3.patch"
    text = path.read_text().replace("\n---\n", "\n---\n a.c | 2 +-\n 1 file changed\n\n", 1)
    path.write_text(text.replace("\n--- a/a.c", "\nindex 0123abc..4567def 100644\n--- a/a.c"))
    assert "index 0123abc" in path.read_text()
    assert pairs(project.root, "HEAD")[0] == ("same", "3.patch", "3.patch")


def test_a_release_stands_for_the_last_revision_pinned_to_it(project: Manifest) -> None:
    assert pairs(project.root, "1.0", "1.1") == [
        ("same", "3.patch", "3.patch"), ("removed", "1.patch", None),
        ("same", "2.patch", "second.patch"),
    ]  # fmt: skip


def test_the_files_as_they_are_can_be_compared(project: Manifest) -> None:
    path = project.root / "patches/t/3.patch"
    path.write_text(path.read_text().replace("\n+c\n", "\n+\x1b[31mC\n"))
    (project.root / "patches/t/series").write_text("3.patch\n")
    text = ok(project.root, "range-diff", "s", "HEAD")
    assert "  1 !   1  3.patch\n" in text
    assert "      -+c\n" in text
    assert "      ++\\x1b[31mC\n" in text
    assert "  2 <   -  second.patch\n" in text


def test_a_patch_with_another_name_and_subject_is_found_by_its_lines(project: Manifest) -> None:
    directory = project.root / "patches/t"
    old = (directory / "second.patch").read_text()
    (directory / "second.patch").unlink()
    (directory / "other.patch").write_text(old.replace("Reworded", "Quite different"))
    (directory / "series").write_text("3.patch\nother.patch\n")
    assert pairs(project.root, "HEAD")[1] == ("changed", "second.patch", "other.patch")


@pytest.mark.parametrize("revision", ["nowhere", "9.9", "--help-me", "HEAD~99", ":/x y"])
def test_a_revision_that_is_none(project: Manifest, revision: str) -> None:
    result = portkit(project.root, "range-diff", "s", "--", revision)
    assert result.exit_code == 2
    assert "portkit log s" in str(result.exception)


def test_a_revision_before_the_series_was_there(project: Manifest) -> None:
    toml = project.root / "portkit.toml"
    toml.write_text(toml.read_text().replace("[series.s]", "[series.later]"))
    save(project.root, "Rename the series")
    result = portkit(project.root, "range-diff", "later", "HEAD~1")
    assert result.exit_code == 2
    assert "there is no series later at" in str(result.exception)


def test_a_broken_past_is_no_obstacle(project: Manifest) -> None:
    toml = project.root / "portkit.toml"
    good = toml.read_text()
    toml.write_text("[[[")
    save(project.root, "Break it")
    toml.write_text(good)
    save(project.root, "Mend it")
    assert [entry["subject"] for entry in log(project.root)[:3]] == [
        "Mend it", "Break it", "Rename directory and patch",
    ]  # fmt: skip


def test_outside_of_a_repository(tmp_path: Path) -> None:
    make_project(tmp_path, {"1.0": STATES[0]}, chain(*STATES))
    for args in (["log", "s"], ["range-diff", "s", "HEAD"]):
        result = portkit(tmp_path, *args)
        assert result.exit_code == 2
        assert "keep the project in git" in str(result.exception)


@pytest.mark.skipif(not (REAL / ".git").exists(), reason="needs the project's own history")
def test_the_projects_own_series() -> None:
    for series in ("linux-kvm", "qemu"):
        entries = json.loads(ok(REAL, "--json", "log", series))["commits"]
        shallow = git(REAL, "rev-parse", "--is-shallow-repository") == "true"
        assert entries or shallow
        for each in json.loads(ok(REAL, "--json", "range-diff", series, "HEAD", "HEAD"))["patches"]:
            assert each["outcome"] == "same"
