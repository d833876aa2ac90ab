"""The command line as its users meet it: help, exit codes, one-line errors, pipes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from portkit.cli import _COMMANDS
from tests.engine.upstream import make_upstream
from tests.support import make_project

ROOT = Path(__file__).parents[1]


def portkit(
    *args: str, cwd: Path = ROOT, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "portkit", *args],
        cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    done = portkit(command, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Usage: portkit {command}")
    assert done.stderr == ""


def test_the_help_lists_every_command_and_every_exit_code() -> None:
    text = portkit("--help").stdout
    for command, (_, _, summary) in _COMMANDS.items():
        assert re.search(rf"^  {command} +{re.escape(summary.split()[0])}", text, re.MULTILINE)
    assert "0 done; 1 the answer is no; 2 usage; 3 conflict" in text
    assert portkit().returncode == 2


def test_the_version_is_the_packages() -> None:
    import portkit as package

    assert portkit("--version").stdout == f"portkit, version {package.__version__}\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["frobnicate"], "frobnicate"),
        (["status", "--frobnicate"], "--frobnicate"),
        (["apply"], "SERIES"),
        (["apply", "nothing"], "nothing"),
        (["sync", "nothing"], "nothing"),
        (["releases", "nothing"], "nothing"),
        (["dist", "nothing"], "nothing"),
        (["build-port", "nothing"], "nothing"),
        (["build-port"], "--all"),
        (["build-port", "--all", "p"], "--all"),
        (["lint", "nothing"], "nothing"),
        (["-C", "/does/not/exist", "status"], "/does/not/exist"),
    ],
)
def test_a_wrong_use_is_one_line_and_exit_code_2(
    tmp_path: Path, args: list[str], said: str
) -> None:
    make_project(tmp_path, {"1.0": {"a": "1\n"}})
    done = portkit(*args, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(r"portkit: .*; .*\n", done.stderr), done.stderr
    assert said in done.stderr


def test_outside_of_a_project_it_says_how_to_start_one() -> None:
    done = portkit("status", cwd=Path("/"))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "portkit init" in done.stderr


def test_a_release_that_is_missing_is_the_environments_fault(tmp_path: Path) -> None:
    make_project(tmp_path, {})
    done = portkit("apply", "s", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert "portkit sync up --version 1.0" in done.stderr


def test_no_git_is_named(tmp_path: Path) -> None:
    make_project(tmp_path, {"1.0": {"a": "1\n"}})
    done = portkit("apply", "s", cwd=tmp_path, env={"PATH": str(tmp_path)})
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert "git" in done.stderr


def test_a_traceback_needs_v() -> None:
    assert "Traceback" not in portkit("status", cwd=Path("/")).stderr
    assert "Traceback" in portkit("-v", "status", cwd=Path("/")).stderr


def test_it_finds_the_project_above_and_by_directory(tmp_path: Path) -> None:
    make_project(tmp_path, {"1.0": {"a": "1\n"}})
    below = tmp_path / "patches" / "s"
    reports = [
        portkit("--json", "status", cwd=below),
        portkit("-C", str(below), "--json", "status", cwd=Path("/")),
    ]
    for done in reports:
        data = json.loads(done.stdout)
        assert data["schema"] == 1
        assert [series["name"] for series in data["series"]] == ["s"]


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    make_project(tmp_path, {"1.0": {"a": "1\n"}})
    done = subprocess.run(
        ["bash", "-c", '"$0" -m portkit --json status | true; echo "${PIPESTATUS[0]}"',
         sys.executable],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.stdout == "0\n"
    assert done.stderr == ""


def test_a_full_disk_on_standard_output_is_an_error(tmp_path: Path) -> None:
    make_project(tmp_path, {"1.0": {"a": "1\n"}})
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "portkit", "--json", "status"],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 4
    assert done.stderr.startswith("portkit: No space left on device")


def test_a_broken_manifest_names_line_and_key(tmp_path: Path) -> None:
    (tmp_path / "portkit.toml").write_text("[upstream.x]\ntrack = 7\n")
    done = portkit("status", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert re.search(r"portkit\.toml:\d", done.stderr)


def test_the_shell_can_complete_commands() -> None:
    done = portkit(env={"_PORTKIT_COMPLETE": "bash_source"})
    assert "complete" in done.stdout
    words = portkit(
        env={"_PORTKIT_COMPLETE": "bash_complete", "COMP_WORDS": "portkit re", "COMP_CWORD": "1"}
    )
    assert {"plain,rebase", "plain,refresh", "plain,releases"} <= set(words.stdout.split())


def completed(root: Path, line: str) -> set[str]:
    """What bash is offered for the last word of a command line."""
    env = {
        "_PORTKIT_COMPLETE": "bash_complete", "COMP_WORDS": line,
        "COMP_CWORD": str(line.count(" ")),
    }  # fmt: skip
    done = portkit(cwd=root, env=env)
    assert done.stderr == ""
    return {word.removeprefix("plain,") for word in done.stdout.split() if word[:6] == "plain,"}


def test_the_shell_completes_names_of_the_project(tmp_path: Path) -> None:
    patches = [("1.patch", "diff --git"), ("2.patch", "diff --git")]  # only their names count
    make_project(tmp_path, {"1.0": {"a": "1\n"}, "1.10": {"a": "1\n"}}, patches)
    assert completed(tmp_path, "portkit apply ") == {"s"}
    assert completed(tmp_path, "portkit rebase s --onto 1.") == {"1.0", "1.10"}
    assert completed(tmp_path, "portkit drop s ") == {"1.patch", "2.patch"}
    assert completed(tmp_path, "portkit move s 1.patch --before 2") == {"2.patch"}
    assert completed(tmp_path, "portkit bisect s 1.patch 1.1") == {"1.10"}
    assert completed(tmp_path, "portkit releases ") == {"up"}
    assert completed(Path("/"), f"portkit -C {tmp_path} undo ") == {"s"}


def test_nothing_is_completed_where_there_is_no_project(tmp_path: Path) -> None:
    assert completed(Path("/"), "portkit apply ") == set()
    (tmp_path / "portkit.toml").write_text("[[[")
    assert completed(tmp_path, "portkit apply ") == set()


def test_progress_is_shown_to_who_looks(tmp_path: Path) -> None:
    make_project(tmp_path, {}, pin="1.0")
    make_upstream(tmp_path / "upstream-git", [("Start", {"a": "1\n"}, "v1.0")])
    shown = subprocess.run(
        ["script", "-qec", f"{sys.executable} -m portkit sync", "/dev/null"], cwd=tmp_path,
        env={**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT)}, check=False,
        capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert re.search("import up 1.0.*\N{BOX DRAWINGS HEAVY HORIZONTAL}", shown)
    assert "up 1.0: new, from local" in shown
    again = portkit("sync", cwd=tmp_path)
    assert (again.stdout, again.stderr) == ("up 1.0: already mirrored\n", "")


def test_another_directory_is_where_paths_start(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    make_project(tmp_path / "project", {"1.0": {"a": "1\n"}})
    done = portkit("-C", "project", "check", "--all", "--html", "p.html", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "project/p.html").exists()


def test_colours_are_for_terminals_and_can_be_switched_off(tmp_path: Path) -> None:
    make_project(tmp_path, {"1.0": {"a": "1\n"}})
    assert "\x1b[" not in portkit("check", "--all", cwd=tmp_path).stdout
    done = subprocess.run(
        ["script", "-qec", f"{sys.executable} -m portkit log qemu", "/dev/null"], cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1", "TERM": "xterm"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "\x1b[3" not in done.stdout


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_the_manual_page_is_sound_and_names_every_command() -> None:
    page = ROOT / "man" / "portkit.1"
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True, check=False
    )
    assert done.stdout + done.stderr == ""
    text = page.read_text()
    for command in _COMMANDS:
        assert re.search(rf"\.It Cm .*\b{command}\b", text), command
