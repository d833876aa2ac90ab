"""``portkit apply``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from portkit.cli.complete import mirrored_versions, series_names
from portkit.cli.context import Project, find_series, pass_project
from portkit.engine.chain import Step, apply_to, branch_name, write_chain
from portkit.engine.standin import based
from portkit.errors import Refused, UsageError
from portkit.manifest.model import Manifest, SeriesSpec
from portkit.mirror.model import Release
from portkit.mirror.store import Mirror
from portkit.series.model import Series


@click.command()
@click.argument("series", shell_complete=series_names)
@click.option(
    "--onto", metavar="VERSION", shell_complete=mirrored_versions,
    help="Another release than the pinned one.",
)  # fmt: skip
@click.option(
    "--stand-in", is_flag=True,
    help="If the pinned release is not mirrored, use the nearest one of the track.",
)  # fmt: skip
@click.option(
    "--worktree",
    type=click.Path(path_type=Path),
    help="Check the result out into this directory.",
)
@pass_project
def apply(
    project: Project, series: str, onto: str | None, stand_in: bool, worktree: Path | None
) -> None:
    """Apply SERIES on the release that it is pinned to, one commit a patch.

    With --onto another release is used: every patch is merged in memory, and patches that upstream
    has already are left out. Patch files do not change; 'portkit rebase' changes them.
    """
    with project.locked() as manifest:
        spec = find_series(manifest, series)
        if onto and stand_in:
            raise UsageError("--onto and --stand-in exclude each other", hint="give one of them")
        mirror = Mirror(manifest, spec.upstream)
        base = based(manifest, spec, stand_in=stand_in)
        release = mirror.release(onto) if onto else base.release
        steps: Iterable[Step] = apply_to(base.tree, base.series)
        upstreamed: list[str] = []
        if release != base.release:
            steps, upstreamed = _carry(manifest, spec, base.release, release, base.series)
        known = base.tree if release == base.release else None
        commits = write_chain(mirror.repo, release, series, steps, known)
        mirror.tidy()
        tip = [release.commit, *commits.values()][-1]
        if worktree is not None:
            from portkit.engine.worktree import check_out

            check_out(mirror.repo, tip, worktree.absolute())
    branch = branch_name(series, release.version)
    data = {
        "series": series,
        "release": release.version,
        "instead_of": base.instead_of,
        "branch": branch,
        "commit": tip,
        "repository": str(mirror.repo.path),
        "worktree": str(worktree.absolute()) if worktree else None,
        "patches": [{"name": name, "commit": commit} for name, commit in commits.items()],
        "upstreamed": upstreamed,
    }

    def text() -> None:
        if base.instead_of:
            click.echo(f"{series}: {release.version} stands in for {base.instead_of}")
        for name in upstreamed:
            click.echo(f"{name}: upstream has it already, left out")
        click.echo(f"{series}: {len(commits)} patches on {release.version}, {tip[:12]} {branch}")
        if worktree:
            click.echo(f"checked out in {worktree}")

    project.report(data, text)


def _carry(
    manifest: Manifest, spec: SeriesSpec, base: Release, onto: Release, series: Series
) -> tuple[list[Step], list[str]]:
    """The series on another release, and the names of the patches that upstream has.

    Raises:
        Refused: a patch conflicts.
    """
    from portkit.engine.carry import Outcome, carry, read_journey
    from portkit.engine.resolutions import resolutions_of

    repo = Mirror(manifest, spec.upstream).repo
    steps, upstreamed = [], []
    journey = read_journey(repo, base, onto, series)
    for step in carry(journey, resolutions_of(manifest, spec.upstream).resolve):
        if step.outcome is Outcome.CONFLICT:
            raise Refused(
                f"conflict with {onto.version} in {', '.join(map(str, step.conflicts))}",
                where=step.patch.name,
                hint=f"run 'portkit rebase {spec.name} --onto {onto.version}'",
            )
        if step.outcome is Outcome.APPLIES:
            steps.append(Step(step.patch, step.changes))
        else:
            upstreamed.append(step.patch.name)
    return steps, upstreamed
