"""What the parser takes, what it refuses, and that it says where."""

from __future__ import annotations

import textwrap
from pathlib import PurePosixPath

import pytest

from portkit.series.model import Change
from portkit.series.patch import parse_patch
from portkit.series.problem import PatchProblem

HEAD = "From: A U Thor <author@example.org>\nDate: Sun, 1 Mar 2026 10:00:00 +0100\n"
FILE = "diff --git a/f.c b/f.c\n--- a/f.c\n+++ b/f.c\n"
HUNK = "@@ -1,2 +1,2 @@\n one\n-two\n+zwei\n"


def parse(text: str | bytes):
    raw = text.encode() if isinstance(text, str) else text
    return parse_patch("p.patch", raw)


def refused(text: str | bytes) -> PatchProblem:
    with pytest.raises(PatchProblem) as caught:
        parse(text)
    return caught.value


# --- the message ---


def test_format_patch_message() -> None:
    patch = parse(
        "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n" + HEAD +
        "Subject: [PATCH v2 3/7] kvm: do not\n wait\n\nBecause it hangs.\n\n"
        "Upstream-Status: Pending\nSigned-off-by: A <a@b>\n---\n f.c | 2 +-\n\n" + FILE + HUNK
        + "-- \n2.39.2\n"
    )  # fmt: skip
    assert patch.author == "A U Thor <author@example.org>"
    assert patch.date == "Sun, 1 Mar 2026 10:00:00 +0100"
    assert patch.subject == "kvm: do not wait"
    assert patch.body.startswith("Because it hangs.\n\n")
    assert patch.trailers == (("Upstream-Status", "Pending"), ("Signed-off-by", "A <a@b>"))
    assert [file.path for file in patch.files] == [PurePosixPath("f.c")]


def test_dep3_message() -> None:
    patch = parse(
        "Description: use the right clock\n The wrong one drifts.\n .\n Second paragraph.\n"
        "Author: A <a@b>\nOrigin: upstream, https://example.org/c/1\nForwarded: not-needed\n"
        "---\nThis patch header follows DEP-3\n" + FILE + HUNK
    )
    assert patch.subject == "use the right clock"
    assert patch.author == "A <a@b>"
    assert patch.body == "The wrong one drifts.\n\nSecond paragraph."
    assert ("Forwarded", "not-needed") in patch.trailers
    assert ("Origin", "upstream, https://example.org/c/1") in patch.trailers


def test_plain_text_before_a_diff_is_the_body() -> None:
    patch = parse("Just words: here.\nMore words.\n\n" + FILE + HUNK)
    assert (patch.author, patch.date, patch.subject) == ("", "", "")
    assert patch.body == "Just words: here.\nMore words."


def test_message_of_a_patch_without_one_is_empty() -> None:
    patch = parse(FILE + HUNK)
    assert (patch.author, patch.subject, patch.body, patch.trailers) == ("", "", "", ())


@pytest.mark.parametrize("mark", ["Index: f.c\n====\n", "diff -urN a/f.c b/f.c\n"])
def test_message_ends_at_the_marks_of_other_tools(mark: str) -> None:
    patch = parse("Subject: x\n\nwhy\n" + mark + "--- a/f.c\n+++ b/f.c\n" + HUNK)
    assert patch.body == "why"


def test_encoded_words_and_other_bytes() -> None:
    patch = parse(
        b"From: =?utf-8?q?J=C3=B6rg?= <j@x>\nSubject: caf\xe9\n\n" + (FILE + HUNK).encode()
    )
    assert patch.author == "Jörg <j@x>"
    assert patch.subject == "caf\udce9"


def test_in_body_from_wins_as_in_git_am() -> None:
    patch = parse(HEAD + "Subject: x\n\nFrom: Real <r@x>\n\nwhy\n---\n" + FILE + HUNK)
    assert (patch.author, patch.body) == ("Real <r@x>", "why")


@pytest.mark.parametrize("lines", ["--- a/x\n", "+++ b/x\n", "--- a/x\n+++ b/x\ntext\n", "+ x\n"])
def test_lines_of_the_body_that_look_like_a_diff_are_no_diff(lines: str) -> None:
    patch = parse(HEAD + "Subject: x\n\nlook:\n" + lines + "\n---\n" + FILE + HUNK)
    assert [str(file.path) for file in patch.files] == ["f.c"]
    assert lines.strip() in patch.body


def test_a_dashed_line_ends_the_message_and_what_follows_is_a_note() -> None:
    patch = parse(HEAD + "Subject: x\n\nwhy\n---\nnote --- more\n---\n" + FILE + HUNK)
    assert patch.body == "why"


def test_hunk_in_the_body_is_refused_as_git_does() -> None:
    problem = refused("Subject: x\n\n" + HUNK + "---\n" + FILE + HUNK)
    assert (problem.line, problem.rule) == (3, "patch-syntax")


def test_whole_diff_in_the_body_is_a_diff_as_for_git() -> None:
    patch = parse("Subject: x\n\nsee\n--- a/g\n+++ b/g\n" + HUNK + "\nmore\n---\n" + FILE + HUNK)
    assert [str(file.path) for file in patch.files] == ["g", "f.c"]
    assert patch.body == "see"


@pytest.mark.parametrize("encoding", ["quoted-printable", "BASE64"])
def test_encoded_mail_is_refused(encoding: str) -> None:
    text = f"Subject: x\nContent-Transfer-Encoding: {encoding}\n\nwhy\n"
    assert refused(text + FILE + HUNK).rule == "patch-encoding"
    assert refused(text + "RnJvbTog\n").rule == "patch-encoding"


# --- files ---


@pytest.mark.parametrize(
    ("old", "new"), [("a/", "b/"), ("linux.orig/", "linux/"), ("i/", "w/"), ("x-1.2/", "y/")]
)
def test_any_prefix_is_one_component(old: str, new: str) -> None:
    for git in (f"diff --git {old}d/f.c {new}d/f.c\n", ""):
        patch = parse(f"{git}--- {old}d/f.c\t2026-01-01\n+++ {new}d/f.c\t2026-01-02\n{HUNK}")
        assert patch.files[0].path == PurePosixPath("d/f.c")
        assert patch.files[0].change is Change.MODIFY


def test_p0_patch_is_refused() -> None:
    problem = refused("--- f.c\n+++ f.c\n" + HUNK)
    assert (problem.rule, problem.line) == ("patch-paths", 1)
    assert "-p1" in problem.what


def test_names_of_a_plain_diff_must_agree() -> None:
    assert refused("--- a/f.c.orig\n+++ b/f.c\n" + HUNK).rule == "patch-paths"


@pytest.mark.parametrize(
    "header",
    [
        "diff --git a/f.c b/f.c\n--- a/g.c\n+++ b/f.c\n",
        "diff --git a/f.c b/f.c\n--- a/f.c\n+++ b/g.c\n",
        "diff --git a/f.c b/f.c\n--- a/g.c\n+++ b/g.c\n",
        "diff --git a/f.c b/g.c\n--- a/f.c\n+++ b/f.c\n",
        "diff --git a/f b/g\nrename from f\nrename to h\n",
        "diff --git a/f b/g\nrename from f\nrename to g\n--- a/x\n+++ b/g\n",
        "diff --git a/f b/g\nold mode 100644\nnew mode 100755\n",
        "diff --git a/f b/g\nrename from f\nrename to g\n--- /dev/null\n+++ b/g\n",
    ],
)
def test_names_of_a_git_diff_must_agree(header: str) -> None:
    assert refused(header + HUNK).rule == "patch-paths"


@pytest.mark.parametrize(
    "name",
    [
        "a/../x", "a//etc/passwd", "a/b/../../x", "a/./x", "a/b//c", "a/.git/config",
        "a/sub/.GIT/hooks/x", "/etc/passwd/../x", "a/", '"a/x\\000y"', '"a/x\\ny"', '"a/x',
        '"a/\\q"', "a/x\x01",
    ],
)  # fmt: skip
def test_paths_that_leave_the_tree_are_refused(name: str) -> None:
    plain = refused(f"--- {name}\n+++ {name}\n{HUNK}")
    assert (plain.rule, plain.line) == ("patch-paths", 1)
    git = refused(f"diff --git {name} {name}\n--- {name}\n+++ {name}\n{HUNK}")
    assert git.rule == "patch-paths"
    renamed = refused(f"diff --git a/x b/x\nrename from x\nrename to ../{name}\n")
    assert renamed.rule == "patch-paths"


def test_quoted_paths_are_unquoted() -> None:
    name = '"a/d\\303\\266\\t\\"x\\".c"'
    # a tab cannot be in a path that portkit carries, a quote and UTF-8 can
    assert "control character" in refused(f"--- {name}\n+++ {name}\n{HUNK}").what
    name = '"{}/d\\303\\266 \\"x\\".c"'
    old, new = name.format("a"), name.format("b")
    patch = parse(f"diff --git {old} {new}\n--- {old}\n+++ {new}\n{HUNK}")
    assert patch.files[0].path == PurePosixPath('dö "x".c')
    mode = parse(f"diff --git {old} {new}\nold mode 100644\nnew mode 100755\n")
    assert mode.files[0].path == PurePosixPath('dö "x".c')


def test_blanks_in_paths() -> None:
    patch = parse("diff --git a/a b b/a b\nold mode 100644\nnew mode 100755\n")
    assert patch.files[0].path == PurePosixPath("a b")
    patch = parse("diff --git a/a b b/a b\n--- a/a b\t\n+++ b/a b\t\n" + HUNK)
    assert patch.files[0].path == PurePosixPath("a b")


def test_mode_only() -> None:
    (file,) = parse("diff --git a/run b/run\nold mode 100644\nnew mode 100755\n").files
    assert (file.change, file.old_mode, file.new_mode) == (Change.MODIFY, "100644", "100755")
    assert file.hunks == ()


def test_rename_and_copy() -> None:
    text = (
        "diff --git a/x b/y\nsimilarity index 90%\n{0} from x\n{0} to y\n--- a/x\n+++ b/y\n" + HUNK
    )
    for verb, change in (("rename", Change.RENAME), ("copy", Change.COPY)):
        (file,) = parse(text.format(verb)).files
        assert (file.change, str(file.old_path), str(file.new_path)) == (change, "x", "y")
        assert len(file.hunks) == 1
    (pure,) = parse("diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n").files
    assert pure.hunks == ()
    assert refused("diff --git a/x b/y\nrename from x\n").rule == "patch-syntax"


def test_add_and_delete() -> None:
    add = "@@ -0,0 +1 @@\n+x\n"
    remove = "@@ -1 +0,0 @@\n-x\n"
    for text, change, mode in (
        ("diff --git a/f b/f\nnew file mode 100755\n--- /dev/null\n+++ b/f\n" + add,
         Change.ADD, "100755"),
        ("diff --git a/f b/f\nnew file mode 100644\nindex 0..e69de29\n", Change.ADD, "100644"),
        ("--- /dev/null\n+++ b/f\n" + add, Change.ADD, None),
        ("--- a/f\t1970-01-01 00:00:00.000000000 +0000\n+++ b/f\n" + add, Change.ADD, None),
        ("--- a/f\n+++ b/f\n" + add, Change.ADD, None),
        ("diff --git a/f b/f\ndeleted file mode 100644\n--- a/f\n+++ /dev/null\n" + remove,
         Change.DELETE, "100644"),
        ("--- a/f\n+++ /dev/null\n" + remove, Change.DELETE, None),
    ):  # fmt: skip
        (file,) = parse(text).files
        assert (file.change, file.new_mode or file.old_mode) == (change, mode)
        assert (file.old_path is None) == (change is Change.ADD)
        assert (file.new_path is None) == (change is Change.DELETE)


@pytest.mark.parametrize(
    "text",
    [
        "diff --git a/f b/f\nnew file mode 100644\n--- /dev/null\n+++ b/f\n@@ -1 +1,2 @@\n x\n+y\n",
        "diff --git a/f b/f\nnew file mode 100644\n--- a/f\n+++ b/f\n@@ -0,0 +1 @@\n+y\n",
        "--- a/f\n+++ /dev/null\n@@ -1,2 +1 @@\n x\n-y\n",
        "diff --git a/f b/f\n--- a/f\n+++ b/f\n",
        "diff --git a/f b/f\n",
        "diff --git a/f b/f\n" + HUNK,
        "diff --git a/f b/f\ndeleted file mode 100644\n--- /dev/null\n+++ b/f\n" + HUNK,
        "diff --git a/f b/f\nnew file mode 100644\n--- /dev/null\n+++ /dev/null\n" + HUNK,
        "diff --git a/n b/n\nnew file mode 100644\n+++ b/f\n--- /dev/null\n+++ b/n\n" + HUNK,
        "diff --git a/f b/g\ncopy to g\nrename from f\nrename to g\n",
        "diff --git a/f b/f\nnew file mode 100644\ndeleted file mode 100644\n",
        "diff --git a/f b/f\nold mode 100644\nnew file mode 100644\n",
        "diff --git a/f b/f\nnew mode 100644\n",
        "diff --git a/f b/f\nindex 123..456 100644\n",
        "diff --git a/f b/f\nold mode 100644\nold mode 100644\nnew mode 100755\n",
        "diff --git a/f b/f\n--- a/f\n" + HUNK,
    ],
)
def test_contradictions_are_refused(text: str) -> None:
    assert refused(text).rule == "patch-syntax"


def test_index_line_gives_the_mode() -> None:
    (file,) = parse("diff --git a/f b/f\nindex 1a2b..3c4d 100755\n--- a/f\n+++ b/f\n" + HUNK).files
    assert (file.old_mode, file.new_mode) == ("100755", "100755")


@pytest.mark.parametrize("mode", ["040000", "100999", "777", "x"])
def test_modes_that_are_no_files(mode: str) -> None:
    assert refused(f"diff --git a/f b/f\nnew file mode {mode}\n").rule == "patch-mode"


# --- hunks ---


def test_hunk_sides() -> None:
    (file,) = parse(FILE + "@@ -3,4 +3,3 @@ int main(void)\n a\n-b\n-c\n+d\n e\n").files
    (hunk,) = file.hunks
    assert (hunk.old_start, hunk.old_count, hunk.new_start, hunk.new_count) == (3, 4, 3, 3)
    assert hunk.old == (b"a\n", b"b\n", b"c\n", b"e\n")
    assert hunk.new == (b"a\n", b"d\n", b"e\n")
    assert hunk.line == 4


def test_short_ranges_and_zero_context() -> None:
    (file,) = parse(
        FILE + "@@ -1 +1 @@\n-x\n+y\n@@ -7,0 +8,2 @@\n+a\n+b\n@@ -9 +11,0 @@\n-z\n"
    ).files
    assert [(h.old_start, h.old_count, h.new_start, h.new_count) for h in file.hunks] == [
        (1, 1, 1, 1), (7, 0, 8, 2), (9, 1, 11, 0),
    ]  # fmt: skip


def test_no_newline_at_end_of_file() -> None:
    mark = "\\ No newline at end of file\n"
    (file,) = parse(FILE + f"@@ -1 +1 @@\n-x\n{mark}+x\n").files
    assert (file.hunks[0].old, file.hunks[0].new) == ((b"x",), (b"x\n",))
    (file,) = parse(FILE + f"@@ -1,2 +1,2 @@\n-x\n+y\n z\n{mark}").files
    assert (file.hunks[0].old, file.hunks[0].new) == ((b"x\n", b"z"), (b"y\n", b"z"))
    assert refused(FILE + f"@@ -1,2 +1,2 @@\n x\n{mark}-y\n+z\n").line == 7
    assert refused(FILE + f"@@ -1 +1 @@\n{mark}-y\n+z\n").line == 5
    assert refused(FILE + f"@@ -1 +1 @@\n-y\n+z\n{mark}@@ -5 +5 @@\n-a\n+b\n").line == 8


def test_stripped_empty_context_line_is_context_as_for_git() -> None:
    (file,) = parse(FILE + "@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n").files
    assert file.hunks[0].old == (b"a\n", b"\n", b"b\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HUNK + "+three\n", 8),  # git apply and unidiff drop this line without a word
        (HUNK + " three\n", 8),
        (HUNK + "-three\n", 8),
        (HUNK + "\n\n+three\n", 10),
        (HUNK + "-- \n-three\n", 8),
        ("@@ -1,3 +1,3 @@\n one\n-two\n+zwei\n", 8),
        ("@@ -1,3 +1,3 @@\n one\n-two\n+zwei\ndiff --git a/g b/g\n", 8),
        ("@@ -1,2 +1,3 @@\n one\n-two\n+zwei\n@@ -9 +9 @@\n-a\n+b\n", 8),
        ("@@ -1,2 +1,2 @@\n one\n-two\n-three\n+zwei\n", 7),
        ("@@ -0,1 +1,2 @@\n+one\n two\n", 4),
        ("@@ -x +1 @@\n+one\n", 4),
        ("@@ -99999999999 +1 @@\n+one\n", 4),
        ("@@ -5,2 +5,2 @@\n a\n-b\n+c\n@@ -6 +6 @@\n-b\n+d\n", 8),
        ("@@ -5 +5 @@\n-b\n+c\n@@ -1 +1 @@\n-b\n+d\n", 7),
    ],
)
def test_hunks_that_do_not_fit_their_header(text: str, line: int) -> None:
    problem = refused(FILE + text)
    assert (problem.line, problem.rule) == (line, "patch-hunk-header")


def test_truncated_files_and_hunks_without_a_change() -> None:
    assert refused(FILE + "@@ -1,2 +1,2 @@\n one\n-two\n+zw").line == 7
    assert refused("diff --git a/f b/f\n--- a/f\n+++ b/f").rule == "patch-syntax"
    assert refused(FILE + "@@ -1 +1 @@\n one\n").line == 4


def test_signature_and_text_after_the_diff_are_no_part_of_it() -> None:
    for end in ("-- \n2.39.2\n", "--\n2.39.2\n\n", "\n", "-- \n", "\nsome words\n"):
        assert len(parse(FILE + HUNK + end).files) == 1


def test_crlf_content_is_kept_and_crlf_headers_are_refused() -> None:
    (file,) = parse(FILE + "@@ -1 +1 @@\n-x\r\n+y\r\n").files
    assert (file.hunks[0].old, file.hunks[0].new) == ((b"x\r\n",), (b"y\r\n",))
    problem = refused((HEAD + "Subject: x\n\n---\n" + FILE + HUNK).replace("\n", "\r\n"))
    assert (problem.rule, problem.line) == ("patch-crlf", 6)
    assert "portkit import" in str(problem)


# --- what is not a text diff ---


def test_payload_of_a_binary_patch_is_refused() -> None:
    problem = refused(
        "diff --git a/i.png b/i.png\nindex 0123456..789abcd 100644\nGIT binary patch\n"
        "literal 3\nKcmZQzfB*#r000001\n\nliteral 0\nHcmV?d00001\n\n"
    )
    assert (problem.rule, problem.line) == ("patch-binary", 3)


def test_binary_stub_is_told_and_the_rest_is_read() -> None:
    stub = "diff --git a/i b/i\nindex 01..02 100644\nBinary files a/i and b/i differ\n"
    patch = parse(FILE + HUNK + stub)
    assert [str(file.path) for file in patch.files] == ["f.c"]
    assert [(u.kind, u.path, u.line) for u in patch.unapplied] == [("binary", "i", 10)]
    assert refused(stub).rule == "patch-syntax"


def test_submodules() -> None:
    head = "diff --git a/s b/s\nindex 01..02 160000\n--- a/s\n+++ b/s\n"
    link = "@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n"
    assert refused(head + link).rule == "patch-submodule"
    log = parse("Submodule roms/x e3eb28cf2e..319a534c22:\n  > a commit\n" + FILE + HUNK)
    assert [(u.kind, u.path) for u in log.unapplied] == [("submodule", "roms/x")]
    text = (
        "Submodule roms/x e3eb28cf2e..319a534c22:\ndiff --git a/roms/x/f b/roms/x/g\n"
        "similarity index 82%\nrename from f\nrename to g\nindex 01..02 100644\n"
        "--- a/roms/x/f\n+++ b/roms/x/g\n" + HUNK
    )
    (file,) = parse(text).files
    assert (str(file.old_path), str(file.new_path)) == ("roms/x/f", "roms/x/g")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("\n\n", 1),
        ("just words\n", 1),
        ("\0\1\2garbage", 1),
        ("*** a/f\n--- b/f\n***************\n*** 1 ****\n! x\n--- 1 ----\n! y\n", 1),
        ("diff --cc f\n--- a/f\n+++ b/f\n@@@ -1 -1 +1 @@@\n- x\n -y\n++z\n", 1),
        ("diff --combined f\n", 1),
        ("1c1\n< x\n---\n> y\n", 1),
    ],
)
def test_what_holds_no_unified_diff_is_refused(text: str, line: int) -> None:
    problem = refused(text)
    assert (problem.line, problem.rule) == (line, "patch-syntax")


def test_errors_are_one_line_with_file_line_and_advice() -> None:
    text = str(refused(FILE + HUNK + "+x\n"))
    assert text.startswith("p.patch:8: hunk is longer than its header says; make the patch again")
    assert "\n" not in text


def test_errors_cannot_drive_a_terminal() -> None:
    problem = refused(b"--- a/\x1b[2J\xff\n+++ b/x\n" + HUNK.encode())
    assert r"'a/\x1b[2J\xff'" in str(problem)


def test_several_mails_in_one_file_are_one_patch_as_for_quilt() -> None:
    second = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n" + HEAD
    patch = parse("Subject: one\n\n" + FILE + HUNK + "-- \n2.1\n\n" + second + "\n---\n"
                  + FILE.replace("f.c", "g.c") + HUNK)  # fmt: skip
    assert patch.subject == "one"
    assert [str(file.path) for file in patch.files] == ["f.c", "g.c"]


def test_raw_is_kept_byte_for_byte() -> None:
    text = textwrap.dedent("Subject: x\n\n") + FILE + HUNK + "-- \n2\n"
    assert parse(text).raw == text.encode()
