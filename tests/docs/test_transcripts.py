"""The porting guide's transcript is real: its commands, typed in a shell, print what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.test_docs import ROOT

GUIDE = ROOT / "docs/porting-guide.md"
WRITTEN_FOR = "7.2.8"  # in the guide
#: Not run here: the network, and minutes of compiling, which 'make module' does.
_LEFT_OUT = ("portkit sync", "portkit build-port")
#: Settles the conflict as the guide tells its reader to.
_EDITOR = r"""#!/usr/bin/env python3
import re, sys
from pathlib import Path
path = Path(sys.argv[1])
places = iter((
    lambda upstream, patch: upstream + patch,
    lambda upstream, patch: re.sub(r"EM_ASM_1SRC2EX\(i?div, i?div_ex\);\n", "", upstream),
    lambda upstream, patch: re.sub(r"em_(i?div)_ex", r"em_\1", upstream),
))
path.write_text(re.sub(
    r"<{7} .*\n((?:.*\n)*?)\|{7} .*\n(?:.*\n)*?={7}\n((?:.*\n)*?)>{7} .*\n",
    lambda found: next(places)(*found.groups()), path.read_text(),
))
"""


def steps(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a section's code blocks, and what stands below each."""
    for block in re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = step.partition("\n")
            yield command, output


def pieces(text: str) -> list[str]:
    """What has to be there, in this order: the text between '...', without its line breaks."""
    words = re.sub(r"─+", "─", " ".join(text.split()))
    return [piece.strip() for piece in words.split("...") if piece.strip()]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone with the mirror of this one, and tools as the guide's reader has them."""
    mirror = ROOT / ".portkit/mirror/linux-kvm.git"
    if not mirror.exists():
        pytest.skip("Linux is not mirrored here: run 'make ports'")
    root = tmp_path / "project"
    names = subprocess.run(
        ["git", "ls-files", "-z", "portkit.toml", "portkit.lock", "patches", "ports"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, names.split("\0")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, root / name, follow_symlinks=False)
    shutil.copytree(mirror, root / ".portkit/mirror/linux-kvm.git")
    (root / ".gitignore").write_text(".portkit/\n")
    for name, text in (
        ("portkit", f'#!/bin/sh\nexec {sys.executable} -m portkit "$@"\n'),
        ("editor", _EDITOR),
    ):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return root


def test_the_guide_carries_the_series_as_it_says(project: Path) -> None:
    mirrored = run("git for-each-ref refs/releases --format='%(refname:lstrip=2)'",
                   project / ".portkit/mirror/linux-kvm.git", 0).split()  # fmt: skip
    release = next((each for each in reversed(mirrored) if each.startswith("7.2")), None)
    if release is None:
        pytest.skip("no mirror has a Linux 7.2 any more")
    run("git init --quiet && git add --all && git commit --quiet -m Start", project, 0)
    text = GUIDE.read_text().replace(WRITTEN_FOR, release)
    (section,) = re.findall(r"(?s)^## Carry a series.*?(?=^## )", text, re.MULTILINE)
    done = 0
    for command, output in steps(section):
        if command.startswith(_LEFT_OUT):
            continue
        answer = 1 if " check " in command else 3 if "--onto" in command else 0
        seen = re.sub(r"─+", "─", " ".join(run(command, project, answer).split()))
        for piece in pieces(output):
            assert piece in seen, f"$ {command}\n{seen}"
            seen = seen[seen.index(piece) + len(piece) :]
        done += 1
    assert done > 10


def run(command: str, directory: Path, answer: int) -> str:
    """What a command prints; it has to end with this status."""
    env = {
        **os.environ, "PATH": f"{directory.parent}:{os.environ['PATH']}", "COLUMNS": "100",
        "EDITOR": "editor", "PYTHONPATH": str(ROOT), "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_{what}": f"a@{who.lower()}.example" for who in ("AUTHOR", "COMMITTER")
           for what in ("NAME", "EMAIL")},
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-c", command], cwd=directory, env=env, check=False, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == answer, f"$ {command}\n{done.stdout}"
    return done.stdout
