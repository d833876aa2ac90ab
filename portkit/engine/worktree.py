"""A checkout of a series on a release, as a work tree of the mirror's repository."""

from __future__ import annotations

from pathlib import Path

from portkit.errors import Refused, UsageError
from portkit.gitio import GitFailed, GitRepo

# What portkit has checked out there; git keeps refs of this name for each work tree by itself.
OURS = "refs/worktree/portkit"
# There while portkit writes files there: whatever is found then is not somebody's work.
_UNFINISHED = "refs/worktree/portkit-unfinished"


def check_out(repo: GitRepo, commit: str, directory: Path) -> None:
    """Check a commit out, into a new directory or over an earlier checkout of this mirror.

    Args:
        repo: the mirror's repository.
        commit: id of the commit.
        directory: absolute; missing, empty, or a checkout that nobody has changed.

    Raises:
        UsageError: something else is in the directory.
        Refused: the checkout has changes or commits of its own.
        EnvironmentProblem: the disk refuses.
    """
    if not directory.exists() or not any(directory.iterdir()):
        repo.run("worktree", "prune")
        repo.run("worktree", "add", "--quiet", "--force", "--detach", "--no-checkout",
                 str(directory), commit)  # fmt: skip
    else:
        _check_unchanged(repo, directory)
    tree = GitRepo(directory)
    tree.update_refs({_UNFINISHED: commit})
    tree.run("checkout", "--quiet", "--force", "--detach", commit)
    tree.update_refs({OURS: commit, _UNFINISHED: None})


def _check_unchanged(repo: GitRepo, directory: Path) -> None:
    """See that nothing in a checkout would be lost; clear away what an interrupted run left."""
    tree = GitRepo(directory)
    try:
        common = Path(tree.text("rev-parse", "--path-format=absolute", "--git-common-dir"))
        top = Path(tree.text("rev-parse", "--show-toplevel"))
        ours = common.resolve() == repo.path.resolve() and top.resolve() == directory.resolve()
    except GitFailed:
        ours = False
    if not ours:
        raise UsageError(
            "this directory is not empty and not a checkout that portkit made",
            where=str(directory), hint="name another directory, or empty it",
        )  # fmt: skip
    if _UNFINISHED in tree.refs(_UNFINISHED):
        git_dir = Path(tree.text("rev-parse", "--absolute-git-dir"))
        (git_dir / "index.lock").unlink(missing_ok=True)
        return
    if [path.name for path in directory.iterdir()] == [".git"]:
        return
    if tree.text("status", "--porcelain"):
        raise Refused(
            "this checkout has changes", where=str(directory),
            hint="take them into the series with 'portkit refresh', or undo them",
        )  # fmt: skip
    if tree.text("rev-parse", "HEAD") != tree.refs(OURS).get(OURS):
        raise Refused(
            "this checkout has commits of its own", where=str(directory),
            hint="take them into the series with 'portkit new', or name another directory",
        )  # fmt: skip
