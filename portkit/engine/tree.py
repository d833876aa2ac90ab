"""The part of a tree that a series touches, in memory.

A ``Tree`` is a value: ``changed`` gives another one. It knows the files that were asked for when it
was read and which of their parents are directories, so it can tell a path that leads through
a symbolic link from one that is merely new.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from portkit.errors import EnvironmentProblem
from portkit.gitio import GitRepo
from portkit.series.model import Entry, Series

__all__ = ["Changes", "Entry", "Tree", "read_tree", "touched_paths"]

_TREE_MODE = "40000"
_ENTRY = re.compile(rb"((40000)?[0-7]* ([^\0]+)\0.{20})", re.DOTALL)
_ROOT = PurePosixPath()


#: What a patch makes of some files: their new entries, None for those that go.
Changes = Mapping[PurePosixPath, Entry | None]


#: A directory's entries as they stand in its tree object, by what git sorts them by, in order.
Listing = dict[bytes, bytes]


class Tree:
    """Files by path; see the module's text.

    Attributes:
        listings: the directories of a tree that was read, as git has them; none after changes.

    Args:
        entries: the files that are there.
        directories: the directories that are there, without the root.
        listings: see above.
    """

    def __init__(
        self,
        entries: Mapping[PurePosixPath, Entry],
        directories: frozenset[PurePosixPath],
        listings: Mapping[PurePosixPath, Listing] | None = None,
    ) -> None:
        self._entries = entries
        self._directories = directories
        self.listings = listings or {}

    def get(self, path: PurePosixPath) -> Entry | None:
        """The file at a path, or None."""
        return self._entries.get(path)

    def obstacle(self, path: PurePosixPath) -> str | None:
        """Why no file can be at this path, or None when it can.

        A parent that is a file or a symbolic link stands in the way, and so does a directory of
        that name.
        """
        for parent in path.parents:
            entry = self._entries.get(parent)
            if entry is not None:
                return f"{parent} is {'a symbolic link' if entry.mode == '120000' else 'a file'}"
        return f"{path} is a directory" if path in self._directories else None

    def joined(self, other: Tree) -> Tree:
        """What is known here and what is known there, of the same tree."""
        return Tree({**self._entries, **other._entries}, self._directories | other._directories)

    def changed(self, changes: Changes) -> Tree:
        """The tree after some changes."""
        entries = dict(self._entries)
        directories = set(self._directories)
        for path, entry in changes.items():
            if entry is None:
                entries.pop(path, None)
            else:
                if path not in entries:
                    directories.update(parent for parent in path.parents if parent != _ROOT)
                entries[path] = entry
        return Tree(entries, frozenset(directories))


def touched_paths(series: Series) -> frozenset[PurePosixPath]:
    """Every path that a series reads or writes."""
    return frozenset(
        path
        for patch in series.patches
        for file in patch.files
        for path in (file.old_path, file.new_path)
        if path is not None
    )


def read_tree(repo: GitRepo, tree: str, paths: Iterable[PurePosixPath]) -> Tree:
    """Read some files of a tree, and all of their parents, in one ``cat-file --batch``.

    Args:
        repo: the mirror's repository.
        tree: id of a tree.
        paths: relative and normalised, without newlines; those that are not there are left out.
            git reads the first ones while the next ones are worked out.

    Raises:
        EnvironmentProblem: the repository lacks the tree.
    """
    places = [_ROOT]  # in the order of reading: every directory before what is in it

    def names() -> Iterator[str]:
        yield f"{tree}:"
        known = {_ROOT}
        for path in paths:
            new = []
            while path not in known:
                known.add(path)
                new.append(path)
                path = path.parent
            for place in reversed(new):
                places.append(place)
                yield f"{tree}:{place}"

    blobs = repo.cat_file(names())
    if blobs[0] is None:
        raise EnvironmentProblem(
            f"tree {tree} is missing from the mirror", where=str(repo.path),
            hint="remove the mirror's directory and run 'portkit sync' again",
        )  # fmt: skip
    members: dict[PurePosixPath, dict[bytes, PurePosixPath]] = {}
    for path in places[1:]:
        members.setdefault(path.parent, {})[os.fsencode(path.name)] = path
    modes: dict[PurePosixPath, str] = {_ROOT: _TREE_MODE}
    entries, listings = {}, {}
    for path, blob in zip(places, blobs, strict=True):
        mode = modes.get(path)
        if mode == _TREE_MODE and path in members and blob is not None:
            listings[path] = found = listing(blob.data)
            for name, member in members[path].items():
                entry = found.get(name) or found.get(name + b"/")
                if entry is not None:
                    modes[member] = entry.partition(b" ")[0].decode()
        elif mode == "160000":
            entries[path] = Entry(mode, b"")  # a submodule: no patch may change it
        elif mode is not None and mode != _TREE_MODE and blob is not None:
            entries[path] = Entry(mode, blob.data)
    directories = frozenset(path for path in places[1:] if modes.get(path) == _TREE_MODE)
    return Tree(entries, directories, listings)


def listing(data: bytes) -> Listing:
    """The entries of a tree object."""
    entries = _ENTRY.findall(data)  # sort_key() for each would take twice as long
    return {name + b"/" if is_tree else name: entry for entry, is_tree, name in entries}


def sort_key(name: bytes, mode: bytes) -> bytes:
    """What git sorts an entry by: a directory as if its name ended in a slash."""
    return name + b"/" if mode == b"40000" else name
