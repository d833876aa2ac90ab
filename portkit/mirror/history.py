"""Upstream's own commits between two releases, where a source of the upstream has them.

The mirror holds releases without history. When one of the upstream's git sources is a repository on
this machine, its history answers which commit made a difference. It is only read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from portkit.gitio import GitFailed, GitRepo
from portkit.manifest.model import GitSource, Upstream


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of upstream.

    Attributes:
        id: its full id.
        author: ``Name <mail>``.
        date: of the author, ISO 8601.
        subject: first line of its message.
    """

    id: str
    author: str
    date: str
    subject: str


class History:
    """The history of an upstream.

    Args:
        repo: upstream's repository.
        tag: template of a release's tag, with ``{version}``.
    """

    def __init__(self, repo: GitRepo, tag: str) -> None:
        self.repo = repo
        self._tag = tag

    def first(
        self, old: str, new: str, paths: Iterable[PurePosixPath], differs: Callable[[str], bool]
    ) -> Commit | None:
        """The first commit between two releases that makes a difference; git chooses what to try.

        Args:
            old, new: versions; the first one is the older.
            paths: files outside of which nothing makes a difference.
            differs: whether a commit (its id) is already like the new release.

        Returns:
            The commit; None when a release or the difference is not in this history.
        """
        try:
            bad, good = self._commit(new), [self._commit(old)]
        except GitFailed:
            return None
        names = [f":(top,literal){path}" for path in paths]
        found: str | None = None
        while True:
            middle = self.repo.text(
                "rev-list", "--bisect", bad, *(f"^{commit}" for commit in good), "--", *names
            )
            if middle in ("", found):
                return self._describe(found) if found else None
            if differs(middle):
                bad = found = middle
            else:
                good.append(middle)

    def _commit(self, version: str) -> str:
        tag = f"refs/tags/{self._tag.format(version=version)}"
        return self.repo.text("rev-parse", "--quiet", "--verify", f"{tag}^{{commit}}")

    def _describe(self, commit: str) -> Commit:
        form = "--format=%H%x00%an <%ae>%x00%aI%x00%s"
        fields = self.repo.text("log", "-1", "--encoding=UTF-8", form, commit, "--").split("\0")
        return Commit(*fields)


def history_of(upstream: Upstream) -> History | None:
    """The history of the first source that is a git repository on this machine, or None."""
    for source in upstream.sources:
        if isinstance(source, GitSource) and Path(source.url).is_dir():
            return History(GitRepo(Path(source.url)), source.tag)
    return None
