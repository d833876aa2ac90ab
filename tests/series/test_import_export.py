"""``import`` and ``export``: what goes out comes back the same, and nothing is overwritten."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from portkit.manifest.model import Manifest
from portkit.series.store import load_patches, load_series
from tests.engine.support import Files, make_patch, portkit, snapshot
from tests.support import make_project

LINES = "".join(f"line {number}\n" for number in range(1, 31))


def lines(**changes: str) -> str:
    text = LINES
    for name, value in changes.items():
        text = text.replace(f"line {name[1:]}\n", f"{value}\n")
    return text


FIRST: Files = {"a.c": LINES, "run": "#!/bin/sh\n"}
SECOND: Files = {"a.c": lines(l5="caf\u00e9"), "run": ("100755", b"#!/bin/sh\n"), "n.c": "x"}
THIRD: Files = {"moved.c": lines(l5="caf\u00e9", l9="nine"), "run": SECOND["run"], "n.c": "y\r\n"}
PATCHES = [
    ("Make-1.patch.patch", make_patch("1.patch", FIRST, SECOND).replace(", 02", ", 2")),
    (
        "0002-odd.diff",
        make_patch("2", SECOND, THIRD, {"a.c": "moved.c"}).replace(", 02", ", 2"),
    ),
]


@pytest.fixture
def project(tmp_path: Path) -> Manifest:
    (tmp_path / "p").mkdir()
    return make_project(tmp_path / "p", {"1.0": FIRST}, PATCHES)


@pytest.fixture
def empty(tmp_path: Path) -> Manifest:
    (tmp_path / "e").mkdir()
    manifest = make_project(tmp_path / "e", {"1.0": FIRST})
    shutil.rmtree(manifest.series["s"].directory)
    return manifest


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """Upstream's repository, with more files than the mirror has, and a tag of the release."""
    root = tmp_path / "up"
    root.mkdir()
    git(root, "init", "-q", "-b", "main", ".")
    (root / "a.c").write_text(LINES)
    (root / "run").write_text("#!/bin/sh\n")
    (root / "other").write_text("not in the subtree\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "release")
    git(root, "tag", "v1.0")
    return root


def git(directory: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=C", "-c", "user.email=c@d", "-C", directory, *args],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout


def ok(manifest: Manifest, *args: object) -> str:
    result = portkit(manifest.root, *map(str, args))
    assert result.exit_code == 0, result.exception
    return result.output


def refused(manifest: Manifest, code: int, what: str, *args: object) -> None:
    before = snapshot(manifest.root)
    result = portkit(manifest.root, *map(str, args))
    assert result.exit_code == code
    assert what in str(result.exception)
    assert getattr(result.exception, "hint", None)
    assert snapshot(manifest.root) == before


def test_quilt_round_trip(project: Manifest, empty: Manifest, tmp_path: Path) -> None:
    series = project.series["s"].directory / "series"
    series.write_text("# why\n" + series.read_text())
    ok(project, "export", "s", "--format", "quilt", "--output", tmp_path / "q")
    assert (tmp_path / "q" / "series").read_bytes() == series.read_bytes()
    ok(empty, "import", "s", tmp_path / "q")
    assert load_series(empty.series["s"]) == load_series(project.series["s"])


def test_mbox_round_trip(project: Manifest, empty: Manifest, tmp_path: Path) -> None:
    ok(project, "export", "s", "--format", "mbox", "--output", tmp_path / "sub" / "m")
    ok(empty, "import", "s", tmp_path / "sub" / "m")
    assert load_series(empty.series["s"]) == load_series(project.series["s"])


def test_branch_round_trip(project: Manifest, empty: Manifest, upstream: Path) -> None:
    out = ok(project, "export", "s", "--format", "branch", "--repo", upstream)
    assert "refs/heads/s/1.0: 2 patches" in out
    assert git(upstream, "status", "--porcelain") == ""
    assert git(upstream, "show", "s/1.0:other") == "not in the subtree\n"
    ok(empty, "import", "s", "v1.0..s/1.0", "--repo", upstream)
    assert load_series(empty.series["s"]) == load_series(project.series["s"])


def test_git_am_takes_the_mbox(project: Manifest, upstream: Path, tmp_path: Path) -> None:
    ok(project, "export", "s", "--format", "mbox", "--output", tmp_path / "m")
    git(upstream, "am", "-q", "--keep-cr", str(tmp_path / "m"))
    ok(project, "export", "s", "--format", "branch", "--repo", upstream, "--base", "v1.0")
    assert git(upstream, "diff", "HEAD", "s/1.0") == ""
    assert git(upstream, "log", "-2", "--format=%s %an %aI") == git(
        upstream, "log", "-2", "--format=%s %an %aI", "s/1.0"
    )


def test_nothing_is_overwritten(project: Manifest, upstream: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    for form in ("quilt", "mbox"):
        args = ("export", "s", "--format", form, "--output")
        refused(project, 2, "exists already", *args, tmp_path / "taken")
        refused(project, 2, "exists already", *args, project.root)
        refused(project, 2, "no place", *args[:-1])
    assert (tmp_path / "taken").read_text() == "mine"
    branch = ("export", "s", "--format", "branch")
    refused(project, 2, "no repository", *branch)
    refused(project, 2, "git does not know 'v9'", *branch, "--repo", upstream, "--base", "v9")
    (upstream / "marks").write_text("mine")
    ok(project, *branch, "--repo", upstream)
    assert (upstream / "marks").read_text() == "mine"
    assert git(upstream, "status", "--porcelain") == "?? marks\n"
    tip = git(upstream, "rev-parse", "s/1.0")
    refused(project, 2, "exists already", *branch, "--repo", upstream)
    assert git(upstream, "rev-parse", "s/1.0") == tip


def test_export_on_a_base_that_does_not_fit(project: Manifest, upstream: Path) -> None:
    (upstream / "a.c").write_text("rewritten\n")
    git(upstream, "commit", "-qam", "later")
    args = ("export", "s", "--format", "branch", "--repo", upstream, "--base", "HEAD")
    refused(project, 1, "does not apply", *args)
    assert git(upstream, "branch", "--list", "s/*") == ""


def test_commits_are_merged_where_the_series_is_elsewhere(
    project: Manifest, upstream: Path
) -> None:
    (upstream / "run").write_text("#!/bin/sh\necho\n")
    git(upstream, "commit", "-qam", "run: say it")
    ok(project, "import", "s", "v1.0..HEAD", "--repo", upstream)
    last = load_series(project.series["s"]).patches[-1]
    assert last.name == "run-say-it.patch"
    assert last.files[0].hunks[0].new == (b"#!/bin/sh\n", b"echo\n")
    refused(project, 1, "nothing of this patch is left",
            "import", "s", "v1.0..HEAD", "--repo", upstream)  # fmt: skip


def test_import_appends_and_names_do_not_collide(project: Manifest, tmp_path: Path) -> None:
    more = make_patch("Make 1.patch", THIRD, {**THIRD, "n.c": "z\n"})
    (tmp_path / "mail").write_bytes(more.encode())
    ok(project, "import", "s", tmp_path / "mail")
    names = [patch.name for patch in load_series(project.series["s"]).patches]
    assert names == [PATCHES[0][0], PATCHES[1][0], "Make-Make-1.patch.patch"]


def test_what_does_not_apply_is_not_imported(project: Manifest, tmp_path: Path) -> None:
    good = make_patch("g", THIRD, {**THIRD, "n.c": "z\n"})
    (tmp_path / "mbox").write_bytes((good + PATCHES[0][1]).encode())
    refused(project, 1, "", "import", "s", tmp_path / "mbox")
    assert len(load_series(project.series["s"]).patches) == 2


def test_sources_that_are_none(project: Manifest, tmp_path: Path) -> None:
    refused(project, 2, "no such file", "import", "s", tmp_path / "none")
    refused(project, 2, "no 'series' file", "import", "s", tmp_path)
    refused(project, 2, "already", "import", "s", project.series["s"].directory)
    (tmp_path / "junk").write_bytes(b"\0\xff junk")
    refused(project, 2, "no patch in this mbox", "import", "s", tmp_path / "junk")
    refused(project, 2, "git does not know", "import", "s", "a..b", "--repo", tmp_path)


def test_import_without_the_mirror_says_that_nothing_was_checked(
    empty: Manifest, project: Manifest, tmp_path: Path
) -> None:
    shutil.rmtree(empty.state_dir / "mirror")
    ok(project, "export", "s", "--format", "mbox", "--output", tmp_path / "m")
    assert "not checked: release 1.0" in ok(empty, "import", "s", tmp_path / "m")
    assert len(load_patches(empty.series["s"].directory)) == 2


def test_cover_letters_are_told(project: Manifest, empty: Manifest, tmp_path: Path) -> None:
    ok(project, "export", "s", "--format", "mbox", "--output", tmp_path / "m")
    cover = b"From a Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\nSubject: [PATCH 0/2] cover\n\nHi\n"
    (tmp_path / "m").write_bytes(cover + (tmp_path / "m").read_bytes())
    assert "no diff in it: [PATCH 0/2] cover" in ok(empty, "import", "s", tmp_path / "m")
