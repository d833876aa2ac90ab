"""``portkit new``, ``edit``, ``refresh``, ``drop`` and ``move``: work on one series.

Each command computes the whole new series in memory, then changes the files in one transaction;
when anything is wrong, nothing has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portkit.cli.bench import Bench, open_series, report_edit
from portkit.cli.complete import patch_names, series_names
from portkit.cli.context import Project, pass_project
from portkit.cli.message_input import Wording, git_identity, text_kept, wording
from portkit.errors import Refused, UsageError

if TYPE_CHECKING:
    from portkit.engine.edit import Proposal
    from portkit.gitio import GitRepo
    from portkit.series.diff import FileChange
    from portkit.series.model import Patch

_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
_MESSAGE = click.option(
    "-m", "--message", "messages", multiple=True, metavar="TEXT",
    help="The subject; given again: a paragraph of the body.",
)  # fmt: skip
_FILE = click.option(
    "-F", "--file", type=click.Path(path_type=Path), help="Take the message from a file (-: stdin)."
)


@click.command()
@click.argument("series", shell_complete=series_names)
@click.option("--worktree", type=_DIRECTORY, help="Made by 'portkit apply --worktree'.")
@click.option("--commit", metavar="REV", help="A commit of the mirror or of the worktree.")
@_MESSAGE
@_FILE
@pass_project
def new(
    project: Project,
    series: str,
    worktree: Path | None,
    commit: str | None,
    messages: tuple[str, ...],
    file: Path | None,
) -> None:
    """Make a patch at the end of SERIES from a worktree's changes or from a commit.

    A commit brings its own message and is merged if the series has moved on.

    \b
      portkit apply qemu --worktree /tmp/qemu      check the series out
      portkit new qemu --worktree /tmp/qemu -m "net: do it" -m "Because it hangs."
    """
    from portkit.engine.checkout import Checkout
    from portkit.engine.edit import append
    from portkit.gitio import GitRepo

    if worktree is None and commit is None:
        raise UsageError("nothing to make a patch of", hint="give --worktree DIR or --commit REV")
    with project.locked() as manifest:
        bench = open_series(manifest, series)
        repo, release = bench.pinned()
        checkout = None
        with text_kept(bench.saved_message):
            if commit is not None:
                source = GitRepo(worktree) if worktree else repo
                proposal = _from_commit(bench, source, commit, messages, file)
            else:
                assert worktree is not None
                checkout = Checkout(repo, release, bench.series, worktree.absolute())
                proposal = _from_edits(bench, checkout.edits(), messages, file)
            patches = append(repo, release, bench.series, [proposal])
        bench.store(patches, f"new {series}")
        if checkout is not None:
            checkout.settle(patches)
    report_edit(project, bench, patches)


@click.command()
@click.argument("series", shell_complete=series_names)
@click.argument("patch", shell_complete=patch_names)
@_MESSAGE
@_FILE
@pass_project
def edit(
    project: Project, series: str, patch: str, messages: tuple[str, ...], file: Path | None
) -> None:
    """Edit the message of PATCH, in your editor or with -m or -F. Its diffs stay as they are.

    \b
      portkit edit qemu 0002-fix.patch
      portkit edit qemu 0002-fix.patch -m "net: do it" -m "Because." -m "Forwarded: no"
    """
    from portkit.series.message import full_body

    bench = open_series(project.manifest, series)
    before = bench.find(patch)
    # the editor may be open for long, so the lock is taken after it
    head = Wording(before.author, before.date, before.subject, full_body(before))
    with text_kept(bench.saved_message):
        after = wording(head, messages, file, bench.saved_message)
        bench, patches = _reword(project, series, before, head, after)
    report_edit(project, bench, patches)


def _reword(
    project: Project, series: str, before: Patch, head: Wording, after: Wording
) -> tuple[Bench, list[Patch]]:
    from portkit.series.patch import with_message

    with project.locked() as manifest:
        bench = open_series(manifest, series)
        if bench.find(before.name).raw != before.raw:
            raise Refused(
                "the patch was changed while you edited it", where=before.name,
                hint="edit it again",
            )  # fmt: skip
        changed = before
        if after != head:
            changed = with_message(
                before, author=after.author, date=after.date, subject=after.subject,
                body=after.body,
            )  # fmt: skip
        patches = [changed if each.name == before.name else each for each in bench.series.patches]
        bench.store(patches, f"edit {series} {before.name}")
    return bench, patches


@click.command()
@click.argument("series", shell_complete=series_names)
@click.argument("patch", shell_complete=patch_names)
@click.option(
    "--worktree",
    type=_DIRECTORY,
    default=Path(),
    help="Made by 'portkit apply --worktree'; the current directory by default.",
)
@pass_project
def refresh(project: Project, series: str, patch: str, worktree: Path) -> None:
    """Take the changes of a worktree into PATCH.

    The worktree holds the whole series. Later patches are carried over; when one conflicts,
    nothing changes.

    \b
      portkit apply qemu --worktree /tmp/qemu      check the series out, edit files there
      portkit refresh qemu 0002-fix.patch --worktree /tmp/qemu
    """
    from portkit.engine.checkout import Checkout
    from portkit.engine.edit import refresh as refreshed

    with project.locked() as manifest:
        bench = open_series(manifest, series)
        bench.find(patch)
        repo, release = bench.pinned()
        checkout = Checkout(repo, release, bench.series, worktree.absolute())
        patches = refreshed(repo, release, bench.series, patch, checkout.edits())
        bench.store(patches, f"refresh {series} {patch}")
        checkout.settle(patches)
    report_edit(project, bench, patches)


@click.command()
@click.argument("series", shell_complete=series_names)
@click.argument("patch", shell_complete=patch_names)
@pass_project
def drop(project: Project, series: str, patch: str) -> None:
    """Take PATCH out of SERIES; its file goes. Later patches are carried over.

    \b
      portkit drop qemu 0002-fix.patch
    """
    _rearrange(project, series, patch, None)


@click.command()
@click.argument("series", shell_complete=series_names)
@click.argument("patch", shell_complete=patch_names)
@click.option(
    "--before", metavar="OTHER", shell_complete=patch_names, help="Put it right before this patch."
)
@click.option(
    "--after", metavar="OTHER", shell_complete=patch_names, help="Put it right after this patch."
)
@click.option("--to", type=click.IntRange(min=1), metavar="N", help="Make it the Nth patch.")
@pass_project
def move(
    project: Project, series: str, patch: str, before: str | None, after: str | None, to: int | None
) -> None:
    """Move PATCH to another place of SERIES. Patches that it passes are carried over.

    \b
      portkit move qemu 0005-fix.patch --before 0002-base.patch
      portkit move qemu 0005-fix.patch --to 1
    """
    if [before, after, to].count(None) != 2:
        raise UsageError("no single place to move to", hint="give one of --before, --after, --to")
    _rearrange(project, series, patch, _Place(before, after, to))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a patch goes: one of the three is given."""

    before: str | None
    after: str | None
    to: int | None

    def put(self, names: list[str], name: str) -> list[str]:
        """The names with ``name``, which is not among them, at this place."""
        if self.to is not None:
            at = self.to - 1
        else:
            at = names.index(self.before) if self.before else names.index(self.after or "") + 1
        return [*names[:at], name, *names[at:]]


def _rearrange(project: Project, series: str, patch: str, place: _Place | None) -> None:
    from portkit.engine.edit import rearrange

    with project.locked() as manifest:
        bench = open_series(manifest, series)
        bench.find(patch)
        old = [each.name for each in bench.series.patches]
        names = [name for name in old if name != patch]
        if place is not None:
            other = place.before or place.after
            if other is not None:
                bench.find(other)
            if other == patch:
                raise UsageError(
                    "a patch cannot go next to itself", where=patch, hint="name another patch"
                )
            names = place.put(names, patch)
        if names == old[: len(names)]:
            patches = list(bench.series.patches[: len(names)])  # nothing follows what changed
        else:
            repo, release = bench.pinned()
            patches = rearrange(repo, release, bench.series, names)
        bench.store(patches, f"{'move' if place else 'drop'} {series} {patch}")
    report_edit(project, bench, patches)


def _from_edits(
    bench: Bench, edits: list[FileChange], messages: Sequence[str], file: Path | None
) -> Proposal:
    """A patch of a worktree's changes."""
    from portkit.engine.edit import Proposal
    from portkit.series.diff import diff_text
    from portkit.series.patch import format_patch, free_name

    diff = diff_text(edits)
    author, date = git_identity()
    head = wording(Wording(author, date, "", ""), messages, file, bench.saved_message)
    patch = format_patch(
        free_name(head.subject, bench.taken_names()),
        author=head.author, date=head.date, subject=head.subject, body=head.body, diff=diff,
    )  # fmt: skip
    return Proposal(patch)


def _from_commit(
    bench: Bench, repo: GitRepo, commit: str, messages: Sequence[str], file: Path | None
) -> Proposal:
    """A commit's patch, with another message if one is given."""
    from portkit.engine.edit import propose_range
    from portkit.series.patch import free_name, with_message

    proposals = propose_range(repo, commit, bench.taken_names())
    if len(proposals) != 1:
        raise UsageError(
            f"{len(proposals)} commits in '{commit}'",
            hint=f"take them all with 'portkit import {bench.spec.name} {commit}'",
        )
    if not messages and file is None:
        return proposals[0]
    patch = proposals[0].patch
    before = Wording(patch.author, patch.date, patch.subject, patch.body)
    head = wording(before, messages, file, bench.saved_message)
    renamed = patch._replace(name=free_name(head.subject, bench.taken_names()))
    changed = with_message(
        renamed, author=head.author, date=head.date, subject=head.subject, body=head.body
    )
    return replace(proposals[0], patch=changed)
