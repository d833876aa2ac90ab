"""Change a series so that the change can be taken back, and taken back again.

Every command that rewrites a series ends in ``store_series``. In the same transaction it writes a
record, ``.portkit/undo/SERIES/NNNNNN.json``, with the files as they were and the digests of what
they became. ``undo`` puts the files back only if each of them still is what that change made of
it, and turns the record into the one that ``redo`` reads. The pin is kept by itself, so that other
edits of ``portkit.toml`` do not matter.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from portkit.errors import EnvironmentProblem, Refused
from portkit.manifest.load import set_pin
from portkit.manifest.model import Manifest, SeriesSpec
from portkit.series.model import Patch
from portkit.series.store import render_series
from portkit.transaction import replace_files

_KEPT = 100  # records of a series; the oldest go first


@dataclass(frozen=True, slots=True)
class Change:
    """A recorded change of a series.

    Attributes:
        command: the command that made it, e.g. ``drop qemu 0002-fix.patch``.
        time: when, ISO 8601.
        pin: the pin before and after it; None when it stayed.
        files: path relative to the project, to the content before (None: no such file) and the
            digest of the content after (None: removed).
    """

    command: str
    time: str
    pin: tuple[str, str] | None
    files: Mapping[str, tuple[bytes | None, str | None]]


def store_series(
    manifest: Manifest,
    spec: SeriesSpec,
    patches: Sequence[Patch],
    command: str,
    *,
    onto: str | None = None,
    also: Mapping[Path, bytes | None] | None = None,
) -> None:
    """Write a series anew, in one transaction with the record for ``undo``.

    Args:
        manifest: the project; its lock is held.
        spec: the series.
        patches: all of its patches from now on.
        command: what did this, for people.
        onto: the new pin, or None when it stays.
        also: other files that change with it and that undo leaves alone.

    Raises:
        EnvironmentProblem: the disk refuses; then nothing has changed.
    """
    files = render_series(spec.directory, patches)
    pin = (spec.pin, onto) if onto is not None and onto != spec.pin else None
    log = _Log(manifest, spec.name)
    change = log.describe(command, pin, files)
    if change is None:
        return
    extra = dict(also or {})
    if pin is not None:
        extra[manifest.path] = set_pin(manifest.path.read_bytes(), spec.name, pin[1])
    records = {**dict.fromkeys(log.redoable()), **log.append(change)}
    replace_files(manifest.state_dir, {**extra, **files, **records})


def changes(manifest: Manifest, series: str) -> list[Change]:
    """What can be undone of a series, the latest last."""
    log = _Log(manifest, series)
    return [log.read(path) for path in log.undoable()]


def undo(manifest: Manifest, series: str) -> Change:
    """Take the latest change of a series back; the project's lock is held.

    Raises:
        Refused: there is none, or a file was changed since by other means.
    """
    log = _Log(manifest, series)
    return log.revert(log.undoable(), log.redo_directory, "undo")


def redo(manifest: Manifest, series: str) -> Change:
    """Take the latest undo of a series back; see ``undo``."""
    log = _Log(manifest, series)
    return log.revert(log.redoable(), log.directory, "redo")


class _Log:
    """The records of one series."""

    def __init__(self, manifest: Manifest, series: str) -> None:
        self.manifest = manifest
        self.series = series
        self.directory = manifest.state_dir / "undo" / series
        self.redo_directory = self.directory / "redo"

    def undoable(self) -> list[Path]:
        return sorted(self.directory.glob("*.json"))

    def redoable(self) -> list[Path]:
        return sorted(self.redo_directory.glob("*.json"))

    def describe(
        self, command: str, pin: tuple[str, str] | None, files: Mapping[Path, bytes | None]
    ) -> Change | None:
        """The record of a change that is about to happen; None when nothing would change."""
        found: dict[str, tuple[bytes | None, str | None]] = {}
        for path, after in files.items():
            before = path.read_bytes() if path.is_file() else None
            if before != after:
                found[path.relative_to(self.manifest.root).as_posix()] = before, _digest(after)
        if not found and pin is None:
            return None
        return Change(command, datetime.now(UTC).isoformat(timespec="seconds"), pin, found)

    def append(self, change: Change) -> dict[Path, bytes | None]:
        """What to write for one more record: it, and the removal of the oldest ones."""
        known = self.undoable()
        return {
            **dict.fromkeys(known[: len(known) - _KEPT + 1] if len(known) >= _KEPT else []),
            _next(self.directory, known): _to_bytes(change),
        }

    def revert(self, records: Sequence[Path], target: Path, verb: str) -> Change:
        """Reverse the last record, and write the one that reverses this into ``target``.

        Returns:
            The change as its command made it, whether it is undone or done again.
        """
        if not records:
            raise Refused(
                f"there is nothing to {verb}", where=self.series,
                hint="the series is as it was when portkit first changed it here"
                if verb == "undo" else "only what 'portkit undo' took back can be done again",
            )  # fmt: skip
        change = self.read(records[-1])
        root = self.manifest.root
        pin = self.manifest.series[self.series].pin
        if change.pin and pin != change.pin[1]:
            self._refuse(verb, change, f"the pin is {pin} now, not {change.pin[1]}")
        back: dict[Path, bytes | None] = {}
        for name, (before, after) in change.files.items():
            path = root / name
            if _digest(path.read_bytes() if path.is_file() else None) != after:
                self._refuse(verb, change, f"{name} was changed since")
            back[path] = before
        inverse = self.describe(change.command, change.pin and change.pin[::-1], back)
        assert inverse is not None
        if change.pin:
            back[self.manifest.path] = set_pin(
                self.manifest.path.read_bytes(), self.series, change.pin[0]
            )
        there = sorted(target.glob("*.json"))
        steps = {records[-1]: None, _next(target, there): _to_bytes(inverse)}
        replace_files(self.manifest.state_dir, {**back, **steps})
        return change if verb == "undo" else inverse

    def read(self, path: Path) -> Change:
        """A record.

        Raises:
            EnvironmentProblem: the file holds none.
        """
        try:
            data = json.loads(path.read_bytes())
            files = {
                str(name): (None if before is None else _bytes(before), after)
                for name, (before, after) in data["files"].items()
            }
            pin = data["pin"] and (data["pin"][0], data["pin"][1])
            return Change(data["command"], data["time"], pin, files)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EnvironmentProblem(
                "this record of a change is damaged", where=str(path), hint="remove the file"
            ) from error

    def _refuse(self, verb: str, change: Change, why: str) -> None:
        raise Refused(
            f"{verb} of '{change.command}' would lose other work: {why}", where=self.series,
            hint="put that aside first; nothing was changed",
        )  # fmt: skip


def _next(directory: Path, known: Sequence[Path]) -> Path:
    number = int(known[-1].stem) + 1 if known else 1
    return directory / f"{number:06}.json"


def _digest(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()


def _to_bytes(change: Change) -> bytes:
    files = {
        name: [None if before is None else before.decode(errors="surrogateescape"), after]
        for name, (before, after) in change.files.items()
    }
    data = {"command": change.command, "time": change.time, "pin": change.pin, "files": files}
    return json.dumps(data).encode()


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
