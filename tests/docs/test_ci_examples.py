"""The examples for a CI are what the services take, and their scripts are sound."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.docs.test_docs import ROOT

SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}
WORKFLOWS = sorted((ROOT / "examples/ci").glob("*.yml"))
SCRIPTS = [ROOT / "examples/ci/poudriere.sh", ROOT / ".ci/run", ROOT / ".ci/need"]


def scripts(node: object) -> Iterator[str]:
    """What a shell is given: GitHub's ``run``, GitLab's ``script`` and those around it."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "run":
                yield value
            elif key in ("script", "before_script", "after_script"):
                yield "\n".join(value)
            else:
                yield from scripts(value)
    elif isinstance(node, list):
        for each in node:
            yield from scripts(each)


def complaints(page: Path, schema: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, page],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("page", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_what_the_service_takes(page: Path, tmp_path: Path) -> None:
    schema = SCHEMAS[page.name.partition("-")[0]]
    assert complaints(page, schema) == ""
    slip = re.sub(r"\b(runs-on|script):", r"\1s:", page.read_text())
    (tmp_path / page.name).write_text(slip)
    assert complaints(tmp_path / page.name, schema)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("page", [*WORKFLOWS, *SCRIPTS], ids=lambda path: path.name)
def test_its_scripts_are_sound(page: Path) -> None:
    if page.suffix == ".yml":
        texts = list(scripts(yaml.safe_load(page.read_text())))
        assert texts
        # What GitHub puts in is a word for the shell.
        texts = ["#!/bin/bash\n" + re.sub(r"\$\{\{.*?\}\}", "word", text) for text in texts]
    else:
        texts = [page.read_text()]
    for text in texts:
        done = subprocess.run(
            ["shellcheck", "-"], input=text, capture_output=True, text=True, check=False
        )
        assert done.stdout == ""
