"""Rules for the diffs of a patch: whitespace, modes, links, hunk headers, and what tools read."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchSet

from portkit.lint.patch_message import Problem
from portkit.series.model import Change, FileDiff, Hunk, Patch
from portkit.series.paths import quote

_MAIL = re.compile(rb"From [0-9a-f]{40,64} \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$")


def content_problems(patch: Patch) -> Iterator[Problem]:
    """What is wrong or misleading in the diffs."""
    lines = patch.raw.split(b"\n")
    for part in patch.unapplied:
        yield part.line, "patch-unapplied", f"{part.kind} part of '{part.path}' has no content"
    for number, line in enumerate(lines[patch.files[0].line :], start=patch.files[0].line + 1):
        if _MAIL.match(line):
            yield number, "patch-several", "a second mail; split the file with 'portkit import'"
    for file in patch.files:
        yield from _modes(file)
        yield from _hunk_headers(lines, file)
        for hunk in file.hunks:
            yield from _whitespace(lines, file, hunk)
    yield from _unidiff(patch, lines)


def marked_lines(lines: list[bytes], hunk: Hunk) -> Iterator[tuple[int, bytes, bytes]]:
    """The lines of a hunk: 1-based line in the patch file, mark (blank, - or +), text."""
    old = new = 0
    number = hunk.line
    while old < hunk.old_count or new < hunk.new_count:
        mark, text = lines[number][:1] or b" ", lines[number][1:]
        number += 1
        old += mark in b" -"
        new += mark in b" +"
        if mark != b"\\":
            yield number, mark, text


def _modes(file: FileDiff) -> Iterator[Problem]:
    first = file.hunks[0].new[0] if file.hunks and file.hunks[0].new else b""
    if file.new_mode == "120000" and file.hunks:
        target = os.fsdecode(file.hunks[0].new[-1]) if file.hunks[0].new else ""
        if PurePosixPath(target).is_absolute() or _leaves(file.path.parent, target):
            yield file.line, "patch-link", f"link '{file.path}' leads out of the tree: '{target}'"
    elif file.change is Change.ADD and file.new_mode == "100755" and not first.startswith(b"#!"):
        yield file.line, "patch-mode", f"'{file.path}' is executable and not a script"


def _leaves(directory: PurePosixPath, target: str) -> bool:
    depth = len(directory.parts)
    for part in PurePosixPath(target).parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return True
    return False


def _hunk_headers(lines: list[bytes], file: FileDiff) -> Iterator[Problem]:
    """The new side's line numbers must follow from the old side's and the hunks before."""
    grown = 0
    for hunk in file.hunks:
        old = hunk.old_start + (0 if hunk.old_count else 1)
        new = hunk.new_start + (0 if hunk.new_count else 1)
        if new != old + grown:
            what = f"new side starts at line {new}, by the hunks before it at {old + grown}"
            yield hunk.line, "patch-hunk-numbers", what
        grown += hunk.new_count - hunk.old_count
        if not _has_context(lines, file, hunk):
            yield hunk.line, "patch-context", "hunk without context, which 'git apply' refuses"


def _has_context(lines: list[bytes], file: FileDiff, hunk: Hunk) -> bool:
    """A line of context, or nothing around it to be one: then it is all of a file's content."""
    if file.change in (Change.ADD, Change.DELETE):
        return True
    context = any(mark == b" " for _, mark, _ in marked_lines(lines, hunk))
    return context or (hunk.old_start <= 1 and len(file.hunks) == 1)


def _whitespace(lines: list[bytes], file: FileDiff, hunk: Hunk) -> Iterator[Problem]:
    """Whitespace errors as ``git diff --check`` has them (core.whitespace's default)."""
    crlf = any(line.endswith(b"\r\n") for line in hunk.old)  # then it is the file's line end
    last = b""
    for number, mark, raw in marked_lines(lines, hunk):
        text = raw.removesuffix(b"\r") if crlf else raw
        last = mark + text
        if mark != b"+":
            continue
        if text != text.rstrip(b" \t\r\f\v"):
            yield number, "patch-trailing-blank", "added line ends with a blank"
        if b" \t" in text[: len(text) - len(text.lstrip(b" \t"))]:
            yield (
                number,
                "patch-blank-before-tab",
                "added line is indented with a blank before a tab",
            )
    if hunk is file.hunks[-1] and last == b"+":
        yield number, "patch-blank-at-eof", f"adds a blank line at the end of '{file.path}'"


def _unidiff(patch: Patch, lines: list[bytes]) -> Iterator[Problem]:
    """Does unidiff, which review tools use, read the same files and line counts?

    Not compared, for unidiff cannot read them and says so nowhere: names that git quotes, and
    pure renames, copies and mode changes.
    """
    ours: Counter[tuple[str, int, int]] = Counter()
    for file in patch.files:
        if file.hunks:
            marks = Counter(m for hunk in file.hunks for _, m, _ in marked_lines(lines, hunk))
            ours[(os.fspath(file.path), marks[b"+"], marks[b"-"])] += 1
    text = patch.raw.decode("utf-8", "surrogateescape")
    try:
        parsed = PatchSet.from_string(text)
    except UnidiffParseError as error:
        reason = " ".join(str(error).split())
        yield 0, "patch-unidiff", f"unidiff cannot read it: {reason}"
        return
    theirs = Counter((file.path, file.added, file.removed) for file in parsed if len(file))
    for path, added, removed in [*(ours - theirs), *(theirs - ours)]:
        if not path.startswith('"') and quote(os.fsencode(path)) == os.fsencode(path):
            where = "portkit" if (path, added, removed) in ours else "unidiff"
            what = f"only {where} reads '{path}' with {added} added and {removed} removed lines"
            yield 0, "patch-unidiff", what
