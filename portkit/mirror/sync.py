"""Bring releases from the sources into the mirror, and record them in the lock file."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from portkit.errors import EnvironmentProblem, UsageError
from portkit.manifest.lock import Lock, LockEntry
from portkit.manifest.model import Manifest
from portkit.manifest.version import is_version, nearest, newest, track_of, version_key
from portkit.mirror.archive import ArchiveReader
from portkit.mirror.known import remember_releases
from portkit.mirror.model import Release
from portkit.mirror.source import Counted, Fetched, NotThere, Progress
from portkit.mirror.sources import Sources, open_sources
from portkit.mirror.store import Mirror
from portkit.transaction import replace_files


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What became of one release that was wanted.

    Attributes:
        release: as it is in the mirror now.
        source: name of the source that served it.
        new: it was not in the mirror before.
        missing: parts of the subtree that a new release does not have.
        instead_of: the pinned release that is nowhere to be had, to which this is the nearest.
    """

    release: Release
    source: str
    new: bool
    missing: tuple[str, ...] = ()
    instead_of: str | None = None


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a sync of one upstream did.

    Attributes:
        upstream: its name.
        mirrored: the releases that were wanted, oldest first.
        newest: the newest release of the track as far as it was asked for and is known.
        absent: releases that are nowhere to be had: known ones of a track that are newer than
            what is mirrored, and pins without any release that could stand in.
        problems: why a source could not be asked, or not for all that it has, by its name.
    """

    upstream: str
    mirrored: tuple[Mirrored, ...] = ()
    newest: str | None = None
    absent: tuple[str, ...] = ()
    problems: dict[str, str] = field(default_factory=dict)


def sync_upstream(
    manifest: Manifest,
    name: str,
    progress: Progress,
    versions: Sequence[str] = (),
    source: str | None = None,
) -> SyncResult:
    """Mirror releases of an upstream; the project's lock is held.

    Args:
        manifest: the project's manifest.
        name: of the upstream.
        progress: told how far each step is.
        versions: the releases; when there are none: those that series are pinned to (for one
            that is nowhere to be had, the nearest of its track) and the newest of each track.
            A pin that cannot be had at all is an error when it is the only one.
        source: the only source to use, or None.

    Raises:
        UsageError: there is no such upstream, version or source.
        EnvironmentProblem: a release cannot be had, or is not what the lock file records.
    """
    mirror = Mirror(manifest, name)
    sources = open_sources(manifest, mirror.upstream, source)
    for version in versions:
        if not is_version(version):
            raise UsageError(f"{version!r} is not a version", hint="give numbers like 6.12.107")
    mirror.prepare()
    mirror.tidy()
    work = _Sync(manifest, mirror, sources, progress)
    if versions:
        done = {version: work.mirror(version) for version in versions}
        return SyncResult(name, _ordered(done), problems=sources.complaints())
    available = sources.available()
    if available:
        remember_releases(manifest, name, available)
    pins = {spec.pin for spec in manifest.series.values() if spec.upstream == name}
    done, lost = work.mirror_pins(sorted(pins, key=version_key))
    track = mirror.upstream.track
    absent = lost
    for each in dict.fromkeys((track, *(track_of(pin, track) for pin in pins))):
        last = work.mirror_newest(each, {item.release.version for item in done.values()}, absent)
        if last is not None:
            done[last.release.version] = last
    return SyncResult(
        name, _ordered(done), newest(available, track), tuple(absent), sources.complaints()
    )


def _ordered(done: dict[str, Mirrored]) -> tuple[Mirrored, ...]:
    items = sorted(done.values(), key=lambda item: version_key(item.release.version))
    return tuple(items)


class _Sync:
    """One upstream's mirror, its sources, and the lock file."""

    def __init__(
        self, manifest: Manifest, mirror: Mirror, sources: Sources, progress: Progress
    ) -> None:
        self._manifest = manifest
        self._mirror = mirror
        self._sources = sources
        self._progress = progress
        self._lock_path = manifest.root / "portkit.lock"

    def mirror_nearest(self, version: str) -> Mirrored:
        """A release or, when it is nowhere to be had, the nearest of the track that can be had."""
        try:
            return self.mirror(version)
        except NotThere as error:
            problem = error
        here = [release.version for release in self._mirror.releases()]
        others = {*self._sources.available(), *here} - {version}
        while other := nearest(version, others, self._mirror.upstream.track):
            try:
                return dataclasses.replace(self.mirror(other), instead_of=version)
            except NotThere:
                others.remove(other)
        raise problem

    def mirror_pins(self, pins: Sequence[str]) -> tuple[dict[str, Mirrored], list[str]]:
        """What stands for each pin, and the pins that nothing can stand for.

        Raises:
            NotThere: none of them can be had.
        """
        done: dict[str, Mirrored] = {}
        lost: list[str] = []
        for version in pins:
            try:
                done[version] = self.mirror_nearest(version)
            except NotThere:
                if version == pins[-1] and not done:
                    raise
                lost.append(version)
        return done, lost

    def mirror_newest(
        self, track: str, mirrored: Collection[str], absent: list[str]
    ) -> Mirrored | None:
        """The newest release of a track that can be had, if it is newer than what is mirrored.

        Args:
            track: which.
            mirrored: releases of any track.
            absent: gets those of the newer ones that are known but nowhere to be had.
        """
        beyond = newest(mirrored, track)
        others = set(self._sources.available()) - set(absent)
        while other := newest(others, track):
            if beyond is not None and version_key(other) <= version_key(beyond):
                break
            try:
                return self.mirror(other)
            except NotThere:
                others.remove(other)
                absent.append(other)
        return None

    def mirror(self, version: str) -> Mirrored:
        """One release, from the first source that can serve it, unless it is mirrored."""
        recorded = self._recorded(version)
        for release in self._mirror.releases():
            if release.version == version and recorded is not None:
                if release.tree != recorded.tree:
                    raise EnvironmentProblem(
                        f"the mirror has tree {release.tree}, portkit.lock records {recorded.tree}",
                        where=f"{release.upstream} {version}",
                        hint=f"remove {self._mirror.repo.path} and sync again",
                    )
                return Mirrored(release, recorded.source, new=False)
        with self._sources.fetch(version, self._progress) as (source, fetched):
            return self._take(version, source, fetched)

    def _recorded(self, version: str) -> LockEntry | None:
        """What the lock file has for a release, if that was made for the subtree in use."""
        entry = Lock.read(self._lock_path).entry(self._mirror.upstream.name, version)
        return entry if entry and entry.subtree == self._mirror.subtree_id else None

    def _take(self, version: str, source: str, fetched: Fetched) -> Mirrored:
        upstream = self._mirror.upstream
        recorded = self._recorded(version)
        if recorded and recorded.source == source and recorded.digest != fetched.digest:
            raise self._mismatch(version, source, "digest", fetched.digest, recorded.digest)
        counted = Counted(fetched, f"import {upstream.name} {version}", self._progress)
        reader = ArchiveReader(counted, fetched.name, upstream.subtree)

        def date() -> int:
            return recorded.date if recorded else reader.date

        def accept(release: Release) -> None:
            """Record the release before it becomes visible: none is ever without an entry."""
            if recorded and recorded.tree != release.tree:
                raise self._mismatch(version, source, "tree", release.tree, recorded.tree)
            if recorded is None:
                self._record(release, source, fetched.digest, reader.date)

        release = self._mirror.import_release(version, reader.entries(), date, accept)
        return Mirrored(release, source, new=True, missing=reader.missing)

    def _record(self, release: Release, source: str, digest: str, date: int) -> None:
        entry = LockEntry(
            upstream=release.upstream,
            version=release.version,
            source=source,
            digest=digest,
            subtree=self._mirror.subtree_id,
            tree=release.tree,
            date=date,
        )
        lock = Lock.read(self._lock_path).updated(entry)
        replace_files(self._manifest.state_dir, {self._lock_path: lock.to_bytes()})

    def _mismatch(
        self, version: str, source: str, what: str, found: str, recorded: str
    ) -> EnvironmentProblem:
        return EnvironmentProblem(
            f"source {source} gives another {what} than is recorded: {found}, not {recorded}",
            where=f"portkit.lock: {self._mirror.upstream.name} {version}",
            hint="nothing was imported; if the new one is right, take the entry out and sync again",
        )
