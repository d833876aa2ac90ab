"""A series as commits: one commit a patch, written as one pack.

The same patches on the same release give the same commit ids on every machine: author, date and
message are the patch's, the committer is portkit at the author's date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from portkit.engine.hunks import apply_patch
from portkit.engine.tree import Changes, Tree, read_tree, touched_paths
from portkit.engine.treewriter import TreeWriter
from portkit.gitio import GitRepo
from portkit.mirror.model import Release
from portkit.packfile import PackWriter
from portkit.series.model import Patch, Series

_COMMITTER = b"portkit <portkit@localhost>"
_ZONE_LIMIT = 1400  # the largest zone that git's tools take
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_GIT_DATE = re.compile(
    r"[A-Z][a-z]{2}, (\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d:\d\d:\d\d) ([+-]\d\d[0-5]\d)", re.ASCII
)
_IDENTITY = re.compile(r"([^<>\n\0]*)<([^<>\n\0]*)>")


class Step(NamedTuple):
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
    repo: GitRepo,
    release: Release,
    series: str,
    steps: Iterable[Step],
    known: Tree | None = None,
) -> dict[str, str]:
    """Write one commit a step on top of a release and point the series' branch at the last one.

    The branch moves when all objects are on the disk, so that an interruption or a step that fails
    leaves it where it was.

    Args:
        repo, release, series: where to write it.
        steps: what each patch makes of the tree before it.
        known: the release's tree, if it was read already.

    Returns:
        The commits' ids by patch name, in order; empty without steps (then the branch is at the
        release).

    Raises:
        EnvironmentProblem: the disk refuses, or git does.
        Whatever making the steps raises.
    """
    steps = list(steps)
    pack = PackWriter(repo.objects)
    trees = TreeWriter(
        repo, release.tree, (path for step in steps for path in step.changes), pack, known
    )  # fmt: skip
    parent, commits = release.commit, {}
    for step in steps:
        tree = trees.change(step.changes).hex()
        parent = pack.add("commit", _commit(tree, parent, step.patch)).hex()
        commits[step.patch.name] = parent
    pack.store()
    repo.update_refs({branch_name(series, release.version): parent})
    return commits


def _commit(tree: str, parent: str, patch: Patch) -> bytes:
    when = _git_date(patch.date)
    return b"tree %s\nparent %s\nauthor %s %s\ncommitter %s %s\n\n%s" % (
        tree.encode(), parent.encode(), _identity(patch.author), when, _COMMITTER, when,
        _message(patch),
    )  # fmt: skip


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


def _git_date(date: str) -> bytes:
    """A patch's date as commits hold it; one that is missing or broken is 1970."""
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

