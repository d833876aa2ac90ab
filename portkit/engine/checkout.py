"""What a person changed in a checkout of a series (``portkit apply --worktree``)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from portkit.engine.chain import apply_series, write_chain
from portkit.engine.worktree import OURS
from portkit.errors import Refused, UsageError
from portkit.gitio import GitFailed, GitRepo
from portkit.mirror.model import Release
from portkit.series.commits import tree_changes
from portkit.series.diff import FileChange
from portkit.series.model import Patch, Series


class Checkout:
    """A checkout of a series on its pinned release.

    Args:
        repo: the mirror's repository.
        release: the pinned release.
        series: the series as it is.
        directory: the checkout, absolute.

    Raises:
        UsageError: the directory is no work tree of the mirror.
    """

    def __init__(self, repo: GitRepo, release: Release, series: Series, directory: Path) -> None:
        self.repo = repo
        self.release = release
        self.series = series
        self.tree = GitRepo(directory)
        try:
            common = self.tree.text("rev-parse", "--path-format=absolute", "--git-common-dir")
        except GitFailed:
            common = ""
        if not common or Path(common).resolve() != repo.path.resolve():
            raise UsageError(
                "not a checkout that portkit made", where=str(directory),
                hint=f"make one with 'portkit apply {series.name} --worktree DIR'",
            )  # fmt: skip

    def edits(self) -> list[FileChange]:
        """The files that differ from the series: changed, new (unless ignored) and deleted.

        Commits made there count like changes that are not committed.

        Raises:
            Refused: nothing differs, or the checkout is not of the series as it is now.
        """
        tip = self._tree_of(self._tip(self.series))
        now = self._write_tree()
        if now == tip:
            self.settle(self.series.patches)
            raise Refused(
                "no changes in this worktree", where=str(self.tree.path), hint="edit files first"
            )
        if self._tree_of(self.tree.refs(OURS).get(OURS, "HEAD")) != tip:
            raise Refused(
                "this is not a checkout of the series as it is now", where=str(self.tree.path),
                hint=f"save your changes, run 'portkit apply {self.series.name} --worktree' and "
                "make them again",
            )  # fmt: skip
        return tree_changes(self.tree, tip, now)

    def settle(self, patches: Sequence[Patch]) -> None:
        """Make the checkout one of the new series; its files, which are the same, stay."""
        tip = self._tip(Series(self.series.name, tuple(patches)))
        self.tree.run("reset", "--quiet", tip)
        self.tree.run("update-ref", OURS, tip)

    def _tip(self, series: Series) -> str:
        steps = apply_series(self.repo, self.release, series)
        commits = write_chain(self.repo, self.release, series.name, steps)
        return [self.release.commit, *commits.values()][-1]

    def _tree_of(self, commit: str) -> str:
        return self.tree.text("rev-parse", f"{commit}^{{tree}}")

    def _write_tree(self) -> str:
        """The tree of the files as they are, through a copy of the index."""
        index = Path(self.tree.text("rev-parse", "--path-format=absolute", "--git-path", "index"))
        with tempfile.TemporaryDirectory(dir=index.parent) as directory:
            copy = Path(directory) / "index"
            shutil.copy2(index, copy)  # with its time: git tells racy entries by it
            env = {"GIT_INDEX_FILE": str(copy)}
            self.tree.run("add", "--all", ":/", env=env)
            return self.tree.run("write-tree", env=env).decode().strip()
