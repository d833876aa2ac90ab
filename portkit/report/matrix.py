"""Patches x releases: what ``portkit check`` found, arranged for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portkit.engine.check import PatchVerdict, Verdict
from portkit.manifest.model import SeriesSpec
from portkit.series.model import Patch, Series


@dataclass(frozen=True, slots=True)
class Row:
    """A patch on every release.

    Attributes:
        name: the patch.
        size: lines that it adds and removes.
        cells: a verdict a release; None where an earlier patch was refused.
    """

    name: str
    size: int
    cells: tuple[PatchVerdict | None, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A series on every release.

    Attributes:
        series, upstream, pin: which.
        releases: versions, oldest first.
        rows: its patches, in order.
        verdicts: one a release.
    """

    series: str
    upstream: str
    pin: str
    releases: tuple[str, ...]
    rows: tuple[Row, ...]
    verdicts: tuple[Verdict, ...]

    def health(self, at: int) -> float:
        """The share of the series, by changed lines, that is no work on a release: 0 to 1."""
        good = sum(
            row.size for row in self.rows
            if (cell := row.cells[at]) is not None and cell.outcome in ("applies", "upstreamed")
        )  # fmt: skip
        whole = sum(row.size for row in self.rows)
        return good / whole if whole else float(self.verdicts[at].ok)

    def conflicts(self, at: int) -> int:
        """How many files conflict on a release."""
        return sum(len(patch.files) for patch in self.verdicts[at].patches)


def make_matrix(spec: SeriesSpec, series: Series, verdicts: Sequence[Verdict]) -> Matrix:
    """Arrange the verdicts on one series."""
    found = [{patch.name: patch for patch in verdict.patches} for verdict in verdicts]
    rows = tuple(
        Row(patch.name, changed_lines(patch), tuple(each.get(patch.name) for each in found))
        for patch in series.patches
    )
    releases = tuple(verdict.version for verdict in verdicts)
    return Matrix(spec.name, spec.upstream, spec.pin, releases, rows, tuple(verdicts))


def changed_lines(patch: Patch) -> int:
    """How many lines a patch adds and removes."""
    lines = patch.raw.split(b"\n")
    count = 0
    for hunk in (hunk for file in patch.files for hunk in file.hunks):
        old, new = hunk.old_count, hunk.new_count
        for line in lines[hunk.line :]:
            if old <= 0 and new <= 0:
                break
            removed, added = line[:1] == b"-", line[:1] == b"+"
            if line[:1] != b"\\":
                old -= not added
                new -= not removed
            count += removed or added
    return count
