"""Exact application: hunks to the lines of a file, a patch to a tree.

A hunk applies at the line it names or not at all. The position is the evidence that the patch
was made for this very release (see docs/architecture.md, "Why no offset and no fuzz").
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NoReturn

from portkit.engine.tree import Changes, Entry, Tree
from portkit.errors import Refused
from portkit.series.model import Change, FileDiff, Hunk, Patch

_SHOWN = 60  # characters of a line in a message


def apply_patch(tree: Tree, patch: Patch) -> dict[PurePosixPath, Entry | None]:
    """What a patch makes of a tree.

    As in git, the order of the files does not matter to deletions, renames and copies: they take
    their source as it was before the patch. A file that is named twice is changed twice.

    Raises:
        Refused: it does not apply exactly; says patch, file, hunk, line, expected and found.
    """
    changes: dict[PurePosixPath, Entry | None] = {
        file.old_path: None
        for file in patch.files
        if file.old_path is not None and file.change in (Change.DELETE, Change.RENAME)
    }
    created = []
    for file in patch.files:
        old = _source(tree, changes, patch.name, file)
        data = _new_data(old, patch.name, file)
        if file.change is Change.DELETE:
            if data:
                _refuse(patch.name, file, f"deleting {file.path} leaves lines in it")
            continue
        path = file.path
        if file.change is not Change.MODIFY:
            if _current(tree, changes, path) is not None:
                _refuse(patch.name, file, f"cannot create {path}: it is there already")
            created.append(file)
        mode = old.mode if old else "100644"
        if file.new_mode and file.new_mode != file.old_mode:
            mode = file.new_mode
        changes[path] = Entry(mode, data)
    if created:
        after = tree.changed(changes)
        for file in created:
            obstacle = after.obstacle(file.path)
            if obstacle:
                _refuse(patch.name, file, f"cannot create {file.path}: {obstacle}")
    return {path: entry for path, entry in changes.items() if entry != tree.get(path)}


def applies_as(tree: Tree, patch: Patch, changes: Changes) -> bool:
    """Whether a patch applies exactly and makes just these changes."""
    try:
        return apply_patch(tree, patch) == changes
    except Refused:
        return False


def apply_hunks(data: bytes, hunks: Sequence[Hunk]) -> bytes:
    """A file's bytes after some hunks, each at its exact line.

    Raises:
        Mismatch: a hunk does not fit.
    """
    pieces: list[bytes] = []
    at = old_line = new_line = 0
    for number, hunk in enumerate(hunks, start=1):
        # a hunk without old lines stands after its start line, one with lines begins at it
        start = hunk.old_start - 1 if hunk.old else hunk.old_start
        if start < old_line:
            raise Mismatch(number, hunk, hunk.old_start, "the hunk before reaches further")
        old = b"".join(hunk.old)
        begin = _find(data, at, start - old_line, old)
        if begin is None:
            raise _first_difference(number, hunk, start, split_lines(data))
        new_line += start - old_line
        if new_line != (hunk.new_start - 1 if hunk.new else hunk.new_start):
            raise Mismatch(number, hunk, hunk.old_start, "its two line numbers contradict")
        pieces += (data[at:begin], b"".join(hunk.new))
        at = begin + len(old)
        old_line = start + len(hunk.old)
        new_line += len(hunk.new)
    pieces = [piece for piece in (*pieces, data[at:]) if piece]
    if any(not piece.endswith(b"\n") for piece in pieces[:-1]):
        raise Mismatch(len(hunks), hunks[-1], old_line, "a line without newline is not the last")
    return b"".join(pieces)


def _find(data: bytes, at: int, skip: int, old: bytes) -> int | None:
    """Where ``old`` stands exactly ``skip`` lines after ``at``, a line's start; None if not there.

    Searching the bytes and counting newlines is many times faster than cutting files into lines.
    """
    if not old:
        return _line_start(data, at, skip)
    found, counted, lines = data.find(old, at), at, 0
    while found >= 0:
        lines += data.count(b"\n", counted, found)
        counted = found
        if lines > skip:
            return None
        whole = old.endswith(b"\n") or found + len(old) == len(data)
        if lines == skip and whole and (found == at or data[found - 1 : found] == b"\n"):
            return found
        found = data.find(old, found + 1)
    return None


def _line_start(data: bytes, at: int, skip: int) -> int | None:
    parts = data[at:].split(b"\n", skip)
    if len(parts) > skip:
        return len(data) - len(parts[-1])
    whole_file = len(parts) == skip and parts[-1]  # its last line has no newline
    return len(data) if whole_file else None


class Mismatch(Exception):
    """A hunk that does not fit; ``str()`` says why.

    Attributes:
        number: 1-based number of the hunk in its file.
        hunk: the hunk.
        line: 1-based line of the file.
    """

    def __init__(self, number: int, hunk: Hunk, line: int, why: str) -> None:
        super().__init__(why)
        self.number = number
        self.hunk = hunk
        self.line = line


def split_lines(data: bytes) -> list[bytes]:
    """Lines with their newline; only ``\\n`` ends a line, as in git."""
    return io.BytesIO(data).readlines()


def _first_difference(number: int, hunk: Hunk, start: int, lines: Sequence[bytes]) -> Mismatch:
    for offset, expected in enumerate(hunk.old):
        found = lines[start + offset] if start + offset < len(lines) else None
        if found != expected:
            break
    else:
        return Mismatch(number, hunk, start, f"the file has {len(lines)} lines only")
    shown = "the end of the file" if found is None else _shown(found)
    why = f"expected {_shown(expected)}, found {shown}"
    elsewhere = _elsewhere(hunk, start, lines)
    if elsewhere:
        why += f" (these lines are at line {elsewhere})"
    return Mismatch(number, hunk, start + offset + 1, why)


def _elsewhere(hunk: Hunk, start: int, lines: Sequence[bytes]) -> int | None:
    """The nearest line at which all old lines of a hunk are found, to help the maintainer."""
    size = len(hunk.old)
    places = [
        at for at, line in enumerate(lines)
        if line == hunk.old[0] and tuple(lines[at : at + size]) == hunk.old
    ]  # fmt: skip
    return min(places, key=lambda at: abs(at - start)) + 1 if places else None


def _shown(line: bytes) -> str:
    text = line.rstrip(b"\n").decode(errors="backslashreplace")
    text = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    ending = "" if line.endswith(b"\n") else " without newline"
    return f"{text!r}{ending}"


def _current(tree: Tree, changes: Changes, path: PurePosixPath) -> Entry | None:
    return changes[path] if path in changes else tree.get(path)


def _source(tree: Tree, changes: Changes, name: str, file: FileDiff) -> Entry | None:
    """The file that a diff starts from, which has to be of the kind the diff says."""
    path = file.old_path
    if path is None:
        return None
    old = _current(tree, changes, path) if file.change is Change.MODIFY else tree.get(path)
    if old is None:
        why = tree.obstacle(path)
        _refuse(name, file, f"{path} is not there" + (f": {why}" if why else ""))
    if old.mode == "160000":
        _refuse(name, file, f"{path} is a submodule")
    link = file.old_mode == "120000"
    if file.old_mode and link != (old.mode == "120000"):
        _refuse(name, file, f"{path} is {'not ' if link else ''}a symbolic link")
    changes_mode = file.new_mode is not None and file.new_mode != file.old_mode
    if changes_mode and file.old_mode not in (None, old.mode):
        _refuse(name, file, f"{path} has mode {old.mode}, the patch expects {file.old_mode}")
    return old


def _new_data(old: Entry | None, name: str, file: FileDiff) -> bytes:
    try:
        return apply_hunks(old.data if old else b"", file.hunks)
    except Mismatch as error:
        raise Refused(
            f"hunk {error.number} of {file.path} does not apply at line {error.line}: {error}",
            where=f"{name}:{error.hunk.line}",
            hint="portkit takes no offset and no fuzz; refresh the patch on its pinned release",
        ) from error


def _refuse(name: str, file: FileDiff, what: str) -> NoReturn:
    raise Refused(
        what, where=f"{name}:{file.line}",
        hint="look whether the patch is for this release and in its place in the series",
    )  # fmt: skip
