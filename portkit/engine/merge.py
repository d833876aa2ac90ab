"""The 3-way merge of one file, in process through libgit2 (git's own xdiff).

There is no offset and no fuzz: three complete files are compared. ``base`` is the file before
the patch, ``upstream`` the same file in the new release (with the patches carried so far), ``ours``
the file after the patch on the old release.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

import pygit2
from pygit2.enums import FileMode, ObjectType, Option
from pygit2.ffi import C, ffi

from portkit.engine.tree import Entry

pygit2.option(Option.ENABLE_STRICT_HASH_VERIFICATION, False)  # for _Store, whose ids are no hashes

_T = TypeVar("_T", str, bytes)
_MARKS = b"<|=>"
_MARKER = 7  # git's own size
_BINARY_PROBE = 8000  # bytes that git looks at to tell text from binary


class Kind(Enum):
    """What collided in one file."""

    CONTENT = "content"
    ADD_ADD = "both added"
    GONE_UPSTREAM = "deleted upstream"
    GONE_OURS = "deleted by the patch"
    BINARY = "binary"
    LINK = "symbolic link"
    TYPE = "file type"
    RENAME = "renamed upstream"
    OBSTACLE = "path taken upstream"


@dataclass(frozen=True, slots=True)
class Labels:
    """The names of the three sides in conflict markers."""

    upstream: str
    base: str
    ours: str


@dataclass(frozen=True, slots=True)
class FileConflict:
    """A file that a person has to merge.

    Attributes:
        kind: what collided.
        text: the file with diff3 markers.
        marker_size: how many characters a marker has; no line of the three files looks like one.
        mode: the mode that the resolved file gets unless the person changes it.
    """

    kind: Kind
    text: bytes
    marker_size: int
    mode: str


def merge_entries(
    base: Entry | None, upstream: Entry | None, ours: Entry | None, labels: Labels
) -> Entry | FileConflict | None:
    """Merge a file.

    Args:
        base, upstream, ours: the three sides, None where there is no file.
        labels: names for the conflict markers.

    Returns:
        The merged file, None when it is to be deleted, or the conflict.
    """
    if ours in (base, upstream):
        return upstream
    if upstream == base:
        return ours
    if upstream is None:
        return whole_file_conflict(Kind.GONE_UPSTREAM, base, upstream, ours, labels)
    if ours is None:
        return whole_file_conflict(Kind.GONE_OURS, base, upstream, ours, labels)
    modes = {entry.mode[:3] for entry in (base, upstream, ours) if entry}
    if len(modes) > 1:
        return whole_file_conflict(Kind.TYPE, base, upstream, ours, labels)
    mode = _pick(base.mode if base else None, upstream.mode, ours.mode)
    base_data = base.data if base else None
    data = _pick(base_data, upstream.data, ours.data)
    if mode is not None and data is not None:
        return Entry(mode, data)
    if ours.mode == "120000":
        return whole_file_conflict(Kind.LINK, base, upstream, ours, labels)
    if mode is None:  # both added it, one of them executable
        return whole_file_conflict(Kind.TYPE, base, upstream, ours, labels)
    if any(is_binary(side) for side in (base_data or b"", upstream.data, ours.data)):
        return whole_file_conflict(Kind.BINARY, base, upstream, ours, labels)
    clean, text = _merge_text(base_data, upstream.data, ours.data, labels, _MARKER)
    if clean:
        return Entry(mode, text)
    size = marker_size(base_data or b"", upstream.data, ours.data)
    if size != _MARKER:
        _, text = _merge_text(base_data, upstream.data, ours.data, labels, size)
    text = _label_empty_sides(text, size, labels)
    return FileConflict(Kind.CONTENT if base else Kind.ADD_ADD, text, size, mode)


def _pick(base: _T | None, upstream: _T, ours: _T) -> _T | None:
    """The side that changed, or None when both did, differently."""
    if ours in (base, upstream):
        return upstream
    return ours if upstream == base else None


def is_binary(data: bytes) -> bool:
    """Whether git takes it for a binary file."""
    return b"\0" in data[:_BINARY_PROBE]


def marker_size(*sides: bytes) -> int:
    """The shortest marker, at least 7 characters, that no line of the files starts with."""
    size = _MARKER
    while any(
        side.startswith(mark) or b"\n" + mark in side
        for side in sides
        for mark in (bytes([char]) * size for char in _MARKS)
    ):
        size += 1
    return size


def unresolved_line(data: bytes, size: int) -> int | None:
    """The 1-based line of the first conflict marker left in a file, or None."""
    marks = tuple(bytes([char]) * size for char in _MARKS)
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.startswith(marks):
            return number
    return None


def whole_file_conflict(
    kind: Kind, base: Entry | None, upstream: Entry | None, ours: Entry | None, labels: Labels
) -> FileConflict:
    """A conflict about the file as such: its three sides stand as wholes between the markers."""
    texts = [_as_text(entry) for entry in (base, upstream, ours)]
    size = marker_size(*texts)
    base_text, upstream_text, ours_text = texts
    text = b"".join(
        (
            _mark(b"<", size, labels.upstream), upstream_text,
            _mark(b"|", size, labels.base), base_text,
            b"=" * size + b"\n", ours_text,
            _mark(b">", size, labels.ours),
        )
    )  # fmt: skip
    survivor = ours or upstream or base
    return FileConflict(kind, text, size, survivor.mode if survivor else "100644")


def _mark(char: bytes, size: int, label: str) -> bytes:
    return char * size + b" " + label.encode(errors="surrogateescape") + b"\n"


def _label_empty_sides(text: bytes, size: int, labels: Labels) -> bytes:
    """Put the labels back that libgit2 leaves out for a side without content."""
    sides = ((b"<", labels.upstream), (b"|", labels.base), (b">", labels.ours))
    for char, label in sides:
        line, bare = _mark(char, size, label), char * size + b"\n"
        text = text.replace(b"\n" + bare, b"\n" + line)
        if text.startswith(bare):
            text = line + text[len(bare) :]
    return text


def _as_text(entry: Entry | None) -> bytes:
    """A side as it stands between markers: with a last newline, a binary file described."""
    if entry is None:
        return b""
    if entry.mode == "160000":
        return b"(a submodule)\n"
    if is_binary(entry.data):
        oid = str(pygit2.hash(entry.data))
        return f"(a binary file of {len(entry.data)} bytes, blob {oid})\n".encode()
    return entry.data if entry.data.endswith(b"\n") or not entry.data else entry.data + b"\n"


class _Store(pygit2.OdbBackend):
    """The three blobs of a merge, in memory, where libgit2 looks for them.

    Their ids are just numbers: hashing whole files, once here and once more when libgit2
    verifies what it reads, would take half of the time of a merge.
    """

    def __init__(self) -> None:
        super().__init__()
        self.blobs: dict[Any, bytes] = {}

    def put(self, data: bytes) -> Any:
        oid = pygit2.Oid(raw=(len(self.blobs) + 1).to_bytes(20, "big"))
        self.blobs[oid] = data
        return oid

    def read_cb(self, oid: Any) -> tuple[int, bytes]:
        return ObjectType.BLOB, self.blobs[oid]

    def read_header_cb(self, oid: Any) -> tuple[int, int]:
        return ObjectType.BLOB, len(self.blobs[oid])

    def exists_cb(self, oid: Any) -> bool:
        return oid in self.blobs


def _repository() -> tuple[Any, _Store]:
    """An empty repository in memory and its store; a new one, for libgit2 caches by id."""
    store = _Store()
    odb = pygit2.Odb()
    odb.add_backend(store, 1)
    repository = pygit2.Repository()
    repository.set_odb(odb)
    return repository, store


def _merge_text(
    base: bytes | None, upstream: bytes, ours: bytes, labels: Labels, size: int
) -> tuple[bool, bytes]:
    """Whether the merge is clean, and its text.

    pygit2's own wrapper decodes the result as UTF-8 and offers no labels, so libgit2's function is
    called as pygit2 calls it.
    """
    repository, store = _repository()
    entries = [
        None if data is None else pygit2.IndexEntry("f", store.put(data), FileMode.BLOB)
        for data in (base, upstream, ours)
    ]
    native = [(ffi.NULL, None) if entry is None else entry._to_c() for entry in entries]
    names = [
        ffi.new("char[]", label.encode(errors="surrogateescape"))
        for label in (labels.base, labels.upstream, labels.ours)
    ]
    options = ffi.new("git_merge_file_options *")
    options.version = 1
    options.flags = C.GIT_MERGE_FILE_STYLE_DIFF3
    options.marker_size = size
    options.ancestor_label, options.our_label, options.their_label = names
    result = ffi.new("git_merge_file_result *")
    status = C.git_merge_file_from_index(
        result, repository._repo, *(pointer for pointer, _ in native), options
    )
    pygit2.errors.check_error(status)
    try:
        return bool(result.automergeable), ffi.buffer(result.ptr, result.len)[:]
    finally:
        C.git_merge_file_result_free(result)
