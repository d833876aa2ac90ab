"""What ``pipx install`` gets: every file that the package reads, the command and the man page."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel of a copy of the sources; setuptools writes into them."""
    copy = tmp_path_factory.mktemp("sources")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("portkit", "man"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    code = "from setuptools import build_meta; print(build_meta.build_wheel('.'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(copy / done.stdout.split()[-1])


def test_every_file_of_the_package_is_in_it(wheel: zipfile.ZipFile) -> None:
    ours = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "portkit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours <= set(wheel.namelist())


def test_the_command_and_the_man_page(wheel: zipfile.ZipFile) -> None:
    (scripts,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert b"portkit = portkit.cli:entry" in wheel.read(scripts)
    (page,) = [name for name in wheel.namelist() if name.endswith("share/man/man1/portkit.1")]
    assert wheel.read(page) == (ROOT / "man" / "portkit.1").read_bytes()
