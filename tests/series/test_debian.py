"""Debian's own series: we read the same files and line counts in them as ``git apply``."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from portkit.lint.patch_content import marked_lines
from portkit.mirror.apt import Apt
from portkit.series.model import Patch
from portkit.series.store import load_patches

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(not shutil.which("apt-get"), reason="needs apt"),
]


@pytest.fixture(scope="module")
def apt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Apt, Path]:
    root = tmp_path_factory.mktemp("apt")
    return Apt(root, ("bookworm", "trixie")), root / "apt.conf"


def quilt_directories(apt: tuple[Apt, Path], package: str, root: Path) -> list[Path]:
    """``debian/patches`` of every version of a source package that the archive still serves."""
    found = []
    for version in sorted({each.version for each in apt[0].packages(package)}):
        directory = root / version.replace(":", "_")
        directory.mkdir()
        subprocess.run(
            ["apt-get", f"--config-file={apt[1]}", "source", "--quiet=2", "--download-only",
             "--diff-only", f"{package}={version}"],
            cwd=directory, check=False,
        )  # fmt: skip
        archive = next(directory.glob("*.debian.tar.*"), None)
        if archive is None:
            continue  # listed, but gone meanwhile
        subprocess.run(["tar", "-x", "-f", archive, "-C", directory], check=True)
        found.append(directory / "debian" / "patches")
    assert found, f"no version of {package} could be fetched"
    return found


def our_numstat(patch: Patch) -> list[tuple[str, int, int]]:
    lines = patch.raw.split(b"\n")
    found = []
    for file in patch.files:
        marks = Counter(mark for hunk in file.hunks for _, mark, _ in marked_lines(lines, hunk))
        found.append((os.fspath(file.path), marks[b"+"], marks[b"-"]))
    return found


def git_numstat(patch: Patch, where: Path) -> list[tuple[str, int, int]] | None:
    """What git reads, without stubs of binary files; None when it refuses the patch."""
    done = subprocess.run(
        ["git", "apply", "--numstat", "-z", "-"], input=patch.raw, capture_output=True, cwd=where
    )
    if done.returncode:
        return None
    found = []
    fields = iter(done.stdout.split(b"\0")[:-1])
    for field in fields:
        added, removed, name = field.split(b"\t", 2)
        if not name:  # a rename: the old and the new name follow
            next(fields)
            name = next(fields)
        if added != b"-":
            found.append((os.fsdecode(name), int(added), int(removed)))
    return found


@pytest.mark.parametrize("package", ["qemu", "linux"])
def test_every_patch_is_read_as_git_reads_it(
    apt: tuple[Apt, Path], package: str, tmp_path: Path
) -> None:
    compared = 0
    for directory in quilt_directories(apt, package, tmp_path):
        for patch in load_patches(directory):
            theirs = git_numstat(patch, tmp_path)
            if theirs is None:  # git does not read the renames of git diff --submodule=diff
                assert b"\nSubmodule " in patch.raw, patch.name
                continue
            assert our_numstat(patch) == theirs, patch.name
            compared += 1
    assert compared > 50
