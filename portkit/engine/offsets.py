"""Take in a patch whose line numbers are old, as quilt directories hold them.

Only ``portkit import`` does this, once, and says so: each hunk goes to the nearest place where
all of its old lines stand, without fuzz, and the patch is written with exact lines from then on.
An exact patch is never moved.
"""

from __future__ import annotations

from collections.abc import Sequence

from portkit.engine.carry import Carried, Outcome
from portkit.engine.hunks import apply_patch, split_lines
from portkit.engine.rewrite import rewrite
from portkit.engine.tree import Tree
from portkit.errors import Refused
from portkit.series.model import FileDiff, Hunk, Patch


def fitted(tree: Tree, patch: Patch) -> Patch:
    """The patch with its hunks where their old lines are; itself when it applies exactly.

    Raises:
        Refused: it does not apply exactly, and a hunk's lines are nowhere, at two places equally
            near, or there are none to look for.
    """
    try:
        apply_patch(tree, patch)
    except Refused:
        files = [_fitted_file(tree, file) for file in patch.files]
        if None in files:
            raise
        moved = patch._replace(files=tuple(file for file in files if file is not None))
        changes = apply_patch(tree, moved)
        return rewrite(Carried(patch, Outcome.APPLIES, tree, changes))
    return patch


def _fitted_file(tree: Tree, file: FileDiff) -> FileDiff | None:
    old = tree.get(file.old_path) if file.old_path and file.new_path else None
    if old is None:
        return file
    hunks = _fitted_hunks(split_lines(old.data), file.hunks)
    return None if hunks is None else file._replace(hunks=hunks)


def _fitted_hunks(lines: Sequence[bytes], hunks: Sequence[Hunk]) -> tuple[Hunk, ...] | None:
    """The hunks at new places, each after the one before; None when one has no certain place."""
    found: list[Hunk] = []
    at = shift = growth = 0
    for hunk in hunks:
        start = hunk.old_start - 1 if hunk.old else hunk.old_start
        place = _nearest(lines, at, start + shift, hunk.old) if hunk.old else start
        if place is None or (not hunk.old and shift):
            return None
        shift = place - start
        found.append(
            hunk._replace(
                old_start=place + 1 if hunk.old else place,
                new_start=place + growth + (1 if hunk.new else 0),
            )
        )
        growth += len(hunk.new) - len(hunk.old)
        at = place + len(hunk.old)
    return tuple(found)


def _nearest(lines: Sequence[bytes], at: int, want: int, old: tuple[bytes, ...]) -> int | None:
    places = [
        place for place in range(at, len(lines) - len(old) + 1)
        if lines[place] == old[0] and tuple(lines[place : place + len(old)]) == old
    ]  # fmt: skip
    nearest = sorted(places, key=lambda place: abs(place - want))[:2]
    if len(nearest) == 2 and abs(nearest[0] - want) == abs(nearest[1] - want):
        return None
    return nearest[0] if nearest else None
