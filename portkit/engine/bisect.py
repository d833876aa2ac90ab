"""Which upstream release, and which commit, changed what becomes of a patch.

Nothing is applied one release at a time: all releases between the two ends are checked at once
(``check``: in parallel, and from its cache), each for the patch and what it builds on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portkit.engine.carry import Journey, Outcome, carry, read_journey
from portkit.engine.check import PatchVerdict, Progress, Task, check
from portkit.engine.explain import Explanation, explain
from portkit.engine.needed import needed_for
from portkit.engine.resolutions import resolutions_of
from portkit.engine.tree import read_tree, touched_paths
from portkit.errors import Refused, UsageError
from portkit.manifest.model import Manifest, SeriesSpec
from portkit.manifest.version import version_key
from portkit.mirror.history import Commit, history_of
from portkit.mirror.model import Release
from portkit.mirror.store import Mirror
from portkit.series.model import Series
from portkit.series.store import load_series


@dataclass(frozen=True, slots=True)
class Change:
    """The release that made the difference.

    Attributes:
        after: the last release that is still as the good one.
        release: the first one that is not.
        verdict: the patch on it.
        commit: upstream's commit that did it, where a source has the history.
        conflicts: with a conflict: the files, explained.
    """

    after: str
    release: str
    verdict: PatchVerdict
    commit: Commit | None
    conflicts: tuple[Explanation, ...]


@dataclass(frozen=True, slots=True)
class Bisection:
    """A patch over some releases.

    Attributes:
        series, patch: which.
        verdicts: (version, verdict) from the good release to the bad one.
        change: the first difference; None when there is none.
    """

    series: str
    patch: str
    verdicts: tuple[tuple[str, PatchVerdict], ...]
    change: Change | None


def bisect(
    manifest: Manifest,
    spec: SeriesSpec,
    patch: str,
    good: str | None = None,
    bad: str | None = None,
    progress: Progress | None = None,
) -> Bisection:
    """Find where a patch's outcome changes first.

    Args:
        manifest: the project's manifest.
        spec: the series.
        patch: name of one of its patches.
        good: a mirrored release; the one that the series is pinned to when None.
        bad: another one, newer or older; the newest mirrored one when None.
        progress: told how many releases are done.

    Raises:
        UsageError: no such patch, or both releases are the same.
        Refused: the patch, or one that it builds on, does not apply on the pinned release.
        EnvironmentProblem: a release is not mirrored.
    """
    series = load_series(spec)
    known = [each.name for each in series.patches]
    if patch not in known:
        raise UsageError(
            f"there is no patch '{patch}' in {spec.name}",
            hint=f"known are: {', '.join(known) or 'none'}",
        )
    mirror = Mirror(manifest, spec.upstream)
    base = mirror.release(spec.pin)
    releases = mirror.releases()
    last = mirror.release(bad) if bad else releases[-1]
    way = _way(releases, mirror.release(good or spec.pin), last)
    verdicts = [
        verdict.patches[-1]
        for verdict in check(manifest, [Task(spec, base, each, patch) for each in way], progress)
    ]
    for verdict in verdicts:
        if verdict.outcome == "refused":
            raise Refused(
                verdict.reason or "it does not apply", where=f"{spec.name} on {spec.pin}",
                hint="make the series apply on its pinned release first",
            )  # fmt: skip
    rows = tuple(zip((release.version for release in way), verdicts, strict=True))
    at = next(
        (at for at, each in enumerate(verdicts) if each.outcome != verdicts[0].outcome), None
    )
    if at is None:
        return Bisection(spec.name, patch, rows, None)
    work = _Work(manifest, mirror, base, needed_for(series, patch))
    change = Change(
        way[at - 1].version, way[at].version, verdicts[at],
        work.commit(way[at - 1], way[at], verdicts[at].outcome), work.conflicts(way[at]),
    )  # fmt: skip
    return Bisection(spec.name, patch, rows, change)


def _way(releases: Sequence[Release], good: Release, bad: Release) -> list[Release]:
    """The mirrored releases from one to another, both included."""
    if good == bad:
        raise UsageError(
            f"good and bad are both {good.version}",
            hint=f"name two releases; mirror more with 'portkit sync {good.upstream} --version V'",
        )
    keys = sorted(version_key(each.version) for each in (good, bad))
    between = [each for each in releases if keys[0] <= version_key(each.version) <= keys[1]]
    return between if between[0] == good else between[::-1]


class _Work:
    """A patch and what it builds on, to be carried once more for what a verdict does not say."""

    def __init__(self, manifest: Manifest, mirror: Mirror, base: Release, series: Series) -> None:
        self.manifest = manifest
        self.mirror = mirror
        self.base = base
        self.series = series
        self.resolve = resolutions_of(manifest, base.upstream).resolve

    def conflicts(self, onto: Release) -> tuple[Explanation, ...]:
        """The patch's conflicts with a release, explained."""
        journey = read_journey(self.mirror.repo, self.base, onto, self.series)
        *_, last = carry(journey, self.resolve)
        if last.outcome is not Outcome.CONFLICT:
            return ()
        return explain(self.manifest, self.base, onto, journey.renames, last.conflicts)

    def commit(self, old: Release, new: Release, outcome: str) -> Commit | None:
        """Upstream's commit between two releases since which the outcome is the new one's."""
        history = history_of(self.mirror.upstream)
        if history is None or version_key(old.version) > version_key(new.version):
            return None
        journey = read_journey(self.mirror.repo, self.base, new, self.series)
        paths = touched_paths(self.series) | frozenset(journey.renames.values())

        def differs(commit: str) -> bool:
            there = Journey(
                self.series, commit, journey.ours, read_tree(history.repo, commit, paths),
                journey.renames,
            )  # fmt: skip
            *_, last = carry(there, self.resolve)
            return last.outcome.value == outcome

        return history.first(old.version, new.version, sorted(paths), differs)
