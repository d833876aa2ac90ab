"""What portkit writes: diffs that git applies to the same result, and byte-stable patches."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portkit.errors import UsageError
from portkit.series.diff import FileChange, diff_text
from portkit.series.model import Change, Entry, FileDiff, Patch
from portkit.series.patch import format_patch, parse_patch, patch_name, with_diff, with_message

P = PurePosixPath


def modify(old: bytes, new: bytes, path: str = "d/f.c") -> FileChange:
    return FileChange(P(path), Entry("100644", old), P(path), Entry("100644", new))


def patch_of(*changes: FileChange, body: str = "why") -> Patch:
    return format_patch(
        "p.patch", author="A U Thor <a@b>", date="Sun, 1 Mar 2026 10:00:00 +0100", subject="do it",
        body=body, diff=diff_text(changes),
    )  # fmt: skip


def apply(file: FileDiff, old: bytes) -> bytes:
    """Apply hunks by their line numbers, and check every old line."""
    lines = old.splitlines(keepends=True) if b"\r" not in old else _lines(old)
    out: list[bytes] = []
    at = 0
    for hunk in file.hunks:
        start = hunk.old_start - 1 if hunk.old_count else hunk.old_start
        out += lines[at:start]
        assert tuple(lines[start : start + hunk.old_count]) == hunk.old
        assert len(out) == (hunk.new_start - 1 if hunk.new_count else hunk.new_start)
        out += hunk.new
        at = start + hunk.old_count
    return b"".join(out + lines[at:])


def _lines(data: bytes) -> list[bytes]:
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def test_canonical_form() -> None:
    patch = patch_of(modify(b"one\ntwo\n", b"one\nzwei\n"), body="why\n\nForwarded: no")
    assert patch.raw.decode() == (
        "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\n"
        "From: A U Thor <a@b>\nDate: Sun, 1 Mar 2026 10:00:00 +0100\nSubject: [PATCH] do it\n\n"
        "why\n\nForwarded: no\n---\n"
        "diff --git a/d/f.c b/d/f.c\n--- a/d/f.c\n+++ b/d/f.c\n"
        "@@ -1,2 +1,2 @@\n one\n-two\n+zwei\n"
    )


def test_kinds_of_change() -> None:
    data = Entry("100644", b"x\n")
    changes = [
        FileChange(None, None, P("add"), Entry("100755", b"x\n")),
        FileChange(None, None, P("empty"), Entry("100644", b"")),
        FileChange(P("gone"), data, None, None),
        FileChange(P("mode"), data, P("mode"), Entry("100755", b"x\n")),
        FileChange(P("old"), data, P("new"), data),
        FileChange(P("src"), data, P("dst"), Entry("100644", b"y\n"), copy=True),
        FileChange(P("same"), data, P("same"), data),
        FileChange(None, None, P("ln"), Entry("120000", b"target")),
    ]
    files = patch_of(*changes).files
    assert [(f.change, str(f.path)) for f in files] == [
        (Change.ADD, "add"), (Change.ADD, "empty"), (Change.DELETE, "gone"),
        (Change.MODIFY, "mode"), (Change.RENAME, "new"), (Change.COPY, "dst"), (Change.ADD, "ln"),
    ]  # fmt: skip
    assert files[-1].hunks[0].new == (b"target",)


def test_a_file_that_becomes_a_link_is_deleted_and_added() -> None:
    change = FileChange(P("f"), Entry("100644", b"x\n"), P("f"), Entry("120000", b"g"))
    assert [f.change for f in patch_of(change).files] == [Change.DELETE, Change.ADD]


@pytest.mark.parametrize("entry", [Entry("100644", b"a\0b"), Entry("160000", b"")])
def test_what_is_no_text_is_refused(entry: Entry) -> None:
    with pytest.raises(UsageError, match="leave it out"):
        diff_text([FileChange(None, None, P("x"), entry)])


PATHS = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x17F, exclude_characters="/\x7f"), min_size=1
).filter(lambda name: name not in (".", "..") and name.lower() != ".git")
LINES = st.sampled_from([b"a\n", b"b\n", b"\n", b"+x\n", b"--- y\n", b"@@ -1 +1 @@\n", b"z\r\n",
                         b"\\ No newline at end of file\n", b"\xff\xfe\n", b"-- \n"])  # fmt: skip
TEXTS = st.tuples(st.lists(LINES, max_size=30), st.sampled_from([b"", b"end"])).map(
    lambda pair: b"".join(pair[0]) + pair[1]
)


@given(PATHS, TEXTS, TEXTS)
def test_written_diffs_are_read_back_to_the_same_files(name: str, old: bytes, new: bytes) -> None:
    change = modify(old, new, f"d/{name}")
    text = diff_text([change])
    if old == new:
        assert text == b""
        return
    (file,) = parse_patch("p", text).files
    assert str(file.path) == f"d/{name}"
    assert apply(file, old) == new


@settings(max_examples=25, deadline=None)
@given(PATHS, TEXTS, TEXTS)
def test_git_applies_what_is_written(
    tmp_path_factory: pytest.TempPathFactory, name: str, old: bytes, new: bytes
) -> None:
    if old == new:
        return
    root: Path = tmp_path_factory.mktemp("git")
    (root / "d").mkdir()
    (root / "d" / name).write_bytes(old)
    text = diff_text([modify(old, new, f"d/{name}")])
    subprocess.run(["git", "-C", root, "apply", "-"], input=text, check=True)
    assert (root / "d" / name).read_bytes() == new


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20)


@given(WORDS, st.lists(WORDS, max_size=6).map("\n".join))
def test_a_message_is_read_back_as_given_or_refused(subject: str, body: str) -> None:
    diff = diff_text([modify(b"a\n", b"b\n")])
    try:
        patch = format_patch("p", author="A <a@b>", date="d", subject=subject, body=body, diff=diff)
    except UsageError:
        return
    assert (patch.subject, patch.body) == (subject, body)
    assert parse_patch("p", patch.raw) == patch


@pytest.mark.parametrize(
    ("subject", "body"),
    [("a\nb", ""), ("", "x"), ("x", "a\n---\nb"), ("x", "From: b"), ("x", "diff --git a/x b/x"),
     ("x", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b"), ("[PATCH] x", ""), ("x", "Index: y"),
     ("x", "a\n"), ("=?utf-8?q?=41?=", "")],
)  # fmt: skip
def test_messages_that_would_be_cut_are_refused(subject: str, body: str) -> None:
    diff = diff_text([modify(b"a\n", b"b\n")])
    with pytest.raises(UsageError):
        format_patch("p", author="A <a@b>", date="d", subject=subject, body=body, diff=diff)


def test_equal_changes_keep_all_bytes_and_others_lose_what_told_of_the_old_diff() -> None:
    stat = b" d/f.c | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n"
    mark = b"Index: d/f.c\n" + b"=" * 67 + b"\n"
    raw = b"Subject: x\n\nwhy\n---\nnote\n" + stat + mark + b"--- d.orig/d/f.c\n+++ d/d/f.c\n"
    patch = parse_patch("p", raw + b"@@ -1 +1 @@\n-a\n+b\n\ntail\n")
    assert with_diff(patch, diff_text([modify(b"a\n", b"b\n")])) is patch
    other = with_diff(patch, diff_text([modify(b"a\n", b"c\n")]))
    assert other.raw == b"Subject: x\n\nwhy\n---\nnote\n" + diff_text([modify(b"a\n", b"c\n")])


def test_a_new_message_keeps_the_diff_bytes() -> None:
    patch = parse_patch("p", b"Subject: x\n\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n-- \n2.1\n")
    other = with_message(patch, author="", date="", subject="y", body="")
    assert other.subject == "y"
    assert other.raw.endswith(b"---\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n-- \n2.1\n")


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("KVM: x86: do it", "KVM-x86-do-it.patch"),
        ("../../etc/passwd", "etc-passwd.patch"),
        ("Löschen", "Loschen.patch"),
        ("日本", "patch.patch"),
        ("a..b. ", "a.b.patch"),
        ("x" * 200, "x" * 60 + ".patch"),
    ],
)
def test_file_names_come_from_subjects(subject: str, name: str) -> None:
    assert patch_name(subject) == name
