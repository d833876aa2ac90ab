"""A release's tree after some changes, as git's tree objects.

Only the directories that change are read and written; all others keep their ids.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from portkit.engine.tree import Changes, Listing, Tree, listing, sort_key
from portkit.errors import EnvironmentProblem
from portkit.gitio import GitRepo
from portkit.packfile import PackWriter

_TREE = b"40000"
_ROOT = PurePosixPath()


class TreeWriter:
    """The tree objects of a release, as one change follows the other.

    Args:
        repo: the repository that has the release.
        tree: id of the release's tree.
        paths: every path that is going to change.
        pack: takes the new trees and files.
        known: the release as it was read already, which saves reading it again.

    Raises:
        EnvironmentProblem: the repository lacks a part of the tree.
    """

    def __init__(
        self,
        repo: GitRepo,
        tree: str,
        paths: Iterable[PurePosixPath],
        pack: PackWriter,
        known: Tree | None = None,
    ) -> None:
        self._pack = pack
        self._listings: dict[bytes, Listing] = {}  # by the directory's path, b"" for the root
        places = {place for path in paths for place in _parents(os.fsencode(path))} | {b""}
        for directory, entries in known.listings.items() if known else ():
            path = b"" if directory == _ROOT else os.fsencode(directory)
            self._listings[path] = dict(entries)
        order = sorted(places - self._listings.keys())  # a directory before what is in it
        names = [f"{tree}:{os.fsdecode(place)}" for place in order]
        for place, each in zip(order, repo.cat_file(names) if names else (), strict=True):
            above, _, name = place.rpartition(b"/")
            if each is None and (not place or name + b"/" in self._listings[above]):
                raise EnvironmentProblem(
                    f"the mirror lacks directory '{os.fsdecode(place)}' of tree {tree}",
                    where=str(repo.path),
                    hint="remove the mirror's directory and run 'portkit sync' again",
                )
            is_tree = each is not None and each.kind == "tree"
            self._listings[place] = listing(each.data) if each is not None and is_tree else {}

    def change(self, changes: Changes) -> bytes:
        """Make some changes.

        Returns:
            The id of the tree that they lead to.
        """
        files = {os.fsencode(path): entry for path, entry in changes.items()}
        for path, entry in files.items():
            if entry is None:
                self._remove(path, b"")
        for path, entry in files.items():
            if entry is not None:
                self._put(path, entry.mode.encode(), self._pack.add("blob", entry.data))
        places = {place for path in files for place in _parents(path) if place}
        for place in sorted(places, key=len, reverse=True):  # a directory after what is in it
            if self._listings[place]:
                self._put(place, _TREE, self._write(place))
            else:
                self._remove(place, b"/")
        return self._write(b"")

    def _remove(self, path: bytes, slash: bytes) -> None:
        above, _, name = path.rpartition(b"/")
        self._listings[above].pop(name + slash, None)

    def _put(self, path: bytes, mode: bytes, oid: bytes) -> None:
        above, _, name = path.rpartition(b"/")
        listing, key = self._listings[above], sort_key(name, mode)
        is_new = key not in listing
        listing[key] = b"%s %s\0%s" % (mode, name, oid)
        if is_new:
            self._listings[above] = dict(sorted(listing.items()))

    def _write(self, place: bytes) -> bytes:
        return self._pack.add("tree", b"".join(self._listings[place].values()))


def _parents(path: bytes) -> Iterator[bytes]:
    """The directories above a path, the root last."""
    while path:
        path = path.rpartition(b"/")[0]
        yield path
