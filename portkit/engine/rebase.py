"""Rebase a series onto another release: start, continue, skip, abort.

Nothing of the project changes before the end: then the patch files, the ``series`` file and the
pin change in one transaction. A conflict saves what people have decided so far (``state``), and
the next run carries the series again from the start with these decisions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NoReturn

from portkit.engine.carry import Carried, Decision, Outcome, carry, read_journey
from portkit.engine.chain import Step, write_chain
from portkit.engine.explain import Explanation, explain
from portkit.engine.merge import unresolved_line
from portkit.engine.resolutions import Origin, resolutions_of
from portkit.engine.rewrite import rewrite
from portkit.engine.state import RebaseState, StateDir, Stop, patch_digests
from portkit.engine.tree import Entry
from portkit.engine.undo import store_series
from portkit.errors import Conflict, UsageError
from portkit.manifest.model import Manifest, SeriesSpec
from portkit.mirror.store import Mirror
from portkit.series.model import Patch
from portkit.series.store import load_series
from portkit.transaction import replace_files


@dataclass(frozen=True, slots=True)
class Report:
    """How far a rebase came.

    Attributes:
        series, pin, onto: what is rebased, from and to which release.
        steps: the patches so far; the last one has the conflict, if there is one.
        rewritten: names of the patches whose files changed.
        collisions: files of the patch that stopped the rebase; empty when it is done.
        worktree: where the conflicting files are; None when it is done.
        not_recorded: files whose resolution could not be recorded for others.
        dropped_to: where the files of dropped patches are kept; None when there are none.
    """

    series: str
    pin: str
    onto: str
    steps: tuple[Carried, ...]
    rewritten: tuple[str, ...] = ()
    collisions: tuple[Explanation, ...] = ()
    worktree: Path | None = None
    not_recorded: tuple[PurePosixPath, ...] = ()
    dropped_to: Path | None = None


class Rebase:
    """The rebase of one series. The project's lock is held while its methods run.

    Args:
        manifest: the project's manifest.
        spec: the series.
    """

    def __init__(self, manifest: Manifest, spec: SeriesSpec) -> None:
        self.manifest = manifest
        self.spec = spec
        self.mirror = Mirror(manifest, spec.upstream)
        self.resolutions = resolutions_of(manifest, spec.upstream)
        self.directory = StateDir(manifest.state_dir, spec.name)

    def start(self, onto: str) -> Report:
        """Begin a rebase and go as far as it goes.

        Raises:
            UsageError: one is in progress, or the series is on that release already.
            Refused: a patch does not apply on the release that it is pinned to.
            EnvironmentProblem: a release is not mirrored, or the disk refuses.
        """
        if self.directory.load() is not None:
            raise UsageError(
                f"a rebase of {self.spec.name} is in progress",
                hint="use --continue, --skip or --abort",
            )
        if onto == self.spec.pin:
            raise UsageError(
                f"{self.spec.name} is pinned to {onto} already", hint="name another release"
            )
        digests = patch_digests(load_series(self.spec))
        return self._run(RebaseState(self.spec.name, self.spec.pin, onto, digests, {}))

    def resume(self) -> Report:
        """Take the resolved files of the worktree, record them for others, and go on.

        Raises:
            UsageError: no rebase is in progress, or the series was changed meanwhile.
            Conflict: a file has conflict markers left (file and line).
        """
        state, stop = self._stopped()
        if stop is None:
            return self._run(state)
        files = self.directory.read_worktree(stop)
        self._check_resolved(stop, files)
        not_recorded = self._record(state, stop, files)
        state = state.decide(stop.patch, Decision(skip=False, files=files))
        self.directory.save(state)
        return self._run(state, not_recorded)

    def skip(self) -> Report:
        """Leave the conflicting patch out and go on.

        Raises:
            UsageError: no rebase is in progress, or no patch is waiting.
        """
        state, stop = self._stopped()
        if stop is None:
            raise UsageError(
                "no patch is waiting", where=self.spec.name,
                hint=f"run 'portkit rebase {self.spec.name} --continue' first",
            )  # fmt: skip
        state = state.decide(stop.patch, Decision(skip=True, files={}))
        self.directory.save(state)
        return self._run(state)

    def abort(self) -> Path | None:
        """Give the rebase up. The patch files and the pin are as they were before it.

        Returns:
            Where the worktree is kept, when somebody has worked in it.

        Raises:
            UsageError: no rebase is in progress.
        """
        if not self.directory.state_file.exists():
            self._refuse_idle()
        stop = self.directory.stop()
        kept = self.directory.set_aside(stop) if stop else None
        self.directory.clear()
        return kept

    def _stopped(self) -> tuple[RebaseState, Stop | None]:
        """The rebase in progress, and what it waits for."""
        state = self.directory.load()
        if state is None:
            self._refuse_idle()
        digests = patch_digests(load_series(self.spec))
        if digests != state.patches or self.spec.pin != state.pin:
            raise UsageError(
                f"the patches or the pin of {self.spec.name} were changed during the rebase",
                where=str(self.spec.directory),
                hint=f"undo that, or run 'portkit rebase {self.spec.name} --abort'",
            )
        stop = self.directory.stop()
        if stop is not None and stop.patch in state.decisions:
            stop = None  # a leftover: a kill came between the decision and what follows it
        return state, stop

    def _refuse_idle(self) -> NoReturn:
        raise UsageError(
            f"no rebase of {self.spec.name} is in progress",
            hint=f"start one with 'portkit rebase {self.spec.name} --onto VERSION'",
        )

    def _run(self, state: RebaseState, not_recorded: tuple[PurePosixPath, ...] = ()) -> Report:
        base, onto = self.mirror.release(state.pin), self.mirror.release(state.onto)
        extra = [path for each in state.decisions.values() for path in each.files]
        journey = read_journey(self.mirror.repo, base, onto, load_series(self.spec), extra)
        steps: list[Carried] = []
        for step in carry(journey, self.resolutions.resolve, state.decisions):
            steps.append(step)
            if step.outcome is Outcome.CONFLICT:
                self.directory.save(state)
                self.directory.put_worktree(Stop(step.patch.name, step.conflicts))
                return Report(
                    state.series, state.pin, state.onto, tuple(steps),
                    collisions=explain(
                        self.manifest, base, onto, journey.renames, step.conflicts
                    ),
                    worktree=self.directory.worktree, not_recorded=not_recorded,
                )  # fmt: skip
        return self._finish(state, steps, not_recorded)

    def _finish(
        self, state: RebaseState, steps: list[Carried], not_recorded: tuple[PurePosixPath, ...]
    ) -> Report:
        """Write the branch, then the patch files, the pin and the end of the state as one."""
        carried = [step for step in steps if step.outcome is Outcome.APPLIES]
        patches = [rewrite(step) for step in carried]
        write_chain(
            self.mirror.repo, self.mirror.release(state.onto), state.series,
            [Step(patch, step.changes) for patch, step in zip(patches, carried, strict=True)],
        )  # fmt: skip
        dropped = [step.patch for step in steps if step.outcome is not Outcome.APPLIES]
        attic = self._attic(state, dropped)
        store_series(
            self.manifest, self.spec, patches, f"rebase {state.series} --onto {state.onto}",
            onto=state.onto,
            also={
                **{attic / patch.name: patch.raw for patch in dropped},
                self.directory.state_file: None,
            },
        )  # fmt: skip
        self.directory.clear()
        return Report(
            state.series, state.pin, state.onto, tuple(steps),
            rewritten=tuple(
                patch.name for patch, step in zip(patches, carried, strict=True)
                if patch.raw != step.patch.raw
            ),
            not_recorded=not_recorded, dropped_to=attic if dropped else None,
        )  # fmt: skip

    def _attic(self, state: RebaseState, dropped: list[Patch]) -> Path:
        """A directory for the files of dropped patches that overwrites no other content."""
        base = self.manifest.state_dir / "dropped" / state.series / f"{state.pin}-to-{state.onto}"
        number, path = 1, base
        while any(
            (path / patch.name).exists() and (path / patch.name).read_bytes() != patch.raw
            for patch in dropped
        ):
            number += 1
            path = base.with_name(f"{base.name}.{number}")
        return path

    def _check_resolved(self, stop: Stop, files: Mapping[PurePosixPath, Entry | None]) -> None:
        for path, entry in files.items():
            conflict = stop.conflicts.get(path)
            if entry is None or conflict is None or entry.mode == "120000":
                continue
            line = unresolved_line(entry.data, conflict.marker_size)
            if line is not None:
                raise Conflict(
                    "a conflict marker is left", where=f"{self.directory.worktree / path}:{line}",
                    hint="resolve the conflict and run --continue again, or use --skip or --abort",
                )  # fmt: skip

    def _record(
        self, state: RebaseState, stop: Stop, files: Mapping[PurePosixPath, Entry | None]
    ) -> tuple[PurePosixPath, ...]:
        """Keep the resolutions for others; they stay even if the rebase is given up later."""
        changes: dict[Path, bytes | None] = {}
        not_recorded = []
        for path, conflict in stop.conflicts.items():
            origin = Origin(path.as_posix(), stop.patch, state.pin, state.onto)
            found = self.resolutions.record(conflict, files[path], origin)
            if found is None:
                not_recorded.append(path)
            else:
                changes.update(found)
        replace_files(self.manifest.state_dir, changes)
        return tuple(not_recorded)
