"""Write diffs: from the entries of two trees to the text that ``parse_patch`` reads.

The hunks are libgit2's (xdiff, git's own algorithm). There are no ``index`` lines and no
similarity: they change with every release although the patch does not.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from portkit.errors import UsageError
from portkit.series.model import Entry
from portkit.series.paths import quote

_BINARY_PROBE = 8000  # bytes that git looks at to tell text from binary (xdiff-interface.c)


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file before and after.

    Attributes:
        old_path, old: None when the file is new.
        new_path, new: None when the file is deleted.
        copy: the old file stays; only then, and for a rename, the two paths differ.
    """

    old_path: PurePosixPath | None
    old: Entry | None
    new_path: PurePosixPath | None
    new: Entry | None
    copy: bool = False


def diff_text(changes: Sequence[FileChange]) -> bytes:
    """The diffs of some files, in the given order; unchanged ones give nothing.

    Raises:
        UsageError: a binary file, or one that is no file (submodule).
    """
    return b"".join(_file_text(part) for change in changes for part in _split_type(change))


def _split_type(change: FileChange) -> list[FileChange]:
    """A file that becomes a link (or back) is deleted and added, as git has it."""
    old, new = change.old, change.new
    if old and new and old.mode[:3] != new.mode[:3]:
        return [
            FileChange(change.old_path, old, None, None),
            FileChange(None, None, change.new_path, new),
        ]
    return [change]


def _file_text(change: FileChange) -> bytes:
    path = change.new_path or change.old_path
    assert path is not None
    for entry in (change.old, change.new):
        _check_text(path, entry)
    old_name, new_name = (os.fsencode(change.old_path or path), os.fsencode(path))
    header = _mode_lines(change.old, change.new)
    if old_name != new_name:
        verb = b"copy" if change.copy else b"rename"
        header += b"%s from %s\n%s to %s\n" % (verb, quote(old_name), verb, quote(new_name))
    old_data = change.old.data if change.old else b""
    new_data = change.new.data if change.new else b""
    body = b""
    if old_data != new_data:
        old_side = b"a/" + old_name if change.old else None
        new_side = b"b/" + new_name if change.new else None
        body = _name_line(b"---", old_side) + _name_line(b"+++", new_side)
        body += _hunks(old_data, new_data)
    if not header and not body:
        return b""
    names = (quote(b"a/" + old_name), quote(b"b/" + new_name))
    return b"diff --git %s %s\n" % names + header + body


def _check_text(path: PurePosixPath, entry: Entry | None) -> None:
    if entry is None:
        return
    if entry.mode not in ("100644", "100755", "120000"):
        raise UsageError(
            f"mode {entry.mode} is not a file's", where=str(path),
            hint="a series changes files only; leave it out of the patch",
        )  # fmt: skip
    if b"\0" in entry.data[:_BINARY_PROBE]:
        raise UsageError(
            "binary file", where=str(path),
            hint="a series carries text only; leave it out of the patch",
        )  # fmt: skip


def _mode_lines(old: Entry | None, new: Entry | None) -> bytes:
    if old is None:
        assert new is not None
        return b"new file mode %s\n" % new.mode.encode()
    if new is None:
        return b"deleted file mode %s\n" % old.mode.encode()
    if old.mode == new.mode:
        return b""
    return b"old mode %s\nnew mode %s\n" % (old.mode.encode(), new.mode.encode())


def _name_line(mark: bytes, name: bytes | None) -> bytes:
    if name is None:
        return mark + b" /dev/null\n"
    quoted = quote(name)
    tab = b"\t" if b" " in name and quoted == name else b""  # ends a name with blanks, as in git
    return b"%s %s%s\n" % (mark, quoted, tab)


def _hunks(old: bytes, new: bytes) -> bytes:
    import pygit2  # costs as much time as a whole command, so only where hunks are written
    from pygit2.enums import DiffOption

    patch = pygit2.Patch.create_from(
        old, new, "x", "x",
        flag=DiffOption.FORCE_TEXT | DiffOption.INDENT_HEURISTIC,
        context_lines=3,
    )  # fmt: skip
    data: bytes = patch.data
    return data[data.index(b"\n@@ ") + 1 :]
