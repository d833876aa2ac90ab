"""``portkit bisect``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import click

from portkit.cli.complete import mirrored_versions, patch_names, series_names
from portkit.cli.conflicts import commit_data, commit_line, conflict_data, tell_conflicts
from portkit.cli.context import Project, find_series, pass_project
from portkit.cli.progress import bars
from portkit.engine.bisect import Bisection
from portkit.engine.bisect import bisect as run_bisect
from portkit.engine.check import PatchVerdict

_SAID = {
    "applies": "applies",
    "upstreamed": "is upstream already, so the patch is redundant,",
    "conflict": "conflicts",
}


@click.command()
@click.argument("series", shell_complete=series_names)
@click.argument("patch", shell_complete=patch_names)
@click.argument("good", required=False, shell_complete=mirrored_versions)
@click.argument("bad", required=False, shell_complete=mirrored_versions)
@pass_project
@click.pass_context
def bisect(
    ctx: click.Context, project: Project, series: str, patch: str, good: str | None, bad: str | None
) -> None:
    """Which upstream release made PATCH of SERIES stop applying, or made it redundant?

    All mirrored releases from GOOD (the pinned one) to BAD (the newest) are tried in parallel; BAD
    may also be older. Where a git source of the upstream is a repository on this machine, the
    commit is named too. The exit code is 1 when no release makes a difference.

    \b
      portkit bisect qemu 0003-fix.patch
      portkit bisect qemu 0003-fix.patch 10.0.13 10.2.2
    """
    manifest = project.settled
    with bars() as progress:
        found = run_bisect(manifest, find_series(manifest, series), patch, good, bad, progress)
    project.report(_data(found), lambda: _tell(found))
    if found.change is None:
        ctx.exit(1)


def _data(found: Bisection) -> dict[str, object]:
    change = found.change
    return {
        "series": found.series,
        "patch": found.patch,
        "releases": [
            {"release": version, "outcome": verdict.outcome, "files": list(verdict.files)}
            for version, verdict in found.verdicts
        ],
        "first": None
        if change is None
        else {
            "after": change.after,
            "release": change.release,
            "outcome": change.verdict.outcome,
            "changed_by": commit_data(change.commit),
            "conflicts": [conflict_data(each) for each in change.conflicts],
        },
    }


def _tell(found: Bisection) -> None:
    colours = {"applies": "green", "upstreamed": "blue", "conflict": "red"}
    runs = list(_runs(found))
    width = max(len(span) for span, _, _ in runs)
    for span, verdict, first in runs:
        files = f"  {', '.join(verdict.files)}" if verdict.files else ""
        text = f"{verdict.outcome:10}" if files or first else verdict.outcome
        shown = click.style(text, fg=colours[verdict.outcome])
        mark = "  <- first" if first else ""
        click.echo(f"  {span:{width}}  {shown}{files}{mark}".rstrip())
    change = found.change
    if change is None:
        _, verdict = found.verdicts[0]
        click.echo(f"{found.patch} {_SAID[verdict.outcome].rstrip(',')} on all of them")
        return
    said = _SAID[change.verdict.outcome]
    click.echo(f"{found.patch} {said} since {change.release} (not in {change.after})")
    if change.commit:
        click.echo(f"  by {commit_line(change.commit)}")
    tell_conflicts(change.conflicts, change.release)


def _runs(found: Bisection) -> Iterator[tuple[str, PatchVerdict, bool]]:
    """Neighbouring releases with the same verdict: their span, and whether it is the first bad."""
    at = found.change.release if found.change else None
    for _, group in groupby(found.verdicts, lambda row: (row[1].outcome, row[1].files)):
        versions, verdicts = zip(*group, strict=True)
        more = f" to {versions[-1]} ({len(versions)} releases)" if len(versions) > 1 else ""
        yield versions[0] + more, verdicts[0], versions[0] == at
