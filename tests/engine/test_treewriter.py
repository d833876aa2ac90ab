"""Trees after changes are those that git makes of the same files."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portkit.engine.tree import Entry, read_tree
from portkit.engine.treewriter import TreeWriter
from portkit.errors import EnvironmentProblem
from portkit.gitio import GitRepo
from portkit.packfile import PackWriter

Files = dict[str, Entry]


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> GitRepo:
    return GitRepo.init_bare(tmp_path_factory.mktemp("git") / "x.git")


def tree_of(repo: GitRepo, files: Mapping[str, Entry]) -> str:
    """The tree by git's own index."""
    index = repo.path / "index"
    index.unlink(missing_ok=True)
    lines = []
    for path, entry in files.items():
        blob = repo.run("hash-object", "-w", "--stdin", stdin=entry.data).decode().strip()
        lines.append(f"{entry.mode} {blob}\t{path}\n")
    env = {"GIT_INDEX_FILE": str(index)}
    repo.run("update-index", "--index-info", stdin="".join(lines).encode(), env=env)
    return repo.run("write-tree", env=env).decode().strip()


# names that sort differently as files and as directories, and hold what a tree object holds
parts = st.sampled_from(["a", "a.b", "a0", "a-b", "b", "100644 x", "é"])
paths = st.lists(parts, min_size=1, max_size=3).map("/".join)
entries = st.builds(
    Entry, st.sampled_from(["100644", "100755", "120000"]), st.binary(max_size=3)
)  # fmt: skip


def without_clashes(files: Files) -> Files:
    """A tree has no file where it has a directory."""
    return {
        path: entry for path, entry in files.items()
        if not any(other.startswith(f"{path}/") for other in files)
    }  # fmt: skip


trees = st.dictionaries(paths, entries, max_size=8).map(without_clashes)


@given(st.lists(trees, min_size=2, max_size=4))
@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
def test_every_step_has_git_s_tree(repo: GitRepo, states: list[Files]) -> None:
    start = tree_of(repo, states[0])
    pack = PackWriter(repo.objects)
    touched = {PurePosixPath(path) for files in states for path in files}
    known = read_tree(repo, start, list(touched)[: len(touched) // 2])
    writer = TreeWriter(repo, start, touched, pack, known)
    for old, new in pairwise(states):
        changes = {
            PurePosixPath(path): new.get(path)
            for path in {*old, *new} if old.get(path) != new.get(path)
        }  # fmt: skip
        assert writer.change(changes).hex() == tree_of(repo, new)
    pack.store()


def test_what_does_not_change_keeps_its_place(repo: GitRepo) -> None:
    files = {f"d/{name}": Entry("100644", b"x") for name in ("a", "b.c", "b/f", "c")}
    writer = TreeWriter(
        repo, tree_of(repo, files), [PurePosixPath("d/b.d")], PackWriter(repo.objects)
    )  # fmt: skip
    new = Entry("100644", b"new")
    made = writer.change({PurePosixPath("d/b.d"): new}).hex()
    assert made == tree_of(repo, {**files, "d/b.d": new})


@pytest.mark.parametrize("lost", ["", "d"])
def test_a_mirror_that_lacks_a_directory_is_named(tmp_path: Path, lost: str) -> None:
    """A directory that cannot be read is not an empty one."""
    repo = GitRepo.init_bare(tmp_path / "x.git")
    tree = tree_of(repo, {"d/f": Entry("100644", b"x"), "g": Entry("100644", b"y")})
    oid = repo.text("rev-parse", f"{tree}:{lost}")
    (repo.objects / oid[:2] / oid[2:]).unlink()
    with pytest.raises(EnvironmentProblem, match=f"lacks directory '{lost}' of tree {tree}"):
        TreeWriter(repo, tree, [PurePosixPath("d/f")], PackWriter(repo.objects))
