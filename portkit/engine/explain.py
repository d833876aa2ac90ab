"""Which upstream release collided with a patch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from portkit.engine.merge import FileConflict, Kind
from portkit.engine.resolutions import parse_conflict
from portkit.gitio import GitRepo
from portkit.mirror.model import Release


def first_collision(
    repo: GitRepo,
    releases: Sequence[Release],
    names: Sequence[PurePosixPath],
    conflict: FileConflict,
) -> str | None:
    """The first release that changed what a conflict is about.

    Args:
        repo: the mirror's repository.
        releases: the pinned release, those mirrored after it in order, and the new one.
        names: the file's path in the old release, and in the new one when upstream renamed it.
        conflict: the conflict in it.

    Returns:
        The version of the first release in which lines of the conflict's base are not there any
        more, or else in which the file is another one; None when nothing changed.
    """
    asked = [f"{release.tree}:{path}" for release in releases for path in names]
    blobs = repo.cat_file(asked)
    width = len(names)
    files = [
        next((blob.data for blob in blobs[at : at + width] if blob), None)
        for at in range(0, len(blobs), width)
    ]
    first = files[0]
    wanted: list[bytes] = []
    if conflict.kind is Kind.CONTENT and first is not None:
        _, regions = parse_conflict(conflict)
        lines = (b"".join(region.base) for region in regions)
        wanted = [text for text in lines if text and text in first]
    for release, data in zip(releases[1:], files[1:], strict=True):
        if data is None or first is None or not wanted:
            if data != first:
                return release.version
        elif any(text not in data for text in wanted):
            return release.version
    return None
