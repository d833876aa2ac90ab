"""``portkit lint``: what it reads, what it prints, how it exits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from portkit.errors import Refused, UsageError
from portkit.manifest.load import load_manifest
from portkit.manifest.model import Manifest
from tests.engine.support import chain, portkit
from tests.support import make_project

LINES = "".join(f"line {number}\n" for number in range(1, 20))


@pytest.fixture
def project(tmp_path: Path) -> Manifest:
    changed = LINES.replace("line 9\n", "nine\n")
    ((name, text),) = chain({"a.c": LINES}, {"a.c": changed})
    good = text.replace("Subject: [PATCH] Make", "Subject: [PATCH] area: make")
    good = good.replace("Because.", "Because.\n\nForwarded: no")
    return make_project(tmp_path, {"1.0": {"a.c": LINES}}, [(name, good)])


def test_a_clean_project(project: Manifest) -> None:
    result = portkit(project.root, "lint")
    assert (result.exit_code, result.output) == (0, "no findings\n")
    report = json.loads(portkit(project.root, "--json", "lint", "s").output)
    assert report == {"schema": 1, "findings": [], "unchecked": []}


def test_findings_end_with_exit_code_1(project: Manifest) -> None:
    patch = project.series["s"].directory / "1.patch"
    patch.write_text(patch.read_text().replace("Forwarded: no", "Forwarded: perhaps"))
    result = portkit(project.root, "lint")
    assert result.exit_code == 1
    assert isinstance(result.exception, Refused)
    assert str(result.exception).startswith("1 findings (1 patch-status)")
    line = "patches/s/1.patch:8: 'perhaps' is not no, not-needed, yes or a URL [patch-status]\n"
    assert result.output == line
    (finding,) = json.loads(portkit(project.root, "--json", "lint").output)["findings"]
    assert (finding["file"], finding["line"]) == ("patches/s/1.patch", 8)
    assert finding["rule"] == "patch-status"


def test_an_offset_is_a_finding(project: Manifest) -> None:
    patch = project.series["s"].directory / "1.patch"
    patch.write_text(patch.read_text().replace("@@ -6,7 +6,7 @@", "@@ -7,7 +7,7 @@"))
    (finding,) = json.loads(portkit(project.root, "--json", "lint").output)["findings"]
    assert finding["rule"] == "patch-inexact"
    assert finding["file"] == "patches/s/1.patch"
    assert "these lines are at line 6" in finding["message"]


def test_without_the_mirror_it_says_what_was_not_checked(project: Manifest) -> None:
    shutil.rmtree(project.state_dir / "mirror")
    result = portkit(project.root, "lint")
    assert result.exit_code == 0
    assert "not checked: s: whether patches apply exactly: release 1.0" in result.output


def test_ports_are_linted_too(project: Manifest) -> None:
    text = project.path.read_text() + '\n[port.q]\norigin = "emulators/q"\n'
    project.path.write_text(text)
    port = load_manifest(project.path).ports["q"]
    assert port.origin == "emulators/q"
    assert "q: not written yet" in portkit(project.root, "lint", "q").output
    (project.root / "ports" / port.origin).mkdir(parents=True)
    result = portkit(project.root, "lint", "q")
    assert result.exit_code == 1
    assert result.output.startswith("ports/emulators/q/Makefile: ")


def test_unknown_names(project: Manifest) -> None:
    result = portkit(project.root, "lint", "nope")
    assert isinstance(result.exception, UsageError)
    assert "known are: s" in str(result.exception)
