"""The state of every series, for ``portkit status``."""

from __future__ import annotations

from dataclasses import dataclass

from portkit.engine.check import Task, Verdict, check
from portkit.manifest.model import Manifest, SeriesSpec
from portkit.manifest.version import newest, track_of, version_key
from portkit.mirror.known import known_releases
from portkit.mirror.model import Release
from portkit.mirror.store import Mirror


@dataclass(frozen=True, slots=True)
class SeriesState:
    """A series and where it stands.

    Attributes:
        spec: the series.
        newest: the newest mirrored release of the track, or None.
        known: the newest one that a source has listed, when that is newer still, or None.
        pinned: the verdict on the pinned release; None when that is not mirrored.
        on_newest: the verdict on the newest release, when that is newer than the pin.
        rebasing: the release that a rebase in progress goes to, or None.
    """

    spec: SeriesSpec
    newest: str | None
    known: str | None
    pinned: Verdict | None
    on_newest: Verdict | None
    rebasing: str | None


def overview(manifest: Manifest) -> list[SeriesState]:
    """The state of every series, in the manifest's order; verdicts come from the cache if known.

    Raises:
        UsageError: a series is not valid.
        EnvironmentProblem: the mirror or the disk fails.
    """
    return [_state(manifest, spec) for spec in manifest.series.values()]


def _state(manifest: Manifest, spec: SeriesSpec) -> SeriesState:
    releases: dict[str, Release] = {
        release.version: release for release in Mirror(manifest, spec.upstream).releases()
    }
    track = track_of(spec.pin, manifest.upstreams[spec.upstream].track)
    latest = newest(releases, track)
    known = newest({*releases, *known_releases(manifest, spec.upstream).versions}, track)
    known = known if known != latest else None
    rebasing = _rebasing(manifest, spec)
    base = releases.get(spec.pin)
    if base is None:
        return SeriesState(spec, latest, known, None, None, rebasing)
    newer = latest is not None and version_key(latest) > version_key(spec.pin)
    wanted = [base, releases[latest]] if latest and newer else [base]
    verdicts = check(manifest, [Task(spec, base, release) for release in wanted])
    on_newest = verdicts[1] if len(verdicts) > 1 else None
    return SeriesState(spec, latest, known, verdicts[0], on_newest, rebasing)


def _rebasing(manifest: Manifest, spec: SeriesSpec) -> str | None:
    if not (manifest.state_dir / "rebase" / spec.name / "state.json").exists():
        return None
    from portkit.engine.state import StateDir  # costs time that an ordinary status need not pay

    state = StateDir(manifest.state_dir, spec.name).load()
    return state.onto if state else None
