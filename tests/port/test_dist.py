"""The slim distfile: the same bytes from the same release, and nothing but upstream's files."""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portkit.errors import EnvironmentProblem, UsageError
from portkit.manifest.model import Manifest
from portkit.mirror.store import Mirror
from portkit.port.dist import TreeFile, make_distfile, tree_files, verify_distfile
from tests.support import DATE, Content, add_release, make_project

FILES: dict[str, Content] = {
    "COPYING": "GPL\n",
    "virt/kvm/kvm_main.c": "int x;\n",
    "virt/kvm/binary": bytes(range(256)) * 300,
    "virt/kvm/run": ("100755", b"#!/bin/sh\n"),
    "virt/kvm/link": ("120000", b"kvm_main.c"),
    "virt/kvm-not-wanted": "no\n",
    "virt/lib/a-name-\N{SNOWMAN}-" + "long" * 40: "",
}


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    (tmp_path / "one").mkdir()
    return make_project(tmp_path / "one", {"1.0": FILES})


def _pack(manifest: Manifest, paths: list[str], directory: Path) -> bytes:
    mirror = Mirror(manifest, "up")
    path, made = make_distfile(mirror.repo, mirror.release("1.0"), paths, directory)
    data = path.read_bytes()
    assert made.size == len(data)
    return data


def test_it_holds_the_wanted_files_sorted_and_without_traces_of_the_host(
    manifest: Manifest, tmp_path: Path
) -> None:
    data = _pack(manifest, ["virt/kvm", "COPYING"], tmp_path / "d")
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = archive.getmembers()
        assert [member.name for member in members] == [
            "up-1.0/COPYING", "up-1.0/virt/kvm/binary", "up-1.0/virt/kvm/kvm_main.c",
            "up-1.0/virt/kvm/link", "up-1.0/virt/kvm/run",
        ]  # fmt: skip
        assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {
            (0, 0, "", "", DATE)
        }
        assert [oct(m.mode) for m in members if not m.issym()] == ["0o644"] * 3 + ["0o755"]
        stream = archive.extractfile("up-1.0/virt/kvm/binary")
        assert stream is not None
        assert stream.read() == FILES["virt/kvm/binary"]


def test_two_mirrors_on_two_hosts_give_the_same_bytes(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    other = make_project(tmp_path / "two", {"1.0": dict(reversed(FILES.items()))})
    first = _pack(manifest, ["COPYING", "virt"], tmp_path / "a")
    assert first == _pack(other, ["virt", "COPYING", "virt/kvm"], tmp_path / "b")


def test_it_is_made_once_and_again_when_it_was_damaged(manifest: Manifest, tmp_path: Path) -> None:
    first = _pack(manifest, ["virt"], tmp_path)
    path = tmp_path / "up-1.0.tar.xz"
    before = path.stat().st_mtime_ns
    _pack(manifest, ["virt"], tmp_path)
    assert path.stat().st_mtime_ns == before
    path.write_bytes(first[:-1])
    assert _pack(manifest, ["virt"], tmp_path) == first


def test_other_paths_make_another_file(manifest: Manifest, tmp_path: Path) -> None:
    assert _pack(manifest, ["virt"], tmp_path) != _pack(manifest, ["COPYING"], tmp_path)


def test_a_path_that_the_release_lacks_is_named(manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="virt/kv'"):
        _pack(manifest, ["virt/kv"], tmp_path)
    assert not list(tmp_path.glob("*.partial"))


def test_a_full_disk_leaves_no_file_behind(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "up-1.0.partial").symlink_to("/dev/full")
    with pytest.raises(EnvironmentProblem, match="make room"):
        _pack(manifest, ["virt"], tmp_path)
    assert list(tmp_path.glob("up-1.0*")) == []


def _archive(path: Path, members: dict[str, tuple[bytes, int]]) -> Path:
    with lzma.open(path, "wb") as out, tarfile.open(fileobj=out, mode="w") as archive:
        for name, (data, mode) in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), mode
            archive.addfile(member, io.BytesIO(data))
    return path


GOOD = {"t/a": (b"one\n", 0o644), "t/b": (b"two\n", 0o755)}
TREE = [
    TreeFile("100644", "5626abf0f72e58d7a153368ba57db4c673c0e171", "a"),
    TreeFile("100755", "f719efd430d52bcfc8566a43b2eb655688d38871", "b"),
]


def test_the_check_accepts_upstreams_very_files(tmp_path: Path) -> None:
    verify_distfile(_archive(tmp_path / "x", GOOD), TREE, "t")


@pytest.mark.parametrize(
    "members",
    [
        {**GOOD, "t/a": (b"One\n", 0o644)},
        {**GOOD, "t/b": (b"two\n", 0o644)},
        {**GOOD, "t/c": (b"", 0o644)},
        {"t/a": GOOD["t/a"]},
        {"u/a": GOOD["t/a"], "t/b": GOOD["t/b"]},
    ],
    ids=["content", "mode", "added", "missing", "elsewhere"],
)
def test_the_check_refuses_anything_else(
    tmp_path: Path, members: dict[str, tuple[bytes, int]]
) -> None:
    with pytest.raises(EnvironmentProblem):
        verify_distfile(_archive(tmp_path / "x", members), TREE, "t")


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.text("abc-", min_size=1, max_size=6).filter(lambda name: not name.startswith("-")),
        st.binary(max_size=2000),
        min_size=1,
        max_size=8,
    )
)
def test_any_files_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    root = tmp_path_factory.mktemp("p")
    manifest = make_project(root, {})
    add_release(manifest, "1.0", {f"d/{name}": data for name, data in files.items()})
    data = _pack(manifest, ["d"], root / "out")
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {
            member.name: stream.read()
            for member in archive
            if (stream := archive.extractfile(member)) is not None
        }
    assert found == {f"up-1.0/d/{name}": content for name, content in files.items()}


def test_tree_files_gives_each_file_once(manifest: Manifest) -> None:
    mirror = Mirror(manifest, "up")
    files = tree_files(
        mirror.repo, mirror.release("1.0").tree, ["virt", "virt/kvm", "virt/kvm/run"]
    )
    assert [file.path for file in files if file.path.endswith("run")] == ["virt/kvm/run"]
