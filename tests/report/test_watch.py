"""``portkit watch``: what is new upstream, tried, and written for a CI to post."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portkit.manifest.model import Manifest
from portkit.report.post import _code, _fence
from tests.engine.support import chain, portkit, snapshot
from tests.engine.upstream import commit, make_upstream
from tests.report.conftest import lines
from tests.support import make_project

FIRST = {"a.c": lines(), "b.c": lines()}
FIXED = {"a.c": lines(l5="fix"), "b.c": lines()}
BOTH = {"a.c": lines(l5="fix"), "b.c": lines(l20="ours")}


@pytest.fixture
def project(tmp_path: Path) -> Manifest:
    """Upstream is a repository with 1.0.0; the series was made for it."""
    (tmp_path / "p").mkdir()
    manifest = make_project(tmp_path / "p", {}, chain(FIRST, FIXED, BOTH), pin="1.0.0")
    make_upstream(manifest.root / "upstream-git", [("Start", FIRST, "v1.0.0")])
    return manifest


def release(manifest: Manifest, version: str, files: dict[str, str | None]) -> str:
    return commit(manifest.root / "upstream-git", f"Make {version}", files, f"v{version}")


def watch(manifest: Manifest, code: int, *args: str) -> dict[str, Any]:
    result = portkit(manifest.root, "--json", "watch", *args)
    assert result.exit_code == code, result.exception
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_nothing_new(project: Manifest) -> None:
    found = watch(project, 0)
    assert found["upstreams"][0]["new"] == ["1.0.0"]  # mirrored for the first time
    assert found["series"] == [
        {"series": "s", "pin": "1.0.0", "onto": None, "ok": True, "failed": None, "patches": []}
    ]
    assert watch(project, 0)["upstreams"][0]["new"] == []
    assert "s: made for 1.0.0, nothing to do" in portkit(project.root, "watch").stdout


def test_a_release_to_which_the_series_carries_over(project: Manifest) -> None:
    watch(project, 0)
    patches = snapshot(project.root / "patches")
    release(project, "1.0.1", {"a.c": "new\n" + lines(l5="fix")})
    release(project, "1.1.0", {"a.c": "other\n"})
    report = project.root / "watch.md"
    found = watch(project, 0, "--report", str(report))
    (news,), (trial,) = found["upstreams"], found["series"]
    assert (news["newest"], news["new"], news["later"]) == ("1.0.1", ["1.0.1"], "1.1.0")
    assert trial["onto"] == "1.0.1"
    assert [each["outcome"] for each in trial["patches"]] == ["upstreamed", "applies"]
    assert snapshot(project.root / "patches") == patches
    text = report.read_text()
    assert "| `s` | 1.0.0 | 1.0.1 | 1 apply, 1 upstream already, 0 conflict |" in text
    assert "new is 1.0.1; a later track has 1.1.0." in text
    assert "- `1.patch`: upstream has it, a rebase drops it" in text
    assert "It carries over without help:" in text
    assert "    portkit rebase s --onto 1.0.1\n" in text


def test_a_series_for_another_track_is_tried_on_what_is_new_there(project: Manifest) -> None:
    release(project, "1.1.0", {"c.c": "new\n"})
    path = project.root / "portkit.toml"
    (series,) = re.findall(r"(?s)\[series\.s\].*", path.read_text())
    later = series.replace("[series.s]", "[series.t]").replace("patches/s", "patches/t")
    path.write_text(path.read_text() + later.replace('"1.0.0"', '"1.1.0"'))
    shutil.copytree(project.root / "patches/s", project.root / "patches/t")
    release(project, "1.1.1", {"c.c": "newer\n"})
    found = watch(project, 0)
    assert found["upstreams"][0]["new"] == ["1.0.0", "1.1.0", "1.1.1"]
    assert [(each["pin"], each["onto"]) for each in found["series"]] == [
        ("1.0.0", None), ("1.1.0", "1.1.1"),
    ]  # fmt: skip
    status = json.loads(portkit(project.root, "--json", "status").stdout)["series"]
    assert [each["newest"] for each in status] == ["1.0.0", "1.1.1"]


def test_a_conflict_is_explained_in_the_report(project: Manifest) -> None:
    culprit = release(project, "1.0.1", {"b.c": lines(l20="```theirs```")})
    report = project.root / "watch.md"
    found = watch(project, 1, "--report", str(report))
    (trial,) = found["series"]
    assert trial["patches"][1]["conflicts"][0]["changed_by"]["commit"] == culprit
    text = report.read_text()
    assert "- `2.patch`: **conflict**" in text
    assert f"content, changed upstream in 1.0.1 by `{culprit[:12]}` (Make 1.0.1, Up" in text
    assert "\n````\n```theirs```\n````\n" in text
    assert "\nthe patch:\n\n```\nours\n```\n" in text
    assert "| 1 apply, 0 upstream already, 1 conflict |" in text


def test_names_mean_nothing_to_the_reader_of_the_report(project: Manifest) -> None:
    directory = project.root / "patches/s"
    name = "2`<img>|@all.patch"
    (directory / "2.patch").rename(directory / name)
    (directory / "series").write_text(f"1.patch\n{name}\n")
    release(project, "1.0.1", {"b.c": lines(l20="theirs")})
    report = project.root / "watch.md"
    watch(project, 1, "--report", str(report))
    text = report.read_text()
    assert "- ``2`<img>|@all.patch``: **conflict**" in text
    assert "### 2\\`\\<img\\>\\|\\@all.patch: b.c\n" in text


def test_an_upstream_that_cannot_be_asked_is_told_and_the_rest_is_done(project: Manifest) -> None:
    watch(project, 0)
    release(project, "1.0.1", {"c.c": "c\n"})
    toml = project.root / "portkit.toml"
    broken = '[upstream.gone]\ntrack = "1"\n[[upstream.gone.source]]\nkind = "git"\n'
    broken += 'name = "x"\nurl = "/does/not/exist"\n'
    series = '[series.t]\nupstream = "gone"\ndirectory = "patches/t"\npin = "1.0"\n'
    (project.root / "patches/t").mkdir()
    (project.root / "patches/t/series").touch()
    toml.write_text(toml.read_text() + broken + series)
    report = project.root / "watch.md"
    found = watch(project, 4, "--report", str(report))
    assert found["upstreams"][0]["new"] == ["1.0.1"]
    assert "nowhere to be had" in found["upstreams"][1]["failed"]
    assert [trial["onto"] for trial in found["series"]] == ["1.0.1", None]
    assert "**`gone` could not be mirrored**" in report.read_text()


def test_a_series_that_does_not_fit_its_pin_is_told(project: Manifest) -> None:
    path = project.root / "patches/s/1.patch"
    path.write_text(path.read_text().replace("-5\n", "-55\n"))
    release(project, "1.0.1", {"c.c": "c\n"})
    (trial,) = watch(project, 1)["series"]
    assert "does not apply" in trial["failed"]


@given(st.binary(max_size=200))
def test_no_lines_can_end_their_block(data: bytes) -> None:
    first, *shown, last = _fence(data).split("\n")
    assert first == last
    assert set(first) == {"`"}
    assert not any(line.lstrip().startswith(first) for line in shown)
    assert all(line.isprintable() for line in shown)


@given(st.text(st.sampled_from("`a <\\\n\x1b"), max_size=20))
def test_no_name_can_end_its_code(name: str) -> None:
    text = _code(name)
    ticks = text[: len(text) - len(text.lstrip("`"))] or "`"
    inner = text[len(ticks) : -len(ticks)]
    assert text.endswith(ticks)
    assert ticks not in re.findall("`+", inner)
    assert "\n" not in text
