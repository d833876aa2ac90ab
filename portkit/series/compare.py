"""Two states of a series, patch by patch: which are the same, and how the others changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import PurePosixPath

from portkit.series.diff import FileChange, diff_text
from portkit.series.model import Entry, Patch

_HUNK = re.compile(rb"^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@.*$", re.MULTILINE)
_INDEX = re.compile(rb"index [0-9a-f]{4,64}\.\.[0-9a-f]{4,64}( \d{6})?\r?\n")
_ALIKE = 0.5  # of the lines of two patches, to be the same patch with another name and subject
_FRAME = 4  # lines before the first hunk of a diff of two texts


@dataclass(frozen=True, slots=True)
class Pair:
    """A patch before and after.

    Attributes:
        old, new: (1-based place in its series, patch); None when it was not or is not there.
        outcome: ``same`` (line numbers, blob ids and diffstat do not count), ``changed``,
            ``added`` or ``removed``.
        message, diff: which of the two changed.
        text: the difference of the two patch files without line numbers, as a diff.
    """

    old: tuple[int, Patch] | None
    new: tuple[int, Patch] | None
    outcome: str
    message: bool = False
    diff: bool = False
    text: bytes = b""


def compare(old: Sequence[Patch], new: Sequence[Patch]) -> list[Pair]:
    """Pair the patches of two states of a series, in the new order; removed ones come in place.

    Paired are patches of the same name, then of the same author and subject, then those that have
    most of their lines in common.
    """
    pairs = _pairs(old, new)
    partner = {after: before for before, after in pairs.items()}
    found: list[Pair] = []
    left = iter([at for at in range(len(old)) if at not in pairs])
    removed = next(left, None)
    for at, patch in enumerate(new):
        before = partner.get(at)
        while removed is not None and before is not None and removed < before:
            found.append(Pair((removed + 1, old[removed]), None, "removed"))
            removed = next(left, None)
        if before is None:
            found.append(Pair(None, (at + 1, patch), "added"))
        else:
            found.append(_pair((before + 1, old[before]), (at + 1, patch)))
    while removed is not None:
        found.append(Pair((removed + 1, old[removed]), None, "removed"))
        removed = next(left, None)
    return found


def _pairs(old: Sequence[Patch], new: Sequence[Patch]) -> dict[int, int]:
    found: dict[int, int] = {}
    keys: tuple[Callable[[Patch], Hashable], ...] = (
        lambda patch: patch.name,
        lambda patch: (patch.author, patch.subject) if patch.subject else id(patch),
    )
    for key in keys:
        places = {key(patch): at for at, patch in enumerate(new) if at not in found.values()}
        for at, patch in enumerate(old):
            if at not in found and key(patch) in places:
                found[at] = places.pop(key(patch))
    for at, patch in enumerate(old):
        if at in found:
            continue
        rest = [place for place in range(len(new)) if place not in found.values()]
        best = max(rest, key=lambda place: _likeness(patch, new[place]), default=None)
        if best is not None and _likeness(patch, new[best]) >= _ALIKE:
            found[at] = best
    return found


def _likeness(one: Patch, other: Patch) -> float:
    """The share of changed lines that two patches have in common."""
    return SequenceMatcher(None, _changed(one), _changed(other), autojunk=True).quick_ratio()


def _changed(patch: Patch) -> list[bytes]:
    lines = _split(patch)[1].split(b"\n")
    return [line for line in lines if line[:1] in (b"+", b"-")]


def _pair(old: tuple[int, Patch], new: tuple[int, Patch]) -> Pair:
    before, after = (_split(patch) for _, patch in (old, new))
    message, diff = before[0] != after[0], before[1] != after[1]
    if not message and not diff:
        return Pair(old, new, "same")
    return Pair(old, new, "changed", message, diff, _difference(before, after))


def _split(patch: Patch) -> tuple[bytes, bytes]:
    """A patch's message, and its diffs without what changes by itself.

    That is the diffstat, blob ids and line numbers.
    """
    lines = patch.raw.splitlines(keepends=True)
    first = min((file.line for file in patch.files), default=len(lines) + 1)
    message, diff = lines[: first - 1], lines[first - 1 :]
    if b"---\n" in message:
        message = message[: message.index(b"---\n") + 1]
    kept = (line for line in diff if not _INDEX.match(line))
    return b"".join(message), _HUNK.sub(b"@@", b"".join(kept))


def _difference(before: tuple[bytes, bytes], after: tuple[bytes, bytes]) -> bytes:
    path = PurePosixPath("patch")
    sides = [Entry("100644", b"".join(each).replace(b"\0", b"?")) for each in (before, after)]
    text = diff_text([FileChange(path, sides[0], path, sides[1])])
    return _HUNK.sub(b"@@", text.split(b"\n", _FRAME - 1)[-1])
