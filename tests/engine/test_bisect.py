"""``portkit bisect``: which release, and which commit, changed what becomes of a patch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from portkit.engine.check import Task, check
from portkit.engine.needed import needed_for
from portkit.manifest.model import Manifest
from portkit.mirror.store import Mirror
from portkit.series.model import Series
from portkit.series.store import load_series
from tests.engine.support import Files, chain, make_patch, parsed, portkit, snapshot
from tests.engine.upstream import make_upstream
from tests.support import add_release, make_project

BODY = "".join(f"line {number}\n" for number in range(1, 31))


def body(**changes: str) -> str:
    text = BODY
    for name, value in changes.items():
        text = text.replace(f"line {name[1:]}\n", f"{value}\n")
    return text


FIRST = {"a.c": BODY, "b.c": BODY}


@pytest.fixture
def project(tmp_path: Path) -> Manifest:
    """Patch 1 is upstream since 1.3, patch 2 collides since 1.10, patch 3 always applies."""
    patches = chain(
        FIRST,
        {"a.c": body(l3="fix"), "b.c": BODY},
        {"a.c": body(l3="fix", l15="ours"), "b.c": BODY},
        {"a.c": body(l3="fix", l15="ours"), "b.c": body(l9="nine")},
    )
    taken, collides = {"a.c": body(l3="fix"), "b.c": BODY}, body(l3="fix", l15="theirs")
    releases: dict[str, Files] = {
        "1.1": FIRST, "1.2": FIRST, "1.3": taken, "1.9": taken,
        "1.10": {"a.c": collides, "b.c": BODY}, "1.11": {"a.c": collides, "b.c": BODY},
    }  # fmt: skip
    return make_project(tmp_path, releases, patches, track="1")


def bisect(manifest: Manifest, *args: str) -> dict[str, Any]:
    result = portkit(manifest.root, "--json", "bisect", "s", *args)
    assert result.exit_code == 0, result.exception
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_release_that_made_it_redundant(project: Manifest) -> None:
    before = snapshot(project.root)
    first = bisect(project, "1.patch")["first"]
    assert (first["after"], first["release"], first["outcome"]) == ("1.2", "1.3", "upstreamed")
    assert first["changed_by"] is None
    assert snapshot(project.root) == before


def test_the_release_that_made_it_stop_applying_and_why(project: Manifest) -> None:
    first = bisect(project, "2.patch")["first"]
    assert (first["after"], first["release"], first["outcome"]) == ("1.9", "1.10", "conflict")
    (conflict,) = first["conflicts"]
    assert (conflict["path"], conflict["changed_in"]) == ("a.c", "1.10")
    assert conflict["places"][0]["upstream"] == "theirs\n"


def test_good_and_bad_bound_it_also_backwards(project: Manifest) -> None:
    found = bisect(project, "1.patch", "1.11", "1.1")
    assert [row["release"] for row in found["releases"]] == [
        "1.11", "1.10", "1.9", "1.3", "1.2", "1.1",
    ]  # fmt: skip
    assert (found["first"]["after"], found["first"]["release"]) == ("1.3", "1.2")
    assert len(bisect(project, "2.patch", "1.9", "1.10")["releases"]) == 2


def test_no_difference_is_the_answer_no(project: Manifest) -> None:
    result = portkit(project.root, "bisect", "s", "3.patch")
    assert result.exit_code == 1
    assert "3.patch applies on all of them" in result.stdout
    result = portkit(project.root, "--json", "bisect", "s", "2.patch", "1.1", "1.9")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["first"] is None


def test_people_see_where_it_changed(project: Manifest) -> None:
    text = portkit(project.root, "bisect", "s", "2.patch").stdout
    assert "  1.1 to 1.9 (4 releases)    applies\n" in text
    assert "  1.10 to 1.11 (2 releases)  conflict    a.c  <- first\n" in text
    assert "2.patch conflicts since 1.10 (not in 1.9)" in text
    text = portkit(project.root, "bisect", "s", "1.patch").stdout
    assert "1.patch is upstream already, so the patch is redundant, since 1.3 (not in 1.2)" in text


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["none.patch"], 2, "known are: 1.patch, 2.patch, 3.patch"),
        (["1.patch", "1.1", "1.1"], 2, "good and bad are both 1.1"),
        (["1.patch", "1.1", "7.0"], 4, "portkit sync up --version 7.0"),
        (["1.patch", "x"], 2, "not a version"),
    ],
)
def test_wrong_uses(project: Manifest, args: list[str], code: int, said: str) -> None:
    result = portkit(project.root, "bisect", "s", *args)
    assert result.exit_code == code
    assert said in str(result.exception)


def test_a_series_that_does_not_fit_its_pin_is_refused(project: Manifest) -> None:
    path = project.root / "patches/s/2.patch"
    path.write_text(path.read_text().replace("-line 15\n", "-line 51\n"))
    result = portkit(project.root, "bisect", "s", "2.patch")
    assert result.exit_code == 1
    assert "does not apply" in str(result.exception)
    assert bisect(project, "1.patch")["first"]["release"] == "1.3"  # it does not need that one


def test_the_commit_is_found_where_a_source_has_the_history(project: Manifest) -> None:
    steps: list[tuple[str, dict[str, str | None], str]] = [
        ("Start", {"a.c": BODY, "b.c": BODY}, "v1.2"),
        ("Half of the fix", {"a.c": body(l4="half")}, ""),
        ("The fix", {"a.c": body(l3="fix")}, ""),
        ("More", {"b.c": body(l30="end")}, "v1.3"),
        ("Same", {}, "v1.9"),
        ("Prepare", {"a.c": body(l3="fix", l1="one")}, ""),
        ("Collide", {"a.c": body(l3="fix", l1="one", l15="theirs")}, ""),
        ("Later", {"b.c": BODY}, "v1.10"),
    ]
    commits = make_upstream(project.root / "upstream-git", steps)
    assert bisect(project, "1.patch")["first"]["changed_by"]["commit"] == commits[2]
    assert bisect(project, "2.patch")["first"]["changed_by"]["commit"] == commits[6]
    assert f"by {commits[6][:12]}" in portkit(project.root, "bisect", "s", "2.patch").stdout


def test_thirty_releases_agree_with_check(tmp_path: Path) -> None:
    once = {**FIRST, "a.c": body(l5="x")}
    patches = chain(FIRST, once, {**once, "b.c": body(l6="y")})
    releases: dict[str, Files] = {"1.0": FIRST}
    manifest = make_project(tmp_path, releases, patches, track="1")
    for number in range(1, 31):
        text = body(l29=f"release {number}", **({"l6": "theirs"} if number > 17 else {}))
        add_release(manifest, f"1.{number}", {"a.c": BODY, "b.c": text})
    assert bisect(manifest, "2.patch")["first"]["release"] == "1.18"


def test_what_a_patch_builds_on_is_carried_with_it(tmp_path: Path) -> None:
    """3 needs 2 by its file, and 2 is left out as a whole where 1 and it collide elsewhere."""
    first = {"a.c": BODY, "b.c": BODY, "c.c": BODY}
    one = {**first, "a.c": body(l5="one")}
    two = {**one, "a.c": body(l5="two"), "b.c": body(l5="two")}
    three = {**two, "c.c": body(l5="unrelated")}
    four = {**three, "b.c": body(l5="four")}
    releases: dict[str, Files] = {"1.1": first, "1.2": {**first, "a.c": body(l5="theirs")}}
    manifest = make_project(tmp_path, releases, chain(first, one, two, three, four))
    series = load_series(manifest.series["s"])
    assert [patch.name for patch in needed_for(series, "4.patch").patches] == [
        "1.patch", "2.patch", "4.patch",
    ]  # fmt: skip
    assert [patch.name for patch in needed_for(series, "3.patch").patches] == ["3.patch"]
    mirror = Mirror(manifest, "up")
    base, onto = mirror.release("1.1"), mirror.release("1.2")
    spec = manifest.series["s"]
    (whole,) = check(manifest, [Task(spec, base, onto)])
    for verdict in whole.patches:
        shutil.rmtree(manifest.state_dir / "cache")
        (alone,) = check(manifest, [Task(spec, base, onto, verdict.name)])
        assert alone.patches[-1] == verdict


def test_what_a_check_of_the_whole_series_found_is_not_computed_again(
    project: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bisect of a patch of a long series is then a matter of reading the cache."""
    portkit(project.root, "check", "s")
    computed: list[Task] = []
    monkeypatch.setattr("portkit.engine.check._compute", lambda path, task: computed.append(task))
    assert bisect(project, "2.patch")["first"]["release"] == "1.10"
    assert computed == []


def test_a_path_in_the_way_counts_as_shared() -> None:
    makes_file = parsed(make_patch("1.patch", {}, {"dir": "x\n"}), "1.patch")
    removes = parsed(make_patch("2.patch", {"dir": "x\n"}, {}), "2.patch")
    inside = parsed(make_patch("3.patch", {}, {"dir/a.c": "x\n"}), "3.patch")
    series = Series("s", (makes_file, removes, inside))
    assert len(needed_for(series, "3.patch").patches) == 3
