"""Errors go from one process to another as they are."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path

import pytest

from portkit.errors import Conflict, PortkitError, disk_problem
from portkit.gitio import GitFailed
from portkit.series.problem import PatchProblem


@pytest.mark.parametrize(
    "error",
    [
        Conflict("what", where="where", hint="hint"),
        GitFailed(("cat-file",), 128, "fatal: no\n", Path("mirror")),
        PatchProblem("what", name="p", line=3, rule="patch-syntax", hint="hint"),
    ],
)
def test_errors_are_pickled_whole(error: PortkitError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "/x: No space left on device; make room and run again"),
        (errno.EROFS, "/x: Read-only file system; make it writable and run again"),
        (errno.ESTALE, "/x: Stale file handle; fix this and run again"),
    ],
)
def test_the_disk_s_refusal_says_what_to_do(number: int, hint: str) -> None:
    assert str(disk_problem(OSError(number, os.strerror(number), "/x"))) == hint
