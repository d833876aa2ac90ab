"""A patch file: read strictly, written in ``git format-patch`` form."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Container

from portkit.errors import UsageError
from portkit.series.diffs import parse_diffs
from portkit.series.message import format_message, full_body, message_end, parse_message
from portkit.series.model import Patch
from portkit.series.problem import PatchProblem

# diffstat and the marks of other tools before a diff: they tell of the diff that goes
_OF_OLD_DIFF = re.compile(
    rb" .* \| +(?:\d+ [+-]*|Bin .*)\r?\n| \d+ files? changed"
    rb"| (?:create|delete) mode \d{6} | (?:rename|copy|rewrite) .*\(\d+%\)| mode change \d{6} "
    rb"|Index: |={60,}|diff -"
)


def parse_patch(name: str, raw: bytes) -> Patch:
    """Read one patch file.

    Args:
        name: its name in the series, for messages and ``Patch.name``.
        raw: the file's bytes.

    Raises:
        PatchProblem (a UsageError): the file is not a clean unified text patch; says the line.
    """
    lines = io.BytesIO(raw).readlines()
    diffs = parse_diffs(name, lines)
    message = parse_message(lines[: message_end(lines, diffs.first)])
    if message.encoding in ("quoted-printable", "base64"):
        raise PatchProblem(
            f"mail in {message.encoding} encoding", name=name, line=1, rule="patch-encoding",
            hint="take it with 'portkit import', which decodes it",
        )  # fmt: skip
    if not diffs.files:
        raise PatchProblem(
            "no diff in this patch" if raw.strip() else "empty patch",
            name=name, line=1, rule="patch-syntax", hint="make it again or 'portkit drop' it",
        )  # fmt: skip
    return Patch(
        name, message.author, message.date, message.subject, message.body, message.trailers,
        diffs.files, raw, diffs.unapplied,
    )  # fmt: skip


def format_patch(
    name: str, *, author: str, date: str, subject: str, body: str, diff: bytes
) -> Patch:
    """Write a patch in ``git format-patch`` form; the same input gives the same bytes.

    Args:
        name: its name in the series.
        author: ``Name <mail>``; may be empty.
        date: RFC 2822 date; may be empty.
        subject: one line, without ``[PATCH]``.
        body: the rest of the message, trailers included.
        diff: the diffs, as ``portkit.series.diff.diff_text`` gives them.

    Raises:
        UsageError: a message that would not be read back as it was given, e.g. one with a ``---``
            line, or a diff that ``parse_patch`` refuses.
    """
    patch = parse_patch(name, format_message(author, date, subject, body) + diff)
    given = (author, date, subject, body)
    if not subject or (patch.author, patch.date, patch.subject, patch.body) != given:
        raise UsageError(
            "the message would not be read back as given",
            where=name,
            hint="it needs a subject of one line, and no line of its body may look like a header "
            "at its start, like '---' or like a diff",
        )
    return patch


def with_message(patch: Patch, *, author: str, date: str, subject: str, body: str) -> Patch:
    """The patch with another message; its diffs keep their bytes."""
    diff = b"".join(io.BytesIO(patch.raw).readlines()[patch.files[0].line - 1 :])
    return format_patch(patch.name, author=author, date=date, subject=subject, body=body, diff=diff)


def with_diff(patch: Patch, diff: bytes) -> Patch:
    """The patch with other diffs; its message keeps its bytes, a diffstat goes.

    Equal changes give the same patch, with all its bytes.

    Raises:
        UsageError: ``diff`` holds no clean diff.
    """
    lines = io.BytesIO(patch.raw).readlines()[: patch.files[0].line - 1]
    end = message_end(lines, len(lines))
    notes = [line for line in lines[end:] if not _OF_OLD_DIFF.match(line)]
    changed = parse_patch(patch.name, b"".join([*lines[:end], *notes]) + diff)
    return patch if _changes(changed) == _changes(patch) else changed


def canonical(patch: Patch) -> Patch:
    """The patch in ``git format-patch`` form: notes and what follows the last diff go.

    Raises:
        UsageError: it has no subject, or its message cannot be written in that form.
    """
    lines = io.BytesIO(patch.raw).readlines()
    diffs = parse_diffs(patch.name, lines)
    return format_patch(
        patch.name, author=patch.author, date=patch.date, subject=patch.subject,
        body=full_body(patch), diff=b"".join(lines[diffs.first : diffs.end]),
    )  # fmt: skip


def patch_name(subject: str) -> str:
    """A file name made from a subject, as ``git format-patch`` makes it, without a number.

    The names of a series need no numbers, the ``series`` file has the order.
    """
    plain = unicodedata.normalize("NFKD", subject).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9_.]+", "-", plain).strip("-.")
    slug = re.sub(r"\.{2,}", ".", slug)[:60].rstrip("-.")
    return f"{slug or 'patch'}.patch"


def free_name(subject: str, taken: Container[str]) -> str:
    """``patch_name``, with a number when there is such a name already."""
    name = patch_name(subject)
    number = 2
    while name in taken:
        name = f"{patch_name(subject).removesuffix('.patch')}-{number}.patch"
        number += 1
    return name


def _changes(patch: Patch) -> list[object]:
    """What a patch changes, without the lines where its file says so."""
    return [
        file._replace(line=0, hunks=tuple(hunk._replace(line=0) for hunk in file.hunks))
        for file in patch.files
    ]
