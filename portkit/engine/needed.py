"""Which patches decide what becomes of one patch on another release."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from portkit.engine.tree import touched_paths
from portkit.series.model import Patch, Series


def needed_for(series: Series, name: str) -> Series:
    """A patch and those before it that it builds on, in order.

    A patch is merged file by file, but left out as a whole when one of its files conflicts. So all
    files of every patch that shares a file with it count too, and so on backwards. Of two
    paths one may be in the way of the other, so a path stands for its directories as well.

    Args:
        series: the series.
        name: a patch of it.
    """
    names = [patch.name for patch in series.patches]
    at = names.index(name)
    kept = [series.patches[at]]
    paths = _paths(kept[0])
    for patch in reversed(series.patches[:at]):
        own = _paths(patch)
        if _meet(own, paths):
            kept.append(patch)
            paths |= own
    return Series(series.name, tuple(reversed(kept)))


def _paths(patch: Patch) -> set[PurePosixPath]:
    return set(touched_paths(Series("", (patch,))))


def _meet(some: set[PurePosixPath], others: set[PurePosixPath]) -> bool:
    return bool(some & (others | _parents(others)) or others & _parents(some))


def _parents(paths: Iterable[PurePosixPath]) -> set[PurePosixPath]:
    return {parent for path in paths for parent in path.parents}
