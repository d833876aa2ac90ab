"""Two portkits at once: the second one says so and changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from portkit.errors import EnvironmentProblem
from portkit.locking import project_lock

_HOLD = """
import sys
from pathlib import Path
from portkit.locking import project_lock
with project_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(state_dir: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(state_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_message_names_the_process_that_holds_the_lock(tmp_path: Path) -> None:
    process = holder(tmp_path)
    with (
        pytest.raises(EnvironmentProblem, match=f"process {process.pid}.*wait for it"),
        project_lock(tmp_path),
    ):
        pytest.fail("two processes held the lock")
    process.communicate("")


def test_kill_9_of_the_holder_frees_the_lock(tmp_path: Path) -> None:
    process = holder(tmp_path)
    process.kill()
    process.communicate()
    with project_lock(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_the_lock_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with project_lock(tmp_path):
            pass
