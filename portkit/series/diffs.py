"""Strict reader of unified diffs, git's and plain ones.

It finds the diffs of a patch file exactly where ``git apply`` finds them. Where git or patch(1)
would drop lines, guess a name or skip a part without a word, it refuses instead: what a reviewer
reads in the file is what is applied. Grammar: git-diff-format(5), git's ``apply.c``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from portkit.series.hunks import HUNK, HunkReader
from portkit.series.model import Change, FileDiff, Unapplied
from portkit.series.paths import BadPath, split_quoted, strip_prefix, tree_path, unquote

_EXTENDED = re.compile(
    rb"(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to"
    rb"|rename old|rename new|similarity index|dissimilarity index|index) (.*)\n",
    re.DOTALL,
)
_INDEX_MODE = re.compile(rb"[0-9a-f]+\.\.[0-9a-f]+ ([0-7]+)")
_EPOCH = re.compile(rb"\t(?:1970-01-01|1969-12-31) \d\d:\d\d:\d\d")
_STUB = re.compile(rb"(?:Binary files|Files) (.*) and (.*) differ\n")
_SUBMODULE = re.compile(rb"Submodule (\S+) [0-9a-f]+\.{2,3}[0-9a-f]+")
_DEV_NULL = b"/dev/null"
# first bytes of every line outside of a diff that means anything
_STARTS = frozenset(b"%c" % char for char in b"d-@*BFS")


class Diffs(NamedTuple):
    """All diffs of a patch file.

    Attributes:
        first: 0-based line where the first one starts; the number of lines when there is none.
        end: 0-based line after the last one.
        files: what the patch changes, in file order.
        unapplied: what it names without giving the content.
    """

    first: int
    end: int
    files: tuple[FileDiff, ...]
    unapplied: tuple[Unapplied, ...]


def parse_diffs(name: str, lines: Sequence[bytes]) -> Diffs:
    """Read all diffs of a patch file.

    Args:
        name: the patch's name, for messages.
        lines: the file's lines, each with its newline.

    Raises:
        PatchProblem: the file holds something that is not a clean unified text diff.
    """
    return _Reader(name, lines).read()


@dataclass
class _Header:
    """The lines before a file's hunks, as they were found."""

    line: int
    extended: dict[bytes, bytes]
    old: bytes | None = None  # the name after "--- ", prefix and all
    new: bytes | None = None
    old_epoch: bool = False
    new_epoch: bool = False


class _Reader(HunkReader):
    def __init__(self, name: str, lines: Sequence[bytes]) -> None:
        super().__init__(name, lines)
        self.unapplied: list[Unapplied] = []
        self.submodule: bytes | None = None  # where git diff --submodule=diff says it is

    def read(self) -> Diffs:
        first = end = len(self.lines)
        files: list[FileDiff] = []
        while self.at < len(self.lines):
            start = self.at
            if self.lines[start][:1] not in _STARTS:
                self.at += 1
                continue
            if self.peek().startswith(b"diff --git "):
                file = self.git_diff()
            elif self.at_plain_diff():
                file = self.plain_diff()
            else:
                self.text_line()
                continue
            first, end = min(first, start), self.at
            if file is not None:
                files.append(file)
        return Diffs(first, end, tuple(files), tuple(self.unapplied))

    def text_line(self) -> None:
        """Take a line outside of any diff; refuse one that only pretends to be text."""
        line = self.peek()
        if line.startswith(b"@@ -") and HUNK.match(line):
            self.refuse(
                "hunk without a file header", self.at, "patch-syntax", "indent quoted hunks"
            )
        if line.startswith((b"diff --cc ", b"diff --combined ", b"@@@ -")):
            self.refuse("combined diff of a merge", self.at, "patch-syntax")
        if line.startswith(b"*** ") and self.peek(2).startswith(b"***************"):
            self.refuse("context diff", self.at, "patch-syntax", "make a unified diff (diff -u)")
        if match := _STUB.fullmatch(line):
            self.leave_out("binary", match[2])
        if match := _SUBMODULE.match(line):
            self.submodule = match[1]
            if not self.peek(1).startswith(b"diff --git "):
                self.leave_out("submodule", match[1])
        self.at += 1

    def leave_out(self, kind: str, path: bytes) -> None:
        text = path.decode(errors="backslashreplace")
        self.unapplied.append(Unapplied(kind, text, self.at + 1))

    # --- file headers ---

    def git_diff(self) -> FileDiff | None:
        """A ``diff --git`` with its extended headers and hunks; None for a binary stub."""
        header = _Header(self.at, {})
        line = self.header_line()[len(b"diff --git ") :]
        while (match := _EXTENDED.fullmatch(self.peek())) is not None:
            key = match[1].replace(b" old", b" from").replace(b" new", b" to")
            if key in header.extended:
                self.refuse(f"'{key.decode()}' twice in one header", self.at, "patch-syntax")
            self.header_line()
            header.extended[key] = match[2]
        if self.peek().startswith(b"GIT binary patch"):
            self.refuse("binary change", self.at, "patch-binary",
                        "a series carries text only; leave the file out of the patch")  # fmt: skip
        if self.peek().startswith(b"--- "):
            self.name_lines(header)
        self.check_kind(header)
        change, old, new = self.git_names(header, line)
        if _STUB.fullmatch(self.peek()):
            self.leave_out("binary", str(new or old).encode(errors="surrogateescape"))
            self.at += 1
            return None
        old_mode, new_mode = self.modes(header)
        return self.finish(header, change, old, new, old_mode, new_mode)

    def plain_diff(self) -> FileDiff:
        """A ``---``/``+++`` pair as diff(1) writes it, with its hunks."""
        header = _Header(self.at, {})
        self.name_lines(header)
        assert header.old is not None
        assert header.new is not None
        hunk = HUNK.match(self.peek())
        if header.old == _DEV_NULL or header.old_epoch or (hunk and hunk[1] == b"0" == hunk[2]):
            change = Change.ADD
        elif header.new == _DEV_NULL or header.new_epoch:
            change = Change.DELETE
        else:
            change = Change.MODIFY
        old = None if change is Change.ADD else self.path(header.old, header.line)
        new = None if change is Change.DELETE else self.path(header.new, header.line + 1)
        if change is Change.MODIFY and old != new:
            self.refuse(f"names differ: '{old}' and '{new}'", header.line, "patch-paths",
                        "give both lines the same path below the first component")  # fmt: skip
        return self.finish(header, change, old, new, None, None)

    def header_line(self) -> bytes:
        """Take one header line, without its newline."""
        line = self.peek()
        if not line.endswith(b"\n"):
            self.refuse("patch ends inside a file header", self.at, "patch-syntax")
        if line.endswith(b"\r\n"):
            self.refuse("patch with CRLF line ends, damaged in transport", self.at, "patch-crlf",
                        "take it with 'portkit import', which undoes that")  # fmt: skip
        self.at += 1
        return line[:-1]

    def name_lines(self, header: _Header) -> None:
        if not self.peek(1).startswith(b"+++ "):
            self.refuse("'---' without a '+++' line", self.at, "patch-syntax")
        header.old_epoch = bool(_EPOCH.search(self.peek()))
        header.new_epoch = bool(_EPOCH.search(self.peek(1)))
        header.old = self.side_name()
        header.new = self.side_name()

    def side_name(self) -> bytes:
        line = self.header_line()[4:]
        name = line if line.startswith(b'"') else line.partition(b"\t")[0]
        if name.startswith(b'"'):
            name = name[: name.rindex(b'"') + 1]
        return self.unquoted(name)

    def unquoted(self, name: bytes) -> bytes:
        try:
            return unquote(name)
        except BadPath as error:
            self.refuse(str(error), self.at - 1, "patch-paths")

    def path(self, name: bytes, line: int, *, prefixed: bool = True) -> PurePosixPath:
        try:
            return tree_path(strip_prefix(name) if prefixed else name)
        except BadPath as error:
            shown = name.decode(errors="backslashreplace")
            self.refuse(f"{error}: '{shown}'", line, "patch-paths", "patches name files below the "
                        "top of the tree, with one component before them (a/, b/)")  # fmt: skip

    def check_kind(self, header: _Header) -> None:
        """A header says one kind of change only."""
        extended = header.extended
        kinds = {
            kind for kind in (b"new file", b"deleted file", b"rename", b"copy", b"old mode")
            if any(key.startswith(kind) for key in extended)
        }  # fmt: skip
        if len(kinds) > 1 and kinds not in ({b"rename", b"old mode"}, {b"copy", b"old mode"}):
            self.refuse("header with two kinds of change", header.line, "patch-syntax")
        if (b"old mode" in extended) != (b"new mode" in extended):
            self.refuse("mode change with one mode only", header.line, "patch-syntax")

    def git_names(
        self, header: _Header, line: bytes
    ) -> tuple[Change, PurePosixPath | None, PurePosixPath | None]:
        """What kind of change it is and the two paths, with all the header's lines in agreement."""
        extended = header.extended
        for verb, change in ((b"rename", Change.RENAME), (b"copy", Change.COPY)):
            if verb + b" from" in extended or verb + b" to" in extended:
                source, target = extended.get(verb + b" from"), extended.get(verb + b" to")
                if source is None or target is None:
                    self.refuse(f"{verb.decode()} with one name only", header.line, "patch-syntax")
                source, target = self.unquoted(source), self.unquoted(target)
                if _DEV_NULL in (header.old, header.new):
                    self.refuse(f"{verb.decode()} from or to /dev/null", header.line, "patch-paths")
                top = self.rename_top(line, source)
                old = self.path(top + source, header.line, prefixed=False)
                new = self.path(top + target, header.line, prefixed=False)
                self.check_git_line(header, line, old, new)
                return change, old, new
        path = self.common_name(header, line)
        added = b"new file mode" in extended or header.old == _DEV_NULL
        deleted = b"deleted file mode" in extended or header.new == _DEV_NULL
        if added and deleted:
            self.refuse("file that is both new and deleted", header.line, "patch-syntax")
        if added:
            if header.old not in (None, _DEV_NULL):
                self.refuse("new file, but '---' is not /dev/null", header.line, "patch-syntax")
            return Change.ADD, None, path
        if deleted:
            if header.new not in (None, _DEV_NULL):
                self.refuse("deleted file, but '+++' is not /dev/null", header.line, "patch-syntax")
            return Change.DELETE, path, None
        return Change.MODIFY, path, path

    def rename_top(self, line: bytes, source: bytes) -> bytes:
        """What ``git diff --submodule=diff`` leaves out of a submodule's rename lines."""
        top = (self.submodule or b"") + b"/"
        inside = self.submodule and b"/" + top + source + b" " in line
        return top if inside else b""

    def common_name(self, header: _Header, line: bytes) -> PurePosixPath:
        """The one path of a diff that renames nothing."""
        names = {
            self.path(name, header.line)
            for name in (header.old, header.new)
            if name is not None and name != _DEV_NULL
        }
        if not names:
            names = {old for old, new in self.git_line_pairs(header, line) if old == new}
        if len(names) != 1:
            self.refuse("the names of 'diff --git', '---' and '+++' do not agree", header.line,
                        "patch-paths")  # fmt: skip
        (path,) = names
        self.check_git_line(header, line, path, path)
        return path

    def check_git_line(
        self, header: _Header, line: bytes, old: PurePosixPath, new: PurePosixPath
    ) -> None:
        """All three places that name the files must name the same ones."""
        sides = [(header.old, old), (header.new, new)]
        agree = all(
            name is None or name == _DEV_NULL or self.path(name, header.line) == path
            for name, path in sides
        )
        if not agree or (old, new) not in self.git_line_pairs(header, line):
            self.refuse("the names of 'diff --git', '---' and '+++' do not agree", header.line,
                        "patch-paths")  # fmt: skip

    def git_line_pairs(
        self, header: _Header, line: bytes
    ) -> list[tuple[PurePosixPath, PurePosixPath]]:
        """Every way to read ``diff --git``'s two names; names may hold spaces, so several."""
        try:
            quoted = split_quoted(line)
        except BadPath as error:
            self.refuse(str(error), header.line, "patch-paths")
        pairs = [quoted] if quoted else [
            (line[:at], line[at + 1 :]) for at, char in enumerate(line) if char == 0x20
        ]  # fmt: skip
        found = []
        for left, right in pairs:
            try:
                found.append((tree_path(strip_prefix(left)), tree_path(strip_prefix(right))))
            except BadPath as error:
                if len(pairs) == 1:
                    self.refuse(f"{error}: '{line.decode(errors='backslashreplace')}'",
                                header.line, "patch-paths")  # fmt: skip
        return found

    def modes(self, header: _Header) -> tuple[str | None, str | None]:
        extended = header.extended
        index = _INDEX_MODE.fullmatch(extended.get(b"index", b""))
        both = index[1] if index else None
        old = extended.get(b"old mode", extended.get(b"deleted file mode", both))
        new = extended.get(b"new mode", extended.get(b"new file mode", both))
        return self.mode(old, header.line), self.mode(new, header.line)

    def mode(self, text: bytes | None, line: int) -> str | None:
        """A mode as git's trees hold it."""
        if text is None:
            return None
        if text == b"120000":
            return "120000"
        if text == b"160000":
            self.refuse("submodule change", line, "patch-submodule",
                        "a series changes files only; leave the submodule out")  # fmt: skip
        if not re.fullmatch(rb"100[0-7]{3}", text):
            self.refuse(f"mode '{text.decode(errors='backslashreplace')}' is not a file's", line,
                        "patch-mode")  # fmt: skip
        return "100755" if int(text, 8) & 0o100 else "100644"

    def finish(
        self,
        header: _Header,
        change: Change,
        old: PurePosixPath | None,
        new: PurePosixPath | None,
        old_mode: str | None,
        new_mode: str | None,
    ) -> FileDiff:
        """Read the hunks that follow a header and check that they fit the kind of change."""
        hunks = self.hunks()
        empty = old_mode == new_mode and change is Change.MODIFY
        if hunks:
            self.check_end("hunk is longer than its header says", "patch-hunk-header")
        else:
            self.check_end("line of a file header not understood", "patch-syntax")
        if hunks and header.old is None:
            self.refuse("hunks without '---' and '+++' lines", header.line, "patch-syntax")
        if not hunks and (empty or header.old is not None):
            self.refuse("diff header without a change", header.line, "patch-syntax")
        for hunk in hunks:
            if change is Change.ADD and hunk.old:
                self.refuse("new file with old lines", hunk.line - 1, "patch-syntax")
            if change is Change.DELETE and hunk.new:
                self.refuse("deleted file with new lines", hunk.line - 1, "patch-syntax")
        if change is Change.ADD:
            old_mode = None
        if change is Change.DELETE:
            new_mode = None
        return FileDiff(change, old, new, old_mode, new_mode, hunks, header.line + 1)
