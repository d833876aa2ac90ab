"""The reference pages have every key of the manifest and every field of a report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from portkit.manifest.model import Manifest
from tests.docs.test_docs import ROOT
from tests.engine.support import chain, portkit
from tests.engine.upstream import commit, git, make_upstream
from tests.support import make_project

BODY = "".join(f"line {number}\n" for number in range(1, 31))
JSON = (ROOT / "docs/json.md").read_text()
#: Every command that reports, in an order in which each has something to tell.
COMMANDS = {
    "sync": 0, "releases up": 0, "status": 0, "watch": 1, "apply s": 0, "check": 1,
    "check --all": 1, "bisect s 1.patch": 0, "lint s": 1, "log s": 0, "range-diff s HEAD": 0,
    "rebase s --onto 1.0.1": 3, "rebase s --abort": 0, "drop s 2.patch": 0, "undo s --list": 0,
    "undo s": 0, "undo s --redo": 0, "export s --format mbox --output out": 0, "init": 0,
}  # fmt: skip


@pytest.mark.parametrize("page", ["docs/manifest.md", "man/portkit.toml.5"])
def test_every_key_of_the_manifest_is_there(page: str) -> None:
    code = (ROOT / "portkit/manifest/load.py").read_text()
    keys = re.findall(r'(?:table|top)\.\w+\("(\w+)"', code)
    keys += re.findall(r'_location\(table, "(\w+)"', code)
    text = (ROOT / page).read_text()
    assert len(set(keys)) > 15
    mark = r"(?:\[+|`){0}[`.]" if page.endswith(".md") else r"^\.(?:It )?(?:Va|Ar|Ss) .*\b{0}\b"
    assert [key for key in keys if not re.search(mark.format(key), text, re.M)] == []


def fields(value: object) -> Iterator[str]:
    """The names of all fields; those of ``unreachable`` are names of sources."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from () if key == "unreachable" else fields(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from fields(inner)


def documented(command: str) -> set[str]:
    rows = {}
    for names, row in re.findall(r"^\| (`[\w -]+`(?:, `[\w -]+`)*) \| (.*) \|$", JSON, re.M):
        rows |= dict.fromkeys(re.findall(r"`([\w -]+)`", names), row)
    conflict = JSON.partition("## An explained conflict")[2]
    return {"schema", *re.findall(r"`([\w]+)`", rows[command] + conflict)}


@pytest.fixture
def project(tmp_path: Path) -> Manifest:
    texts = [BODY, BODY.replace("line 5\n", "fix\n"), BODY.replace("line 20\n", "own\n")]
    steps = [{"a.c": text} for text in texts]
    (tmp_path / "p").mkdir()
    manifest = make_project(tmp_path / "p", {}, chain(*steps), pin="1.0.0")
    make_upstream(manifest.root / "upstream-git", [("Start", steps[0], "v1.0.0")])
    theirs = BODY.replace("line 5\n", "theirs\n")
    commit(manifest.root / "upstream-git", "Collide", {"a.c": theirs}, "v1.0.1")
    git(manifest.root, "init", "--quiet")
    (manifest.root / ".gitignore").write_text(".portkit\nupstream-git\n")
    git(manifest.root, "add", "--all")
    git(manifest.root, "commit", "--quiet", "-m", "Start")
    return manifest


def test_every_field_of_a_report_is_there(project: Manifest) -> None:
    for line, code in COMMANDS.items():
        if line == "init":
            (project.root / "portkit.toml").unlink()
        words = line.split()
        done = portkit(project.root, "--json", *words)
        assert done.exit_code == code, f"{line}: {done.exception}"
        known = documented(words[0])
        assert sorted({*fields(json.loads(done.stdout))} - known) == [], line
