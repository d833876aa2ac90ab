"""Paths as patches write them: C-quoting, the -p1 prefix, and what may never be a path."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import PurePosixPath

_ESCAPES = {
    b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r",
    b'"': b'"', b"\\": b"\\",
}  # fmt: skip
_LETTERS = {value: b"\\" + key for key, value in _ESCAPES.items()}
_ESCAPE = re.compile(rb"\\([0-3][0-7]{2}|.)", re.DOTALL)
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_NEEDS_QUOTES = re.compile(rb'[\x00-\x1f"\\\x7f-\xff]')
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


def printable(text: str) -> str:
    """Text from outside as it may go to a terminal: what is no character is escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


class BadPath(ValueError):
    """A path that no patch may name; the message says why."""


def unquote(text: bytes) -> bytes:
    """A path as git writes it, with the C-quoting undone.

    Raises:
        BadPath: a quote that does not end, or an escape that git does not write.
    """
    if not text.startswith(b'"'):
        return text
    match = _QUOTED.fullmatch(text)
    if match is None:
        raise BadPath("quoted path does not end with its quote")
    return _ESCAPE.sub(_unescape, match[1])


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if len(code) == 3:
        return bytes([int(code, 8)])
    if code not in _ESCAPES:
        raise BadPath(f"unknown escape \\{code.decode('latin-1')} in a quoted path")
    return _ESCAPES[code]


def quote(path: bytes) -> bytes:
    """A path as git writes it in a diff: C-quoted when it holds anything unusual."""
    if not _NEEDS_QUOTES.search(path):
        return path
    return b'"' + _NEEDS_QUOTES.sub(lambda m: _LETTERS.get(m[0], b"\\%03o" % m[0][0]), path) + b'"'


def split_quoted(text: bytes) -> tuple[bytes, bytes] | None:
    """The two names of ``diff --git`` when at least one is quoted, unquoted; else None."""
    first = _QUOTED.match(text)
    if first is not None:
        left, right = first[0], text[first.end() + 1 :]
    elif text.endswith(b'"') and b' "' in text:
        left, right = text[: text.index(b' "')], text[text.index(b' "') + 1 :]
    else:
        return None
    return unquote(left), unquote(right)


def strip_prefix(name: bytes) -> bytes:
    """The name without its first component, whatever that is called (``-p1``).

    Raises:
        BadPath: there is just one component, so the patch was made for ``-p0``.
    """
    _, slash, rest = name.partition(b"/")
    if not slash:
        raise BadPath("path has no first component to strip (-p1)")
    return rest


@lru_cache(maxsize=4096)  # a diff names its path four times, a series the same files often
def tree_path(name: bytes) -> PurePosixPath:
    """A name that stays inside the tree, as a path.

    Raises:
        BadPath: empty, absolute, through ``.``, ``..`` or ``.git``, or with control characters.
    """
    if not name:
        raise BadPath("empty path")
    if name.startswith(b"/"):
        raise BadPath("absolute path")
    if _CONTROL.search(name):
        raise BadPath("control character in a path")
    for part in name.split(b"/"):
        if not part:
            raise BadPath("empty component in a path")
        if part in (b".", b".."):
            raise BadPath(f"'{part.decode()}' in a path")
        if part.lower() == b".git":
            raise BadPath("path into '.git'")
    return PurePosixPath(os.fsdecode(name))
