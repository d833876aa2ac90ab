"""The mirror of an upstream: what is in it, and how a release gets in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portkit.errors import EnvironmentProblem, Refused, UsageError
from portkit.mirror.model import Release
from portkit.mirror.store import Mirror
from tests.support import DATE, add_release, entry, make_project


def test_releases_come_in_order_of_version(tmp_path: Path) -> None:
    manifest = make_project(tmp_path, {"1.10": {"f": "b"}, "1.9": {"f": "a"}, "2.0": {"f": "c"}})
    mirror = Mirror(manifest, "up")
    assert [release.version for release in mirror.releases()] == ["1.9", "1.10", "2.0"]
    blob = mirror.repo.cat_file([f"{mirror.release('1.10').tree}:f"])[0]
    assert blob is not None
    assert blob.data == b"b"


def test_the_same_files_make_the_same_commit_in_any_order(tmp_path: Path) -> None:
    files = {"a b/ü": "x", 'q"\\\n': "y", "run": ("100755", b"#!"), "link": ("120000", b"run")}
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    backwards = dict(reversed(files.items()))
    one = Mirror(make_project(tmp_path / "one", {"1.0": files}), "up")
    two = Mirror(make_project(tmp_path / "two", {"1.0": backwards}), "up")
    assert one.releases() == two.releases()
    listed = one.repo.run("ls-tree", "-r", "-z", "refs/releases/1.0").split(b"\0")
    assert {line.partition(b"\t")[2].decode() for line in listed if line} == set(files)
    assert one.repo.text("log", "-1", "--format=%P|%an|%ct|%s", "refs/releases/1.0") == (
        f"|portkit|{DATE}|1.0"
    )


def test_what_is_not_mirrored_says_how_to_mirror_it(tmp_path: Path) -> None:
    mirror = Mirror(make_project(tmp_path, {"1.0": {"f": ""}}), "up")
    hint = "release 1.1 of up is not mirrored; run 'portkit sync up --version 1.1'"
    with pytest.raises(EnvironmentProblem, match=re.escape(hint)):
        mirror.release("1.1")
    with pytest.raises(UsageError, match="'x' is not a version"):
        mirror.release("x")
    with pytest.raises(UsageError, match="no upstream 'down'; known are: up"):
        Mirror(make_project_again(tmp_path), "down")


def make_project_again(root: Path):
    from portkit.manifest.load import load_manifest

    return load_manifest(root / "portkit.toml")


def test_an_upstream_without_mirror_has_no_releases(tmp_path: Path) -> None:
    mirror = Mirror(make_project(tmp_path, {}), "up")
    assert mirror.releases() == []
    assert not mirror.repo.path.exists()


def test_a_release_mirrored_for_another_subtree_is_not_mirrored(tmp_path: Path) -> None:
    make_project(tmp_path, {"1.0": {"f": ""}})
    path = tmp_path / "portkit.toml"
    path.write_text(path.read_text().replace("[upstream.up]", '[upstream.up]\nsubtree = ["f"]'))
    assert Mirror(make_project_again(tmp_path), "up").releases() == []


def test_a_release_that_is_not_accepted_leaves_the_old_one(tmp_path: Path) -> None:
    manifest = make_project(tmp_path, {"1.0": {"f": "old"}})
    mirror = Mirror(manifest, "up")
    before = mirror.releases()

    def refuse(release: Release) -> None:
        assert release.tree != before[0].tree
        raise Refused("another tree")

    with pytest.raises(Refused):
        mirror.import_release("1.0", [entry("f", "new")], lambda: DATE, refuse)
    assert mirror.releases() == before
    assert mirror.repo.refs("refs/incoming/") == {}


def test_an_import_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    manifest = make_project(tmp_path, {})
    mirror = Mirror(manifest, "up")
    mirror.prepare()

    def entries():
        yield entry("f", "x" * 100_000)
        raise Refused("broken")

    with pytest.raises(Refused):
        mirror.import_release("1.0", entries(), lambda: DATE)
    assert mirror.releases() == []
    mirror.prepare()
    assert list((mirror.repo.path / "objects/pack").glob("tmp_*")) == []
    assert add_release(manifest, "1.0", {"f": "x"}).version == "1.0"
