"""``portkit import`` and ``export``: a series as quilt directory, mbox or git commits."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from portkit.cli.bench import Bench, open_series, report_edit
from portkit.cli.complete import series_names
from portkit.cli.context import Project, find_series, pass_project
from portkit.errors import EnvironmentProblem, UsageError
from portkit.series.model import Patch, Series

if TYPE_CHECKING:
    from portkit.engine.edit import Proposal


@click.command("import")
@click.argument("series", shell_complete=series_names)
@click.argument("source")
@click.option(
    "--repo",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The git repository that has SOURCE, which is a range of commits REV..REV.",
)
@pass_project
def import_(project: Project, series: str, source: str, repo: Path | None) -> None:
    """Append patches to SERIES from a mail or mbox file, a quilt directory or git commits.

    Patches go to the end of the series. Hunks whose line numbers are old go to where their lines
    are, without fuzz, and that is told; commits, whose whole files are known, are merged. When one
    does not apply, nothing is imported.

    \b
      portkit import qemu fixes.mbox
      portkit import qemu /usr/src/qemu/debian/patches
      portkit import qemu v10.0.0..my-branch --repo ~/src/qemu
    """
    from portkit.engine.edit import append

    with project.locked() as manifest:
        bench = open_series(manifest, series)
        proposals, notes = _read(bench, source, repo)
        try:
            upstream, release = bench.pinned()
        except EnvironmentProblem as problem:  # the files can be taken without the mirror
            patches = [*bench.series.patches, *(proposal.patch for proposal in proposals)]
            notes.append(f"not checked: {problem}")
        else:
            patches = append(upstream, release, bench.series, proposals)
            notes += [
                f"{patch.name}: its line numbers were old, hunks are at their lines now; look at it"
                for proposal, patch in zip(
                    proposals, patches[len(bench.series.patches) :], strict=True
                )
                if not proposal.changes and patch.raw != proposal.patch.raw
            ]
        bench.store(patches, f"import {series} {source}")
    report_edit(project, bench, patches, notes)


def _read(bench: Bench, source: str, repo: Path | None) -> tuple[list[Proposal], list[str]]:
    """The patches of a source, and what is to be told about it."""
    from portkit.engine.edit import Proposal, propose_range

    taken = bench.taken_names()
    if repo is not None:
        from portkit.gitio import GitRepo

        return propose_range(GitRepo(repo), source, taken), []
    path = Path(source)
    if path.is_dir():
        return [Proposal(patch) for patch in _read_quilt(path, taken)], []
    if not path.is_file():
        raise UsageError(
            "no such file or directory", where=source,
            hint="for commits of a git repository, say which with --repo DIR",
        )  # fmt: skip
    from portkit.series.mail import read_mbox

    patches, skipped = read_mbox(path.read_bytes(), taken)
    notes = [f"skipped, no diff in it: {subject}" for subject in skipped]
    return [Proposal(patch) for patch in patches], notes


def _read_quilt(directory: Path, taken: Sequence[str]) -> list[Patch]:
    from portkit.series.store import SERIES_FILE, load_patches

    if not (directory / SERIES_FILE).is_file():
        raise UsageError(
            f"no '{SERIES_FILE}' file", where=str(directory), hint="give a quilt directory"
        )
    patches = load_patches(directory.absolute())
    for patch in patches:
        if patch.name in taken:
            raise UsageError(
                "the series has a file of this name already", where=patch.name,
                hint="rename one of the two",
            )  # fmt: skip
    return patches


@click.command()
@click.argument("series", shell_complete=series_names)
@click.option("--format", "form", type=click.Choice(["quilt", "mbox", "branch"]), required=True)
@click.option("--output", type=click.Path(path_type=Path), help="New directory or mbox file.")
@click.option(
    "--repo",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="For a branch: a git repository with the upstream's history.",
)
@click.option("--base", metavar="REV", help="For a branch: the pinned release there.")
@pass_project
def export(
    project: Project, series: str, form: str, output: Path | None, repo: Path | None,
    base: str | None,
) -> None:  # fmt: skip
    """Export SERIES as a quilt directory, an mbox or a git branch. Nothing is overwritten.

    A branch starts at --base (by default the tag v<pinned release>) and is named
    <series>/<pinned release>. 'portkit import' reads all three back.

    \b
      portkit export qemu --format mbox --output qemu.mbox
      portkit export qemu --format quilt --output debian/patches
      portkit export qemu --format branch --repo ~/src/qemu --base v10.0.13
    """
    from portkit.series.store import load_series

    spec = find_series(project.manifest, series)
    patches = load_series(spec)
    if form == "branch":
        if repo is None:
            raise UsageError("no repository for the branch", hint="give --repo DIR")
        target = _export_branch(repo, base or f"v{spec.pin}", spec.pin, patches)
    else:
        if output is None:
            raise UsageError(f"no place for the {form} export", hint="give --output PATH")
        if form == "quilt":
            _export_quilt(output, spec.directory, patches)
        else:
            _export_mbox(output, patches)
        target = str(output)
    data = {
        "series": series, "format": form, "output": target,
        "patches": [patch.name for patch in patches.patches],
    }  # fmt: skip
    project.report(data, lambda: click.echo(f"{target}: {len(patches.patches)} patches"))


def _export_mbox(output: Path, series: Series) -> None:
    from portkit.series.mail import write_mbox

    data = write_mbox(series.patches)
    if output.exists():
        _refuse_present(output)
    draft = _draft(output)
    try:
        draft.write_bytes(data)
        draft.rename(output)
    finally:
        draft.unlink(missing_ok=True)


def _export_quilt(output: Path, directory: Path, series: Series) -> None:
    import shutil

    from portkit.series.store import SERIES_FILE

    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        _refuse_present(output)
    draft = _draft(output)
    files = {draft / patch.name: patch.raw for patch in series.patches}
    files[draft / SERIES_FILE] = (directory / SERIES_FILE).read_bytes()
    try:
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        draft.rename(output)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _draft(output: Path) -> Path:
    """A name next to the output, so that what appears there is complete."""
    output.absolute().parent.mkdir(parents=True, exist_ok=True)
    return output.absolute().with_name(f".{output.name}.{os.getpid()}")


def _refuse_present(output: Path) -> NoReturn:
    raise UsageError("this exists already", where=str(output), hint="name a new file or directory")


def _export_branch(directory: Path, base: str, pin: str, series: Series) -> str:
    """Commit the series on a branch of its own in a user's repository.

    Returns:
        The branch's full name.

    Raises:
        UsageError: there is no such base, or the branch exists.
        Refused: a patch does not apply on the base.
    """

    from portkit.engine.chain import apply_series, branch_name, write_chain
    from portkit.gitio import GitFailed, GitRepo
    from portkit.mirror.model import Release
    from portkit.series.commits import named_body

    repo = GitRepo(directory)
    branch = branch_name(series.name, pin)
    if repo.refs(branch):
        raise UsageError(
            f"the branch {branch} exists already", where=str(directory),
            hint="rename or delete it there",
        )  # fmt: skip
    verify = ("rev-parse", "--verify", "--quiet", "--end-of-options")
    try:
        commit, tree = (
            repo.text(*verify, f"{base}^{{{kind}}}").split()[-1] for kind in ("commit", "tree")
        )
    except GitFailed as error:
        raise UsageError(
            f"git does not know '{base}'", where=str(directory),
            hint="name the pinned release there with --base REV",
        ) from error  # fmt: skip
    named = [patch._replace(body=named_body(patch)) for patch in series.patches]
    release = Release(series.name, pin, commit, tree)
    steps = apply_series(repo, release, Series(series.name, tuple(named)))
    write_chain(repo, release, series.name, steps)
    return branch
