"""``portkit check``."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portkit.cli.complete import mirrored_versions, series_names
from portkit.cli.context import Project, find_series, pass_project
from portkit.cli.progress import bars
from portkit.engine.check import Task, Verdict
from portkit.engine.check import check as run_check
from portkit.errors import EnvironmentProblem, UsageError
from portkit.manifest.model import Manifest
from portkit.mirror.store import Mirror

if TYPE_CHECKING:
    from portkit.engine.check import PatchVerdict
    from portkit.report.matrix import Matrix

_MARKS = {"applies": "ok", "upstreamed": "upstream", "conflict": "CONFLICT", "refused": "REFUSED"}
_HEALTH = "no work needed"
_STYLES = {"applies": "green", "upstreamed": "blue", "conflict": "red", "refused": "magenta"}


@click.command()
@click.argument("series", required=False, shell_complete=series_names)
@click.option(
    "--onto", "versions", metavar="VERSION", multiple=True, shell_complete=mirrored_versions,
    help="Only this release.",
)  # fmt: skip
@click.option("--all", "every", is_flag=True, help="All series as a matrix: patches x releases.")
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the matrix as one HTML page, too.",
)
@pass_project
@click.pass_context
def check(
    ctx: click.Context,
    project: Project,
    series: str | None,
    versions: tuple[str, ...],
    every: bool,
    html: Path | None,
) -> None:
    """Does every patch of SERIES (or of all) apply on these releases? Nothing is changed.

    Without --onto all mirrored releases are tried. The exit code is 1 when some patch neither
    applies nor is upstream already; a patch with a conflict is left out for those that follow.

    The page needs no network and no other file; a number is how many files conflict.

    \b
      portkit check qemu --onto 10.2.2
      portkit check --all --html health.html
    """
    if every and (series or versions):
        raise UsageError("--all means every series on every release", hint="leave the rest out")
    manifest = project.settled
    names = [find_series(manifest, series).name] if series else list(manifest.series)
    tasks: list[Task] = []
    unchecked: dict[str, EnvironmentProblem] = {}
    for name in names:
        try:
            tasks += _tasks(manifest, name, versions)
        except EnvironmentProblem as problem:  # of several series the others can be checked
            unchecked[name] = problem
    if unchecked and not tasks:
        raise next(iter(unchecked.values()))
    names = [name for name in names if name not in unchecked]
    with bars() as progress:
        verdicts = run_check(manifest, tasks, progress)
    by_series = {name: [each for each in verdicts if each.series == name] for name in names}
    matrices = [
        _matrix(manifest, name, found) for name, found in by_series.items() if every or html
    ]
    if html is not None:
        _write_page(html, manifest, matrices)

    def text() -> None:
        for name, found in by_series.items() if not every else ():
            _table(name, found)
        for matrix in matrices if every else ():
            _tell_matrix(matrix)
        if every:
            click.echo("ok: applies; up: upstream has it; a number: so many files conflict")
        if html is not None:
            click.echo(f"written: {html}")
        for name, problem in unchecked.items():
            click.echo(f"not checked: {name}: {problem}")

    data = {
        "verdicts": [_data(verdict) for verdict in verdicts],
        "unchecked": [f"{name}: {problem}" for name, problem in unchecked.items()],
    }
    project.report(data, text)
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


def _matrix(manifest: Manifest, name: str, verdicts: Sequence[Verdict]) -> Matrix:
    from portkit.report.matrix import make_matrix
    from portkit.series.store import load_series

    spec = manifest.series[name]
    return make_matrix(spec, load_series(spec), verdicts)


def _write_page(path: Path, manifest: Manifest, matrices: Sequence[Matrix]) -> None:
    from datetime import UTC, datetime

    from portkit.report.page import page

    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    path.write_text(page(f"{manifest.root.name}: patches over releases", made, matrices))


def _table(name: str, verdicts: Sequence[Verdict]) -> None:
    """Patches by releases; plain text, for rich would take as long as the merges of a series."""
    outcomes = [{patch.name: patch for patch in verdict.patches} for verdict in verdicts]
    patches = list(dict.fromkeys(name for each in outcomes for name in each))
    widths = [max(len(verdict.version), max(map(len, _MARKS.values()))) for verdict in verdicts]
    first, spans = _layout(patches, widths, 2, 2)
    click.echo(name)
    for span in spans:
        head = (verdicts[at].version.ljust(widths[at]) for at in span)
        click.echo(f"\n  {'patch'.ljust(first)}  {'  '.join(head)}".rstrip())
        for patch in patches:
            cells = []
            for at in span:
                found = outcomes[at].get(patch)
                mark = (_MARKS[found.outcome] if found else "-").ljust(widths[at])
                cells.append(click.style(mark, fg=_STYLES[found.outcome]) if found else mark)
            shown = patch if len(patch) <= first else f"{patch[: first - 1]}\N{HORIZONTAL ELLIPSIS}"
            click.echo(f"  {shown.ljust(first)}  {'  '.join(cells)}".rstrip())
    click.echo()
    reasons = {patch.reason for each in outcomes for patch in each.values() if patch.reason}
    for reason in sorted(reasons):
        click.echo(reason)
    for each in verdicts:
        click.echo(
            f"{each.version}: {each.count('applies')} apply, "
            f"{each.count('upstreamed')} upstream already, {each.count('conflict')} conflict"
        )


def _layout(
    names: Sequence[str], widths: Sequence[int], gap: int, more: int
) -> tuple[int, list[range]]:
    """How wide the column of names is, and which releases go side by side in the terminal.

    Args:
        names: the first cells of the rows.
        widths: of the columns of the releases.
        gap: before each of them.
        more: what other columns and the margin take.
    """
    room = shutil.get_terminal_size().columns - more
    whole = sum(width + gap for width in widths)
    longest = max(map(len, ("patch", *names)))
    first = min(longest, max(room - whole, room // 2))
    fit = max((room - first) // (max(widths, default=0) + gap), 1)
    return first, [range(at, min(at + fit, len(widths))) for at in range(0, len(widths), fit)]


def _cell(verdict: PatchVerdict | None) -> str:
    if verdict is None:
        return "-"
    mark = {"applies": "ok", "upstreamed": "up", "refused": "no"}.get(verdict.outcome)
    return f"[{_STYLES[verdict.outcome]}]{mark or len(verdict.files)}[/]"


def _tell_matrix(matrix: Matrix) -> None:
    """The matrix in blocks of as many releases as fit side by side."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    names = [row.name for row in matrix.rows]
    first, spans = _layout([*names, _HEALTH], [len(each) for each in matrix.releases], 3, 8)
    click.echo(f"{matrix.series}: {len(matrix.rows)} patches, made for {matrix.pin}")
    for span in spans:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        table.add_column("patch", width=first, no_wrap=True, overflow="ellipsis")
        table.add_column("lines", justify="right")
        for at in span:
            table.add_column(matrix.releases[at], justify="right", no_wrap=True)
        for row in matrix.rows:
            table.add_row(Text(row.name), str(row.size), *(_cell(row.cells[at]) for at in span))
        table.add_section()
        table.add_row(_HEALTH, "", *(f"{matrix.health(at):.0%}" for at in span))
        console.print(table)
