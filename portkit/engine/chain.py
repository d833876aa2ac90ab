"""A series as commits: one commit a patch, written through one ``git fast-import``.

The same patches on the same release give the same commit ids on every machine: author, date and
message are the patch's, the committer is portkit at the author's date.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import IO

from portkit.engine.hunks import apply_patch
from portkit.engine.tree import Changes, Tree, read_tree, touched_paths
from portkit.gitio import GitRepo
from portkit.mirror.model import Release
from portkit.series.model import Patch, Series

_COMMITTER = b"portkit <portkit@localhost>"
_ZONE_LIMIT = 1400  # the largest zone that fast-import takes
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_GIT_DATE = re.compile(
    r"[A-Z][a-z]{2}, (\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d:\d\d:\d\d) ([+-]\d\d[0-5]\d)", re.ASCII
)
_IDENTITY = re.compile(r"([^<>\n\0]*)<([^<>\n\0]*)>")


@dataclass(frozen=True, slots=True)
class Step:
    """A patch and what it makes of the tree before it."""

    patch: Patch
    changes: Changes


def apply_series(repo: GitRepo, release: Release, series: Series) -> list[Step]:
    """Apply a series on the release that it is made for, in memory.

    Raises:
        Refused: a patch does not apply exactly.
    """
    return list(apply_to(read_tree(repo, release.tree, touched_paths(series)), series))


def apply_to(tree: Tree, series: Series) -> Iterator[Step]:
    """Apply a series on a tree that was read for it, patch by patch; see ``apply_series``."""
    for patch in series.patches:
        changes = apply_patch(tree, patch)
        tree = tree.changed(changes)
        yield Step(patch, changes)


def branch_name(series: str, version: str) -> str:
    """The branch in the mirror that holds a series on a release."""
    return f"refs/heads/{series}/{version}"


def write_chain(
    repo: GitRepo, release: Release, series: str, steps: Iterable[Step]
) -> dict[str, str]:
    """Write one commit a step on top of a release and point the series' branch at the last one.

    fast-import works while the next steps are made. It moves the branch when it has stored all
    objects, so that an interruption or a step that fails leaves it where it was.

    Returns:
        The commits' ids by patch name, in order; empty without steps (then the branch is at the
        release).

    Raises:
        EnvironmentProblem: the disk refuses, or git does.
        Whatever making the steps raises.
    """
    branch = branch_name(series, release.version)
    names: list[str] = []
    marks = repo.path / f"portkit-marks.{os.getpid()}"  # GitRepo.sweep knows it
    try:
        options = ("--force", "--depth=0", f"--export-marks={marks}")
        with repo.fast_import(*options, compress=False) as stream:  # Mirror.tidy packs it well
            parent = release.commit
            for number, step in enumerate(steps, start=1):
                _write_commit(stream, branch, number, parent, step)
                parent = f":{number}"
                names.append(step.patch.name)
        written = dict(line.split(" ") for line in marks.read_text().splitlines())
    finally:
        marks.unlink(missing_ok=True)
    if not names:
        repo.update_refs({branch: release.commit})
    return {name: written[f":{number}"] for number, name in enumerate(names, start=1)}


def _write_commit(stream: IO[bytes], ref: str, number: int, parent: str, step: Step) -> None:
    patch = step.patch
    when = _fast_import_date(patch.date)
    stream.write(f"commit {ref}\nmark :{number}\n".encode())
    stream.write(b"author %s %s\n" % (_identity(patch.author), when))
    stream.write(b"committer %s %s\n" % (_COMMITTER, when))
    _write_data(stream, _message(patch))
    stream.write(f"from {parent}\n".encode())
    for path, entry in step.changes.items():
        if entry is None:
            stream.write(b"D %s\n" % _quoted(path))
    for path, entry in step.changes.items():
        if entry is not None:
            stream.write(b"M %s inline %s\n" % (entry.mode.encode(), _quoted(path)))
            _write_data(stream, entry.data)
    stream.write(b"\n")


def _write_data(stream: IO[bytes], data: bytes) -> None:
    stream.write(b"data %d\n" % len(data))
    stream.write(data)
    stream.write(b"\n")


def _message(patch: Patch) -> bytes:
    text = patch.subject or patch.name
    if patch.body:
        text += f"\n\n{patch.body}"
    return text.encode(errors="surrogateescape") + b"\n"


def _identity(author: str) -> bytes:
    """An author as git takes it; whatever git would not take becomes part of the name."""
    match = _IDENTITY.fullmatch(author.strip())
    name, mail = match.groups() if match else (re.sub(r"[<>\n\0]", " ", author), "")
    text = f"{name.strip() or 'unknown'} <{mail.strip()}>"
    return text.encode(errors="surrogateescape")


def _fast_import_date(date: str) -> bytes:
    """A patch's date as fast-import's raw format; one that is missing or broken is 1970."""
    try:
        when = _parse_date(date)
    except ValueError:
        return b"0 +0000"
    if when.tzinfo is None:  # "-0000": the time is UTC, the zone is not known
        when = when.replace(tzinfo=UTC)
    zone = when.strftime("%z")[:5]
    if int(zone[1:]) > _ZONE_LIMIT:
        zone = "+0000"
    return f"{max(int(when.timestamp()), 0)} {zone}".encode()


def _parse_date(date: str) -> datetime:
    """An RFC 2822 date; git's own way to write one needs no mail library, which is slow to load.

    Raises:
        ValueError: it is none.
    """
    match = _GIT_DATE.fullmatch(date)
    if match and match[2] in _MONTHS and match[5] != "-0000":
        day, month, year, clock, zone = match.groups()
        number = _MONTHS.index(month) + 1
        return datetime.fromisoformat(f"{year}-{number:02}-{int(day):02}T{clock}{zone}")
    from email.utils import parsedate_to_datetime

    return parsedate_to_datetime(date)


def _quoted(path: PurePosixPath) -> bytes:
    """A path as fast-import reads it back; it holds no newline (the parser refuses those)."""
    return b'"' + os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
