"""What is new upstream, and what would a rebase meet there? Series and pins stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from portkit.engine.carry import Outcome, carry, read_journey
from portkit.engine.check import PatchVerdict, Verdict
from portkit.engine.explain import Explanation, explain
from portkit.engine.resolutions import resolutions_of
from portkit.errors import EnvironmentProblem, Refused
from portkit.manifest.model import Manifest, SeriesSpec
from portkit.manifest.version import is_candidate, newest, track_of, version_key
from portkit.mirror.known import known_releases
from portkit.mirror.source import Progress
from portkit.mirror.store import Mirror
from portkit.mirror.sync import sync_upstream
from portkit.series.store import load_series


@dataclass(frozen=True, slots=True)
class News:
    """An upstream.

    Attributes:
        upstream, track: which.
        newest: the newest release of the track that is mirrored now, or None.
        new: releases that this run has mirrored.
        later: the newest release of any later track that is known, or None.
        absent: releases of the track that are known, but nowhere to be had.
        problems: why a source could not be asked, by its name.
        failed: why the upstream could not be mirrored, or None.
    """

    upstream: str
    track: str
    newest: str | None
    new: tuple[str, ...] = ()
    later: str | None = None
    absent: tuple[str, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A series, carried to the newest release in memory.

    Attributes:
        series, upstream, pin: which.
        onto: the newest mirrored release of the track; None when the pin is that.
        verdict: the patches there.
        conflicts: by patch: its files, explained.
        failed: why it could not be tried, or None.
    """

    series: str
    upstream: str
    pin: str
    onto: str | None
    verdict: Verdict | None = None
    conflicts: Mapping[str, tuple[Explanation, ...]] = field(default_factory=dict)
    failed: str | None = None

    @property
    def ok(self) -> bool:
        """Whether nobody has to do anything by hand."""
        return self.failed is None and (self.verdict is None or self.verdict.ok)


@dataclass(frozen=True, slots=True)
class Watch:
    """The whole result."""

    news: tuple[News, ...]
    trials: tuple[Trial, ...]


def watch(manifest: Manifest, progress: Progress) -> Watch:
    """Mirror what is new and try every series there; the project's lock is held.

    What cannot be reached or tried is part of the result.

    Raises:
        UsageError: a series is not valid.
    """
    news = tuple(_news(manifest, name, progress) for name in manifest.upstreams)
    return Watch(news, tuple(_trial(manifest, spec) for spec in manifest.series.values()))


def _news(manifest: Manifest, name: str, progress: Progress) -> News:
    mirror = Mirror(manifest, name)
    track = mirror.upstream.track
    try:
        result = sync_upstream(manifest, name, progress)
    except EnvironmentProblem as problem:
        here = newest((release.version for release in mirror.releases()), track)
        return News(name, track, here, failed=str(problem))
    here = newest((release.version for release in mirror.releases()), track)
    known = [v for v in known_releases(manifest, name).versions if not is_candidate(v)]
    last = max(known, key=version_key, default=None)
    current = newest((*known, *([here] if here else [])), track)
    later = last if last and (not current or version_key(last) > version_key(current)) else None
    return News(
        name, track, here, tuple(item.release.version for item in result.mirrored if item.new),
        later, result.absent, result.problems,
    )  # fmt: skip


def _trial(manifest: Manifest, spec: SeriesSpec) -> Trial:
    mirror = Mirror(manifest, spec.upstream)
    releases = {release.version: release for release in mirror.releases()}
    last = newest(releases, track_of(spec.pin, mirror.upstream.track))
    if last is None or version_key(last) <= version_key(spec.pin):
        return Trial(spec.name, spec.upstream, spec.pin, None)
    if spec.pin not in releases:
        why = f"its pinned release {spec.pin} is not mirrored"
        return Trial(spec.name, spec.upstream, spec.pin, last, failed=why)
    base, onto = releases[spec.pin], releases[last]
    journey = read_journey(mirror.repo, base, onto, load_series(spec))
    patches: list[PatchVerdict] = []
    conflicts = {}
    try:
        for step in carry(journey, resolutions_of(manifest, spec.upstream).resolve):
            files = tuple(str(path) for path in step.conflicts)
            name = step.patch.name
            patches.append(PatchVerdict(name, step.outcome.value, files, len(step.replayed)))
            if step.outcome is Outcome.CONFLICT:
                conflicts[name] = explain(manifest, base, onto, journey.renames, step.conflicts)
    except Refused as error:
        return Trial(spec.name, spec.upstream, spec.pin, last, failed=str(error))
    verdict = Verdict(spec.name, last, tuple(patches))
    return Trial(spec.name, spec.upstream, spec.pin, last, verdict, conflicts)
