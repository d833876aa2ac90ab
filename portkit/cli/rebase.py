"""``portkit rebase``."""

from __future__ import annotations

import click

from portkit.cli.complete import mirrored_versions, series_names
from portkit.cli.conflicts import conflict_data, tell_conflicts
from portkit.cli.context import Project, find_series, pass_project
from portkit.engine.carry import Outcome
from portkit.engine.rebase import Rebase, Report
from portkit.errors import Conflict, UsageError


@click.command()
@click.argument("series", shell_complete=series_names)
@click.option(
    "--onto", metavar="VERSION", shell_complete=mirrored_versions,
    help="The release to carry the series to.",
)  # fmt: skip
@click.option("--continue", "resume", is_flag=True, help="Go on with the resolved files.")
@click.option("--skip", is_flag=True, help="Leave the conflicting patch out and go on.")
@click.option("--abort", is_flag=True, help="Give the rebase up; nothing has changed.")
@pass_project
def rebase(
    project: Project, series: str, onto: str | None, resume: bool, skip: bool, abort: bool
) -> None:
    """Carry SERIES to another release by a 3-way merge of every patch.

    At the end the patch files and the pin in portkit.toml change as one. A patch that upstream has
    already is dropped. A conflict stops the rebase (exit code 3): edit the files in the worktree
    that is named, then --continue; or --skip the patch, or --abort.
    """
    if [onto is not None, resume, skip, abort].count(True) != 1:
        raise UsageError("give one of --onto VERSION, --continue, --skip and --abort")
    with project.locked() as manifest:
        work = Rebase(manifest, find_series(manifest, series))
        if abort:
            kept = work.abort()
            project.report(
                {"series": series, "state": "aborted", "kept": str(kept) if kept else None},
                lambda: _tell_abort(series, str(kept) if kept else None),
            )
            return
        if resume:
            report = work.resume()
        elif skip:
            report = work.skip()
        else:
            assert onto is not None
            report = work.start(onto)
    project.report(_data(report), lambda: _tell(report))
    if report.collisions:
        patch = report.steps[-1].patch.name
        raise Conflict(
            f"{patch} conflicts with {report.onto} in {len(report.collisions)} file(s)",
            where=str(report.worktree),
            hint=f"edit them, then 'portkit rebase {series} --continue' (or --skip, --abort)",
        )


def _data(report: Report) -> dict[str, object]:
    return {
        "series": report.series,
        "from": report.pin,
        "onto": report.onto,
        "state": "conflict" if report.collisions else "done",
        "patches": [
            {
                "name": step.patch.name,
                "outcome": step.outcome.value,
                "rewritten": step.patch.name in report.rewritten,
                "replayed": [str(path) for path in step.replayed],
            }
            for step in report.steps
        ],
        "conflicts": [conflict_data(each) for each in report.collisions],
        "worktree": str(report.worktree) if report.worktree else None,
        "not_recorded": [str(path) for path in report.not_recorded],
        "dropped_to": str(report.dropped_to) if report.dropped_to else None,
    }


def _tell(report: Report) -> None:
    for path in report.not_recorded:
        click.echo(f"{path}: this resolution is used here; it cannot be recorded for others")
    for step in report.steps:
        name = step.patch.name
        for path in step.replayed:
            click.echo(f"{name}: {path}: took the recorded resolution; look at it")
        if step.outcome is Outcome.UPSTREAMED:
            click.echo(f"{name}: upstream has it already, dropped")
        elif step.outcome is Outcome.SKIPPED:
            click.echo(f"{name}: skipped, dropped")
        elif name in report.rewritten:
            click.echo(f"{name}: rewritten")
    if report.collisions:
        click.echo(click.style(f"{report.steps[-1].patch.name}: conflict", fg="red"))
        tell_conflicts(report.collisions, report.onto)
        return
    carried = sum(step.outcome is Outcome.APPLIES for step in report.steps)
    click.echo(
        f"{report.series}: {report.pin} -> {report.onto}: {carried} patches "
        f"({len(report.rewritten)} rewritten), {len(report.steps) - carried} dropped"
    )
    if report.dropped_to:
        click.echo(f"dropped patches are kept in {report.dropped_to}")


def _tell_abort(series: str, kept: str | None) -> None:
    click.echo(f"{series}: rebase given up; patches and pin are as they were")
    if kept:
        click.echo(f"your edits are kept in {kept}")
