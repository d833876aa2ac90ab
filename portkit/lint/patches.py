"""Lint of a series: its ``series`` file, its patches, and whether they apply exactly.

Every rule is described in docs/lint.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from portkit.errors import PortkitError, Refused, UsageError
from portkit.lint.finding import Finding
from portkit.lint.patch_content import content_problems
from portkit.lint.patch_message import message_problems
from portkit.manifest.model import SeriesSpec
from portkit.series.model import Patch, Series
from portkit.series.paths import printable
from portkit.series.problem import PatchProblem
from portkit.series.store import SERIES_FILE, SeriesLine, load_patch, read_series_file

_NUMBER = re.compile(r"(\d+)[-_]")
_PLACE = re.compile(r"(.*):(\d+)$")


def lint_series(
    spec: SeriesSpec, root: Path, apply: Callable[[Series], object] | None
) -> list[Finding]:
    """All findings of a series, sorted by place.

    Args:
        spec: the series.
        root: the project's directory; files are named relative to it.
        apply: applies the series on its pinned release and raises Refused when a patch does not
            apply exactly; None when that release is not at hand.
    """
    found: list[Finding] = []
    try:
        lines = [line for line in read_series_file(spec.directory) if line.patch is not None]
    except UsageError as error:
        return [_of_error(error, root, spec.directory / SERIES_FILE, "series-file")]
    found += _order(spec.directory, root, lines)
    found += _unused(spec.directory, root, lines)
    patches: list[Patch] = []
    for line in lines:
        path = spec.directory / (line.patch or "")
        try:
            patch = load_patch(spec.directory, line)
        except PatchProblem as problem:
            found.append(Finding(_below(path, root), problem.line, problem.rule, problem.what))
        except UsageError as error:
            found.append(_of_error(error, root, spec.directory / SERIES_FILE, "series-file"))
        else:
            patches.append(patch)
            found += lint_patch(patch, _below(path, root))
    if apply is not None and len(patches) == len(lines):
        found += _exact(spec, root, tuple(patches), apply)
    return sorted(found)


def lint_patch(patch: Patch, file: Path) -> Iterator[Finding]:
    """The findings of one patch by itself."""
    for problems in (message_problems(patch), content_problems(patch)):
        for line, rule, message in problems:
            yield Finding(file, line, rule, printable(message))


def _order(directory: Path, root: Path, lines: Sequence[SeriesLine]) -> Iterable[Finding]:
    """Names that start with numbers must be in the numbers' order, or the numbers mislead."""
    highest = -1
    for line in lines:
        match = _NUMBER.match(line.patch or "")
        if match is None:
            continue
        if int(match[1]) < highest:
            message = f"'{line.patch}' comes after a patch with the higher number {highest}"
            yield Finding(
                _below(directory / SERIES_FILE, root), line.number, "series-order", message
            )
        highest = max(highest, int(match[1]))


def _unused(directory: Path, root: Path, lines: Sequence[SeriesLine]) -> Iterable[Finding]:
    used = {directory / (line.patch or "") for line in lines} | {directory / SERIES_FILE}
    for path in sorted(directory.rglob("*")):
        hidden = path.name.startswith((".", "README"))
        if path.is_file() and path not in used and not hidden:
            message = f"not named in '{SERIES_FILE}': add it or remove it"
            yield Finding(_below(path, root), 0, "series-unused", message)


def _exact(
    spec: SeriesSpec, root: Path, patches: tuple[Patch, ...], apply: Callable[[Series], object]
) -> Iterable[Finding]:
    """The first patch that does not apply exactly; those after it cannot be judged."""
    try:
        apply(Series(spec.name, patches))
    except Refused as error:
        what = f"does not apply exactly on {spec.pin}: {error.what}"
        name, line = _place(error)
        known = name in {patch.name for patch in patches}
        path = spec.directory / (name if known else SERIES_FILE)
        yield Finding(_below(path, root), line if known else 0, "patch-inexact", what)


def _of_error(error: PortkitError, root: Path, path: Path, rule: str) -> Finding:
    return Finding(_below(path, root), _place(error)[1], rule, error.what)


def _place(error: PortkitError) -> tuple[str, int]:
    """File and line of an error's ``where``."""
    match = _PLACE.match(error.where or "")
    return (match[1], int(match[2])) if match else (error.where or "", 0)


def _below(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path
