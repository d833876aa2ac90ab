"""Every rule for patches: what it finds, where, and what it leaves alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portkit.errors import Refused
from portkit.lint.patches import lint_patch, lint_series
from portkit.manifest.model import SeriesSpec
from portkit.series.model import Series
from portkit.series.patch import parse_patch

HEAD = "From: A U Thor <a@b.org>\nDate: Sun, 1 Mar 2026 10:00:00 +0100\n"
SUBJECT = "Subject: [PATCH] net: do it\n"
BODY = "\nIt hangs otherwise.\n\nUpstream-Status: Pending\n"
FILE = "---\ndiff --git a/f.c b/f.c\n--- a/f.c\n+++ b/f.c\n"
HUNK = "@@ -5,3 +5,3 @@\n one\n-two\n+zwei\n three\n"
GOOD = HEAD + SUBJECT + BODY + FILE + HUNK


def rules(text: str) -> list[tuple[str, int]]:
    patch = parse_patch("p.patch", text.encode())
    return [(finding.rule, finding.line) for finding in lint_patch(patch, Path("p.patch"))]


def test_a_good_patch_has_no_findings() -> None:
    assert rules(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "rule", "line"),
    [
        ("From: A U Thor <a@b.org>\n", "", "patch-author", 0),
        ("<a@b.org>", "a@b.org", "patch-author", 0),
        ("Date: Sun, 1 Mar 2026 10:00:00 +0100\n", "", "patch-date", 0),
        ("Sun, 1 Mar 2026 10:00:00 +0100", "yesterday", "patch-date", 0),
        ("net: do it", "", "patch-subject", 0),
        ("net: do it", "do it", "patch-subject", 3),
        ("net: do it", "net: do it.", "patch-subject", 3),
        ("net: do it", "net: " + "x" * 71, "patch-subject", 3),
        ("It hangs otherwise.\n\n", "", "patch-body", 0),
        ("Upstream-Status: Pending", "Signed-off-by: A <a@b>", "patch-status", 0),
        ("Upstream-Status: Pending", "Upstream-Status: Soon", "patch-status", 7),
        ("Upstream-Status: Pending", "Upstream-Status: Submitted", "patch-status", 7),
        ("Upstream-Status: Pending", "Forwarded: perhaps", "patch-status", 7),
    ],
)
def test_message(old: str, new: str, rule: str, line: int) -> None:
    assert old in GOOD
    assert rules(GOOD.replace(old, new)) == [(rule, line)]


@pytest.mark.parametrize(
    "status",
    ["Upstream-Status: Submitted [https://example.org/1]", "Forwarded: no", "Forwarded: not-needed",
     "Upstream-Status: Inappropriate [FreeBSD only]", "Forwarded: https://example.org/m/1",
     "Upstream-Status: Pending [later]\nForwarded: no"],
)  # fmt: skip
def test_known_states_upstream(status: str) -> None:
    assert rules(GOOD.replace("Upstream-Status: Pending", status)) == []


@pytest.mark.parametrize("subject", ["net: " + "x" * 70, "hw/i386: a: b", "KVM: x86/mmu: Do"])
def test_good_subjects(subject: str) -> None:
    assert rules(GOOD.replace("net: do it", subject)) == []


@pytest.mark.parametrize(
    ("added", "found"),
    [
        ("zwei ", [("patch-trailing-blank", 15)]),
        ("zwei\t", [("patch-trailing-blank", 15)]),
        ("zwei\r", [("patch-trailing-blank", 15)]),
        ("  \tzwei", [("patch-blank-before-tab", 15)]),
        ("\t zwei", []),
        ("a \tb", []),
    ],
)
def test_whitespace_of_added_lines(added: str, found: list[tuple[str, int]]) -> None:
    assert rules(GOOD.replace("+zwei", "+" + added)) == found
    assert rules(GOOD.replace(" one", " one ").replace("-two", "-two ")) == []


def test_crlf_is_fine_in_a_file_that_has_it() -> None:
    lines = HUNK.splitlines(keepends=True)
    crlf = lines[0] + "".join(line.replace("\n", "\r\n") for line in lines[1:])
    assert rules(HEAD + SUBJECT + BODY + FILE + crlf) == []


def test_blank_line_at_the_end_of_a_file() -> None:
    end = HEAD + SUBJECT + BODY + FILE + "@@ -5,2 +5,3 @@\n one\n two\n+{}\n"
    assert rules(end.format("")) == [("patch-blank-at-eof", 15)]
    assert rules(end.format("x")) == []
    middle = "@@ -5,2 +5,3 @@\n one\n+\n two\n"
    assert rules(HEAD + SUBJECT + BODY + FILE + middle) == []


def test_parts_without_content() -> None:
    stub = "diff --git a/i b/i\nindex 01..02 100644\nBinary files a/i and b/i differ\n"
    assert rules(GOOD + stub) == [("patch-unapplied", 19)]


def test_several_mails_in_one_file() -> None:
    mail = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n"
    second = mail + HEAD + SUBJECT + BODY + FILE.replace("f.c", "g.c") + HUNK
    assert rules(GOOD + "-- \n2.39\n\n" + second) == [("patch-several", 20)]
    assert rules(mail + GOOD) == []


def test_executable_files() -> None:
    add = "diff --git a/r b/r\nnew file mode {}\n--- /dev/null\n+++ b/r\n@@ -0,0 +1 @@\n+{}\n"
    start = HEAD + SUBJECT + BODY + "---\n"
    assert rules(start + add.format("100755", "int x;")) == [("patch-mode", 9)]
    assert rules(start + add.format("100755", "#!/bin/sh")) == []
    assert rules(start + add.format("100644", "int x;")) == []


@pytest.mark.parametrize(
    ("target", "bad"),
    [
        ("/etc/passwd", True),
        ("../../x", True),
        ("../x", False),
        ("y", False),
        ("../d/../../x", True),
    ],
)
def test_links(target: str, bad: bool) -> None:
    text = (
        HEAD + SUBJECT + BODY + "---\ndiff --git a/d/ln b/d/ln\nnew file mode 120000\n"
        f"--- /dev/null\n+++ b/d/ln\n@@ -0,0 +1 @@\n+{target}\n\\ No newline at end of file\n"
    )
    assert rules(text) == ([("patch-link", 9)] if bad else [])


def test_line_numbers_of_both_sides_must_fit() -> None:
    second = "@@ -20,3 +{},4 @@\n a\n+b\n c\n d\n"
    text = HEAD + SUBJECT + BODY + FILE + "@@ -5,2 +5,3 @@\n one\n+two\n three\n"
    assert rules(text + second.format(21)) == []
    assert rules(text + second.format(20)) == [("patch-hunk-numbers", 16)]


def test_hunks_need_context() -> None:
    start = HEAD + SUBJECT + BODY + FILE
    assert rules(start + "@@ -5 +5 @@\n-a\n+b\n") == [("patch-context", 12)]
    assert rules(start + "@@ -5,0 +6 @@\n+b\n") == [("patch-context", 12)]
    assert rules(start + "@@ -1 +1 @@\n-a\n+b\n") == []  # all of a file of one line


def test_what_unidiff_reads_differently() -> None:
    prefixes = GOOD.replace("--- a/f.c", "--- x.orig/f.c").replace("+++ b/f.c", "+++ x/f.c")
    prefixes = prefixes.replace("diff --git a/f.c b/f.c\n", "")
    assert ("patch-unidiff", 0) in rules(prefixes)
    phantom = GOOD.replace("It hangs otherwise.", "--- a/ghost\n+++ b/ghost\nIt hangs.")
    assert rules(phantom) == []  # a file without hunks misleads nobody


def test_findings_cannot_drive_a_terminal() -> None:
    text = GOOD.replace("Upstream-Status: Pending", "Forwarded: \x1b[2J")
    (finding,) = lint_patch(parse_patch("p", text.encode()), Path("p"))
    assert r"'\x1b[2J'" in str(finding)


def series(directory: Path, text: str, **files: str) -> SeriesSpec:
    directory.mkdir(parents=True)
    (directory / "series").write_text(text)
    for name, content in files.items():
        (directory / f"{name}.patch").write_text(content)
    return SeriesSpec("s", "up", directory, "1.0")


def lint(tmp_path: Path, text: str, **files: str) -> list[str]:
    return [str(f) for f in lint_series(series(tmp_path / "p", text, **files), tmp_path, None)]


def test_a_good_series(tmp_path: Path) -> None:
    assert lint(tmp_path, "a.patch\nb.patch\n", a=GOOD, b=GOOD) == []


def test_problems_of_the_series_file(tmp_path: Path) -> None:
    assert lint(tmp_path, "a.patch\n../x\n", a=GOOD) == [
        "p/series:2: '..' in a path: '../x' [series-file]"
    ]
    assert lint(tmp_path / "2", "gone.patch\n") == [
        "p/series:1: no such patch: 'gone.patch' [series-file]"
    ]


def test_files_that_are_not_in_the_series(tmp_path: Path) -> None:
    (tmp_path / "p" / "sub").mkdir(parents=True)
    (tmp_path / "p" / "sub" / "old.patch").write_text(GOOD)
    (tmp_path / "p" / "README.md").write_text("notes")
    (tmp_path / "p" / "series").write_text("")
    found = lint_series(SeriesSpec("s", "up", tmp_path / "p", "1.0"), tmp_path, None)
    assert [(str(f.file), f.rule) for f in found] == [("p/sub/old.patch", "series-unused")]


def test_numbers_out_of_order(tmp_path: Path) -> None:
    directory = tmp_path / "p"
    directory.mkdir()
    names = ["0001-a.patch", "0003-b.patch", "0002-c.patch", "zz.patch", "0003-d.patch"]
    for name in names:
        (directory / name).write_text(GOOD)
    (directory / "series").write_text("\n".join(names) + "\n")
    found = lint_series(SeriesSpec("s", "up", directory, "1.0"), tmp_path, None)
    assert [(str(f.file), f.line, f.rule) for f in found] == [("p/series", 3, "series-order")]


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        (GOOD + "+more\n", "patch-hunk-header", 17),
        (GOOD.replace("a/f.c", "a/../f.c"), "patch-paths", 9),
        (GOOD.replace("\n", "\r\n"), "patch-crlf", 9),
        (GOOD.replace(FILE, "---\n"), "patch-syntax", 9),
        (GOOD.replace("a/f.c b/f.c\n", "a/f.c b/f.c\nold mode 100644\nnew mode 777\n"),
         "patch-mode", 9),
        ("MIME-Version: 1.0\nContent-Transfer-Encoding: base64\n" + GOOD, "patch-encoding", 1),
        (GOOD + "diff --git a/i b/i\nGIT binary patch\nliteral 0\n", "patch-binary", 18),
        (GOOD + "diff --git a/s b/s\nindex 01..02 160000\n", "patch-submodule", 17),
    ],
)  # fmt: skip
def test_what_the_parser_refuses_is_a_finding(
    tmp_path: Path, text: str, rule: str, line: int
) -> None:
    spec = series(tmp_path / "p", "a.patch\n")
    (tmp_path / "p" / "a.patch").write_bytes(text.encode())
    (finding,) = lint_series(spec, tmp_path, None)
    assert (str(finding.file), finding.line, finding.rule) == ("p/a.patch", line, rule)


def test_a_patch_that_needs_an_offset_is_inexact(tmp_path: Path) -> None:
    spec = series(tmp_path / "p", "a.patch\nb.patch\n", a=GOOD, b=GOOD)

    def apply(patches: Series) -> None:
        raise Refused("hunk 1 of f.c does not apply", where=f"{patches.patches[1].name}:12")

    (finding,) = lint_series(spec, tmp_path, apply)
    assert (str(finding.file), finding.line, finding.rule) == ("p/b.patch", 12, "patch-inexact")
    assert finding.message.startswith("does not apply exactly on 1.0: hunk 1")
    assert lint_series(spec, tmp_path, lambda patches: None) == []


def test_every_rule_is_documented() -> None:
    root = Path(__file__).parents[2]
    text = (root / "docs" / "lint.md").read_text()
    sources = [*root.glob("portkit/lint/patch*.py"), *root.glob("portkit/series/*.py")]
    used = {
        rule
        for source in sources
        for rule in re.findall(r'"((?:patch|series)-[a-z-]+)"', source.read_text())
    }
    assert len(used) > 20
    assert [rule for rule in sorted(used) if f"`{rule}`" not in text] == []
