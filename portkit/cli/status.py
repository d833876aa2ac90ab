"""``portkit status``."""

from __future__ import annotations

import click

from portkit.cli.context import Project, pass_project
from portkit.engine.check import Verdict
from portkit.engine.overview import SeriesState, overview


@click.command()
@pass_project
def status(project: Project) -> None:
    """Show every series: its release, the newest one, whether it applies, what is in progress."""
    states = overview(project.settled)

    def text() -> None:
        for state in states:
            _tell(state)
        if not states:
            click.echo("no series in portkit.toml")

    project.report({"series": [_data(state) for state in states]}, text)


def _data(state: SeriesState) -> dict[str, object]:
    return {
        "name": state.spec.name,
        "upstream": state.spec.upstream,
        "pin": state.spec.pin,
        "newest": state.newest,
        "newest_known": state.known or state.newest,
        "patches": len(state.pinned.patches) if state.pinned else None,
        "applies": state.pinned.ok if state.pinned else None,
        "on_newest": _counts(state.on_newest) if state.on_newest else None,
        "rebasing_onto": state.rebasing,
    }


def _counts(verdict: Verdict) -> dict[str, int]:
    return {
        "applies": verdict.count("applies"),
        "upstreamed": verdict.count("upstreamed"),
        "conflicts": verdict.count("conflict"),
    }


def _tell(state: SeriesState) -> None:
    name, pin = state.spec.name, state.spec.pin
    if state.pinned is None:
        sync = f"run 'portkit sync {state.spec.upstream} --version {pin}'"
        click.echo(f"{name}: pinned to {pin}, which is not mirrored; {sync}")
    elif state.pinned.ok:
        text = f"{name}: {len(state.pinned.patches)} patches apply on {pin}"
        click.echo(click.style(text, fg="green"))
    else:
        bad = state.pinned.patches[-1]
        click.echo(click.style(f"{name}: does not apply on {pin}: {bad.reason}", fg="red"))
    if state.on_newest is not None:
        counts = _counts(state.on_newest)
        click.echo(
            f"  newest is {state.newest}: {counts['applies']} apply, {counts['upstreamed']} "
            f"upstream already, {counts['conflicts']} conflict"
        )
    if state.known:
        click.echo(f"  {state.known} is out and not mirrored; run 'portkit sync'")
    if state.rebasing:
        click.echo(
            f"  a rebase onto {state.rebasing} is in progress; "
            f"'portkit rebase {name}' with --continue, --skip or --abort"
        )
