"""Every source file says under which licence it is, and it is one that belongs there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_TAG = re.compile(r"SPDX-License-Identifier: ([^\n]*?)\s*(?:\*/)?$", re.MULTILINE)
#: Under Linux's licence: patches are of what they change; sources that derive from Linux.
_ALLOWED = {"BSD-2-Clause", "GPL-2.0", "GPL-2.0-only", "GPL-2.0 WITH Linux-syscall-note"}
_TAGGED = {".c", ".h", ".S", ".ld", ".mk", ".sh", ".yml"}
_PYTHON_LICENCE = 'license = "BSD-2-Clause"'


def tracked() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True
    )
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    paths = (ROOT / name for name in done.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


def test_c_and_make_files_have_a_tag_of_a_licence_that_is_ours() -> None:
    wrong = []
    for path in tracked():
        makefile = path.name == "Makefile" and "src" in path.relative_to(ROOT).parts
        if path.suffix not in _TAGGED and not makefile:
            continue
        found = _TAG.search("\n".join(path.read_text(errors="replace").splitlines()[:8]))
        if found is None or found[1] not in _ALLOWED:
            wrong.append(f"{path.relative_to(ROOT)}: {found and found[1]}")
    assert wrong == []


def test_the_freebsd_side_and_the_bridge_are_bsd() -> None:
    """GPL code cannot have got there: FreeBSD's headers and ours are all that they include."""
    for path in tracked():
        if path.suffix in (".c", ".h") and {"freebsd", "bridge"} & set(path.parts):
            assert "SPDX-License-Identifier: BSD-2-Clause" in path.read_text(), path


def test_every_manual_page_and_the_package_name_their_licence() -> None:
    for page in (*ROOT.glob("man/*"), *ROOT.glob("ports/*/*/src/man/*")):
        assert "SPDX-License-Identifier: BSD-2-Clause" in page.read_text(), page
    assert _PYTHON_LICENCE in (ROOT / "pyproject.toml").read_text()
    assert "Redistribution and use in source and binary forms" in (ROOT / "LICENSE").read_text()
