"""A pin that is nowhere to be had: another release stands in, said and never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from portkit.engine.standin import based
from portkit.errors import EnvironmentProblem, Refused
from portkit.manifest.model import Manifest
from tests.engine.support import make_patch, portkit
from tests.support import make_project

LINES = "".join(f"line {number}\n" for number in range(1, 41))
CHANGED = LINES.replace("line 20\n", "twenty\n")
PATCHES = [
    ("1.patch", make_patch("1.patch", {"a.c": LINES}, {"a.c": CHANGED})),
    (
        "2.patch",
        make_patch("2.patch", {"a.c": CHANGED}, {"a.c": CHANGED.replace("line 22", "22")}),
    ),
]


def project(root: Path, releases: dict[str, str]) -> Manifest:
    files = {version: {"a.c": text} for version, text in releases.items()}
    return make_project(root, files, PATCHES, pin="1.0.7", track="1.0")


def test_the_pin_is_used_when_it_is_mirrored(tmp_path: Path) -> None:
    manifest = project(tmp_path, {"1.0.7": LINES, "1.0.8": "new\n" + LINES})
    found = based(manifest, manifest.series["s"], stand_in=True)
    assert (found.release.version, found.instead_of) == ("1.0.7", None)
    assert [patch.raw.decode() for patch in found.series.patches] == [text for _, text in PATCHES]


def test_nothing_stands_in_unasked(tmp_path: Path) -> None:
    manifest = project(tmp_path, {"1.0.8": LINES})
    with pytest.raises(EnvironmentProblem, match=r"1\.0\.7 of up is not mirrored"):
        based(manifest, manifest.series["s"])


def test_the_nearest_of_the_track_stands_in_and_every_patch_is_exact_there(tmp_path: Path) -> None:
    project(tmp_path, {"1.0.2": "x\n", "1.0.8": "new\n" + LINES, "1.1": LINES})
    before = {path: path.read_bytes() for path in (tmp_path / "patches" / "s").iterdir()}
    done = portkit(tmp_path, "apply", "s", "--stand-in", "--worktree", str(tmp_path / "tree"))
    assert done.exit_code == 0, done.output
    assert "1.0.8 stands in for 1.0.7" in done.output
    expected = "new\n" + CHANGED.replace("line 22", "22")
    assert (tmp_path / "tree" / "a.c").read_text() == expected
    assert {path: path.read_bytes() for path in before} == before


def test_a_patch_that_upstream_may_have_is_never_applied_again(tmp_path: Path) -> None:
    """The old lines stand at a second place too, so that it would apply there."""
    manifest = project(tmp_path, {"1.0.8": CHANGED + LINES})
    with pytest.raises(Refused, match=r"1\.patch: 1\.0\.8 may have this change of a\.c already"):
        based(manifest, manifest.series["s"], stand_in=True)


def test_a_change_of_the_same_lines_is_refused(tmp_path: Path) -> None:
    manifest = project(tmp_path, {"1.0.8": LINES.replace("line 21\n", "other\n")})
    with pytest.raises(Refused, match=r"1\.patch"):
        based(manifest, manifest.series["s"], stand_in=True)


def test_another_track_does_not_stand_in(tmp_path: Path) -> None:
    manifest = project(tmp_path, {"1.1.0": LINES})
    with pytest.raises(EnvironmentProblem, match="is not mirrored"):
        based(manifest, manifest.series["s"], stand_in=True)
