"""The release that a series is used on: its pin, or one that stands in for a vanished pin.

Archives drop old point releases, so a pin may be nowhere to be had. Without the base there is no
3-way merge; what stands in is the nearest mirrored release of the track, with each hunk at the one
place where all its old lines are, in memory. A patch that may be upstream already is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from portkit.engine.hunks import apply_patch
from portkit.engine.tree import Tree, read_tree, touched_paths
from portkit.errors import EnvironmentProblem, Refused
from portkit.gitio import GitRepo
from portkit.manifest.model import Manifest, SeriesSpec
from portkit.manifest.version import nearest
from portkit.mirror.model import Release
from portkit.mirror.store import Mirror
from portkit.series.model import Change, Patch, Series
from portkit.series.store import iter_series


class Based(NamedTuple):
    """A series on a release that it applies to exactly.

    Attributes:
        release: the pinned release, or the one that stands in for it.
        series: the patches, exact on ``release``.
        tree: what the release has of the files that the series touches.
        instead_of: the pin, when another release stands in for it.
    """

    release: Release
    series: Series
    tree: Tree
    instead_of: str | None = None


def based(manifest: Manifest, spec: SeriesSpec, *, stand_in: bool = False) -> Based:
    """A series and its pinned release; with ``stand_in``, the nearest one if that is not mirrored.

    Raises:
        EnvironmentProblem: the pin is not mirrored, and nothing may or can stand in.
        Refused: a patch has no certain place on the release that stands in.
        UsageError: the series is not valid.
    """
    mirror = Mirror(manifest, spec.upstream)
    try:
        release = mirror.release(spec.pin)
    except EnvironmentProblem:
        versions = [release.version for release in mirror.releases()]
        other = nearest(spec.pin, versions, mirror.upstream.track) if stand_in else None
        if other is None:
            raise
        release = mirror.release(other)
    series, tree = _read(mirror.repo, release, spec)
    if release.version == spec.pin:
        return Based(release, series, tree)
    patches = []
    after = tree
    for patch in series.patches:
        patch = _placed(after, patch, spec, release)
        after = after.changed(apply_patch(after, patch))
        patches.append(patch)
    return Based(release, series._replace(patches=tuple(patches)), tree, instead_of=spec.pin)


def _read(repo: GitRepo, release: Release, spec: SeriesSpec) -> tuple[Series, Tree]:
    """The series and the files that it touches; git reads these while patches are parsed."""
    patches: list[Patch] = []

    def paths() -> Iterator[PurePosixPath]:
        for patch in iter_series(spec):
            patches.append(patch)
            yield from touched_paths(Series(spec.name, (patch,)))

    tree = read_tree(repo, release.tree, paths())
    return Series(spec.name, tuple(patches)), tree


def _placed(tree: Tree, patch: Patch, spec: SeriesSpec, release: Release) -> Patch:
    """The patch, exact on the tree.

    Raises:
        Refused: it has no certain place there, or what it makes is there already.
    """
    for file in patch.files:
        old = tree.get(file.old_path) if file.old_path else None
        if file.change is not Change.MODIFY or old is None:
            continue
        if any(b"".join(hunk.new) in old.data for hunk in file.hunks):
            raise Refused(
                f"{release.version} may have this change of {file.path} already",
                where=patch.name,
                hint=f"mirror {spec.pin} from a source that has it, then run 'portkit rebase "
                f"{spec.name} --onto {release.version}'",
            )
    from portkit.engine.offsets import fitted  # libgit2 is slow to load, and seldom needed here

    return fitted(tree, patch)
