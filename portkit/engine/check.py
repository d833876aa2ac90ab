"""Do the patches of a series apply on these releases? Many at once, and nothing is changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from portkit import __version__
from portkit.errors import Refused
from portkit.manifest.load import load_manifest
from portkit.manifest.model import Manifest, SeriesSpec
from portkit.mirror.model import Release

#: Told what is being done, how many are done, and of how many.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class PatchVerdict:
    """A patch on a release.

    Attributes:
        name: the patch.
        outcome: ``applies``, ``upstreamed``, ``conflict`` or, on the pinned release, ``refused``.
        files: the conflicting files.
        replayed: how many conflicts a shared resolution settles.
        reason: why it is refused.
    """

    name: str
    outcome: str
    files: tuple[str, ...] = ()
    replayed: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A series on a release.

    Attributes:
        series, version: which.
        patches: every patch in order; those after one that is refused are not there.
    """

    series: str
    version: str
    patches: tuple[PatchVerdict, ...]

    @property
    def ok(self) -> bool:
        """Whether every patch applies or is upstream already."""
        return all(patch.outcome in ("applies", "upstreamed") for patch in self.patches)

    def count(self, outcome: str) -> int:
        """How many patches have this outcome."""
        return Counter(patch.outcome for patch in self.patches)[outcome]


@dataclass(frozen=True, slots=True)
class Task:
    """A series on a release, to be checked.

    Attributes:
        spec: the series.
        base: the release that it is pinned to.
        onto: the release to try.
        patch: check just this patch and what it builds on, the last of the verdict's patches is
            it; None means all.
    """

    spec: SeriesSpec
    base: Release
    onto: Release
    patch: str | None = None


def check(
    manifest: Manifest, tasks: Sequence[Task], progress: Progress | None = None
) -> list[Verdict]:
    """The verdicts on some tasks, in their order; those known already come from the cache.

    Args:
        manifest: the project's manifest.
        tasks: what to check.
        progress: told how many of those that are not known yet are done.

    Raises:
        UsageError: a series is not valid.
        EnvironmentProblem: the mirror or the disk fails.
    """
    keys = [_key(manifest, task) for task in tasks]
    found = {
        key: verdict for key, task in zip(keys, tasks, strict=True)
        if (verdict := _known(manifest, key, task)) is not None
    }  # fmt: skip
    todo = {key: task for key, task in zip(keys, tasks, strict=True) if key not in found}
    for key, verdict in zip(todo, _compute_all(manifest, todo.values()), strict=True):
        _store(manifest, key, verdict)
        found[key] = verdict
        if progress is not None:
            progress("check", sum(each in found for each in todo), len(todo))
    return [  # two releases may be the same files
        replace(found[key], series=task.spec.name, version=task.onto.version)
        for key, task in zip(keys, tasks, strict=True)
    ]


def _compute_all(manifest: Manifest, tasks: Iterable[Task]) -> Iterator[Verdict]:
    work = [(manifest.path, task) for task in tasks]
    if len(work) < 2:
        yield from (_compute(*each) for each in work)
        return
    from concurrent.futures import ProcessPoolExecutor  # not needed when all is in the cache

    with ProcessPoolExecutor(max_workers=min(len(work), os.cpu_count() or 1)) as pool:
        yield from pool.map(_compute, *zip(*work, strict=True))


def _compute(path: Path, task: Task) -> Verdict:
    """One task from the start: the series is read again, because it is run in another process."""
    from portkit.engine.carry import carry, read_journey
    from portkit.engine.needed import needed_for
    from portkit.engine.resolutions import resolutions_of
    from portkit.mirror.store import Mirror
    from portkit.series.store import load_series

    manifest = load_manifest(path)
    mirror = Mirror(manifest, task.spec.upstream)
    series = load_series(task.spec)
    if task.patch is not None:
        series = needed_for(series, task.patch)
    patches: list[PatchVerdict] = []
    journey = read_journey(mirror.repo, task.base, task.onto, series)
    try:
        for step in carry(journey, resolutions_of(manifest, task.spec.upstream).resolve):
            files = tuple(str(path) for path in step.conflicts)
            replayed = len(step.replayed)
            patches.append(PatchVerdict(step.patch.name, step.outcome.value, files, replayed))
    except Refused as error:
        name = series.patches[len(patches)].name
        patches.append(PatchVerdict(name, "refused", reason=str(error)))
    return Verdict(task.spec.name, task.onto.version, tuple(patches))


def _key(manifest: Manifest, task: Task) -> str:
    """Digest of everything that a verdict depends on."""
    digest = hashlib.sha256(f"{__version__} {task.base.tree} {task.onto.tree}".encode())
    digest.update(f" {task.patch or ''}".encode(errors="surrogateescape"))
    resolutions = manifest.root / "patches" / task.spec.upstream / "resolutions"
    for directory in (task.spec.directory, resolutions):
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                digest.update(f"\n{path.relative_to(directory)} ".encode(errors="surrogateescape"))
                digest.update(hashlib.sha256(path.read_bytes()).digest())
        digest.update(b"\n\n")
    return digest.hexdigest()


def _cache_file(manifest: Manifest, key: str) -> Path:
    return manifest.state_dir / "cache" / "check" / f"{key}.json"


def _known(manifest: Manifest, key: str, task: Task) -> Verdict | None:
    """A task's verdict from the cache; that of one patch also from its whole series'."""
    verdict = _cached(manifest, key)
    if verdict is None and task.patch is not None:
        whole = _cached(manifest, _key(manifest, replace(task, patch=None)))
        patches = [each for each in whole.patches if each.name == task.patch] if whole else []
        if whole and patches:
            verdict = Verdict(whole.series, whole.version, tuple(patches))
    return verdict


def _cached(manifest: Manifest, key: str) -> Verdict | None:
    try:
        data = json.loads(_cache_file(manifest, key).read_bytes())
    except (OSError, ValueError):
        return None
    patches = tuple(
        PatchVerdict(**{**patch, "files": tuple(patch["files"])}) for patch in data["patches"]
    )
    return Verdict(data["series"], data["version"], patches)


def _store(manifest: Manifest, key: str, verdict: Verdict) -> None:
    """Keep a verdict, if the disk lets us: a check changes nothing and needs no room."""
    path = _cache_file(manifest, key)
    draft = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(asdict(verdict)))
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
