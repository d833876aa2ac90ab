"""Carry a series to another release, in memory: a 3-way merge of each file of each patch.

Two trees walk along: ``ours`` is the recorded base with the patches applied one by one,
``upstream`` is the new release with the patches carried so far. Every patch is merged with the
tree before it as the base, as ``git rebase`` does it, so the outcome is git's, patch by patch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import PurePosixPath

from portkit.engine.hunks import apply_patch
from portkit.engine.merge import FileConflict, Kind, Labels, merge_entries, whole_file_conflict
from portkit.engine.renames import find_renames
from portkit.engine.resolutions import Resolved
from portkit.engine.tree import Changes, Entry, Tree, read_tree, touched_paths
from portkit.errors import Refused
from portkit.gitio import GitRepo
from portkit.mirror.model import Release
from portkit.series.model import Change, Patch, Series


class Outcome(Enum):
    """What became of a patch."""

    APPLIES = "applies"
    UPSTREAMED = "upstreamed"
    CONFLICT = "conflict"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Carried:
    """A patch on the new release.

    Attributes:
        patch: the patch as it was.
        outcome: what became of it.
        before: the new release's tree before it.
        changes: what it changes there now; empty unless it applies.
        conflicts: the files that a person has to merge.
        merged: with conflicts: the patch's other files, merged.
        replayed: files whose conflict a shared resolution settled.
    """

    patch: Patch
    outcome: Outcome
    before: Tree
    changes: Changes
    conflicts: Mapping[PurePosixPath, FileConflict] = field(default_factory=dict)
    merged: Changes = field(default_factory=dict)
    replayed: tuple[PurePosixPath, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said about a patch that had conflicts.

    Attributes:
        skip: leave the patch out.
        files: the files as the person left them (None: deleted).
    """

    skip: bool
    files: Changes


#: Settles a conflict from the shared resolutions; None when it does not know it.
Resolver = Callable[[FileConflict], Resolved | None]


@dataclass(frozen=True, slots=True)
class Journey:
    """Everything that carrying a series from one release to another needs, read once."""

    series: Series
    target: str
    ours: Tree
    upstream: Tree
    renames: Mapping[PurePosixPath, PurePosixPath]


def read_journey(
    repo: GitRepo,
    base: Release,
    onto: Release,
    series: Series,
    extra: Iterable[PurePosixPath] = (),
) -> Journey:
    """Read what ``carry`` needs from the mirror.

    Args:
        repo: the mirror's repository.
        base: the release that the series is made for.
        onto: the new one.
        series: the series.
        extra: files that a person's decisions change besides those that the series touches.

    Raises:
        EnvironmentProblem: git fails.
    """
    paths = touched_paths(series)
    ours = read_tree(repo, base.tree, paths)
    upstream = read_tree(repo, onto.tree, paths | set(extra))
    missing = [path for path in paths if ours.get(path) and not upstream.get(path)]
    renames = find_renames(repo, base.tree, onto.tree, missing)
    if renames:
        upstream = upstream.joined(read_tree(repo, onto.tree, renames.values()))
    return Journey(series, onto.version, ours, upstream, renames)


def carry(
    journey: Journey,
    resolver: Resolver | None = None,
    decisions: Mapping[str, Decision] | None = None,
) -> Iterator[Carried]:
    """Carry one patch after the other; a patch with conflicts is left out of those that follow.

    Args:
        journey: from ``read_journey``.
        resolver: settles conflicts that were met before.
        decisions: what a person said, by patch name.

    Raises:
        Refused: the patch does not even apply on the release that it is made for.
    """
    ours, upstream = journey.ours, journey.upstream
    renames = dict(journey.renames)
    for patch in journey.series.patches:
        labels = Labels(f"upstream {journey.target}", f"before {patch.name}", patch.name)
        change = apply_patch(ours, patch)
        merger = _PatchMerger(ours, upstream, renames, labels, patch)
        merger.merge(change)
        step = _settle(merger, resolver, (decisions or {}).get(patch.name))
        yield step
        if step.outcome in (Outcome.CONFLICT, Outcome.SKIPPED):
            renames.update(merger.not_moved)
        upstream = upstream.changed(step.changes)
        ours = ours.changed(change)


def _settle(merger: _PatchMerger, resolver: Resolver | None, decision: Decision | None) -> Carried:
    """Turn a merge into an outcome, with what people have decided."""
    patch, before, merged = merger.patch, merger.upstream, dict(merger.merged)
    if decision and decision.skip:
        return Carried(patch, Outcome.SKIPPED, before, {})
    open_conflicts: dict[PurePosixPath, FileConflict] = {}
    replayed = []
    for path, conflict in merger.conflicts.items():
        if decision and path in decision.files:
            continue
        resolved = resolver(conflict) if resolver else None
        if resolved is None:
            open_conflicts[path] = conflict
        else:
            merged[path] = resolved.entry
            replayed.append(path)
    if open_conflicts:
        return Carried(patch, Outcome.CONFLICT, before, {}, open_conflicts, merged, tuple(replayed))
    if decision:
        merged.update(decision.files)
        _check_places(before.changed(merged), patch, decision)
    changes = {path: entry for path, entry in merged.items() if entry != before.get(path)}
    outcome = Outcome.APPLIES if changes else Outcome.UPSTREAMED
    return Carried(patch, outcome, before, changes, replayed=tuple(replayed))


def _check_places(after: Tree, patch: Patch, decision: Decision) -> None:
    """A person may not put a file where the new release has a directory, or below a file."""
    for path, entry in decision.files.items():
        obstacle = after.obstacle(path) if entry else None
        if obstacle:
            raise Refused(
                f"{path} cannot be a file of this release: {obstacle}", where=patch.name,
                hint="move or remove it in the worktree and run 'portkit rebase --continue' again",
            )  # fmt: skip


class _PatchMerger:
    """The merge of one patch, file by file.

    Attributes:
        merged: the files that merged, at their paths in the new release.
        conflicts: those that did not.
        not_moved: the patch's own renames, to where the file stays if the patch is left out.
    """

    def __init__(
        self,
        ours: Tree,
        upstream: Tree,
        renames: Mapping[PurePosixPath, PurePosixPath],
        labels: Labels,
        patch: Patch,
    ) -> None:
        self.ours = ours
        self.upstream = upstream
        self.renames = renames
        self.labels = labels
        self.patch = patch
        self.merged: dict[PurePosixPath, Entry | None] = {}
        self.conflicts: dict[PurePosixPath, FileConflict] = {}
        self.not_moved: dict[PurePosixPath, PurePosixPath] = {}

    def merge(self, change: Changes) -> None:
        """Merge what the patch changes on the old release."""
        sources = {
            file.new_path: file.old_path
            for file in self.patch.files
            if file.change is Change.RENAME and file.new_path and file.old_path
        }
        renamed = {
            source for path, source in sources.items()
            if path in change and change.get(source, False) is None
        }  # fmt: skip
        for path, after in change.items():
            source = sources.get(path)
            if source in renamed:
                assert source is not None
                self.merge_rename(source, path, after)
            elif path not in renamed:
                place = self.place(path)
                if after is not None and self.ours.get(path) is None:
                    self.check_obstacle(place, after)
                self.put(place, self.ours.get(path), self.upstream.get(place), after)
        for path in self.conflicts:
            self.merged.pop(path, None)

    def place(self, path: PurePosixPath) -> PurePosixPath:
        """Where upstream has a file now."""
        if self.upstream.get(path) is not None or self.ours.get(path) is None:
            return path
        return self.renames.get(path, path)

    def put(
        self,
        place: PurePosixPath,
        base: Entry | None,
        upstream: Entry | None,
        ours: Entry | None,
    ) -> None:
        if place in self.conflicts:
            return
        result = merge_entries(base, upstream, ours, self.labels)
        if isinstance(result, FileConflict):
            self.conflicts[place] = result
        else:
            self.merged[place] = result

    def check_obstacle(self, place: PurePosixPath, ours: Entry) -> None:
        """A new file may not go where upstream has a directory, nor below a file or a link."""
        if self.upstream.obstacle(place):
            self.conflicts[place] = whole_file_conflict(
                Kind.OBSTACLE, None, None, ours, self.labels
            )

    def merge_rename(self, source: PurePosixPath, path: PurePosixPath, after: Entry | None) -> None:
        """The patch renames ``source`` to ``path``, and may change it on the way."""
        base = self.ours.get(source)
        place = self.place(source)
        self.not_moved[path] = place
        upstream = self.upstream.get(place)
        taken = self.upstream.get(path)
        if place == path:  # upstream has made the same rename
            self.put(path, base, upstream, after)
            return
        if upstream is None and taken == after:
            return
        if upstream is None or place != source or taken is not None:
            self.conflicts[path] = whole_file_conflict(
                Kind.RENAME if upstream else Kind.GONE_UPSTREAM,
                base, taken or upstream, after, self.labels,
            )  # fmt: skip
            if upstream is not None:
                self.merged[place] = None
            return
        assert after is not None
        self.check_obstacle(path, after)
        self.merged[source] = None
        self.put(path, base, upstream, after)
