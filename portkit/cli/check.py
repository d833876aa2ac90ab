"""``portkit check``."""

from __future__ import annotations

import click

from portkit.cli.context import Project, find_series, pass_project
from portkit.engine.check import Task, Verdict
from portkit.engine.check import check as run_check
from portkit.manifest.model import Manifest
from portkit.mirror.store import Mirror

_MARKS = {"applies": "ok", "upstreamed": "upstream", "conflict": "CONFLICT", "refused": "REFUSED"}


@click.command()
@click.argument("series", required=False)
@click.option("--onto", "versions", metavar="VERSION", multiple=True, help="Only this release.")
@pass_project
@click.pass_context
def check(
    ctx: click.Context, project: Project, series: str | None, versions: tuple[str, ...]
) -> None:
    """Does every patch of SERIES (or of all) apply on these releases? Nothing is changed.

    Without --onto all mirrored releases are tried. The exit code is 1 when some patch neither
    applies nor is upstream already; a patch with a conflict is left out for those that follow.
    """
    manifest = project.settled
    names = [find_series(manifest, series).name] if series else list(manifest.series)
    tasks = [task for name in names for task in _tasks(manifest, name, versions)]
    verdicts = run_check(manifest, tasks)

    def text() -> None:
        for name in names:
            _table(name, [verdict for verdict in verdicts if verdict.series == name])

    project.report({"verdicts": [_data(verdict) for verdict in verdicts]}, text)
    if not all(verdict.ok for verdict in verdicts):
        ctx.exit(1)


def _tasks(manifest: Manifest, name: str, versions: tuple[str, ...]) -> list[Task]:
    spec = manifest.series[name]
    mirror = Mirror(manifest, spec.upstream)
    base = mirror.release(spec.pin)
    onto = [mirror.release(version) for version in versions] or mirror.releases()
    return [Task(spec, base, release) for release in onto]


def _data(verdict: Verdict) -> dict[str, object]:
    return {
        "series": verdict.series,
        "release": verdict.version,
        "ok": verdict.ok,
        "applies": verdict.count("applies"),
        "upstreamed": verdict.count("upstreamed"),
        "conflicts": verdict.count("conflict"),
        "patches": [
            {
                "name": patch.name,
                "outcome": patch.outcome,
                "files": list(patch.files),
                "replayed": patch.replayed,
                "reason": patch.reason,
            }
            for patch in verdict.patches
        ],
    }


def _table(name: str, verdicts: list[Verdict]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=name, box=box.SIMPLE, title_justify="left")
    table.add_column("patch", overflow="fold")
    for verdict in verdicts:
        table.add_column(verdict.version)
    outcomes = [{patch.name: patch for patch in verdict.patches} for verdict in verdicts]
    for patch in dict.fromkeys(name for each in outcomes for name in each):
        cells = [_MARKS[each[patch].outcome] if patch in each else "-" for each in outcomes]
        table.add_row(patch, *cells)
    console = Console()
    console.print(table)
    reasons = {patch.reason for each in outcomes for patch in each.values() if patch.reason}
    for reason in sorted(reasons):
        console.print(reason, markup=False, highlight=False)
    for verdict in verdicts:
        console.print(
            f"{verdict.version}: {verdict.count('applies')} apply, "
            f"{verdict.count('upstreamed')} upstream already, {verdict.count('conflict')} conflict",
            highlight=False,
        )
