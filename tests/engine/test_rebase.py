"""``portkit rebase``: what a maintainer meets when a series moves to another release."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from portkit.engine.carry import Decision
from portkit.engine.state import StateDir
from portkit.manifest.load import load_manifest
from portkit.manifest.model import Manifest
from portkit.mirror.store import Mirror
from tests.engine.support import Files, chain, make_patch, portkit, snapshot
from tests.support import add_release, make_project

BODY = "".join(f"line {number}\n" for number in range(1, 31))


def body(**changes: str) -> str:
    """The lines, some replaced: ``body(l7="seven")``."""
    text = BODY
    for name, value in changes.items():
        text = text.replace(f"line {name[1:]}\n", f"{value}\n")
    return text


def files_of(manifest: Manifest, version: str) -> dict[str, bytes]:
    """The files of the series' branch for a release."""
    repo = Mirror(manifest, "up").repo
    names = repo.text("ls-tree", "-r", "--name-only", f"refs/heads/s/{version}").split("\n")
    blobs = repo.cat_file(f"refs/heads/s/{version}:{name}" for name in names)
    return {name: blob.data for name, blob in zip(names, blobs, strict=True) if blob}


def worktree(root: Path) -> Path:
    return root / ".portkit" / "rebase" / "s" / "worktree"


def outcomes(root: Path, *args: str) -> dict[str, str]:
    report = json.loads(portkit(root, "--json", "rebase", "s", *args).stdout)
    return {patch["name"]: patch["outcome"] for patch in report["patches"]}


@pytest.fixture
def colliding(tmp_path: Path) -> Manifest:
    """Three patches; the second one collides with 1.2, which is not the last release."""
    first = {"a.c": BODY, "b.c": BODY}
    patches = chain(
        first,
        {"a.c": body(l2="two"), "b.c": BODY},
        {"a.c": body(l2="two", l15="ours"), "b.c": body(l20="ours too")},
        {"a.c": body(l2="two", l15="ours", l28="end"), "b.c": body(l20="ours too")},
    )
    releases: dict[str, Files] = {
        "1.1": first,
        "1.2": {"a.c": body(l15="theirs"), "b.c": BODY},
        "1.3": {"a.c": "new\n" + body(l15="theirs"), "b.c": BODY},
    }
    return make_project(tmp_path, releases, patches)


def test_a_clean_rebase_rewrites_only_what_moved_and_the_pin(tmp_path: Path) -> None:
    first = {"a.c": BODY, "b.c": BODY}
    patches = chain(first, {"a.c": body(l20="x"), "b.c": BODY},
                    {"a.c": body(l20="x"), "b.c": body(l20="y")})  # fmt: skip
    moved = {"a.c": "new\n" + BODY, "b.c": BODY}
    manifest = make_project(tmp_path, {"1.1": first, "1.2": moved}, patches)
    result = portkit(tmp_path, "rebase", "s", "--onto", "1.2")
    assert result.exit_code == 0
    assert "s: 1.1 -> 1.2: 2 patches (1 rewritten), 0 dropped" in result.stdout
    assert load_manifest(tmp_path / "portkit.toml").series["s"].pin == "1.2"
    directory = tmp_path / "patches/s"
    assert (directory / "2.patch").read_bytes().decode() == dict(patches)["2.patch"]
    before, after = dict(patches)["1.patch"], (directory / "1.patch").read_text()
    assert after == before.replace("@@ -17,7 +17,7 @@", "@@ -18,7 +18,7 @@")
    assert files_of(manifest, "1.2")["a.c"] == ("new\n" + body(l20="x")).encode()
    assert portkit(tmp_path, "apply", "s").exit_code == 0


def test_a_patch_that_upstream_took_is_dropped_and_kept_aside(tmp_path: Path) -> None:
    first = {"a.c": BODY}
    patches = chain(first, {"a.c": body(l7="fix")}, {"a.c": body(l7="fix", l20="x")})
    make_project(tmp_path, {"1.1": first, "1.2": {"a.c": "new\n" + body(l7="fix")}}, patches)
    result = portkit(tmp_path, "rebase", "s", "--onto", "1.2")
    assert "1.patch: upstream has it already, dropped" in result.stdout
    assert (tmp_path / "patches/s/series").read_text() == "2.patch\n"
    assert not (tmp_path / "patches/s/1.patch").exists()
    kept = tmp_path / ".portkit/dropped/s/1.1-to-1.2/1.patch"
    assert kept.read_text() == dict(patches)["1.patch"]


def test_a_fix_that_upstream_has_elsewhere_is_not_applied_twice(tmp_path: Path) -> None:
    """quilt takes the hunk at an offset: the loop is there twice and both places fit."""
    loop = "for (;;) {\n\tread();\n\twrite();\n}\n"
    fixed = loop.replace("read();\n", "read();\n\tcheck();\n")
    first, fix = {"a.c": loop + BODY + loop}, {"a.c": fixed + BODY + loop}
    upstream = {"a.c": fixed + BODY + "\n" + loop}
    make_project(tmp_path, {"1.1": first, "1.2": upstream}, chain(first, fix))
    assert outcomes(tmp_path, "--onto", "1.2") == {"1.patch": "upstreamed"}


def test_a_conflict_stops_and_explains(colliding: Manifest) -> None:
    root = colliding.root
    before = snapshot(root)
    result = portkit(root, "rebase", "s", "--onto", "1.3")
    assert result.exit_code == 3
    assert "a.c: content, changed upstream in 1.2" in result.stdout
    message = str(result.exception)
    assert "2.patch conflicts with 1.3 in 1 file(s)" in message
    assert str(worktree(root)) in message
    assert "portkit rebase s --continue" in message
    assert snapshot(root) == before
    shown = sorted(path.name for path in worktree(root).iterdir() if path.name[0] != ".")
    assert shown == ["a.c"]
    text = (worktree(root) / "a.c").read_text()
    assert "<<<<<<< upstream 1.3\ntheirs\n||||||| before 2.patch\nline 15\n=======\nours\n" in text
    assert portkit(root, "rebase", "s", "--onto", "1.2").exit_code == 2


def test_markers_that_are_left_are_named(colliding: Manifest) -> None:
    portkit(colliding.root, "rebase", "s", "--onto", "1.3")
    result = portkit(colliding.root, "rebase", "s", "--continue")
    assert result.exit_code == 3
    assert "worktree/a.c:16: a conflict marker is left" in str(result.exception)


def resolve(root: Path) -> str:
    """Resolve the conflict of ``colliding``: both lines."""
    path = worktree(root) / "a.c"
    text = path.read_text()
    start, end = text.index("<<<<<<<"), text.index(">>>>>>> 2.patch\n") + len(">>>>>>> 2.patch\n")
    resolved = f"{text[:start]}theirs and ours\n{text[end:]}"
    path.write_text(resolved)
    return resolved


def test_continue_takes_the_resolution_and_finishes(colliding: Manifest) -> None:
    root = colliding.root
    portkit(root, "rebase", "s", "--onto", "1.3")
    resolve(root)
    result = portkit(root, "rebase", "s", "--continue")
    assert result.exit_code == 0, result.exception
    files = files_of(colliding, "1.3")
    expected = "new\n" + body(l2="two", l15="theirs and ours", l28="end")
    assert files == {"a.c": expected.encode(), "b.c": body(l20="ours too").encode()}
    assert not (root / ".portkit/rebase/s").exists()
    patch = (root / "patches/s/2.patch").read_text()
    assert "-theirs\n+theirs and ours\n" in patch
    assert "\nFrom: A U Thor <author@example.org>\n" in patch
    assert portkit(root, "check", "s", "--onto", "1.3").exit_code == 0


def test_a_resolution_is_replayed_for_everyone(colliding: Manifest, tmp_path: Path) -> None:
    root = colliding.root
    before = snapshot(root)
    portkit(root, "rebase", "s", "--onto", "1.3")
    resolve(root)
    portkit(root, "rebase", "s", "--continue")
    done = snapshot(root)
    for name, data in before.items():  # another maintainer, with the old series
        (root / name).write_bytes(data)
    (shared,) = (root / "patches/up/resolutions").iterdir()
    assert "Path: a.c\nPatch: 2.patch\nReleases: 1.1 to 1.3\n" in shared.read_text()
    assert shared.read_text().endswith("<<<<<<< resolution\ntheirs and ours\n")
    result = portkit(root, "rebase", "s", "--onto", "1.3")
    assert result.exit_code == 0
    assert "2.patch: a.c: took the recorded resolution; look at it" in result.stdout
    assert snapshot(root) == done


def test_a_damaged_resolution_is_named(colliding: Manifest) -> None:
    root = colliding.root
    before = snapshot(root)
    portkit(root, "rebase", "s", "--onto", "1.3")
    resolve(root)
    portkit(root, "rebase", "s", "--continue")
    for name, data in before.items():
        (root / name).write_bytes(data)
    (shared,) = (root / "patches/up/resolutions").iterdir()
    shared.write_text("x\n")
    result = portkit(root, "rebase", "s", "--onto", "1.3")
    assert result.exit_code == 2
    assert f"{shared}: this is not a resolution" in str(result.exception)


def test_edits_outside_of_the_conflict_are_taken_but_not_recorded(colliding: Manifest) -> None:
    root = colliding.root
    portkit(root, "rebase", "s", "--onto", "1.3")
    path = worktree(root) / "a.c"
    path.write_text(resolve(root).replace("line 25\n", "line 25, adapted\n"))
    result = portkit(root, "rebase", "s", "--continue")
    assert result.exit_code == 0
    assert "a.c: this resolution is used here; it cannot be recorded" in result.stdout
    assert b"line 25, adapted\n" in files_of(colliding, "1.3")["a.c"]


def test_a_file_added_to_the_worktree_becomes_part_of_the_patch(colliding: Manifest) -> None:
    root = colliding.root
    portkit(root, "rebase", "s", "--onto", "1.3")
    resolve(root)
    (worktree(root) / "b.c").write_text(body(l20="ours too", l3="helper"))
    (worktree(root) / "new.sh").write_text("#!/bin/sh\n")
    (worktree(root) / "new.sh").chmod(0o755)
    (worktree(root) / "a.c.orig").write_text("left by a merge tool\n")
    assert portkit(root, "rebase", "s", "--continue").exit_code == 0
    patch = (root / "patches/s/2.patch").read_text()
    assert "+helper\n" in patch
    assert "new file mode 100755" in patch
    assert "a.c.orig" not in patch


def test_skip_drops_the_patch_and_goes_on(colliding: Manifest) -> None:
    root = colliding.root
    portkit(root, "rebase", "s", "--onto", "1.3")
    assert outcomes(root, "--skip") == {
        "1.patch": "applies", "2.patch": "skipped", "3.patch": "applies",
    }  # fmt: skip
    assert (root / "patches/s/series").read_text() == "1.patch\n3.patch\n"
    assert (root / ".portkit/dropped/s/1.1-to-1.3/2.patch").exists()


def test_abort_leaves_everything_as_it_was(colliding: Manifest) -> None:
    root = colliding.root
    before = snapshot(root)
    portkit(root, "rebase", "s", "--onto", "1.3")
    result = portkit(root, "rebase", "s", "--abort")
    assert result.exit_code == 0
    assert "kept" not in result.stdout
    assert snapshot(root) == before
    assert not (root / ".portkit/rebase/s").exists()
    assert portkit(root, "rebase", "s", "--abort").exit_code == 2


def test_abort_keeps_what_somebody_has_edited(colliding: Manifest) -> None:
    root = colliding.root
    portkit(root, "rebase", "s", "--onto", "1.3")
    text = resolve(root)
    result = portkit(root, "rebase", "s", "--abort")
    kept = root / ".portkit/rebase/s.aborted.1"
    assert f"your edits are kept in {kept}" in result.stdout
    assert (kept / "a.c").read_text() == text


def test_a_series_that_changed_meanwhile_is_not_overwritten(colliding: Manifest) -> None:
    root = colliding.root
    portkit(root, "rebase", "s", "--onto", "1.3")
    resolve(root)
    path = root / "patches/s/3.patch"
    path.write_text(path.read_text().replace("Because.", "Because it is so."))
    result = portkit(root, "rebase", "s", "--continue")
    assert result.exit_code == 2
    assert "were changed during the rebase" in str(result.exception)
    assert portkit(root, "rebase", "s", "--abort").exit_code == 0
    assert "Because it is so." in path.read_text()


@pytest.mark.parametrize("args", [[], ["--continue", "--skip"], ["--onto", "1.3", "--abort"]])
def test_exactly_one_thing_at_a_time(colliding: Manifest, args: list[str]) -> None:
    assert portkit(colliding.root, "rebase", "s", *args).exit_code == 2


def test_a_release_that_is_not_mirrored_is_named(colliding: Manifest) -> None:
    result = portkit(colliding.root, "rebase", "s", "--onto", "2.0")
    assert result.exit_code == 4
    assert "portkit sync up --version 2.0" in str(result.exception)


def test_a_renamed_file_is_followed(tmp_path: Path) -> None:
    first = {"old/a.c": BODY, "same.c": "x\n"}
    patches = chain(first, {"old/a.c": body(l7="ours"), "same.c": "x\n"})
    moved = {"new/a.c": body(l25="theirs"), "same.c": "x\n"}
    manifest = make_project(tmp_path, {"1.1": first, "1.2": moved}, patches)
    assert outcomes(tmp_path, "--onto", "1.2") == {"1.patch": "applies"}
    assert files_of(manifest, "1.2")["new/a.c"] == body(l7="ours", l25="theirs").encode()
    assert "+++ b/new/a.c\n" in (tmp_path / "patches/s/1.patch").read_text()
    (cache,) = (tmp_path / ".portkit/mirror/up.git/portkit-renames").iterdir()
    assert json.loads(cache.read_text()) == {"old/a.c": "new/a.c"}


def test_the_patch_renames_a_file_that_upstream_changes(tmp_path: Path) -> None:
    first, renamed = {"a.c": BODY}, {"b.c": body(l3="ours")}
    patch = ("1.patch", make_patch("1.patch", first, renamed, {"a.c": "b.c"}))
    after = ("2.patch", make_patch("2.patch", renamed, {"b.c": body(l3="ours", l28="end")}))
    releases = {"1.1": first, "1.2": {"a.c": body(l15="theirs")}}
    manifest = make_project(tmp_path, releases, [patch, after])
    assert set(outcomes(tmp_path, "--onto", "1.2").values()) == {"applies"}
    expected = body(l3="ours", l15="theirs", l28="end").encode()
    assert files_of(manifest, "1.2") == {"b.c": expected}
    assert "rename from a.c\nrename to b.c\n" in (tmp_path / "patches/s/1.patch").read_text()


def test_a_file_deleted_upstream_can_be_let_go(tmp_path: Path) -> None:
    first = {"a.c": BODY, "b.c": BODY}
    patches = chain(first, {"a.c": body(l7="x"), "b.c": body(l7="x")})
    make_project(tmp_path, {"1.1": first, "1.2": {"b.c": BODY}}, patches)
    before = snapshot(tmp_path)
    result = portkit(tmp_path, "rebase", "s", "--onto", "1.2")
    assert "a.c: deleted upstream, changed upstream in 1.2" in result.stdout
    (worktree(tmp_path) / "a.c").unlink()
    assert portkit(tmp_path, "rebase", "s", "--continue").exit_code == 0
    assert "a.c" not in (tmp_path / "patches/s/1.patch").read_text()
    for name, data in before.items():
        (tmp_path / name).write_bytes(data)
    assert portkit(tmp_path, "rebase", "s", "--onto", "1.2").exit_code == 0  # replayed


def test_a_partly_recorded_patch_asks_only_for_the_rest(colliding: Manifest) -> None:
    """A file whose conflict is known and one whose conflict is new, in the same patch."""
    root = colliding.root
    before = snapshot(root)
    portkit(root, "rebase", "s", "--onto", "1.3")
    resolve(root)
    portkit(root, "rebase", "s", "--continue")
    for name, data in before.items():
        (root / name).write_bytes(data)
    add_release(colliding, "1.4", {"a.c": "new\n" + body(l15="theirs"), "b.c": body(l20="b")})
    portkit(root, "rebase", "s", "--onto", "1.4")
    assert [path.name for path in worktree(root).glob("*.c")] == ["b.c"]
    (worktree(root) / "b.c").write_text(body(l20="merged"))
    assert portkit(root, "rebase", "s", "--continue").exit_code == 0
    files = files_of(colliding, "1.4")
    assert b"theirs and ours\n" in files["a.c"]
    assert b"merged\n" in files["b.c"]


def test_a_leftover_worktree_is_not_taken_for_the_next_conflict(colliding: Manifest) -> None:
    """kill -9 came after the decision was saved and before the next patches were carried."""
    root = colliding.root
    portkit(root, "rebase", "s", "--onto", "1.3")
    resolve(root)
    directory = StateDir(root / ".portkit", "s")
    state, stop = directory.load(), directory.stop()
    assert state is not None
    assert stop is not None
    files = directory.read_worktree(stop)
    directory.save(state.decide(stop.patch, Decision(skip=False, files=files)))
    (worktree(root) / "a.c").write_text("edited after that\n")
    assert portkit(root, "rebase", "s", "--continue").exit_code == 0
    assert b"theirs and ours\n" in files_of(colliding, "1.3")["a.c"]


def test_a_damaged_state_can_be_aborted(colliding: Manifest) -> None:
    root = colliding.root
    portkit(root, "rebase", "s", "--onto", "1.3")
    (root / ".portkit/rebase/s/state.json").write_text("{")
    result = portkit(root, "rebase", "s", "--continue")
    assert result.exit_code == 4
    assert "--abort" in str(result.exception)
    assert portkit(root, "rebase", "s", "--abort").exit_code == 0


def test_the_command_line_reports_one_line_and_the_exit_code(colliding: Manifest) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "portkit", "-C", str(colliding.root), "rebase", "s", "--onto",
         "1.3"],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("portkit: ")
