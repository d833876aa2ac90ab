"""A mirrored release, and what a release is made of."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Release(NamedTuple):
    """One release of an upstream, as it lies in the mirror.

    Attributes:
        upstream: name of the upstream.
        version: e.g. ``6.12.107``.
        commit: id of the release's commit in the mirror (no parent; a function of tree,
            version and date alone).
        tree: id of the tree of the subtree in use.
    """

    upstream: str
    version: str
    commit: str
    tree: str


class Readable(Protocol):
    """A stream of bytes that is read once."""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""


class Entry(NamedTuple):
    """A file of a release, on its way into the mirror.

    Attributes:
        path: relative to the release's top; parts divided by ``/``.
        mode: as git has it: ``100644``, ``100755`` or ``120000``.
        size: number of bytes that ``data`` gives.
        data: the content (of a symbolic link: its target); read before the next entry is asked
            for.
        copy_of: path of an earlier entry with the same content (a hard link), or None; then
            ``data`` is empty.
    """

    path: bytes
    mode: str
    size: int
    data: Readable
    copy_of: bytes | None = None
