"""A series as it was: read from the history of the repository that the project is kept in.

Where its directory was and what it was pinned to is read from the ``portkit.toml`` of each
revision, so a series is found after its directory was renamed.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from portkit.errors import UsageError
from portkit.gitio import GitFailed, GitRepo
from portkit.manifest.model import Manifest, SeriesSpec
from portkit.manifest.version import is_version
from portkit.series.model import Patch
from portkit.series.patch import parse_patch
from portkit.series.problem import PatchProblem
from portkit.series.store import SERIES_FILE, load_patches, parse_series_file

_MANIFEST = "portkit.toml"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A series at a revision.

    Attributes:
        pin: the release that it was made for.
        directory: relative to the project.
        patches: name to blob id, in order; the id is None where the file is missing.
    """

    pin: str
    directory: str
    patches: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What one commit of the project's repository changed in a series.

    Attributes:
        commit, author, date, subject: of the commit; the date is ISO 8601.
        pin: before and after; None when it stayed.
        added, removed, rewritten: names of patches.
        renamed: (old, new) names of patches whose content stayed.
        reordered: whether patches that were there before have another order.
    """

    commit: str
    author: str
    date: str
    subject: str
    pin: tuple[str | None, str | None] | None
    added: tuple[str, ...]
    removed: tuple[str, ...]
    rewritten: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    reordered: bool


class Revisions:
    """The revisions of one series.

    Args:
        manifest: the project.
        spec: the series.

    Raises:
        UsageError: the project is in no git repository, or that has no commit.
    """

    def __init__(self, manifest: Manifest, spec: SeriesSpec) -> None:
        self.spec = spec
        self.repo = GitRepo(manifest.root)
        try:
            self._prefix = self.repo.text("rev-parse", "--show-prefix")
            self.repo.text("rev-parse", "--verify", "HEAD")
        except GitFailed as error:
            raise UsageError(
                "no history: this project is in no git repository with commits",
                where=str(manifest.root), hint="keep the project in git and commit its changes",
            ) from error  # fmt: skip

    def resolve(self, revision: str) -> str:
        """The commit of a revision, or the last one at which the series was pinned to a release.

        Raises:
            UsageError: there is neither.
        """
        try:
            return self.repo.text(
                "rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}"
            )
        except GitFailed:
            pass
        if is_version(revision):
            for commit in self._commits():
                snapshot = self.snapshot(commit)
                if snapshot is not None and snapshot.pin == revision:
                    return commit
        raise UsageError(
            f"'{revision}' is no revision of this repository, and no release that "
            f"{self.spec.name} was pinned to",
            hint=f"see 'portkit log {self.spec.name}'",
        )

    def snapshot(self, commit: str) -> Snapshot | None:
        """The series at a commit; None when it was not there."""
        found = self._specs([commit])[0]
        if found is None:
            return None
        directory, pin = found
        where = f"{commit}:{self._path(directory)}"
        lines, *_ = self.repo.cat_file([f"{where}/{SERIES_FILE}"])
        names = [
            line.patch for line in parse_series_file(lines.data if lines else b"", where)
            if line.patch is not None
        ]  # fmt: skip
        ids = self._ids(commit, self._path(directory)) if names else {}
        return Snapshot(pin, directory, {name: ids.get(name) for name in names})

    def patches(self, commit: str) -> list[Patch]:
        """The patches at a commit.

        Raises:
            UsageError: the series was not there, a patch was missing, or not valid.
        """
        snapshot = self.snapshot(commit)
        if snapshot is None:
            raise UsageError(
                f"there is no series {self.spec.name} at {commit[:12]}",
                hint=f"see 'portkit log {self.spec.name}'",
            )
        found = []
        blobs = self.repo.cat_file(oid or "missing" for oid in snapshot.patches.values())
        for name, blob in zip(snapshot.patches, blobs, strict=True):
            where = f"{commit[:12]}:{snapshot.directory}/{name}"
            if blob is None:
                raise UsageError("no such patch", where=where, hint="name another revision")
            try:
                found.append(parse_patch(name, blob.data))
            except PatchProblem as problem:
                problem.where = where
                raise
        return found

    def now(self) -> list[Patch]:
        """The patches as they are on disk."""
        return load_patches(self.spec.directory)

    def log(self) -> Iterator[LogEntry]:
        """Every commit that changed the series, the latest first."""
        form = "--format=%H%x00%an <%ae>%x00%aI%x00%s"
        for commit in self._commits():
            head = self.repo.text("log", "-1", "--encoding=UTF-8", form, commit, "--").split("\0")
            after, before = self.snapshot(commit), None
            parent = self.repo.text("rev-list", "--parents", "-1", commit, "--").split()[1:2]
            if parent:
                before = self.snapshot(parent[0])
            entry = _entry(head, before, after)
            if entry is not None:
                yield entry

    def _commits(self) -> list[str]:
        """Commits that may have changed the series, the latest first."""
        manifest = f":(top,literal){self._path(_MANIFEST)}"
        heads = self.repo.text("rev-list", "HEAD", "--", manifest).split()
        places = {
            spec[0] for spec in (*self._specs(heads), *self._specs(f"{each}^" for each in heads))
            if spec is not None
        }  # fmt: skip
        paths = (f":(top,literal){self._path(place)}" for place in sorted(places))
        return self.repo.text("rev-list", "--topo-order", "HEAD", "--", manifest, *paths).split()

    def _specs(self, commits: Iterable[str]) -> list[tuple[str, str] | None]:
        """Directory and pin of the series at some commits."""
        blobs = self.repo.cat_file(f"{commit}:{self._path(_MANIFEST)}" for commit in commits)
        found: list[tuple[str, str] | None] = []
        for blob in blobs:
            try:
                table = tomllib.loads((blob.data if blob else b"").decode())["series"]
                entry = table[self.spec.name]
                directory = PurePosixPath(os.path.normpath(str(entry["directory"])))
                found.append((str(directory), str(entry["pin"])))
            except (ValueError, KeyError, TypeError):  # not there, or not a manifest at all
                found.append(None)
        return found

    def _ids(self, commit: str, directory: str) -> dict[str, str]:
        out = self.repo.run("ls-tree", "-r", "-z", "--full-tree", f"{commit}:{directory}")
        entries = (entry.partition(b"\t") for entry in out.split(b"\0")[:-1])
        return {os.fsdecode(name): head.split()[2].decode() for head, _, name in entries}

    def _path(self, path: str) -> str:
        """A path of the project as the repository has it."""
        return str(PurePosixPath(self._prefix) / path)


def _entry(head: list[str], before: Snapshot | None, after: Snapshot | None) -> LogEntry | None:
    """What is between two snapshots; None when nothing is."""
    old = before.patches if before else {}
    new = after.patches if after else {}
    renamed = []
    gone = {oid: name for name, oid in old.items() if name not in new and oid is not None}
    for name, oid in new.items():
        if name not in old and oid in gone:
            renamed.append((gone.pop(oid), name))
    kept = [name for name in new if name in old]
    pins = (before.pin if before else None, after.pin if after else None)
    commit, author, date, subject = head
    entry = LogEntry(
        commit, author, date, subject,
        pin=pins if pins[0] != pins[1] else None,
        added=tuple(n for n in new if n not in old and n not in {to for _, to in renamed}),
        removed=tuple(n for n in old if n not in new and n not in {of for of, _ in renamed}),
        rewritten=tuple(name for name in kept if old[name] != new[name]),
        renamed=tuple(renamed),
        reordered=kept != [name for name in old if name in new],
    )  # fmt: skip
    nothing = (None, (), (), (), (), False)
    parts = (entry.pin, entry.added, entry.removed, entry.rewritten, entry.renamed,
             entry.reordered)  # fmt: skip
    return None if parts == nothing else entry
