"""``portkit check`` and ``portkit status``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from portkit.engine import check as check_module
from portkit.manifest.model import Manifest
from portkit.mirror.known import remember_releases
from tests.engine.support import chain, make_patch, portkit, snapshot
from tests.support import make_project

LINES = "".join(f"{number}\n" for number in range(1, 21))
FIRST = {"a.c": LINES}
FIXED = {"a.c": LINES.replace("2\n", "two\n", 1)}
BOTH = {"a.c": FIXED["a.c"].replace("19\n", "nineteen\n")}


@pytest.fixture
def project(tmp_path: Path) -> Manifest:
    releases = {
        "1.1": FIRST,
        "1.2": FIXED,
        "1.10": {"a.c": LINES.replace("19\n", "neunzehn\n")},
        "2.0": {"a.c": "x\n" + LINES},
    }
    return make_project(tmp_path, releases, chain(FIRST, FIXED, BOTH), track="1")


def table(root: Path, *args: str) -> dict[str, list[str]]:
    report = json.loads(portkit(root, "--json", "check", *args).stdout)
    return {
        verdict["release"]: [patch["outcome"] for patch in verdict["patches"]]
        for verdict in report["verdicts"]
    }


def test_every_mirrored_release_is_tried_and_nothing_changes(project: Manifest) -> None:
    before = snapshot(project.root)
    assert table(project.root) == {
        "1.1": ["applies", "applies"],
        "1.2": ["upstreamed", "applies"],
        "1.10": ["applies", "conflict"],
        "2.0": ["applies", "applies"],
    }
    assert snapshot(project.root) == before


def test_the_exit_code_is_the_answer(project: Manifest) -> None:
    assert portkit(project.root, "check").exit_code == 1
    assert portkit(project.root, "check", "s", "--onto", "1.2", "--onto", "2.0").exit_code == 0
    assert portkit(project.root, "check", "s", "--onto", "9").exit_code == 4
    assert portkit(project.root, "check", "none").exit_code == 2


def test_the_table_names_the_release_that_collides(project: Manifest) -> None:
    text = portkit(project.root, "check", "s").stdout
    assert "CONFLICT" in text
    assert "1.10: 1 apply, 0 upstream already, 1 conflict" in text


def test_a_series_that_does_not_fit_its_pin_says_why(tmp_path: Path) -> None:
    make_project(tmp_path, {"1.1": FIRST}, chain(FIXED, FIRST))
    result = portkit(tmp_path, "--json", "check")
    assert result.exit_code == 1
    (verdict,) = json.loads(result.stdout)["verdicts"]
    assert verdict["patches"][0]["outcome"] == "refused"
    assert "does not apply" in verdict["patches"][0]["reason"]


def test_known_verdicts_are_not_computed_again(
    project: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = table(project.root)

    def never(*_: object) -> None:
        pytest.fail("computed again")

    monkeypatch.setattr(check_module, "_compute", never)
    assert table(project.root) == first


def test_a_changed_patch_is_checked_again(project: Manifest) -> None:
    table(project.root)
    path = project.root / "patches/s/2.patch"
    path.write_text(path.read_text().replace("-19\n", "-18 or 19\n"))
    assert table(project.root, "--onto", "2.0") == {"2.0": ["applies", "refused"]}


def test_status_shows_pin_newest_and_progress(project: Manifest) -> None:
    (state,) = json.loads(portkit(project.root, "--json", "status").stdout)["series"]
    assert state == {
        "name": "s",
        "upstream": "up",
        "pin": "1.1",
        "newest": "1.10",
        "newest_known": "1.10",
        "patches": 2,
        "applies": True,
        "on_newest": {"applies": 1, "upstreamed": 0, "conflicts": 1},
        "rebasing_onto": None,
    }
    portkit(project.root, "rebase", "s", "--onto", "1.10")
    text = portkit(project.root, "status").stdout
    assert "s: 2 patches apply on 1.1" in text
    assert "newest is 1.10: 1 apply, 0 upstream already, 1 conflict" in text
    assert "a rebase onto 1.10 is in progress" in text
    assert "is out" not in text


def test_status_names_a_release_that_is_out_and_not_mirrored(project: Manifest) -> None:
    remember_releases(project, "up", ["1.1", "1.11", "2.0"])
    text = portkit(project.root, "status").stdout
    assert "  1.11 is out and not mirrored; run 'portkit sync'\n" in text
    assert "2.0" not in text
    (state,) = json.loads(portkit(project.root, "--json", "status").stdout)["series"]
    assert (state["newest"], state["newest_known"]) == ("1.10", "1.11")


def test_status_of_a_pin_that_is_not_mirrored(tmp_path: Path) -> None:
    make_project(tmp_path, {}, pin="1.1")
    result = portkit(tmp_path, "status")
    assert result.exit_code == 0
    assert "not mirrored; run 'portkit sync up --version 1.1'" in result.stdout


def test_a_damaged_mirror_is_told_in_one_line(tmp_path: Path) -> None:
    """Also by the processes that check side by side."""
    make_project(tmp_path, {"1.0": {"a": "1\n"}, "1.1": {"a": "0\n1\n"}, "1.2": {"a": "1\n3\n"}},
                 [("1.patch", make_patch("1.patch", {"a": "1\n"}, {"a": "2\n"}))])  # fmt: skip
    for pack in (tmp_path / ".portkit/mirror/up.git/objects/pack").glob("*.pack"):
        pack.chmod(0o644)
        data = pack.read_bytes()
        pack.write_bytes(data[:14] + b"\xff" * (len(data) - 34) + data[-20:])
    for command in ("apply", "check"):
        done = subprocess.run(
            [sys.executable, "-m", "portkit", "-C", tmp_path, command, "s"],
            capture_output=True, text=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert (done.returncode, len(done.stderr.splitlines())) == (4, 1), done.stderr
        assert "a mirror can be removed and synced again" in done.stderr


def test_a_check_needs_no_room_on_the_disk(tmp_path: Path) -> None:
    make_project(tmp_path, {"1.0": {"a": "1\n"}},
                 [("1.patch", make_patch("1.patch", {"a": "1\n"}, {"a": "2\n"}))])  # fmt: skip
    (tmp_path / ".portkit/cache").write_text("in the way of the cache")
    assert portkit(tmp_path, "check").exit_code == 0


def test_a_series_for_a_later_track_is_not_asked_to_go_back(tmp_path: Path) -> None:
    make_project(tmp_path, {"1.1": FIXED, "2.0": FIRST}, chain(FIRST, FIXED), pin="2.0", track="1")
    (state,) = json.loads(portkit(tmp_path, "--json", "status").stdout)["series"]
    assert (state["newest"], state["applies"], state["on_newest"]) == ("2.0", True, None)


def test_releases_of_the_same_files_are_told_apart(tmp_path: Path) -> None:
    make_project(tmp_path, {"1.1": FIRST, "1.2": FIRST}, chain(FIRST, FIXED))
    for _ in range(2):  # computed, and from the cache
        verdicts = json.loads(portkit(tmp_path, "--json", "check").stdout)["verdicts"]
        assert [each["release"] for each in verdicts] == ["1.1", "1.2"]
