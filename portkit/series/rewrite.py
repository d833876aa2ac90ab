"""Write a patch anew from what it makes of a tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from portkit.series.diff import FileChange, diff_text
from portkit.series.model import Change, Entry, Patch
from portkit.series.patch import with_diff


def rewrite_patch(
    patch: Patch,
    before: Callable[[PurePosixPath], Entry | None],
    changes: Mapping[PurePosixPath, Entry | None],
) -> Patch:
    """The patch with its message as it is and the diffs for these changes.

    A patch whose diffs come out equal keeps all of its bytes.

    Args:
        patch: as it was; it tells which deleted and new files are a rename or a copy.
        before: gives a file of the tree that the patch applies to; None when there is none.
        changes: new entries by path; None for files that go.

    Raises:
        UsageError: nothing is changed, or something that a series does not carry (binary).
    """
    return with_diff(patch, diff_text(file_changes(patch, before, changes)))


def file_changes(
    patch: Patch,
    before: Callable[[PurePosixPath], Entry | None],
    changes: Mapping[PurePosixPath, Entry | None],
) -> list[FileChange]:
    """The changes of some files: renames paired, in the patch's order, new files last."""
    left = dict(changes)
    found = []
    for file in patch.files:
        old, new = file.old_path, file.new_path
        if old is None or new is None or old == new or left.get(new) is None:
            continue  # no rename or copy, or no longer one
        renamed = file.change is Change.RENAME and left.get(old, False) is None
        if (renamed or (file.change is Change.COPY and old not in left)) and before(old):
            found.append(FileChange(old, before(old), new, left.pop(new), copy=not renamed))
            if renamed:
                del left[old]
    found += [
        FileChange(path if before(path) else None, before(path), path if new else None, new)
        for path, new in left.items()
        if before(path) != new
    ]
    order = {file.path: at for at, file in reversed(list(enumerate(patch.files)))}
    return sorted(found, key=lambda change: order.get(_path(change), len(order)))


def _path(change: FileChange) -> PurePosixPath:
    path = change.new_path or change.old_path
    assert path is not None
    return path
