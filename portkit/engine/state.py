"""A rebase that waits for a person, on disk: decisions, and the small worktree.

What is kept is what cannot be computed again: between which releases, of which patch files, and
what people have decided about them. Everything else follows from the mirror in less than
a second, so there is no half-done state that a kill could leave behind.

``state.json`` and the blobs are written before anything depends on them. The worktree appears by
one rename together with its ``.portkit-stop.json``, which says what it is about; a worktree whose
patch is decided already is a leftover.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from portkit.engine.carry import Decision
from portkit.engine.merge import FileConflict, Kind
from portkit.errors import EnvironmentProblem, UsageError
from portkit.series.model import Entry, Series

_STOP = ".portkit-stop.json"
_LEFTOVERS = ("*~", "*.orig", "*.rej", ".*.sw?", "#*#")  # what editors and merge tools leave


@dataclass(frozen=True, slots=True)
class RebaseState:
    """A rebase in progress.

    Attributes:
        series: name of the series.
        pin, onto: versions of the two releases.
        patches: (name, SHA-256) of every patch file when the rebase began.
        decisions: what people decided, by patch name.
    """

    series: str
    pin: str
    onto: str
    patches: tuple[tuple[str, str], ...]
    decisions: Mapping[str, Decision]

    def decide(self, patch: str, decision: Decision) -> RebaseState:
        """The state with one more decision."""
        return replace(self, decisions={**self.decisions, patch: decision})


@dataclass(frozen=True, slots=True)
class Stop:
    """What a worktree is about.

    Attributes:
        patch: name of the patch that conflicts.
        conflicts: the conflicting files as they were put there.
    """

    patch: str
    conflicts: Mapping[PurePosixPath, FileConflict]


def patch_digests(series: Series) -> tuple[tuple[str, str], ...]:
    """(name, SHA-256) of every patch file."""
    return tuple((patch.name, hashlib.sha256(patch.raw).hexdigest()) for patch in series.patches)


class StateDir:
    """The directory ``.portkit/rebase/<series>/``.

    Args:
        state_dir: the project's ``.portkit``.
        series: name of the series.
    """

    def __init__(self, state_dir: Path, series: str) -> None:
        self.path = state_dir / "rebase" / series
        self.worktree = self.path / "worktree"
        self.state_file = self.path / "state.json"

    def load(self) -> RebaseState | None:
        """The rebase in progress, or None.

        Raises:
            EnvironmentProblem: the state cannot be read.
        """
        try:
            data = json.loads(self.state_file.read_bytes())
            return RebaseState(
                data["series"], data["pin"], data["onto"],
                tuple((name, digest) for name, digest in data["patches"]),
                {name: self._decision(each) for name, each in data["decisions"].items()},
            )  # fmt: skip
        except FileNotFoundError as error:
            if error.filename == str(self.state_file):
                return None
            raise
        except (ValueError, KeyError, TypeError) as error:
            raise EnvironmentProblem(
                "the state of this rebase is damaged", where=str(self.state_file),
                hint="run 'portkit rebase SERIES --abort'; the patch files are untouched",
            ) from error  # fmt: skip

    def save(self, state: RebaseState) -> None:
        """Write the state, atomically: first what people made, then what refers to it."""
        decisions = {
            name: {
                "skip": decision.skip,
                "files": {
                    path.as_posix(): entry and [entry.mode, self._put(entry.data)]
                    for path, entry in decision.files.items()
                },
            }
            for name, decision in state.decisions.items()
        }
        data = {**asdict(replace(state, decisions={})), "decisions": decisions}
        _write(self.state_file, json.dumps(data, indent=1).encode())

    def stop(self) -> Stop | None:
        """What the worktree is about; None when there is none."""
        try:
            data = json.loads((self.worktree / _STOP).read_bytes())
        except FileNotFoundError:
            return None
        conflicts = {
            PurePosixPath(path): FileConflict(
                Kind(kind), text.encode(errors="surrogateescape"), size, mode
            )
            for path, (kind, text, size, mode) in data["conflicts"].items()
        }
        return Stop(data["patch"], conflicts)

    def put_worktree(self, stop: Stop) -> None:
        """Put the conflicting files into a new worktree, which appears as a whole."""
        draft = self.path / "worktree.new"
        shutil.rmtree(draft, ignore_errors=True)
        for path, conflict in stop.conflicts.items():
            target = draft / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(conflict.text)
            if conflict.mode == "100755":
                target.chmod(0o755)
        data = {
            "patch": stop.patch,
            "conflicts": {
                path.as_posix(): [
                    conflict.kind.value, conflict.text.decode(errors="surrogateescape"),
                    conflict.marker_size, conflict.mode,
                ]
                for path, conflict in stop.conflicts.items()
            },
        }  # fmt: skip
        _write(draft / _STOP, json.dumps(data).encode())
        shutil.rmtree(self.worktree, ignore_errors=True)
        draft.rename(self.worktree)

    def read_worktree(self, stop: Stop) -> dict[PurePosixPath, Entry | None]:
        """The files as the person left them: conflicting ones (None: removed), and added ones.

        Raises:
            UsageError: something in there is neither a file nor a link.
        """
        found: dict[PurePosixPath, Entry | None] = dict.fromkeys(stop.conflicts)
        for directory, names, files in os.walk(self.worktree):
            links = [name for name in names if (Path(directory) / name).is_symlink()]
            for name in (*files, *links):
                path = Path(directory) / name
                relative = PurePosixPath(path.relative_to(self.worktree))
                ours = relative in stop.conflicts
                if ours or not (name == _STOP or any(fnmatch(name, at) for at in _LEFTOVERS)):
                    found[relative] = _read_entry(path)
        return found

    def set_aside(self, stop: Stop) -> Path | None:
        """Keep a worktree that somebody worked in; returns where, None when nobody did."""
        untouched = {
            path: Entry(conflict.mode, conflict.text) for path, conflict in stop.conflicts.items()
        }
        if self.read_worktree(stop) == untouched:
            return None
        number = 1
        while (kept := self.path.with_name(f"{self.path.name}.aborted.{number}")).exists():
            number += 1
        self.worktree.rename(kept)
        return kept

    def clear(self) -> None:
        """Remove the directory; the state goes first, so a kill leaves no rebase in progress."""
        self.state_file.unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)

    def _decision(self, data: Mapping[str, object]) -> Decision:
        files = data["files"]
        assert isinstance(files, dict)
        return Decision(
            bool(data["skip"]),
            {
                PurePosixPath(path): Entry(entry[0], (self.path / "blobs" / entry[1]).read_bytes())
                if entry
                else None
                for path, entry in files.items()
            },
        )

    def _put(self, data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()
        path = self.path / "blobs" / name
        if not path.exists():
            _write(path, data)
        return name


def _read_entry(path: Path) -> Entry:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return Entry("120000", os.fsencode(path.readlink()))
    if not stat.S_ISREG(mode):
        raise UsageError(
            "neither a file nor a symbolic link", where=str(path), hint="remove it and run again"
        )
    return Entry("100755" if mode & stat.S_IXUSR else "100644", path.read_bytes())


def _write(path: Path, data: bytes) -> None:
    """Write a file so that it is there as a whole or not at all, also after a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
