"""Three versions of the same lines, side by side."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import product, zip_longest

_AROUND = 3  # lines shown around those that the patch changes
_MANY = 40_000  # pairs of lines that are not compared any more

#: One line of upstream, before the patch, and of the patch.
Row = tuple[str, str, str]


def aligned(upstream: list[str], base: list[str], ours: list[str]) -> list[Row]:
    """Rows: each line beside the line of ``base`` that it is, or that it took the place of."""
    columns = []
    for side in (upstream, base, ours):
        slots: list[list[str]] = [[] for _ in range(2 * len(base) + 1)]  # before, at, before, ...
        codes = SequenceMatcher(None, base, side, autojunk=False).get_opcodes()
        for _, first, last, start, stop in codes:
            places = _places(base[first:last], side[start:stop])
            for place, line in zip(places, side[start:stop], strict=True):
                slots[2 * first + place].append(line)
        columns.append(slots)
    return [row for slot in zip(*columns, strict=True) for row in zip_longest(*slot, fillvalue="")]


def _places(old: list[str], new: list[str]) -> list[int]:
    """Where each new line stands: 2n is before old line n, 2n + 1 beside it.

    The pairs in order whose lines have most words in common.
    """
    words = [[set(re.findall(r"\w+", line)) for line in lines] for lines in (old, new)]
    if old == new or len(old) * len(new) > _MANY:
        return [min(2 * at + 1, 2 * len(old)) for at in range(len(new))]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i, j in product(reversed(range(len(old))), reversed(range(len(new)))):
        best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + _like(words, i, j))
    i = j = 0
    places = []
    while j < len(new):
        if i < len(old) and best[i][j] == best[i + 1][j + 1] + _like(words, i, j):
            places.append(2 * i + 1)
            i, j = i + 1, j + 1
        elif i < len(old) and best[i][j] == best[i + 1][j]:
            i += 1
        else:
            places.append(2 * i)
            j += 1
    return places


def _like(words: list[list[set[str]]], i: int, j: int) -> float:
    """How much two lines have in common; a little at least, as one may stand for the other."""
    old, new = words[0][i], words[1][j]
    return 0.01 + len(old & new) / max(len(old | new), 1)


def near_changes(rows: list[Row]) -> list[Row]:
    """What the patch changes, and some rows around; a sign for those that are left out."""
    changes = [at for at, (_, old, own) in enumerate(rows) if old != own]
    kept: list[Row] = []
    left_out = False
    for at, row in enumerate(rows):
        if any(abs(at - change) <= _AROUND for change in changes):
            kept += [("...", "...", "..."), row] if left_out else [row]
            left_out = False
        else:
            left_out = True
    return kept + [("...", "...", "...")] * left_out
