"""A series on disk: quilt's ``series`` file and one file per patch (quilt(1), "series file")."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from portkit.errors import UsageError
from portkit.manifest.model import SeriesSpec
from portkit.series.message import decode, encode
from portkit.series.model import Patch, Series
from portkit.series.patch import parse_patch
from portkit.series.paths import BadPath, printable, tree_path
from portkit.series.problem import PatchProblem

SERIES_FILE = "series"
_NAME_MAX = 255  # bytes; what file systems take


class SeriesLine(NamedTuple):
    """One line of a ``series`` file, kept as it is.

    Attributes:
        number: 1-based.
        text: with its newline; comments and blank lines too.
        patch: the patch that it names; None for a comment or a blank line.
    """

    number: int
    text: str
    patch: str | None


def load_series(spec: SeriesSpec) -> Series:
    """Read the patches of a series in the order of its ``series`` file.

    Raises:
        UsageError: no ``series`` file; a line, name or patch in it is not valid (file and line).
    """
    return Series(spec.name, tuple(iter_series(spec)))


def iter_series(spec: SeriesSpec) -> Iterator[Patch]:
    """The patches of a series, each read when it is asked for; see ``load_series``."""
    path = spec.directory / SERIES_FILE
    if not path.is_file():
        raise UsageError(
            "no 'series' file", where=str(spec.directory),
            hint=f"start one with 'portkit import {spec.name}' or 'portkit new {spec.name}'",
        )  # fmt: skip
    yield from _iter_patches(spec.directory)


def load_patches(directory: Path) -> list[Patch]:
    """The patches of a quilt directory, in order; none when it has no ``series`` file yet.

    Raises:
        UsageError: as ``load_series``.
    """
    return list(_iter_patches(directory))


def _iter_patches(directory: Path) -> Iterator[Patch]:
    for line in read_series_file(directory):
        if line.patch is not None:
            yield load_patch(directory, line)


def load_patch(directory: Path, line: SeriesLine) -> Patch:
    """Read the patch that a line of the ``series`` file names.

    Raises:
        UsageError: the file is missing or is outside of the directory.
        PatchProblem: what it holds is not a clean patch.
    """
    assert line.patch is not None
    path = directory / line.patch
    here = f"{directory / SERIES_FILE}:{line.number}"
    if _leaves(path, directory):
        raise UsageError(
            f"'{printable(line.patch)}' is a link out of the directory", where=here,
            hint="replace the link by the file",
        )  # fmt: skip
    if not path.is_file():
        raise UsageError(
            f"no such patch: '{printable(line.patch)}'", where=here,
            hint="restore the file, or remove the line",
        )  # fmt: skip
    try:
        return parse_patch(line.patch, path.read_bytes())
    except PatchProblem as problem:
        problem.where = f"{path}:{problem.line}"
        raise


def _leaves(path: Path, directory: Path) -> bool:
    """Whether a path below a directory leads out of it through symbolic links."""
    below = [path, *path.parents]
    if not any(place.is_symlink() for place in below[: below.index(directory)]):
        return False
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(directory))


def read_series_file(directory: Path) -> list[SeriesLine]:
    """All lines of a ``series`` file; none when there is no such file.

    Raises:
        UsageError: a name twice, one that leaves the directory, or an option other than ``-p1``.
    """
    path = directory / SERIES_FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    return parse_series_file(data, str(path))


def parse_series_file(data: bytes, path: str) -> list[SeriesLine]:
    """All lines of a ``series`` file.

    Args:
        data: its content.
        path: what errors call it.

    Raises:
        UsageError: as ``read_series_file``.
    """
    text = decode(data)
    found: list[SeriesLine] = []
    numbers: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        patch = _patch_of(line, f"{path}:{number}")
        if patch is not None and numbers.setdefault(patch, number) != number:
            raise UsageError(
                f"'{printable(patch)}' is already on line {numbers[patch]}",
                where=f"{path}:{number}", hint="remove one of the two lines",
            )  # fmt: skip
        found.append(SeriesLine(number, line + "\n", patch))
    if not text or text.endswith("\n"):
        found.pop()
    return found


def render_series(directory: Path, patches: Sequence[Patch]) -> dict[Path, bytes | None]:
    """What has to be written so that a directory holds these patches, in this order.

    Comments and lines of the present ``series`` file stay as they are, each before the patch that
    followed it; files of patches that are gone are removed.

    Args:
        directory: the series' directory, absolute.
        patches: all patches of the new series.

    Returns:
        Changes for ``portkit.transaction.replace_files``.
    """
    lines = read_series_file(directory)
    names = [patch.name for patch in patches]
    changes: dict[Path, bytes | None] = {
        directory / line.patch: None
        for line in lines
        if line.patch is not None and line.patch not in names
    }
    changes.update({directory / patch.name: patch.raw for patch in patches})
    changes[directory / SERIES_FILE] = encode("".join(_series_text(lines, names)))
    return changes


def check_name(name: str) -> str:
    """A patch's file name, if a series can hold it.

    Raises:
        BadPath: it leaves the directory, or quilt would read it as something else.
    """
    path = tree_path(encode(name))
    if any(len(encode(part)) > _NAME_MAX for part in path.parts):
        raise BadPath("name too long")
    if name == SERIES_FILE or name.startswith(("-", "#")) or len(name.split()) != 1:
        raise BadPath("not a name that a 'series' file can hold")
    return name


def _patch_of(line: str, where: str) -> str | None:
    words = _words(line)
    if not words:
        return None
    for option in words[1:]:
        if option != "-p1":
            raise UsageError(
                f"option '{printable(option)}' is not supported", where=where,
                hint="only -p1 is; convert the patch to paths with a/ and b/",
            )  # fmt: skip
    try:
        return check_name(words[0])
    except BadPath as error:
        raise UsageError(
            printable(f"{error}: '{words[0]}'"),
            where=where,
            hint="name a file below this directory",
        ) from error


def _words(line: str) -> list[str]:
    """A line's words before a comment; quilt starts one at a ``#`` after a blank."""
    words = line.split()
    ends = [at for at, word in enumerate(words) if word.startswith("#")]
    return words[: ends[0]] if ends else words


def _series_text(lines: Iterable[SeriesLine], names: Sequence[str]) -> list[str]:
    """The lines of the new ``series`` file."""
    before: dict[str, list[str]] = {}
    waiting: list[str] = []
    for line in lines:
        waiting.append(line.text)
        if line.patch in names:
            before[line.patch or ""] = waiting
            waiting = []
        elif line.patch is not None:
            waiting.pop()
    return [text for name in names for text in before.get(name, [f"{name}\n"])] + waiting
