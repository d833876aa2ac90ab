"""``portkit import`` of patches whose line numbers are old."""

from __future__ import annotations

from pathlib import Path

import pytest

from portkit.engine.hunks import apply_patch
from portkit.engine.offsets import fitted
from portkit.errors import Refused
from tests.engine.support import make_patch, parsed, portkit, tree
from tests.support import make_project

LINES = "".join(f"line {number}\n" for number in range(1, 41))
CHANGED = LINES.replace("line 9\n", "nine\n").replace("line 30\n", "thirty\nand more\n")
PATCH = make_patch("1.patch", {"a.c": LINES}, {"a.c": CHANGED})


def test_hunks_go_to_their_lines_and_are_exact_from_then_on() -> None:
    moved = LINES.replace("line 20\n", "") + "end\n"
    here = tree({"a.c": "new\nnew\n" + moved})
    patch = fitted(here, parsed(PATCH))
    assert "@@ -8,7 +8,7 @@" in patch.raw.decode()
    assert "@@ -28,7 +28,8 @@" in patch.raw.decode()
    changed = CHANGED.replace("line 20\n", "") + "end\n"
    (entry,) = apply_patch(here, patch).values()
    assert entry is not None
    assert entry.data.decode() == "new\nnew\n" + changed


def test_an_exact_patch_keeps_its_bytes() -> None:
    patch = parsed(PATCH)
    assert fitted(tree({"a.c": LINES}), patch) is patch


def test_fuzz_is_refused() -> None:
    with pytest.raises(Refused, match="portkit takes no offset and no fuzz"):
        fitted(tree({"a.c": "new\n" + LINES.replace("line 8\n", "eight\n")}), parsed(PATCH))


def test_two_places_equally_near_are_refused() -> None:
    patch = make_patch("1.patch", {"a.c": "a\nb\nc\n"}, {"a.c": "a\nB\nc\n"})
    text = patch.replace("@@ -1,3 +1,3 @@", "@@ -5,3 +5,3 @@")
    with pytest.raises(Refused):
        fitted(tree({"a.c": "a\nb\nc\nx\nx\nx\nx\nx\na\nb\nc\n"}), parsed(text))


def test_an_insertion_without_context_is_not_moved() -> None:
    head = "Subject: x\n---\ndiff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n"
    patch = parsed(head + "@@ -2 +2 @@\n-line 2\n+two\n@@ -9,0 +10 @@\n+x\n")
    with pytest.raises(Refused):
        fitted(tree({"a.c": "new\n" + LINES}), patch)


def test_import_tells_it(tmp_path: Path) -> None:
    make_project(tmp_path, {"1.1": {"a.c": "new\n" + LINES}})
    quilt = tmp_path / "quilt"
    quilt.mkdir()
    (quilt / "series").write_text("1.patch\n")
    (quilt / "1.patch").write_text(PATCH)
    result = portkit(tmp_path, "import", "s", str(quilt))
    assert result.exit_code == 0, result.exception
    assert "1.patch: its line numbers were old" in result.stdout
    assert portkit(tmp_path, "apply", "s").exit_code == 0
