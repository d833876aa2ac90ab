"""Change several files as one: all of them or, after a crash, all of them at the next start.

The new contents are staged below ``.portkit/transaction/``; writing the journal is the commit
point. Whoever finds a journal (``recover``, run before every command) carries it out again,
which is harmless: each step is a rename or a removal. A staging directory without a journal
was never committed and is thrown away.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from portkit.errors import EnvironmentProblem

_STAGE = "transaction"
_JOURNAL = "journal.json"


def replace_files(state_dir: Path, changes: Mapping[Path, bytes | None]) -> None:
    """Write (bytes) and remove (None) files as one change.

    Args:
        state_dir: the manifest's ``.portkit`` directory, on the same file system.
        changes: absolute path to new content; a file whose content would stay is not touched.

    Raises:
        EnvironmentProblem: the disk refuses (full, read-only); then nothing has changed.
    """
    todo = {path: data for path, data in changes.items() if _differs(path, data)}
    if not todo:
        return
    stage = state_dir / _STAGE
    try:
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir(parents=True)
        steps: list[dict[str, str | None]] = []
        for number, (path, data) in enumerate(todo.items()):
            name = None if data is None else f"{number:05d}"
            if name is not None and data is not None:
                _write_synced(stage / name, data)
            steps.append({"path": os.fspath(path), "staged": name})
        _write_synced(stage / "journal.new", json.dumps(steps).encode())
        (stage / "journal.new").rename(stage / _JOURNAL)
        _sync_directory(stage)
    except OSError as error:
        shutil.rmtree(stage, ignore_errors=True)
        raise EnvironmentProblem(
            error.strerror or str(error),
            where=str(error.filename or stage),
            hint="nothing was changed; make room or fix the permissions and run again",
        ) from error
    recover(state_dir)


def recover(state_dir: Path) -> None:
    """Finish a committed change that a crash interrupted; drop one that was never committed."""
    stage = state_dir / _STAGE
    journal = stage / _JOURNAL
    try:
        if journal.exists():
            for step in json.loads(journal.read_bytes()):
                path = Path(step["path"])
                if step["staged"] is None:
                    path.unlink(missing_ok=True)
                elif (stage / step["staged"]).exists():  # else: done before the crash
                    path.parent.mkdir(parents=True, exist_ok=True)
                    (stage / step["staged"]).replace(path)
            journal.unlink()
        if stage.exists():
            shutil.rmtree(stage)
    except OSError as error:
        raise EnvironmentProblem(
            error.strerror or str(error),
            where=str(error.filename or stage),
            hint="the change is kept and is finished by the next command; fix this and run again",
        ) from error


def _differs(path: Path, data: bytes | None) -> bool:
    try:
        return path.read_bytes() != data
    except FileNotFoundError:
        return data is not None


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
