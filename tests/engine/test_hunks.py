"""Exact application: everything a patch can do to files, and everything it may not."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portkit.engine.hunks import apply_patch
from portkit.engine.tree import Entry
from portkit.errors import Refused
from tests.engine.support import Files, make_patch, parsed, tree

LINES = "".join(f"line {number}\n" for number in range(1, 21))
HEAD = "Subject: x\n---\n"


def applied(files: Files, patch: str) -> dict[str, Entry | None]:
    return {str(path): entry for path, entry in apply_patch(tree(files), parsed(patch)).items()}


def test_modify_add_and_delete() -> None:
    old = {"a": LINES, "b/gone": "x\n"}
    new = {"a": LINES.replace("line 7\n", "seven\n"), "c/d/new": ("100755", b"#!/bin/sh\n")}
    assert applied(old, make_patch("p", old, new)) == {
        "a": Entry("100644", new["a"].encode()),
        "b/gone": None,
        "c/d/new": Entry("100755", b"#!/bin/sh\n"),
    }


def test_a_rename_with_a_change_takes_the_mode_along() -> None:
    old, new = {"a": ("100755", LINES.encode())}, {"b": ("100755", LINES.encode() + b"more\n")}
    assert applied(old, make_patch("p", old, new, {"a": "b"})) == {
        "a": None,
        "b": Entry("100755", LINES.encode() + b"more\n"),
    }


def test_two_files_swap_their_names() -> None:
    patch = HEAD + "".join(
        f"diff --git a/{a} b/{b}\nsimilarity index 100%\nrename from {a}\nrename to {b}\n"
        for a, b in (("x", "y"), ("y", "x"))
    )
    assert applied({"x": "1\n", "y": "2\n"}, patch) == {
        "x": Entry("100644", b"2\n"),
        "y": Entry("100644", b"1\n"),
    }


def test_a_copy_leaves_its_source_and_takes_it_as_it_was() -> None:
    patch = (
        HEAD + "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+changed\n"
        "diff --git a/a b/b\nsimilarity index 50%\ncopy from a\ncopy to b\n"
        "--- a/a\n+++ b/b\n@@ -1 +1 @@\n-1\n+copy\n"
    )
    assert applied({"a": "1\n"}, patch) == {
        "a": Entry("100644", b"changed\n"),
        "b": Entry("100644", b"copy\n"),
    }


def test_a_mode_change_alone() -> None:
    patch = HEAD + "diff --git a/a b/a\nold mode 100644\nnew mode 100755\n"
    assert applied({"a": "1\n"}, patch) == {"a": Entry("100755", b"1\n")}
    with pytest.raises(Refused, match="mode 100755, the patch expects 100644"):
        applied({"a": ("100755", b"1\n")}, patch)


def test_an_outdated_mode_in_an_index_line_changes_nothing() -> None:
    patch = HEAD + "diff --git a/a b/a\nindex 1..2 100644\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+2\n"
    assert applied({"a": ("100755", b"1\n")}, patch) == {"a": Entry("100755", b"2\n")}


def test_a_file_becomes_a_link_and_a_link_a_file() -> None:
    old = {"a": "text\n", "l": ("120000", b"target")}
    new = {"a": ("120000", b"elsewhere"), "l": "text\n"}
    assert applied(old, make_patch("p", old, new)) == {
        "a": Entry("120000", b"elsewhere"),
        "l": Entry("100644", b"text\n"),
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [("a\nb", "a\nc"), ("a\nb", "a\nb\n"), ("a\nb\n", "a\nb"), ("", "a"), ("a", "a\nb\n")],
)
def test_no_newline_at_the_end(old: str, new: str) -> None:
    before, after = {"a": old, "z": "1\n"}, {"a": new, "z": "2\n"}
    assert applied(before, make_patch("p", before, after))["a"] == Entry("100644", new.encode())


def test_crlf_lines_are_lines_like_others() -> None:
    old = {"a": "one\r\ntwo\rthree\r\n"}
    new = {"a": "one\r\nTWO\rthree\r\n"}
    assert applied(old, make_patch("p", old, new)) == {"a": Entry("100644", new["a"].encode())}


def test_zero_context_hunks_apply_at_their_line() -> None:
    patch = HEAD + (
        "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -0,0 +1 @@\n+top\n@@ -3 +4 @@\n-line 3\n+three\n"
        "@@ -5,0 +7,2 @@\n+five\n+and a half\n@@ -20 +22,0 @@\n-line 20\n"
    )
    lines = LINES.splitlines()
    expected = ["top", *lines[:2], "three", *lines[3:5], "five", "and a half", *lines[5:19]]
    assert applied({"a": LINES}, patch) == {
        "a": Entry("100644", "".join(f"{line}\n" for line in expected).encode())
    }


def test_an_offset_is_refused_and_the_place_is_told() -> None:
    old = {"a": LINES}
    patch = make_patch("p", old, {"a": LINES.replace("line 9\n", "nine\n")})
    with pytest.raises(
        Refused,
        match=r"p\.patch:\d+: hunk 1 of a does not apply at line 6: expected 'line 6', "
        r"found 'line 5' \(these lines are at line 7\)",
    ):
        applied({"a": "new\n" + LINES}, patch)


def test_fuzz_is_refused() -> None:
    patch = make_patch("p", {"a": LINES}, {"a": LINES.replace("line 9\n", "nine\n")})
    with pytest.raises(Refused, match="line 12: expected 'line 12', found 'twelve'; portkit takes"):
        applied({"a": LINES.replace("line 12\n", "twelve\n")}, patch)


def test_the_second_hunk_is_named() -> None:
    new = LINES.replace("line 2\n", "two\n").replace("line 19\n", "nineteen\n")
    patch = make_patch("p", {"a": LINES}, {"a": new})
    with pytest.raises(Refused, match=r"hunk 2 of a .* line 20: .* found the end of the file"):
        applied({"a": LINES.removesuffix("line 20\n")}, patch)


def test_a_hunk_whose_two_lines_contradict_is_refused() -> None:
    with pytest.raises(Refused, match="its two line numbers contradict"):
        applied({"a": LINES}, HEAD + "--- a/a\n+++ b/a\n@@ -3,0 +9 @@\n+x\n")


def test_a_hunk_far_beyond_the_end_is_refused() -> None:
    with pytest.raises(Refused, match="the file has 20 lines only"):
        applied({"a": LINES}, HEAD + "--- a/a\n+++ b/a\n@@ -900000000,0 +900000001 @@\n+x\n")


def test_text_after_a_line_without_newline_is_refused() -> None:
    patch = HEAD + "--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+2\n\\ No newline at end of file\n"
    with pytest.raises(Refused, match="without newline is not the last"):
        applied({"a": "1\n2\n3\n"}, patch)


@pytest.mark.parametrize(
    ("files", "patch", "why"),
    [
        (
            {"dir": ("120000", b"/etc")},
            "--- a/dir/passwd\n+++ b/dir/passwd\n@@ -1 +1 @@\n-1\n+2\n",
            "dir/passwd is not there: dir is a symbolic link",
        ),
        (
            {"dir": ("120000", b"/etc")},
            "--- /dev/null\n+++ b/dir/new\n@@ -0,0 +1 @@\n+2\n",
            "cannot create dir/new: dir is a symbolic link",
        ),
        (
            {},
            "diff --git a/dir b/dir\nnew file mode 120000\n--- /dev/null\n+++ b/dir\n"
            "@@ -0,0 +1 @@\n+/etc\n\\ No newline at end of file\n"
            "diff --git a/dir/new b/dir/new\nnew file mode 100644\n--- /dev/null\n"
            "+++ b/dir/new\n@@ -0,0 +1 @@\n+2\n",
            "cannot create dir: dir is a directory",
        ),
        (
            {"a": "1\n"},
            "--- /dev/null\n+++ b/a/b\n@@ -0,0 +1 @@\n+2\n",
            "cannot create a/b: a is a file",
        ),
        (
            {"a/b": "1\n"},
            "--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+2\n",
            "cannot create a: a is a directory",
        ),
        (
            {"a": "1\n"},
            "--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+2\n",
            "cannot create a: it is there already",
        ),
        (
            {"a": ("120000", b"1\n")},
            "diff --git a/a b/a\nindex 1..2 100644\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+2\n",
            "a is a symbolic link",
        ),
        (
            {"a": "1\n2\n"},
            "--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n",
            "deleting a leaves lines in it",
        ),
        ({}, "--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+2\n", "a is not there"),
        ({"a": ("160000", b"")}, "--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+2\n", "a is a submodule"),
    ],
)
def test_a_patch_may_not(files: Files, patch: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        applied(files, HEAD + patch)


text = st.text("ab\n\r\t -+@", max_size=60).map(str.encode)


@settings(deadline=None)
@given(old=text, new=text)
def test_a_diff_applied_to_its_old_side_gives_its_new_side(old: bytes, new: bytes) -> None:
    before: Files = {"f": old, "always": b"1\n"}
    after: Files = {"f": new, "always": b"2\n"}
    patch = parsed(make_patch("p", before, after))
    result = tree(before).changed(apply_patch(tree(before), patch))
    assert result.get(PurePosixPath("f")) == Entry("100644", new)


@settings(deadline=None)
@given(old=text, new=text, other=text)
def test_a_diff_applied_elsewhere_is_refused_or_keeps_the_rest(
    old: bytes, new: bytes, other: bytes
) -> None:
    before: Files = {"f": old, "always": b"1\n"}
    patch = parsed(make_patch("p", before, {"f": new, "always": b"2\n"}))
    try:
        result = apply_patch(tree({"f": other, "always": b"1\n"}), patch)
    except Refused:
        return
    changed = result.get(PurePosixPath("f"))
    if changed is not None and old != new:
        assert changed.data.count(b"\n") - other.count(b"\n") == new.count(b"\n") - old.count(b"\n")
