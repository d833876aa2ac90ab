"""Patches from git: the changes of commits, of any repository."""

from __future__ import annotations

import os
import re
from email.utils import quote as quote_name
from pathlib import PurePosixPath

from portkit.errors import UsageError
from portkit.gitio import GitFailed, GitRepo
from portkit.series.diff import FileChange, diff_text
from portkit.series.message import add_trailers, decode, full_body
from portkit.series.model import Entry, Patch
from portkit.series.patch import format_patch, free_name

_TRAILER = "Patch-Name"
_NAME_LINE = re.compile(rf"(?:\n|^){_TRAILER}: (\S+)\s*$")
_SPECIALS = re.compile(r'[()<>\[\]:;@\\,."]')
_FORMAT = "%H%x00%P%x00%an%x00%ae%x00%aD%x00%B"


def read_range(
    repo: GitRepo, commits: str, taken: list[str]
) -> list[tuple[Patch, tuple[FileChange, ...]]]:
    """One patch per commit of ``A..B``, oldest first, and the whole files that it changes.

    Args:
        repo: the repository that has the commits.
        commits: a range, or one commit.
        taken: patch names that are in use.

    Raises:
        UsageError: no such range, no commit in it, a merge, a commit without a subject, or one
            with a change that a series does not carry (binary, submodule).
    """
    try:
        one = [] if ".." in commits else ["--no-walk"]
        ids = repo.text(
            "rev-list", "--reverse", "--topo-order", *one, "--end-of-options", commits, "--"
        ).split()
    except GitFailed as error:
        raise UsageError(
            f"git does not know '{commits}'", where=str(repo.path),
            hint="give commits of this repository, as REV..REV",
        ) from error  # fmt: skip
    if not ids:
        raise UsageError(
            f"no commit in '{commits}'", where=str(repo.path),
            hint="give the older commit first; it is not taken itself",
        )  # fmt: skip
    names = list(taken)
    found = []
    for commit in ids:
        patch, changes = _read_commit(repo, commit, names)
        names.append(patch.name)
        found.append((patch, changes))
    return found


def _read_commit(
    repo: GitRepo, commit: str, taken: list[str]
) -> tuple[Patch, tuple[FileChange, ...]]:
    text = decode(repo.run("log", "-1", "--encoding=UTF-8", f"--format={_FORMAT}", commit, "--"))
    oid, parents, name, mail, date, message = text.split("\0", 5)
    if len(parents.split()) != 1:
        raise UsageError(
            "a merge" if parents else "a root commit", where=f"commit {oid[:12]}",
            hint="a patch is the change of a commit with one parent; give other commits",
        )  # fmt: skip
    subject, _, body = message.strip("\n").partition("\n\n")
    wanted = _NAME_LINE.search(body)
    body = _NAME_LINE.sub("", body).strip("\n")
    subject = " ".join(subject.split())
    changes = tuple(tree_changes(repo, parents, oid))
    patch = format_patch(
        wanted[1] if wanted and wanted[1] not in taken else free_name(subject, taken),
        author=author_field(name, mail), date=date, subject=subject, body=body,
        diff=diff_text(changes),
    )  # fmt: skip
    return patch, changes


def named_body(patch: Patch) -> str:
    """The body of a patch's commit: with its file name where the subject does not give it."""
    body = full_body(patch)
    if patch.name == free_name(patch.subject, ()):
        return body
    return add_trailers(body, [(_TRAILER, patch.name)])


def author_field(name: str, mail: str) -> str:
    """``Name <mail>``, the name quoted where RFC 5322 asks for it."""
    quoted = len(name) > 1 and name[0] == name[-1] == '"'
    shown = f'"{quote_name(name)}"' if _SPECIALS.search(name) and not quoted else name
    return f"{shown} <{mail}>"


def tree_changes(repo: GitRepo, old: str, new: str) -> list[FileChange]:
    """What is different between two trees (or commits), with renames.

    Raises:
        GitFailed: one of the two is not there.
    """
    out = repo.run("diff-tree", "-r", "-z", "-M", "--no-commit-id", old, new, "--")
    fields = iter(out.split(b"\0")[:-1])
    found: list[tuple[list[str], PurePosixPath, PurePosixPath]] = []
    for head in fields:
        parts = head.decode().removeprefix(":").split(" ")
        path = PurePosixPath(os.fsdecode(next(fields)))
        target = PurePosixPath(os.fsdecode(next(fields))) if parts[4][0] in "RC" else path
        found.append((parts, path, target))
    blobs = iter(repo.cat_file(oid for parts, _, _ in found for oid in parts[2:4]))
    changes = []
    for parts, path, target in found:
        sides = []
        for mode in parts[:2]:
            blob = next(blobs)
            data = b"" if blob is None or mode == "160000" else blob.data
            sides.append(None if mode == "000000" else Entry(mode, data))
        old_side, new_side = sides
        changes.append(
            FileChange(path if old_side else None, old_side, target if new_side else None, new_side)
        )
    return changes
