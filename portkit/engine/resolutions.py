"""Shared resolutions of conflicts, kept in the repository below ``patches/<upstream>/``.

One text file for each conflicting region of a file: the region with the lines around it, and the
lines that a maintainer put in its place. Its name is the digest of the region and of its
surroundings, so it is found again by anyone who meets the same conflict, in whatever file and
between whatever releases. A file that one side deleted has a resolution only when it stays deleted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from portkit.engine.hunks import split_lines
from portkit.engine.merge import FileConflict, Kind, marker_size
from portkit.engine.tree import Entry
from portkit.errors import UsageError
from portkit.manifest.model import Manifest

_AROUND = 3  # lines before and after a region that have to be the same
_TEXT_KINDS = (Kind.CONTENT, Kind.ADD_ADD)
_DELETABLE_KINDS = (Kind.GONE_UPSTREAM, Kind.GONE_OURS)
_DELETED = b"Result: deleted\n"


@dataclass(frozen=True, slots=True)
class Region:
    """A conflict inside a file.

    Attributes:
        before, after: the lines around it, at most three.
        upstream, base, ours: the three sides, lines with their newline.
    """

    before: tuple[bytes, ...]
    upstream: tuple[bytes, ...]
    base: tuple[bytes, ...]
    ours: tuple[bytes, ...]
    after: tuple[bytes, ...]

    @property
    def key(self) -> str:
        """Digest of what makes this conflict the same as another one."""
        digest = hashlib.sha256()
        for side in (self.before, self.upstream, self.base, self.ours, self.after):
            text = b"".join(side)
            digest.update(b"%d:%s" % (len(text), text))
        return digest.hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a resolution makes of a file: its new entry, or None when it is deleted."""

    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a conflict was met; told in the file for its reader, not part of its key."""

    path: str
    patch: str
    pin: str
    onto: str


def parse_conflict(conflict: FileConflict) -> tuple[list[tuple[bytes, ...]], list[Region]]:
    """Cut a file with markers: the lines between the regions (one more than regions), the regions.

    Args:
        conflict: of kind CONTENT or ADD_ADD.
    """
    text, size = conflict.text, conflict.marker_size
    marks = cycle(char * size for char in (b"<", b"|", b"=", b">"))
    parts, at = [], 0  # between, upstream, base, ours, between, upstream, ...
    while (place := _line_with(next(marks), text, at)) >= 0:
        parts.append(tuple(split_lines(text[at:place])))
        at = text.find(b"\n", place) + 1 or len(text)
    parts.append(tuple(split_lines(text[at:])))
    between = parts[::4]
    regions = [
        Region(before[-_AROUND:], upstream, base, ours, after[:_AROUND])
        for before, upstream, base, ours, after in zip(
            between, parts[1::4], parts[2::4], parts[3::4], between[1:], strict=False
        )
    ]
    return between, regions


def _line_with(mark: bytes, text: bytes, at: int) -> int:
    """Where the next line that starts with a mark begins, from a line's start on; -1 for none."""
    if text.startswith(mark, at):
        return at
    found = text.find(b"\n" + mark, at)
    return found + 1 if found >= 0 else -1


class Resolutions:
    """The resolutions of one upstream.

    Args:
        directory: ``patches/<upstream>/resolutions``; need not exist.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def resolve(self, conflict: FileConflict) -> Resolved | None:
        """Settle a conflict when the resolution of every region is known.

        Raises:
            UsageError: a resolution's file is not one.
        """
        if not self.directory.is_dir():
            return None
        if conflict.kind in _DELETABLE_KINDS:
            known = self._path(_whole_key(conflict))
            return Resolved(None) if known.exists() else None
        if conflict.kind not in _TEXT_KINDS:
            return None
        between, regions = parse_conflict(conflict)
        paths = [self._path(region.key) for region in regions]
        if not all(path.exists() for path in paths):
            return None
        text = b"".join(between[0])
        for path, lines in zip(paths, between[1:], strict=True):
            text += _read(path) + b"".join(lines)
        return Resolved(Entry(conflict.mode, text))

    def record(
        self, conflict: FileConflict, result: Entry | None, origin: Origin
    ) -> dict[Path, bytes | None] | None:
        """What to write so that others get this resolution.

        Returns:
            New files, for ``replace_files``; None when it cannot be told which lines settle
            which region, because lines outside of them were changed as well.
        """
        if conflict.kind in _DELETABLE_KINDS and result is None:
            return {self._path(_whole_key(conflict)): _header(conflict, origin) + _DELETED}
        if conflict.kind not in _TEXT_KINDS or result is None:
            return None
        between, regions = parse_conflict(conflict)
        parts = _cut(split_lines(result.data), between)
        if parts is None:
            return None
        return {
            self._path(region.key): _header(conflict, origin) + _render(region, part)
            for region, part in zip(regions, parts, strict=True)
        }

    def digest(self) -> str:
        """Digest of all resolutions, for caches."""
        names = sorted(self.directory.glob("*.txt")) if self.directory.is_dir() else []
        digest = hashlib.sha256()
        for path in names:
            digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def _path(self, key: str) -> Path:
        return self.directory / f"{key}.txt"


def resolutions_of(manifest: Manifest, upstream: str) -> Resolutions:
    """The shared resolutions of an upstream."""
    return Resolutions(manifest.root / "patches" / upstream / "resolutions")


def read_region(path: Path) -> Region | None:
    """The conflict that a resolution's file settles; None when it is about a file as a whole."""
    text = path.read_bytes().partition(b"\n\n")[2]
    size = max((len(line) - len(b" upstream\n") for line in split_lines(text)
                if line.lstrip(b"<") == b" upstream\n"), default=0)  # fmt: skip
    end = text.find(b"\n" + b"<" * size + b" resolution\n")
    if not size or end < 0:
        return None
    conflict = FileConflict(Kind.CONTENT, text[: end + 1], size, "100644")
    regions = parse_conflict(conflict)[1]
    return regions[0] if regions else None


def _whole_key(conflict: FileConflict) -> str:
    kind = conflict.kind.value.encode()
    size = b"%d" % conflict.marker_size
    lines = [
        line for line in split_lines(conflict.text)
        if not line.startswith((b"<" * conflict.marker_size, b"|" * conflict.marker_size,
                                b">" * conflict.marker_size))
    ]  # fmt: skip
    return hashlib.sha256(b"\0".join((kind, size, *lines))).hexdigest()[:32]


def _header(conflict: FileConflict, origin: Origin) -> bytes:
    lines = (
        f"Path: {origin.path}",
        f"Patch: {origin.patch}",
        f"Releases: {origin.pin} to {origin.onto}",
        f"Conflict: {conflict.kind.value}",
    )
    return "".join(f"{line}\n" for line in lines).encode(errors="surrogateescape")


def _cut(lines: Sequence[bytes], between: Sequence[Sequence[bytes]]) -> list[bytes] | None:
    """The lines that stand in each region's place; None when that is not certain."""
    first, *inner, last = between
    at, end = len(first), len(lines) - len(last)
    if at > end or tuple(lines[:at]) != first or tuple(lines[end:]) != last:
        return None
    parts = []
    for fixed in inner:
        places = [
            place for place in range(at, end - len(fixed) + 1)
            if tuple(lines[place : place + len(fixed)]) == fixed
        ]  # fmt: skip
        if len(places) != 1:
            return None
        parts.append(b"".join(lines[at : places[0]]))
        at = places[0] + len(fixed)
    parts.append(b"".join(lines[at:end]))
    return parts if all(part.endswith(b"\n") or not part for part in parts) else None


def _render(region: Region, part: bytes) -> bytes:
    sides = (region.before, region.upstream, region.base, region.ours, region.after)
    size = marker_size(*(b"".join(side) for side in sides), part)
    marks = [char * size for char in (b"<", b"|", b"=", b">")]
    names = (b" upstream\n", b" base\n", b"\n", b" patch\n")
    text = b"\n" + b"".join(region.before)
    for mark, name, side in zip(marks, names, (*sides[1:4], region.after), strict=True):
        text += mark + name + b"".join(side)
    return _line_end(text) + b"<" * size + b" resolution\n" + part


def _line_end(text: bytes) -> bytes:
    return text if text.endswith(b"\n") else text + b"\n"


def _read(path: Path) -> bytes:
    """The lines that a resolution's file puts in a region's place."""
    lines = split_lines(path.read_bytes().partition(b"\n\n")[2])
    marks = [line for line in lines if line.lstrip(b"<") == b" resolution\n"]
    longest = max(marks, key=len, default=b"")  # no line of the contents starts with that many
    if longest.startswith(b"<" * 7):
        return b"".join(lines[lines.index(longest) + 1 :])
    raise UsageError(
        "this is not a resolution", where=str(path),
        hint="restore the file, or remove it to be asked again",
    )  # fmt: skip
