"""What may settle a conflict: a shared resolution that nearly fits, or code that moved."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from portkit.engine.merge import FileConflict, Kind
from portkit.engine.resolutions import Region, parse_conflict, read_region
from portkit.gitio import GitFailed, GitRepo
from portkit.mirror.model import Release

_NAME = re.compile(rb"([A-Za-z_]\w*)[ \t]*\(")
_AT_MARGIN = re.compile(rb"[A-Za-z_]")
_TELLING = 12  # characters that a line has at least to be looked for elsewhere
_FEW = 3  # more places than that are no suggestion
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
        for region in regions:
            found += _moved(repo, onto, path, base, upstream, region)
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
    repo: GitRepo, onto: Release, path: PurePosixPath, base: bytes, upstream: bytes, region: Region
) -> Iterable[Suggestion]:
    """The function around a place, or else its lines, where another file has them now."""
    at = _offset(base, region)
    name = _function(base, at) if at is not None else None
    if name is not None and not _defined(name, upstream):
        pattern = rf"^[A-Za-z_].*\b{name.decode()}[[:space:]]*\("
        hits = [hit for hit in _grep(repo, onto, path, "-E", pattern) if hit[2][-1:] != b";"]
        if 0 < len(hits) <= _FEW:
            return [
                Suggestion("moved", file, line, f"{name.decode()}() is in {file}:{line} now")
                for file, line, _ in hits
            ]
    lines = [line.strip() for line in region.base]
    telling = [line for line in lines if len(line) >= _TELLING and line not in upstream]
    if not telling:
        return []
    hits = _grep(repo, onto, path, "-F", os.fsdecode(max(telling, key=len)))
    files = list(dict.fromkeys(file for file, _, _ in hits))
    blobs = repo.cat_file(f"{onto.tree}:{file}" for file in files[: _FEW + 1])
    kept = [
        file for file, blob in zip(files, blobs, strict=False)
        if blob and sum(line in blob.data for line in telling) * 2 > len(telling)
    ]  # fmt: skip
    if len(files) > _FEW:
        return []
    first = {file: line for file, line, _ in reversed(hits)}
    return [
        Suggestion("moved", file, first[file], f"these lines are in {file}:{first[file]} now")
        for file in kept
    ]


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


def _grep(
    repo: GitRepo, onto: Release, path: PurePosixPath, kind: str, pattern: str
) -> list[tuple[str, int, bytes]]:
    """Lines of other files of a release: path, line number, text."""
    wanted = {f"*{path.suffix}", "*.h"} if path.suffix in (".c", ".h") else {f"*{path.suffix}"}
    try:
        out = repo.run(
            "grep", "-n", "-z", "-I", kind, "-e", pattern, onto.tree, "--",
            *(f":(glob)**/{each}" for each in sorted(wanted)), f":(exclude,literal){path}",
        )  # fmt: skip
    except GitFailed as error:
        if error.status == 1:  # not found
            return []
        raise
    hits = []
    for line in out.splitlines():
        name, number, text = line.split(b"\0", 2)
        hits.append((os.fsdecode(name).partition(":")[2], int(number), text.rstrip()))
    return hits
