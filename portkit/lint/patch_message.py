"""Rules for the message of a patch: who, what, why, and where it stands upstream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from portkit.series.model import Patch

#: A problem of one patch: line (0: the file), rule, message.
Problem = tuple[int, str, str]

_SUBJECT_MAX = 75  # characters; git's and the kernel's limit for a line of the log
_AUTHOR = re.compile(r".+ <[^<>@\s]+@[^<>\s]+>$")
_SUBJECT = re.compile(r"\S[^:]*: \S")
# OpenEmbedded's "Upstream-Status" and DEP-3's "Forwarded"; the first word decides
_STATUS = {
    "Pending": False, "Submitted": True, "Accepted": True, "Backport": True, "Denied": True,
    "Inappropriate": True, "Inactive-Upstream": True,
}  # fmt: skip
_FORWARDED = re.compile(r"(?:no|not-needed|yes|https?://\S+|mailto:\S+)(?:\s|$)")


def message_problems(patch: Patch) -> Iterator[Problem]:
    """What a reviewer or upstream would miss in the message."""
    if not _AUTHOR.match(patch.author):
        yield 0, "patch-author", "no 'From: Name <mail>' header"
    if not _is_date(patch.date):
        yield 0, "patch-date", "no 'Date:' header with a date such as git writes it"
    yield from _subject(patch)
    if not _explains(patch):
        yield 0, "patch-body", "the body does not say why the change is needed"
    yield from _status(patch)


def _is_date(date: str) -> bool:
    try:
        parsedate_to_datetime(date)
    except ValueError:
        return False
    return True


def _subject(patch: Patch) -> Iterator[Problem]:
    line = _line_of(patch, b"Subject:") or _line_of(patch, b"Description:")
    if not patch.subject:
        yield 0, "patch-subject", "no 'Subject:' header"
    elif len(patch.subject) > _SUBJECT_MAX:
        length = len(patch.subject)
        yield line, "patch-subject", f"subject has {length} characters, {_SUBJECT_MAX} are the most"
    elif not _SUBJECT.match(patch.subject):
        yield line, "patch-subject", "subject does not start with its area, like 'KVM: x86: '"
    elif patch.subject.endswith("."):
        yield line, "patch-subject", "subject ends with a full stop"


def _explains(patch: Patch) -> bool:
    """Is there a paragraph in the body that is not trailers?"""
    trailers = {f"{key}: {value}" for key, value in patch.trailers}
    lines = [line.strip() for line in patch.body.splitlines()]
    return any(line and line not in trailers for line in lines)


def _status(patch: Patch) -> Iterator[Problem]:
    found = [
        (key, value) for key, value in patch.trailers
        if key.lower() in ("upstream-status", "forwarded")
    ]  # fmt: skip
    if not found:
        yield 0, "patch-status", "no 'Upstream-Status:' or 'Forwarded:' trailer"
    for key, value in found:
        line = _line_of(patch, f"{key}:".encode())
        word = re.split(r"[\s\[(]", value, maxsplit=1)[0] if value else ""
        if key.lower() == "forwarded":
            if not _FORWARDED.match(value):
                yield line, "patch-status", f"'{value}' is not no, not-needed, yes or a URL"
        elif word not in _STATUS:
            yield line, "patch-status", f"'{word}' is none of {', '.join(_STATUS)}"
        elif _STATUS[word] and value == word:
            yield line, "patch-status", f"'{word}' needs its reason or place: '{word} [...]'"


def _line_of(patch: Patch, start: bytes) -> int:
    """1-based line before the diffs that starts with a header; 0 when there is none."""
    for number, line in enumerate(patch.raw.split(b"\n")[: patch.files[0].line], start=1):
        if line.startswith(start):
            return number
    return 0
