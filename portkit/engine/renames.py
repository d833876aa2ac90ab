"""Where upstream moved a file between two releases.

Asked only for files that a series touches and that the new release lacks. As git's merge does
it: files moved unchanged are paired first, among all files; the rest by similarity (at least half),
without a limit on their number, because few files are asked for. The answers are kept in
the mirror's directory, one file a pair of trees.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from portkit.gitio import GitRepo

_SIMILARITY = "--find-renames=50%"


def find_renames(
    repo: GitRepo, old_tree: str, new_tree: str, missing: Iterable[PurePosixPath]
) -> dict[PurePosixPath, PurePosixPath]:
    """The new paths of files that are in one tree and not in the other.

    Args:
        repo: the mirror's repository.
        old_tree, new_tree: ids of two releases' trees.
        missing: the files asked for; one that was deleted is not in the answer.

    Raises:
        EnvironmentProblem: git fails, or the disk refuses.
    """
    asked = {path.as_posix() for path in missing}
    if not asked:
        return {}
    cache = repo.path / "portkit-renames" / f"{old_tree}-{new_tree}.json"
    known: dict[str, str | None] = json.loads(cache.read_bytes()) if cache.exists() else {}
    unknown = asked - known.keys()
    if unknown:
        found = _compute(repo, old_tree, new_tree, unknown)
        known.update({path: found.get(path) for path in unknown})
        _store(cache, known)
    pairs = ((path, known[path]) for path in sorted(asked))
    return {PurePosixPath(old): PurePosixPath(new) for old, new in pairs if new is not None}


def _store(cache: Path, known: dict[str, str | None]) -> None:
    """Write the cache; several processes may do it at once, the last one's answers are kept."""
    cache.parent.mkdir(exist_ok=True)
    draft = cache.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(known, sort_keys=True))
    draft.replace(cache)


def _compute(repo: GitRepo, old_tree: str, new_tree: str, asked: set[str]) -> dict[str, str]:
    deleted, added = _gone_and_new(repo, old_tree, new_tree)
    found: dict[str, str] = {}
    by_blob: dict[str, list[str]] = {}
    for path, entry in added.items():
        by_blob.setdefault(entry, []).append(path)
    for path, entry in deleted.items():
        places = by_blob.get(entry, [])
        if places:
            name = path.rpartition("/")[2]
            best = next((at for at in places if at.rpartition("/")[2] == name), places[0])
            places.remove(best)
            del added[best]
            if path in asked:
                found[path] = best
    rest = {path: deleted[path] for path in asked - found.keys() if path in deleted}
    if rest and added:
        found.update(_by_similarity(repo, rest, added))
    return found


def _gone_and_new(
    repo: GitRepo, old_tree: str, new_tree: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Files only in the old and only in the new tree: path to ``<mode> <blob>``."""
    out = repo.run("diff-tree", "-r", "-z", "--no-renames", "--diff-filter=AD", old_tree, new_tree)
    deleted: dict[str, str] = {}
    added: dict[str, str] = {}
    fields = out.split(b"\0")[:-1]
    for head, name in zip(fields[::2], fields[1::2], strict=True):
        old_mode, new_mode, old, new, status = head.decode().removeprefix(":").split(" ")
        if status == "D":
            deleted[os.fsdecode(name)] = f"{old_mode} {old}"
        else:
            added[os.fsdecode(name)] = f"{new_mode} {new}"
    return deleted, added


def _by_similarity(repo: GitRepo, old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """Pairs that git finds between two trees of just these files."""
    trees = [_write_tree(repo, files) for files in (old, new)]
    out = repo.run("diff-tree", "-r", "-z", _SIMILARITY, "-l0", "--diff-filter=R", *trees)
    fields = out.split(b"\0")[:-1]
    return {
        os.fsdecode(source): os.fsdecode(target)
        for source, target in zip(fields[1::3], fields[2::3], strict=True)
    }


def _write_tree(repo: GitRepo, files: dict[str, str]) -> str:
    """Write a tree of some files that the repository has, through an index of its own."""
    index = repo.path / f"portkit-renames-index.{os.getpid()}"
    lines = b"".join(
        f"{entry}\t".encode() + os.fsencode(path) + b"\0" for path, entry in files.items()
    )
    env = {"GIT_INDEX_FILE": str(index)}
    try:
        repo.run("update-index", "-z", "--index-info", stdin=lines, env=env)
        return repo.run("write-tree", env=env).decode().strip()
    finally:
        index.unlink(missing_ok=True)
