"""Packs written in this process, read back by git."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portkit import packfile
from portkit.errors import EnvironmentProblem
from portkit.gitio import GitRepo
from portkit.packfile import PackWriter


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> GitRepo:
    return GitRepo.init_bare(tmp_path_factory.mktemp("git") / "x.git")


def packs(repo: GitRepo) -> list[str]:
    return sorted(path.name for path in (repo.objects / "pack").iterdir())


SIZES = [0, 1, 15, 16, 2047, 2048, 65535, 65536, 300_000]


@given(st.lists(st.binary(max_size=300) | st.sampled_from([b"x" * size for size in SIZES])))
@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
def test_git_reads_what_was_added(repo: GitRepo, blobs: list[bytes]) -> None:
    pack = PackWriter(repo.objects)
    names = [pack.add("blob", data).hex() for data in blobs]
    pack.store()
    assert [each and each.data for each in repo.cat_file(names)] == blobs
    assert all(each and each.kind == "blob" for each in repo.cat_file(names))


def test_git_finds_nothing_wrong(tmp_path: Path) -> None:
    repo = GitRepo.init_bare(tmp_path / "x.git")
    pack = PackWriter(repo.objects)
    file = pack.add("blob", b"text\n")
    tree = pack.add("tree", b"100644 f\0" + file)
    who = b"A <a@example.org> 0 +0000"
    commit = pack.add("commit", b"tree %s\nauthor %s\ncommitter %s\n\nx\n" % (
        tree.hex().encode(), who, who))  # fmt: skip
    pack.store()
    repo.update_refs({"refs/heads/x": commit.hex()})
    assert repo.text("fsck", "--strict", "--full", "--no-progress") == ""
    index = next((repo.objects / "pack").glob("*.idx"))
    repo.run("verify-pack", str(index))
    assert repo.text("show", "x:f") == "text"


def test_an_index_of_a_pack_beyond_two_gigabytes(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large offsets stand in a table of their own; here they are called large from 40 on."""
    monkeypatch.setattr(packfile, "_FIRST_LONG", 40)
    pack = PackWriter(repo.objects)
    blobs = [b"number %d" % number for number in range(5)]
    names = [pack.add("blob", data).hex() for data in blobs]
    pack.store()
    assert [each and each.data for each in repo.cat_file(names)] == blobs
    for index in (repo.objects / "pack").glob("*.idx"):
        repo.run("verify-pack", str(index))


def test_nothing_is_written_for_no_objects_and_nothing_twice(tmp_path: Path) -> None:
    repo = GitRepo.init_bare(tmp_path / "x.git")
    PackWriter(repo.objects).store()
    assert not (repo.objects / "pack").exists() or packs(repo) == []
    for _ in range(2):
        pack = PackWriter(repo.objects)
        assert pack.add("blob", b"once") == pack.add("blob", b"once")
        pack.store()
        assert len(packs(repo)) == 2


def test_a_pack_without_its_index_is_finished_or_swept(tmp_path: Path) -> None:
    """A kill came between the two."""
    repo = GitRepo.init_bare(tmp_path / "x.git")
    pack = PackWriter(repo.objects)
    oid = pack.add("blob", b"data").hex()
    pack.store()
    index = next((repo.objects / "pack").glob("*.idx"))
    index.unlink()
    assert repo.cat_file([oid]) == [None]
    pack.store()
    assert repo.cat_file([oid]) != [None]
    index.unlink()
    repo.sweep()
    assert packs(repo) == []


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_disk_that_refuses_leaves_the_repository_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    repo = GitRepo.init_bare(tmp_path / "x.git")
    pack = PackWriter(repo.objects)
    pack.add("blob", b"data")

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, failing, refuse)
    with pytest.raises(EnvironmentProblem, match="No space left on device; make room"):
        pack.store()
    assert packs(repo) == []


def test_objects_of_a_work_tree_and_of_a_linked_one(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    GitRepo(top).run("init", "-q", ".")
    for name in ("HEAD", "refs"):
        (top / name).touch()  # files of the project
    assert GitRepo(top).objects == top / ".git" / "objects"
    (top / "below").mkdir()
    assert GitRepo(top / "below").objects == top / ".git" / "objects"
    GitRepo(top).run(
        "-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", "x", "--allow-empty"
    )
    GitRepo(top).run("worktree", "add", "-q", str(tmp_path / "linked"))
    assert GitRepo(tmp_path / "linked").objects == top / ".git" / "objects"
