"""Explained conflicts: who touched the lines, the three versions, and what may help."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portkit.cli.threeway import aligned, near_changes
from portkit.manifest.model import Manifest
from tests.engine.support import Files, chain, make_patch, portkit
from tests.engine.upstream import commit, git, make_upstream
from tests.support import add_release, make_project

BODY = "".join(f"line {number}\n" for number in range(1, 31))
FUNCTION = "static int\nalpha(int x)\n{\n\tint limit = 100;\n\n\treturn (x > limit);\n}\n"
OTHER = "static int\nbeta(int y)\n{\n\treturn (y);\n}\n"


def body(**changes: str) -> str:
    text = BODY
    for name, value in changes.items():
        text = text.replace(f"line {name[1:]}\n", f"{value}\n")
    return text


def conflicts(manifest: Manifest, onto: str) -> list[dict[str, Any]]:
    result = portkit(manifest.root, "--json", "rebase", "s", "--onto", onto)
    assert result.exit_code == 3
    found: list[dict[str, Any]] = json.loads(result.stdout)["conflicts"]
    portkit(manifest.root, "rebase", "s", "--abort")
    return found


@pytest.fixture
def project(tmp_path: Path) -> Manifest:
    """Two places of ``a.c`` collide: line 5 since 1.2, line 20 since 1.3."""
    first = {"a.c": BODY}
    releases: dict[str, Files] = {
        "1.1": first,
        "1.2": {"a.c": body(l5="theirs")},
        "1.3": {"a.c": body(l5="theirs", l20="also theirs")},
    }
    (tmp_path / "p").mkdir()
    return make_project(tmp_path / "p", releases, chain(first, {"a.c": body(l5="our", l20="own")}))


def test_every_place_is_there_in_three_versions(project: Manifest) -> None:
    (found,) = conflicts(project, "1.3")
    assert found["path"] == "a.c"
    assert found["kind"] == "content"
    assert found["changed_in"] == "1.2"
    assert found["places"] == [
        {"line": 5, "upstream": "theirs\n", "base": "line 5\n", "ours": "our\n"},
        {"line": 26, "upstream": "also theirs\n", "base": "line 20\n", "ours": "own\n"},
    ]
    assert found["changed_by"] is None


def test_the_lines_of_a_place_are_those_of_the_worktree(project: Manifest) -> None:
    portkit(project.root, "rebase", "s", "--onto", "1.3")
    text = (project.root / ".portkit/rebase/s/worktree/a.c").read_text().splitlines()
    assert text[4].startswith("<<<<<<<")
    assert text[25].startswith("<<<<<<<")


def test_people_see_them_side_by_side(project: Manifest) -> None:
    lines = portkit(project.root, "rebase", "s", "--onto", "1.3").stdout.splitlines()
    assert "  a.c: content, changed upstream in 1.2" in lines
    heads = [line.split() for line in lines]
    assert ["upstream", "1.3", "before", "the", "patch", "the", "patch"] in heads
    assert ["theirs", "line", "5", "our"] in heads
    assert ["also", "theirs", "line", "20", "own"] in heads


def test_a_line_stands_beside_what_it_took_the_place_of() -> None:
    """Upstream gave a whole table new names and one more row; the patch takes out one of them."""
    base = [f"OLD({number})" for number in range(1, 12)]
    upstream = [line.replace("OLD", "NEW") for line in base]
    upstream.insert(4, "NEW(more)")
    rows = aligned(upstream, base, [line for line in base if line != "OLD(7)"])
    assert ("NEW(7)", "OLD(7)", "") in rows
    assert rows[3:6] == [
        ("NEW(4)", "OLD(4)", "OLD(4)"), ("NEW(more)", "", ""), ("NEW(5)", "OLD(5)", "OLD(5)"),
    ]  # fmt: skip
    left_out = ("...", "...", "...")
    assert near_changes(rows) == [left_out, *rows[4:11], left_out]


@given(*[st.lists(st.sampled_from(["a", "a b", "b c", "", "}"]), max_size=12)] * 3)
def test_no_line_is_lost_or_moved(upstream: list[str], base: list[str], ours: list[str]) -> None:
    columns = zip(*aligned(upstream, base, ours), strict=True)
    for column, lines in zip(columns, (upstream, base, ours), strict=False):
        assert [line for line in column if line] == [line for line in lines if line]


def test_escape_sequences_of_a_file_do_not_reach_the_terminal(tmp_path: Path) -> None:
    first = {"a.c": BODY}
    hostile = {"a.c": body(l5="\x1b]0;owned\x07\x9b31m")}
    make_project(tmp_path, {"1.1": first, "1.2": hostile}, chain(first, {"a.c": body(l5="our")}))
    text = portkit(tmp_path, "rebase", "s", "--onto", "1.2").stdout
    assert "?]0;owned?" in text
    assert not {"\x1b", "\x07", "\x9b"} & set(text)


def test_lines_that_upstream_put_in_between_are_traced_too(tmp_path: Path) -> None:
    """The patch only adds lines, so there is no old line to look for."""
    first = {"a.c": BODY}
    releases: dict[str, Files] = {
        "1.1": first,
        "1.2": {"a.c": body(l25="far away")},
        "1.3": {"a.c": body(l25="far away", l10="line 10\ntheirs")},
    }
    manifest = make_project(tmp_path, releases, chain(first, {"a.c": body(l10="line 10\nours")}))
    (found,) = conflicts(manifest, "1.3")
    assert found["changed_in"] == "1.3"


def test_lines_that_are_also_elsewhere_are_told_apart_by_those_around(tmp_path: Path) -> None:
    """As in QEMU's pc_piix.c: the line went from one function, and came in another."""
    first = {"a.c": body(l5="same")}
    releases: dict[str, Files] = {
        "1.1": first,
        "1.2": {"a.c": body(l5="same", l7="near, but no collision")},
        "1.3": {"a.c": body(l5="theirs", l7="near, but no collision", l25="same")},
        "1.4": {"a.c": body(l5="theirs", l7="near, but no collision", l25="same", l30="end")},
    }
    manifest = make_project(tmp_path, releases, chain(first, {"a.c": body(l5="ours")}))
    (found,) = conflicts(manifest, "1.4")
    assert found["changed_in"] == "1.3"


def test_an_older_release_is_explained_backwards(tmp_path: Path) -> None:
    first = {"a.c": BODY}
    releases: dict[str, Files] = {
        "1.1": {"a.c": body(l5="ancient")}, "1.2": {"a.c": body(l5="ancient")}, "1.3": first,
    }  # fmt: skip
    patches = chain(first, {"a.c": body(l5="our")})
    manifest = make_project(tmp_path, releases, patches, pin="1.3")
    (found,) = conflicts(manifest, "1.1")
    assert found["changed_in"] == "1.2"


class TestHistory:
    """One of the git sources is a repository on this machine."""

    @pytest.fixture
    def commits(self, project: Manifest) -> list[str]:
        steps: list[tuple[str, dict[str, str | None], str]] = [
            ("Start", {"a.c": BODY}, "v1.1"),
            ("Elsewhere", {"b.c": "b\n"}, ""),
            ("Change a line that nobody patches", {"a.c": body(l30="end")}, ""),
            ("Rework line 5", {"a.c": body(l5="theirs")}, ""),
            ("Touch the end", {"a.c": body(l5="theirs", l30="end")}, "v1.2"),
            ("Rework line 20", {"a.c": body(l5="theirs", l20="also theirs")}, "v1.3"),
        ]
        return make_upstream(project.root / "upstream-git", steps)

    def test_the_commit_is_named(self, project: Manifest, commits: list[str]) -> None:
        (found,) = conflicts(project, "1.3")
        assert found["changed_by"] == {
            "commit": commits[3],
            "author": "Up <up@example.org>",
            "date": "2023-11-14T22:13:20+00:00",
            "subject": "Rework line 5",
        }
        text = portkit(project.root, "rebase", "s", "--onto", "1.3").stdout
        assert f'by {commits[3][:12]} ("Rework line 5"), Up <up@example.org>, 2023-11-14' in text

    def test_a_commit_of_a_merged_branch_is_named(self, project: Manifest) -> None:
        """The branch began before the release; a walk along dates would be wrong."""
        root = project.root / "upstream-git"
        make_upstream(root, [("Start", {"a.c": BODY}, "")])
        git(root, "checkout", "--quiet", "-b", "topic")
        culprit = commit(root, "Rework on a branch", {"a.c": body(l5="theirs")})
        git(root, "checkout", "--quiet", "main")
        commit(root, "Before the release", {"b.c": "b\n"}, "v1.1")
        commit(root, "After the release", {"c.c": "c\n"})
        git(root, "merge", "--quiet", "--no-ff", "-m", "Merge topic", "topic")
        git(root, "tag", "v1.2")
        (found,) = conflicts(project, "1.2")
        assert found["changed_by"]["commit"] == culprit

    def test_a_history_without_these_releases_says_nothing(self, project: Manifest) -> None:
        make_upstream(project.root / "upstream-git", [("Start", {"a.c": BODY}, "v1.1")])
        (found,) = conflicts(project, "1.3")
        assert (found["changed_in"], found["changed_by"]) == ("1.2", None)

    def test_the_repository_is_only_read(self, project: Manifest, commits: list[str]) -> None:
        root = project.root / "upstream-git"
        before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
        conflicts(project, "1.3")
        portkit(project.root, "bisect", "s", "1.patch")
        assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


class TestSuggestions:
    def test_a_function_that_moved_to_another_file(self, tmp_path: Path) -> None:
        """Not to one that has had the same lines before, as a copy."""
        first = {"a.c": OTHER + FUNCTION, "b.c": "int b;\n", "copy.c": FUNCTION}
        patched = {**first, "a.c": OTHER + FUNCTION.replace("100", "200")}
        moved: Files = {
            "a.c": OTHER, "copy.c": FUNCTION, "b.h": "int\talpha(int x);\n", "notes.txt": FUNCTION,
            "sub/b.c": "int b;\n\n" + FUNCTION,
        }  # fmt: skip
        manifest = make_project(tmp_path, {"1.1": first, "1.2": moved}, chain(first, patched))
        (found,) = conflicts(manifest, "1.2")
        (hint,) = found["suggestions"]
        assert hint["text"] == "alpha() is in sub/b.c:4 now"
        text = portkit(tmp_path, "rebase", "s", "--onto", "1.2").stdout
        assert f"look: {hint['text']}" in text

    def test_a_file_that_went_and_its_functions(self, tmp_path: Path) -> None:
        """By git's rule for C, a function has the name of its line at the margin."""
        alpha = FUNCTION.replace("static int\nalpha", "static int alpha")
        first = {"a.c": OTHER * 20 + alpha, "b.c": "int b;\n"}
        patched = {**first, "a.c": OTHER * 20 + alpha.replace("100", "200")}
        merged: Files = {"b.c": "int b;\n\n" + alpha.replace("100", "7")}
        manifest = make_project(tmp_path, {"1.1": first, "1.2": merged}, chain(first, patched))
        (found,) = conflicts(manifest, "1.2")
        assert found["kind"] == "deleted upstream"
        assert found["suggestions"] == [
            {"kind": "moved", "path": "b.c", "line": 3, "text": "alpha() is in b.c:3 now"}
        ]

    def test_a_resolution_of_the_same_lines_against_other_lines(self, project: Manifest) -> None:
        root = project.root
        portkit(root, "rebase", "s", "--onto", "1.2")
        path = root / ".portkit/rebase/s/worktree/a.c"
        text = path.read_text()
        start, end = text.index("<<<<<<<"), text.index(">>>>>>> 1.patch\n") + 16
        path.write_text(text[:start] + "both\n" + text[end:])
        assert portkit(root, "rebase", "s", "--continue").exit_code == 0
        assert portkit(root, "undo", "s").exit_code == 0
        (record,) = (root / "patches/up/resolutions").iterdir()
        add_release(project, "1.4", {"a.c": body(l5="quite another")})
        (found,) = conflicts(project, "1.4")
        (hint,) = found["suggestions"]
        assert (hint["kind"], hint["path"]) == ("resolution", record.name)
        assert "same lines of the patch" in hint["text"]

    def test_nothing_fits(self, tmp_path: Path) -> None:
        first, renames = {"a.c": BODY}, {"a.c": "b.c"}
        patch = ("1.patch", make_patch("1.patch", first, {"b.c": BODY}, renames))
        releases: dict[str, Files] = {"1.1": first, "1.2": {"a.c": BODY, "b.c": "taken\n"}}
        manifest = make_project(tmp_path, releases, [patch])
        (found,) = conflicts(manifest, "1.2")
        assert (found["places"], found["suggestions"]) == ([], [])
