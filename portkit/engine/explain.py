"""Why a patch conflicts: who touched these lines upstream, three versions, and what may help."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from portkit.engine.merge import FileConflict, Kind
from portkit.engine.resolutions import Region, parse_conflict, resolutions_of
from portkit.engine.suggest import Suggestion, suggestions
from portkit.gitio import GitRepo
from portkit.manifest.model import Manifest
from portkit.manifest.version import version_key
from portkit.mirror.history import Commit, History, history_of
from portkit.mirror.model import Release
from portkit.mirror.store import Mirror

_AROUND = 3  # lines around a place that are known

#: Whether a file's content (None: no such file) is not what the patch was made for any more.
Changed = Callable[[bytes | None], bool]


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a file where both sides changed the same lines.

    Attributes:
        line: 1-based line of the conflict marker in the file with markers.
        upstream, base, ours: the three versions of these lines.
    """

    line: int
    upstream: bytes
    base: bytes
    ours: bytes


@dataclass(frozen=True, slots=True)
class Explanation:
    """A file that a person has to merge, and why.

    Attributes:
        path: the file, where upstream has it now.
        kind: what collided.
        release: the first mirrored release in which it collides; None when unknown.
        commit: upstream's commit that did it, where a source has the history.
        places: where the text collides; empty when the file as a whole does.
        suggestions: what may settle it.
    """

    path: PurePosixPath
    kind: str
    release: str | None
    commit: Commit | None
    places: tuple[Place, ...]
    suggestions: tuple[Suggestion, ...]


def explain(
    manifest: Manifest,
    base: Release,
    onto: Release,
    renames: Mapping[PurePosixPath, PurePosixPath],
    conflicts: Mapping[PurePosixPath, FileConflict],
) -> tuple[Explanation, ...]:
    """Explain the conflicts of one patch.

    Args:
        manifest: the project's manifest.
        base: the release that the series is pinned to.
        onto: the release that it does not carry over to.
        renames: where upstream moved files between the two.
        conflicts: by path.

    Raises:
        EnvironmentProblem: the mirror fails.
    """
    mirror = Mirror(manifest, base.upstream)
    low, high = sorted((base, onto), key=lambda release: version_key(release.version))
    between = [
        release for release in mirror.releases()
        if version_key(low.version) < version_key(release.version) < version_key(high.version)
    ]  # fmt: skip
    way = [base, *(between if base == low else reversed(between)), onto]
    old_names = {new: old for old, new in renames.items()}
    history = history_of(mirror.upstream)
    found = []
    for path, conflict in conflicts.items():
        names = [old_names[path], path] if path in old_names else [path]
        regions = _regions(conflict)
        first = _read(mirror.repo, base.tree, names)
        changed = _changed(first, _read(mirror.repo, onto.tree, names), regions)
        at = _first(mirror.repo, way, names, changed)
        commit = None
        if at is not None and history is not None and base == low:
            commit = _commit(history, way[at - 1], way[at], names, changed)
        found.append(
            Explanation(
                path, conflict.kind.value, None if at is None else way[at].version, commit,
                _places(conflict, regions),
                suggestions(
                    mirror.repo, base, onto, path, first, conflict, regions,
                    resolutions_of(manifest, base.upstream).directory,
                ),
            )
        )  # fmt: skip
    return tuple(found)


def _regions(conflict: FileConflict) -> list[Region]:
    if conflict.kind not in (Kind.CONTENT, Kind.ADD_ADD):
        return []
    return parse_conflict(conflict)[1]


def _places(conflict: FileConflict, regions: Sequence[Region]) -> tuple[Place, ...]:
    start = b"<" * conflict.marker_size
    lines = conflict.text.split(b"\n")
    numbers = [number for number, line in enumerate(lines, start=1) if line.startswith(start)]
    return tuple(
        Place(number, b"".join(each.upstream), b"".join(each.base), b"".join(each.ours))
        for number, each in zip(numbers if regions else (), regions, strict=True)
    )


def _changed(first: bytes | None, last: bytes | None, regions: Sequence[Region]) -> Changed:
    """What tells a file in which lines of the conflict are not as they were.

    Of each place the lines themselves are looked for. Where that does not tell the pinned release
    from the last one (there are no such lines, or others like them), as few around as do.

    Args:
        first, last: the file on the pinned release and on the one that it collides with.
        regions: the places.
    """
    if first is None or last is None:
        return lambda data: data != first
    wanted = []
    for region in regions:
        texts = [
            text for around in range(_AROUND + 1)
            if (text := _with_lines(region, around)) and last.count(text) < first.count(text)
        ]  # fmt: skip
        wanted += texts[:1]
    if wanted:
        return lambda data: data is None or any(
            data.count(text) < first.count(text) for text in wanted
        )
    if any(_with_lines(region, _AROUND) in first for region in regions):
        # On the last one too: upstream did not touch them, an earlier patch was left out.
        return lambda data: False
    return lambda data: data != first


def _with_lines(region: Region, around: int) -> bytes:
    """The lines of a place before the patch, with some of those before and after them."""
    before = region.before[len(region.before) - around :] if around else ()
    return b"".join((*before, *region.base, *region.after[:around]))


def _first(
    repo: GitRepo, way: Sequence[Release], names: Sequence[PurePosixPath], changed: Changed
) -> int | None:
    """Index of the first release after the pinned one that differs."""
    for at, release in enumerate(way[1:], start=1):
        if changed(_read(repo, release.tree, names)):
            return at
    return None


def _commit(
    history: History, old: Release, new: Release, names: Sequence[PurePosixPath], changed: Changed
) -> Commit | None:
    return history.first(
        old.version, new.version, names,
        lambda commit: changed(_read(history.repo, commit, names)),
    )  # fmt: skip


def _read(repo: GitRepo, tree: str, names: Sequence[PurePosixPath]) -> bytes | None:
    """The file at the first of these paths that is there."""
    blobs = repo.cat_file(f"{tree}:{path}" for path in names)
    return next((blob.data for blob in blobs if blob), None)
