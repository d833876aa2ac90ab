"""Completion as it is typed: the Tab key in real shells, on a terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import sys
import time
from pathlib import Path

import pytest

from tests.support import make_project

ROOT = Path(__file__).parents[1]
#: How each shell starts without anybody's configuration, and what the manual page says to type.
SHELLS = {
    "bash": (["--norc", "--noprofile"], 'eval "$(_PORTKIT_COMPLETE=bash_source portkit)"'),
    "zsh": (
        ["-f"],
        'autoload -U compinit; compinit -D; eval "$(_PORTKIT_COMPLETE=zsh_source portkit)"',
    ),
    "fish": (["--no-config"], "_PORTKIT_COMPLETE=fish_source portkit | source"),
}  # fmt: skip
_CONTROL = re.compile(
    r"\x1b\][^\x07]*\x07|\x1b\[[0-9;?>=]*[A-Za-z]|\x1b[(][A-Z]|\x1b[=>]|[\x00-\x08\x0e-\x1f]"
)
PATIENCE = 60  # seconds; each Tab starts portkit, on a machine that may be busy


class Terminal:
    """A shell that somebody types into."""

    def __init__(self, shell: str, directory: Path, tools: Path) -> None:
        arguments, setup = SHELLS[shell]
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.chdir(directory)
            path = f"{tools}:{os.environ['PATH']}"
            env = {"PATH": path, "TERM": "xterm", "HOME": str(tools), "PYTHONPATH": str(ROOT)}
            os.execvpe(shell, [shell, *arguments, "-i"], env)
        self._typed(setup + "; echo ready\r")
        self._line("ready")

    def tab(self, text: str) -> str:
        """What the command line is after a text and Tab.

        The line is made an argument of echo, so that it is told apart from what the shell redraws.
        """
        self._typed(f"{text}\t\x05>'\x01echo '<\r")
        return self._line(r"<(.*)>").strip()

    def _typed(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def _line(self, pattern: str) -> str:
        """Wait for a line of output."""
        seen, end = "", time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if select.select([self._fd], [], [], 0.2)[0]:
                seen += os.read(self._fd, 65536).decode(errors="replace")
            for line in re.split(r"[\r\n]+", _CONTROL.sub("", seen)):
                if match := re.fullmatch(pattern, line.strip()):
                    return match[match.re.groups]
        raise AssertionError(f"no line like {pattern} in {seen!r}")

    def close(self) -> None:
        os.close(self._fd)
        os.kill(self._pid, 9)
        os.waitpid(self._pid, 0)


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    project, tools = tmp_path / "project", tmp_path / "tools"
    project.mkdir()
    tools.mkdir()
    make_project(project, {"1.0": {"a": "1\n"}, "2.0": {"a": "2\n"}}, [("0001-x.patch", "")])
    (tools / "portkit").write_text(f'#!/bin/sh\nexec {sys.executable} -m portkit "$@"\n')
    (tools / "portkit").chmod(0o755)
    terminal = Terminal(shell, project, tools)
    try:
        assert terminal.tab("portkit reba") == "portkit rebase"
        assert terminal.tab("portkit rebase --ont") == "portkit rebase --onto"
        assert terminal.tab("portkit rebase s --onto 2") == "portkit rebase s --onto 2.0"
        assert terminal.tab("portkit drop s 00") == "portkit drop s 0001-x.patch"
        assert terminal.tab("portkit sync u") == "portkit sync up"
    finally:
        terminal.close()


@pytest.mark.parametrize("shell", SHELLS)
def test_the_manual_page_says_how(shell: str) -> None:
    setup = SHELLS[shell][1].rpartition("; ")[2]
    assert f"$ {setup}\n" in (ROOT / "man/portkit.1").read_text()
