"""A patch and a series, as parsed from their files. Everything is bytes-exact and immutable.

Named tuples, because Python makes their classes ten times faster than data classes, which counts at
every start (docs/bench.md).
"""

from __future__ import annotations

from enum import Enum
from pathlib import PurePosixPath
from typing import NamedTuple


class Change(Enum):
    """What a patch does to one file."""

    MODIFY = "modify"
    ADD = "add"
    DELETE = "delete"
    RENAME = "rename"
    COPY = "copy"


class Entry(NamedTuple):
    """A file in a tree.

    Attributes:
        mode: ``100644``, ``100755``, ``120000`` (then the data is the link's target) or, for a
            submodule, ``160000`` (then the data is empty).
        data: its bytes.
    """

    mode: str
    data: bytes


class Hunk(NamedTuple):
    """One hunk.

    Attributes:
        old_start, old_count, new_start, new_count: as in the ``@@`` line (1-based; counts are
            lines; a side without lines stands after its start line).
        old: the old side's lines (context and removed), each with its line end; the last one may
            lack it (``\\ No newline at end of file``).
        new: the new side's lines (context and added), likewise.
        line: 1-based line of the ``@@`` line in the patch file, for messages.
    """

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]
    line: int


class FileDiff(NamedTuple):
    """What a patch does to one file; paths are relative, normalised and never leave the tree.

    Attributes:
        change: the kind of change.
        old_path: None for ADD.
        new_path: None for DELETE.
        old_mode, new_mode: git modes such as ``100644``; None where the patch does not say.
        hunks: in file order; empty for a pure mode change, rename or copy.
        line: 1-based line of the diff's first line in the patch file, for messages.
    """

    change: Change
    old_path: PurePosixPath | None
    new_path: PurePosixPath | None
    old_mode: str | None
    new_mode: str | None
    hunks: tuple[Hunk, ...]
    line: int

    @property
    def path(self) -> PurePosixPath:
        """The path after the change, or before it when the file is deleted."""
        path = self.new_path or self.old_path
        assert path is not None
        return path


class Unapplied(NamedTuple):
    """A part of a patch file that holds no content to apply; it is told, never dropped silently.

    Attributes:
        kind: ``binary`` (a ``Binary files differ`` stub) or ``submodule`` (a new commit, no diff).
        path: what it names, as written.
        line: 1-based line in the patch file, for messages.
    """

    kind: str
    path: str
    line: int


class Patch(NamedTuple):
    """One patch file.

    Attributes:
        name: its file name, as in the ``series`` file.
        author: ``Name <mail>``; empty when the patch has no ``From:``.
        date: RFC 2822 date as written; empty when there is none.
        subject: without the ``[PATCH]`` prefix; empty when there is none.
        body: the rest of the message, trailers included, without the ``---`` line; may be empty.
        trailers: (key, value) pairs of the message's last paragraph, and DEP-3 headers.
        files: what the patch changes, in file order.
        raw: the file, byte for byte.
        unapplied: parts that name a change without its content.
    """

    name: str
    author: str
    date: str
    subject: str
    body: str
    trailers: tuple[tuple[str, str], ...]
    files: tuple[FileDiff, ...]
    raw: bytes
    unapplied: tuple[Unapplied, ...] = ()


class Series(NamedTuple):
    """The patches of a directory, in the order of its ``series`` file.

    Attributes:
        name: the series' name in the manifest.
        patches: in order of application.
    """

    name: str
    patches: tuple[Patch, ...]
