"""Several files change as one, whatever happens in between."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from portkit import transaction
from portkit.errors import EnvironmentProblem
from portkit.transaction import recover, replace_files


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "series").write_bytes(b"one.patch\ntwo.patch\n")
    (tmp_path / "one.patch").write_bytes(b"one\n")
    (tmp_path / "two.patch").write_bytes(b"two\n")
    return tmp_path


def contents(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in project.iterdir() if path.is_file()}


BEFORE = {"series": b"one.patch\ntwo.patch\n", "one.patch": b"one\n", "two.patch": b"two\n"}
AFTER = {"series": b"new.patch\ntwo.patch\n", "new.patch": b"new\n", "two.patch": b"two!\n"}


def change(project: Path) -> dict[Path, bytes | None]:
    after: dict[Path, bytes | None] = {project / name: data for name, data in AFTER.items()}
    after[project / "one.patch"] = None
    return after


def test_writes_creates_and_removes(project: Path) -> None:
    replace_files(project / ".portkit", change(project))
    assert contents(project) == AFTER
    assert not (project / ".portkit" / "transaction").exists()


def test_a_file_that_would_stay_is_not_touched(project: Path) -> None:
    before = (project / "series").stat()
    replace_files(project / ".portkit", {project / "series": BEFORE["series"]})
    after = (project / "series").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_creates_missing_directories(project: Path) -> None:
    replace_files(project / ".portkit", {project / "a" / "b" / "c": b"deep"})
    assert (project / "a" / "b" / "c").read_bytes() == b"deep"


def test_a_staging_directory_without_journal_was_never_committed(project: Path) -> None:
    stage = project / ".portkit" / "transaction"
    stage.mkdir(parents=True)
    (stage / "00000").write_bytes(b"half written")
    (stage / "journal.new").write_bytes(b'[{"path": "')
    recover(project / ".portkit")
    assert contents(project) == BEFORE
    assert not stage.exists()


def test_a_committed_change_is_finished_by_the_next_command(project: Path) -> None:
    """The state after a crash between the first and the second rename."""
    stage = project / ".portkit" / "transaction"
    stage.mkdir(parents=True)
    (project / "series").write_bytes(AFTER["series"])  # step 0 was carried out
    (stage / "00001").write_bytes(AFTER["new.patch"])
    (stage / "00002").write_bytes(AFTER["two.patch"])
    steps = [
        {"path": str(project / "series"), "staged": "00000"},
        {"path": str(project / "new.patch"), "staged": "00001"},
        {"path": str(project / "two.patch"), "staged": "00002"},
        {"path": str(project / "one.patch"), "staged": None},
    ]
    (stage / "journal.json").write_text(json.dumps(steps))
    recover(project / ".portkit")
    assert contents(project) == AFTER


def test_a_full_disk_while_staging_changes_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        path.write_bytes(data[:1])
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(transaction, "_write_synced", full)
    with pytest.raises(EnvironmentProblem, match=r"No space left.*nothing was changed"):
        replace_files(project / ".portkit", change(project))
    assert contents(project) == BEFORE
    assert not (project / ".portkit" / "transaction").exists()


_KILLED_AT = """
import os, signal, sys
from pathlib import Path
from portkit import transaction

step, project = int(sys.argv[1]), Path(sys.argv[2])
calls = 0

def counted(real):
    def call(*args, **kwargs):
        global calls
        if calls == step:
            os.kill(os.getpid(), signal.SIGKILL)
        calls += 1
        return real(*args, **kwargs)
    return call

for name in ("rename", "replace", "unlink", "mkdir", "open"):
    setattr(Path, name, counted(getattr(Path, name)))
os.fsync = counted(os.fsync)
transaction.replace_files(
    project / ".portkit",
    {
        project / "series": b"new.patch\\ntwo.patch\\n",
        project / "new.patch": b"new\\n",
        project / "two.patch": b"two!\\n",
        project / "one.patch": None,
    },
)
"""


def test_kill_9_at_every_step_leaves_the_old_or_the_new_state(project: Path) -> None:
    outcomes = set()
    for step in range(200):
        for path in project.iterdir():
            if path.is_file():
                path.unlink()
        for name, data in BEFORE.items():
            (project / name).write_bytes(data)
        run = subprocess.run(
            [sys.executable, "-c", _KILLED_AT, str(step), str(project)],
            env={**os.environ, "PYTHONPATH": str(Path(transaction.__file__).parents[1])},
            check=False,
        )
        recover(project / ".portkit")
        state = contents(project)
        assert state in (BEFORE, AFTER), f"killed at step {step}"
        outcomes.add("new" if state == AFTER else "old")
        if run.returncode == 0:
            break
    else:
        pytest.fail("the change never ran to its end")
    assert outcomes == {"old", "new"}
    assert step > 10
