"""What may settle a conflict: a shared resolution that nearly fits, or code that moved."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from pathlib import Path, PurePosixPath

from portkit.engine.merge import FileConflict, Kind
from portkit.engine.resolutions import Region, parse_conflict, read_region
from portkit.gitio import GitRepo
from portkit.mirror.model import Release

_NAME = re.compile(rb"([A-Za-z_]\w*)[ \t]*\(")
_AT_MARGIN = re.compile(rb"[A-Za-z_]")
_TELLING = 12  # characters that a line has at least to be looked for elsewhere
_FEW = 3  # more places than that are no suggestion
_REGIONS = 20  # of a file: enough to look at
_NEAR = 1000  # files: moved code is in one that has changed, and not far away
_KEYWORDS = {b"if", b"for", b"while", b"switch", b"return", b"sizeof"}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to look at.

    Attributes:
        kind: ``resolution`` or ``moved``.
        path: the resolution's file, or the file that has the code now.
        line: 1-based line in it; 0 for a resolution.
        text: one sentence.
    """

    kind: str
    path: str
    line: int
    text: str


def suggestions(
    repo: GitRepo,
    pin: Release,
    onto: Release,
    path: PurePosixPath,
    base: bytes | None,
    conflict: FileConflict,
    regions: Sequence[Region],
    resolutions: Path,
) -> tuple[Suggestion, ...]:
    """What fits a conflict.

    Args:
        repo: the mirror's repository.
        pin: the release that the patch is made for.
        onto: the release with which the patch conflicts.
        path: the conflicting file in it.
        base: the file on the pinned release.
        conflict: the conflict; ``regions`` are its places.
        resolutions: directory of the shared resolutions.
    """
    found = [*_resolutions(regions, resolutions)]
    if conflict.kind is Kind.GONE_UPSTREAM:
        _, regions = parse_conflict(conflict)
    if base is not None:
        blob = repo.cat_file([f"{onto.tree}:{path}"])[0]
        upstream = blob.data if blob else b""
        files = _near(repo, pin.tree, onto.tree, path.parent, path.suffix)
        others = {name: data for name, data in files.items() if name != str(path)}
        for region in regions[:_REGIONS]:
            found += _moved(others, base, upstream, region)
    return tuple(dict.fromkeys(found))


def _resolutions(regions: Sequence[Region], directory: Path) -> Iterable[Suggestion]:
    """Resolutions of the same lines of a patch against other lines of upstream."""
    known = [(file, read_region(file)) for file in sorted(directory.glob("*.txt"))]
    for region in regions:
        for file, other in known:
            if other is not None and (other.base, other.ours) == (region.base, region.ours):
                exact = other.upstream == region.upstream
                what = "the same conflict in other surroundings" if exact else (
                    "the same lines of the patch against other lines of upstream"
                )  # fmt: skip
                yield Suggestion("resolution", file.name, 0, f"{file.name} settled {what}")


def _moved(
    files: Mapping[str, bytes], base: bytes, upstream: bytes, region: Region
) -> Iterable[Suggestion]:
    """The function around a place, or else its lines, where another file has them now."""
    at = _offset(base, region)
    name = _function(base, at) if at is not None else None
    if name is not None and not _defined(name, upstream):
        definition = re.compile(
            rb"^(?:[A-Za-z_][^\n]*\b)?" + re.escape(name) + rb"[ \t]*\([^\n;]*$", re.MULTILINE
        )
        hits = [
            (file, _line(data, match.start()))
            for file, data in files.items() if name in data
            for match in definition.finditer(data)
        ]  # fmt: skip
        if 0 < len(hits) <= _FEW:
            return [
                Suggestion("moved", file, line, f"{name.decode()}() is in {file}:{line} now")
                for file, line in hits
            ]
    lines = [line.strip() for line in region.base]
    telling = [line for line in lines if len(line) >= _TELLING and line not in upstream]
    if not telling:
        return []
    longest = max(telling, key=len)
    found = {file: data for file, data in files.items() if longest in data}
    if len(found) > _FEW:
        return []
    places = [
        (file, _line(data, data.index(longest))) for file, data in found.items()
        if sum(line in data for line in telling) * 2 > len(telling)
    ]  # fmt: skip
    return [
        Suggestion("moved", file, line, f"these lines are in {file}:{line} now")
        for file, line in places
    ]


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


@lru_cache(maxsize=1)  # conflicts of one patch are mostly in one directory
def _near(
    repo: GitRepo, old_tree: str, new_tree: str, directory: PurePosixPath, suffix: str
) -> Mapping[str, bytes]:
    """The files of this kind that are new or changed in a tree, those nearest to a directory."""
    out = repo.run("diff-tree", "-r", "-z", "--no-renames", "--diff-filter=AMT", old_tree, new_tree)
    fields = out.split(b"\0")[:-1]
    changed = {
        os.fsdecode(name): head.split(b" ")[3].decode()
        for head, name in zip(fields[::2], fields[1::2], strict=True)
    }
    kinds = (".c", ".h") if suffix in (".c", ".h") else (suffix,)

    def distance(name: str) -> int:
        pairs = zip(name.split("/"), directory.parts, strict=False)
        return -sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    names = sorted((name for name in changed if name.endswith(kinds)), key=distance)[:_NEAR]
    blobs = repo.cat_file(changed[name] for name in names)
    return {name: blob.data for name, blob in zip(names, blobs, strict=True) if blob is not None}


def _offset(base: bytes, region: Region) -> int | None:
    """Where the patch changes the file: the first line of the base that it does not keep."""
    at = base.find(b"".join(region.base)) if region.base else -1
    if at < 0:
        return None
    for old, new in zip(region.base, region.ours, strict=False):
        if old != new:
            break
        at += len(old)
    return at


def _function(base: bytes, at: int) -> bytes | None:
    """The name of the function around an offset, by git's rule: the last line at the margin."""
    for line in reversed(base[:at].splitlines()):
        if _AT_MARGIN.match(line) and not line.endswith((b":", b";")):
            names = [name for name in _NAME.findall(line) if name not in _KEYWORDS]
            return names[0] if names else None
    return None


def _defined(name: bytes, data: bytes) -> bool:
    """Whether a file defines a function."""
    pattern = re.compile(rb"^[A-Za-z_][^\n]*\b" + re.escape(name) + rb"[ \t]*\([^\n;]*$", re.M)
    return pattern.search(data) is not None or data.startswith(name + b"(")
