"""Patch files after a rebase: untouched when they are still exact, else with new hunks."""

from __future__ import annotations

from pathlib import PurePosixPath

from portkit.engine.carry import Carried
from portkit.engine.hunks import applies_as
from portkit.engine.tree import Changes, Tree
from portkit.series.diff import FileChange, diff_text
from portkit.series.model import Change, Patch
from portkit.series.patch import with_diff


def rewrite(step: Carried) -> Patch:
    """The patch for the new release.

    Args:
        step: a patch that applies.

    Returns:
        The patch itself, byte for byte, when its diff is exact on the new release; else one
        with the same message and new diffs.

    Raises:
        UsageError: it changes a binary file now, which a series does not carry.
    """
    if applies_as(step.before, step.patch, step.changes):
        return step.patch
    patch = with_diff(step.patch, diff_text(_file_changes(step.patch, step.before, step.changes)))
    if not applies_as(step.before, patch, step.changes):
        raise AssertionError(f"{patch.name} does not read back as it was merged")
    return patch


def _file_changes(patch: Patch, before: Tree, changes: Changes) -> list[FileChange]:
    """The changes in the patch's order of files, with its renames and copies that hold."""
    left = dict(changes)
    found: list[FileChange] = []

    def take(path: PurePosixPath) -> None:
        if path in left:
            found.append(FileChange(path, before.get(path), path, left.pop(path)))

    for file in patch.files:
        old, new = file.old_path, file.new_path
        if (
            old is not None and new is not None and old != new
            and before.get(old) is not None and before.get(new) is None and left.get(new)
            and (file.change is Change.COPY or left.get(old, before.get(old)) is None)
        ):  # fmt: skip
            copy = file.change is Change.COPY
            found.append(FileChange(old, before.get(old), new, left.pop(new), copy=copy))
            if not copy:
                del left[old]
            continue
        for path in (old, new):
            if path is not None:
                take(path)
    for path in sorted(left):
        take(path)
    return found
