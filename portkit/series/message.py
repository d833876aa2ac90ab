"""The message of a patch: mail headers, DEP-3 headers, body and trailers.

A message ends where ``git am`` ends it: at the first ``---`` line or the first diff. Text is
UTF-8; other bytes are kept as surrogate escapes, so that writing gives the same bytes again.
Sources: RFC 5322, git-format-patch(1), git-interpret-trailers(1), Debian's DEP-3.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from portkit.series.model import Patch

_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]*):(?:[ \t]+(.*)|)$")
_MBOX_FROM = re.compile(r"From \S+ .*\d\d:\d\d:\d\d \d{4}$")
_TAG = re.compile(r"(?:re:\s*|\[[^]]*\b(?:PATCH|RFC)\b[^]]*\]\s*)+", re.IGNORECASE)
_SCISSORS_OR_NOTE = re.compile(r"\(cherry[ -]picked|\[.*\]$|\(backported|\(rebased")
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bq]\?[^?]*\?=", re.IGNORECASE)

#: What ``git format-patch --zero-commit`` starts a mail with; ``git am`` takes a file by it.
MBOX_LINE = f"From {'0' * 40} Mon Sep 17 00:00:00 2001\n"

#: Fields that make a leading block a header and not the first words of a text (RFC 5322, DEP-3).
_KNOWN = frozenset(
    ("from", "author", "date", "subject", "description", "origin", "bug", "forwarded",
     "upstream-status", "last-update", "applied-upstream", "reviewed-by", "acked-by",
     "signed-off-by")
)  # fmt: skip
_MAIL_FIELDS = frozenset(
    ("from", "author", "date", "subject", "description", "mime-version", "content-type",
     "content-transfer-encoding", "message-id", "in-reply-to", "references", "to", "cc")
)  # fmt: skip


class Message(NamedTuple):
    """A parsed message; see ``Patch`` for the fields.

    Attributes:
        encoding: the mail's Content-Transfer-Encoding in lower case; empty when there is none.
    """

    author: str
    date: str
    subject: str
    body: str
    trailers: tuple[tuple[str, str], ...]
    encoding: str = ""


def message_end(lines: Sequence[bytes], first_diff: int) -> int:
    """0-based line at which the message ends: ``---``, ``Index:``, ``diff -`` or the first diff."""
    for at, line in enumerate(lines[:first_diff]):
        if line.rstrip() == b"---" or line.startswith((b"diff -", b"Index: ")):
            return at
    return first_diff


def parse_message(lines: Sequence[bytes]) -> Message:
    """Read the lines before the diffs; anything is a message, so nothing is refused."""
    text = [decode(line).rstrip("\r\n") for line in lines]
    if text and _MBOX_FROM.match(text[0]):
        text = text[1:]
    fields, rest = _header_block(text)
    found = dict(reversed([(key.lower(), value) for key, value in fields]))  # the first one counts
    author = found.get("from", found.get("author", ""))
    date, subject = found.get("date", ""), found.get("subject", "")
    body = rest
    if "description" in found:
        short, _, long = found["description"].partition("\n")
        subject = subject or short
        body = [*_dep3_text(long), "", *rest]
    if fields:
        inner, after = _in_body_fields(body)
        author = inner.get("from", author)
        date = inner.get("date", date)
        subject = inner.get("subject", subject)
        body = after
    body_text = "\n".join(body).strip("\n")
    extra = [(key, _unfold(value)) for key, value in fields if key.lower() not in _MAIL_FIELDS]
    return Message(
        author=_decode_words(_unfold(author)),
        date=_unfold(date),
        subject=clean_subject(_decode_words(_unfold(subject))),
        body=body_text,
        trailers=(*extra, *parse_trailers(body_text)),
        encoding=found.get("content-transfer-encoding", "").strip().lower(),
    )


def format_message(author: str, date: str, subject: str, body: str) -> bytes:
    """The head of a patch file in ``git format-patch`` form, up to and with the ``---`` line."""
    head = "".join(
        f"{key}: {value}\n" for key, value in (("From", author), ("Date", date)) if value
    )
    middle = f"\n{body}\n" if body else "\n"
    return encode(f"{MBOX_LINE}{head}Subject: [PATCH] {subject}\n{middle}---\n")


def clean_subject(text: str) -> str:
    """A subject without ``Re:`` and ``[PATCH ...]``; other brackets are the author's own."""
    match = _TAG.match(text)
    return text[match.end() :] if match else text


def parse_trailers(body: str) -> tuple[tuple[str, str], ...]:
    """(key, value) pairs of the last paragraph, when all of it is trailers."""
    paragraph = re.split(r"\n[ \t]*\n", body.rstrip())[-1].split("\n")
    found: list[tuple[str, str]] = []
    for line in paragraph:
        match = _FIELD.match(line)
        if match:
            found.append((match[1], (match[2] or "").strip()))
        elif found and line.startswith((" ", "\t")):
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}".strip())
        elif not _SCISSORS_OR_NOTE.match(line):
            return ()
    return tuple(found)


def add_trailers(body: str, trailers: Sequence[tuple[str, str]]) -> str:
    """A body with more trailers at its end, in a paragraph of trailers."""
    if not trailers:
        return body
    gap = "\n" if parse_trailers(body) else "\n\n" if body else ""
    return body + gap + "\n".join(f"{key}: {value}" for key, value in trailers)


def full_body(patch: Patch) -> str:
    """The body with the DEP-3 headers that stand before it as trailers, for the mail form."""
    inside = len(parse_trailers(patch.body))
    return add_trailers(patch.body, patch.trailers[: len(patch.trailers) - inside])


def decode(data: bytes) -> str:
    """UTF-8, with bytes that are not kept as surrogate escapes."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The inverse of ``decode``."""
    return text.encode("utf-8", "surrogateescape")


def _header_block(text: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """The leading ``Key: value`` lines and the rest; no fields when the text has no header."""
    fields: list[tuple[str, str]] = []
    at = 0
    while at < len(text) and not text[at].strip():
        at += 1
    while at < len(text) and text[at].strip():
        line = text[at]
        match = _FIELD.match(line)
        if match:
            fields.append((match[1], match[2] or ""))
        elif fields and line.startswith((" ", "\t")):
            fields[-1] = (fields[-1][0], f"{fields[-1][1]}\n{line[1:]}")
        else:
            break  # a text that follows its headers without the blank line
        at += 1
    if not any(key.lower() in _KNOWN for key, _ in fields):
        return [], list(text)
    return fields, list(text[at:])


def _in_body_fields(body: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """``From:``, ``Date:`` and ``Subject:`` at the start of a body; ``git am`` prefers these."""
    at = 0
    found: dict[str, str] = {}
    while at < len(body) and not body[at].strip():
        at += 1
    while at < len(body):
        match = _FIELD.match(body[at])
        if not match or match[1].lower() not in ("from", "date", "subject"):
            break
        found[match[1].lower()] = match[2] or ""
        at += 1
    return (found, list(body[at:])) if found else ({}, list(body))


def _dep3_text(long: str) -> list[str]:
    return ["" if line.strip() == "." else line for line in long.split("\n")] if long else []


def _unfold(value: str) -> str:
    return " ".join(part.strip() for part in value.split("\n") if part.strip())


def _decode_words(value: str) -> str:
    """RFC 2047 encoded words, decoded; a broken one stays as written."""
    if not _ENCODED_WORD.search(value):
        return value
    from email.errors import HeaderParseError  # slow to load, and seldom needed
    from email.header import decode_header, make_header

    try:
        decoded = str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value
    return " ".join(decoded.split())
