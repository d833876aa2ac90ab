"""The one error of everything that reads a patch."""

from __future__ import annotations

from portkit.errors import UsageError
from portkit.series.paths import printable


class PatchProblem(UsageError):
    """A patch that portkit does not carry, and the place that says why.

    Attributes:
        name: the patch's file name.
        line: 1-based line in it.
        rule: the lint rule (docs/lint.md) that this breaks.
    """

    def __init__(self, what: str, *, name: str, line: int, rule: str, hint: str) -> None:
        super().__init__(printable(what), where=f"{name}:{line}", hint=hint)
        self.name = name
        self.line = line
        self.rule = rule
