"""The edge to git, on a real repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from portkit.errors import EnvironmentProblem
from portkit.gitio import GitFailed, GitRepo


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return GitRepo.init_bare(tmp_path / "mirror.git")


def import_file(repo: GitRepo, ref: str, path: str, data: bytes) -> None:
    with repo.fast_import() as stream:
        stream.write(b"commit " + ref.encode() + b"\ncommitter A <a@example.org> 0 +0000\n")
        stream.write(b"data 0\nM 100644 inline " + path.encode() + b"\n")
        stream.write(b"data %d\n" % len(data) + data + b"\n")


def test_an_existing_repository_is_opened_not_remade(repo: GitRepo) -> None:
    import_file(repo, "refs/heads/x", "f", b"1")
    again = GitRepo.init_bare(repo.path)
    assert again.refs("refs/heads/") == repo.refs("refs/heads/") != {}


def test_cat_file_gives_bytes_in_order_and_none_for_what_is_missing(repo: GitRepo) -> None:
    data = b"binary\0\n\n with missing\n"
    import_file(repo, "refs/heads/x", "dir/f", data)
    blobs = repo.cat_file(["x:dir/f", "x:dir/no such file", "x:dir/f"])
    assert [blob and blob.data for blob in blobs] == [data, None, data]
    assert repo.cat_file([]) == []


def test_cat_file_reads_more_than_pipes_hold_while_names_are_worked_out(repo: GitRepo) -> None:
    data = b"x" * 300_000
    import_file(repo, "refs/heads/x", "f", data)
    names = (f"x:{name}" for name in ["f", "no", "f"] * 100)
    assert [blob is not None for blob in repo.cat_file(names)] == [True, False, True] * 100


def test_cat_file_ends_with_the_error_of_whoever_works_names_out(repo: GitRepo) -> None:
    def names() -> Iterator[str]:
        yield "x:f"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        repo.cat_file(names())


def test_cat_file_in_what_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(GitFailed, match="not a git repository"):
        GitRepo(tmp_path).cat_file(f"x:{number}" for number in range(20_000))


def test_fast_import_that_is_interrupted_leaves_nothing(repo: GitRepo) -> None:
    other = repo.path / "objects" / "pack" / "tmp_pack_of_somebody_else"
    other.touch()
    with pytest.raises(ZeroDivisionError), repo.fast_import() as stream:
        stream.write(b"commit refs/heads/x\ncommitter A <a@example.org> 0 +0000\ndata 0\n")
        stream.write(b"M 100644 inline f\ndata 200000\n" + b"x" * 200_000)
        stream.flush()
        raise ZeroDivisionError
    assert repo.refs("refs/heads/") == {}
    assert list(other.parent.iterdir()) == [other]
    repo.sweep()
    assert not other.exists()


def test_locks_of_a_git_that_was_killed_go_but_for_branches(repo: GitRepo) -> None:
    locks = [repo.path / f"{name}.lock" for name in ("config", "refs/releases/1.0", "refs/heads/x")]
    for lock in locks:
        lock.parent.mkdir(exist_ok=True)
        lock.touch()
    repo.sweep()
    assert [lock.exists() for lock in locks] == [False, False, True]
    tree = repo.text("mktree")
    commit = repo.run("-c", "user.name=A", "-c", "user.email=a", "commit-tree", "-m", "x", tree)
    with pytest.raises(GitFailed, match=r"if no git is at work there, remove .*/heads/x\.lock"):
        repo.update_refs({"refs/heads/x": commit.decode().strip()})


def test_fast_import_reports_git_s_own_words(repo: GitRepo) -> None:
    with pytest.raises(GitFailed, match="Unsupported command"), repo.fast_import() as stream:
        stream.write(b"nonsense\n")


def test_refs_move_all_or_none(repo: GitRepo) -> None:
    import_file(repo, "refs/heads/x", "f", b"1")
    oid = repo.refs("refs/heads/")["refs/heads/x"]
    with pytest.raises(GitFailed):
        repo.update_refs({"refs/heads/y": oid, "refs/heads/z": "1" * 40})
    assert set(repo.refs("refs/heads/")) == {"refs/heads/x"}
    repo.update_refs({"refs/heads/y": oid, "refs/heads/x": None})
    assert repo.refs("refs/heads/") == {"refs/heads/y": oid}


def test_the_user_s_git_environment_does_not_leak_in(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert repo.text("rev-parse", "--is-bare-repository") == "true"


def test_a_missing_git_is_an_environment_problem(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(EnvironmentProblem, match="install the package git"):
        repo.run("version")
