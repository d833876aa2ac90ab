"""Read hunks, counting every line: a header and its lines must agree exactly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

from portkit.series.model import Hunk
from portkit.series.problem import PatchProblem

HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")

_RECREATE = "make the patch again with 'git format-patch' or 'portkit refresh'"


class HunkReader:
    """A cursor over the lines of a patch file that can take hunks.

    Args:
        name: the patch's name, for messages.
        lines: the file's lines, each with its newline.
    """

    def __init__(self, name: str, lines: Sequence[bytes]) -> None:
        self.name = name
        self.lines = lines
        self.at = 0

    def refuse(self, what: str, line: int, rule: str, hint: str = _RECREATE) -> NoReturn:
        """Raise a PatchProblem about a 0-based line; where the patch ends, if that is before it."""
        cut = bool(self.lines) and not self.lines[-1].endswith(b"\n")
        line = min(line, len(self.lines) - cut)
        raise PatchProblem(what, name=self.name, line=line + 1, rule=rule, hint=hint)

    def peek(self, ahead: int = 0) -> bytes:
        """The line at the cursor or some lines on; empty after the end."""
        at = self.at + ahead
        return self.lines[at] if at < len(self.lines) else b""

    def at_plain_diff(self) -> bool:
        """Does a diff without git's header start here?"""
        return (
            self.peek().startswith(b"--- ")
            and self.peek(1).startswith(b"+++ ")
            and self.peek(2).startswith(b"@@ -")
        )

    def hunks(self) -> tuple[Hunk, ...]:
        """Take the hunks of one file; the cursor stands after them.

        Raises:
            PatchProblem: header and lines disagree, or the hunks are out of order.
        """
        found: list[Hunk] = []
        while self.peek().startswith(b"@@"):
            hunk = self._hunk()
            self._check_order(found[-1] if found else None, hunk)
            found.append(hunk)
        return tuple(found)

    def _hunk(self) -> Hunk:
        start = self.at
        match = HUNK.match(self.peek())
        if match is None:
            self.refuse("hunk header not understood", start, "patch-hunk-header")
        old_start, new_start = int(match[1]), int(match[3])
        old_count = 1 if match[2] is None else int(match[2])
        new_count = 1 if match[4] is None else int(match[4])
        if (old_count and not old_start) or (new_count and not new_start):
            self.refuse("hunk starts at line 0", start, "patch-hunk-header")
        self.at += 1
        old, new = self._hunk_lines(start, old_count, new_count)
        if old == new:
            self.refuse("hunk without a change", start, "patch-syntax")
        return Hunk(old_start, old_count, new_start, new_count, tuple(old), tuple(new), start + 1)

    def _hunk_lines(
        self, start: int, old_count: int, new_count: int
    ) -> tuple[list[bytes], list[bytes]]:
        old: list[bytes] = []
        new: list[bytes] = []
        sides_of = {b" ": (old, new), b"-": (old,), b"+": (new,)}
        sides: tuple[list[bytes], ...] = ()
        ended = False  # a side may have reached the end of its file
        lines, count = self.lines, len(self.lines)
        while len(old) < old_count or len(new) < new_count:
            line = lines[self.at] if self.at < count else b""
            if line == b"\n":  # an empty context line whose blank was stripped; git takes it too
                line = b" \n"
            tag = line[:1]
            if tag == b"\\":
                self._no_newline(sides)
                ended = True
                continue
            if tag not in sides_of:
                self.refuse("hunk is shorter than its header says", self.at, "patch-hunk-header")
            if line[-1:] != b"\n":
                self.refuse("patch ends inside a line", self.at, "patch-syntax")
            sides = sides_of[tag]
            for side in sides:
                if ended and side and side[-1][-1:] != b"\n":
                    self.refuse("text after 'No newline at end of file'", self.at, "patch-syntax")
                side.append(line[1:])
            if len(old) > old_count or len(new) > new_count:
                self.refuse("hunk's lines do not fit its header", self.at, "patch-hunk-header")
            self.at += 1
        if self.peek().startswith(b"\\ "):
            self._no_newline(sides)
        return old, new

    def _no_newline(self, sides: tuple[list[bytes], ...]) -> None:
        if not sides or not sides[0][-1].endswith(b"\n"):
            self.refuse(
                "'No newline at end of file' without a line before it", self.at, "patch-syntax"
            )
        for side in sides:
            side[-1] = side[-1][:-1]
        self.at += 1

    def _check_order(self, before: Hunk | None, hunk: Hunk) -> None:
        """Hunks come in file order, do not overlap, and only the last reaches the end."""
        if before is None:
            return
        # a side without lines stands *after* its start line, one with lines begins at it
        end = before.old_start + max(before.old_count, 1)
        if hunk.old_start + (0 if hunk.old_count else 1) < end:
            self.refuse("hunks overlap or are out of order", hunk.line - 1, "patch-hunk-header")
        for lines in (before.old, before.new):
            if lines and not lines[-1].endswith(b"\n"):
                self.refuse("hunk after the end of the file", hunk.line - 1, "patch-syntax")

    def check_end(self, what: str, rule: str) -> None:
        """Refuse what follows a file's diff and looks like more of it."""
        at = self.at
        while at < len(self.lines) and self.lines[at] == b"\n":
            at += 1
        line = self.lines[at] if at < len(self.lines) else b""
        if line[:1] not in (b" ", b"+", b"-", b"\\"):
            return
        self.at, here = at, self.at
        after = self.peek(1)[:1]
        signature = line.rstrip() == b"--" and after not in (b" ", b"+", b"-", b"\\", b"@")
        if not signature and not self.at_plain_diff():
            self.refuse(what, at, rule)
        self.at = here
