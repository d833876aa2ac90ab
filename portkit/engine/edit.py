"""Edits of a series in memory: what becomes of the patches that follow.

Every function takes the series as it is and returns the patches of the new one, all of which
apply exactly on the pinned release. Patches whose surroundings changed are carried over by the
3-way merge that rebase uses; a conflict refuses the edit as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from portkit.engine.carry import Carried, Journey, Outcome, carry
from portkit.engine.hunks import apply_patch
from portkit.engine.merge import FileConflict, Labels, merge_entries
from portkit.engine.offsets import fitted
from portkit.engine.rewrite import rewrite
from portkit.engine.tree import Changes, Tree, read_tree, touched_paths
from portkit.errors import Refused
from portkit.gitio import GitRepo
from portkit.mirror.model import Release
from portkit.series.commits import read_range
from portkit.series.diff import FileChange
from portkit.series.model import Entry, Patch, Series

_UNCHANGED = "nothing was changed"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A patch from outside.

    Attributes:
        patch: the patch.
        changes: the whole files before and after, where they are known (git commits); without
            them every hunk has to find its lines, with them the patch is merged.
    """

    patch: Patch
    changes: tuple[FileChange, ...] = ()


def propose_range(repo: GitRepo, commits: str, taken: list[str]) -> list[Proposal]:
    """The commits of ``A..B``, or one commit, as patches with their whole files.

    Raises:
        UsageError: see ``portkit.series.commits.read_range``.
    """
    return [Proposal(patch, changes) for patch, changes in read_range(repo, commits, taken)]


def append(
    repo: GitRepo, release: Release, series: Series, proposals: Sequence[Proposal]
) -> list[Patch]:
    """The series with more patches at its end.

    Raises:
        Refused: one does not apply there, or changes nothing.
    """
    new = Series(series.name, tuple(proposal.patch for proposal in proposals))
    tree = read_tree(repo, release.tree, touched_paths(series) | touched_paths(new))
    patches = list(series.patches)
    for patch in patches:
        tree = tree.changed(apply_patch(tree, patch))
    for proposal in proposals:
        patch, changes = _place(tree, proposal, series.name)
        tree = tree.changed(changes)
        patches.append(patch)
    return patches


def rearrange(repo: GitRepo, release: Release, series: Series, names: Sequence[str]) -> list[Patch]:
    """The series with just these patches, in this order.

    A patch that is left out need not apply.

    Raises:
        Refused: a patch conflicts with its new surroundings, or changes nothing there.
    """
    known = {patch.name: patch for patch in series.patches}
    old_tree = read_tree(repo, release.tree, touched_paths(series))
    before: dict[str, Tree] = {}
    tree = old_tree
    for patch in series.patches:
        before[patch.name] = tree
        try:
            tree = tree.changed(apply_patch(tree, patch))
        except Refused:
            if patch.name in names:
                raise
    tree = old_tree
    patches = []
    for name in names:
        step = _carried(before[name], tree, known[name], series.name)
        tree = tree.changed(step.changes)
        patches.append(rewrite(step))
    return patches


def refresh(
    repo: GitRepo, release: Release, series: Series, name: str, edits: Sequence[FileChange]
) -> list[Patch]:
    """The series with some edits of its result taken into one of its patches.

    Args:
        repo: the mirror's repository.
        release: the pinned release.
        series: the series.
        name: the patch that takes the edits.
        edits: what a person changed in a checkout of the whole series.

    Raises:
        Refused: the edits, or a later patch, conflict.
    """
    wanted = edited_files(edits)
    tree = read_tree(repo, release.tree, touched_paths(series) | frozenset(wanted))
    at = [patch.name for patch in series.patches].index(name)
    trees = [tree]
    for patch in series.patches:
        trees.append(trees[-1].changed(apply_patch(trees[-1], patch)))
    target, later = series.patches[at], series.patches[at + 1 :]
    folded = _fold(trees[at + 1], trees[-1], wanted, target, later)
    after = trees[at + 1].changed(folded)
    touched = touched_paths(Series(series.name, (target,))) | frozenset(folded)
    changes = {path: after.get(path) for path in touched if after.get(path) != trees[at].get(path)}
    if not changes:
        raise Refused(
            f"'{name}' would change nothing any more", hint=f"'portkit drop' it; {_UNCHANGED}"
        )
    patches = list(series.patches[:at])
    patches.append(rewrite(Carried(target, Outcome.APPLIES, trees[at], changes)))
    for old_before, patch in zip(trees[at + 1 :], later, strict=False):
        step = _carried(old_before, after, patch, series.name)
        after = after.changed(step.changes)
        patches.append(rewrite(step))
    _check_result(after, wanted, name)
    return patches


def edited_files(edits: Sequence[FileChange]) -> dict[PurePosixPath, Entry | None]:
    """The new entries of some edits by path; None for files that go."""
    found: dict[PurePosixPath, Entry | None] = {}
    for edit in edits:
        if edit.old_path is not None and not edit.copy:
            found.setdefault(edit.old_path, None)
        if edit.new_path is not None:
            found[edit.new_path] = edit.new
    return found


def _place(tip: Tree, proposal: Proposal, series: str) -> tuple[Patch, Changes]:
    """A patch at the end of a series, and what it changes there."""
    if not proposal.changes:
        patch = fitted(tip, proposal.patch)
        return patch, apply_patch(tip, patch)
    files = {
        change.old_path: change.old
        for change in proposal.changes
        if change.old_path is not None and change.old is not None
    }
    directories = frozenset(
        parent for path in files for parent in path.parents if parent != PurePosixPath()
    )
    step = _carried(Tree(files, directories), tip, proposal.patch, series)
    return rewrite(step), step.changes


def _carried(before: Tree, onto: Tree, patch: Patch, series: str) -> Carried:
    """One patch, carried from one tree to another.

    Raises:
        Refused: it conflicts, or nothing of it is left.
    """
    journey = Journey(Series(series, (patch,)), "with the new surroundings", before, onto, {})
    (step,) = carry(journey)
    if step.outcome is Outcome.CONFLICT:
        files = ", ".join(f"{path} ({c.kind.value})" for path, c in step.conflicts.items())
        raise Refused(
            f"conflict in {files}", where=patch.name,
            hint=f"these lines depend on patches whose place changes; {_UNCHANGED}",
        )  # fmt: skip
    if step.outcome is not Outcome.APPLIES:
        raise Refused(
            "nothing of this patch is left there", where=patch.name,
            hint=f"'portkit drop' it first if it is not needed; {_UNCHANGED}",
        )  # fmt: skip
    return step


def _fold(
    target: Tree,
    tip: Tree,
    wanted: Changes,
    patch: Patch,
    later: Sequence[Patch],
) -> Changes:
    """Edits of the series' result, carried back to the tree after one of its patches."""
    labels = Labels(f"after {patch.name}", "the series", "your changes")
    found: dict[PurePosixPath, Entry | None] = {}
    for path, entry in wanted.items():
        merged = merge_entries(tip.get(path), target.get(path), entry, labels)
        if isinstance(merged, FileConflict):
            names = [each.name for each in later if path in touched_paths(Series("", (each,)))]
            raise Refused(
                f"the changes of {path} are to lines of later patches ({', '.join(names)})",
                where=patch.name, hint=f"refresh one of those instead; {_UNCHANGED}",
            )  # fmt: skip
        if merged != target.get(path):
            found[path] = merged
    return found


def _check_result(after: Tree, wanted: Changes, name: str) -> None:
    for path, entry in wanted.items():
        if after.get(path) != entry:
            raise Refused(
                f"with these changes in '{name}', later patches make another {path} than yours",
                hint=f"refresh a later patch instead; {_UNCHANGED}",
            )
