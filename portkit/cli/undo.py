"""``portkit undo``."""

from __future__ import annotations

import click

from portkit.cli.bench import open_series
from portkit.cli.complete import series_names
from portkit.cli.context import Project, find_series, pass_project
from portkit.engine.undo import Change, changes
from portkit.engine.undo import redo as take_again
from portkit.engine.undo import undo as take_back
from portkit.errors import UsageError


@click.command()
@click.argument("series", shell_complete=series_names)
@click.option("--redo", is_flag=True, help="Do again what was undone last.")
@click.option("--list", "show", is_flag=True, help="Show what can be undone; change nothing.")
@pass_project
def undo(project: Project, series: str, redo: bool, show: bool) -> None:
    """Take back the last command that rewrote SERIES, pin included; again: the one before it.

    That is any of new, edit, refresh, drop, move, import and rebase. When a file that it wrote was
    changed since, nothing is undone. Shared resolutions and worktrees stay as they are.

    \b
      portkit undo qemu --list
      portkit undo qemu
      portkit undo qemu --redo
    """
    if redo and show:
        raise UsageError("--redo and --list exclude each other", hint="give one of them")
    if show:
        _list(project, series)
        return
    with project.locked() as manifest:
        spec = open_series(manifest, series).spec
        change = (take_again if redo else take_back)(manifest, spec.name)
    verb = "done again" if redo else "undone"

    def text() -> None:
        click.echo(f"{series}: {verb}: {_describe(change)}")

    project.report({"series": series, "state": verb, **_data(change)}, text)


def _list(project: Project, series: str) -> None:
    manifest = project.settled
    found = changes(manifest, find_series(manifest, series).name)

    def text() -> None:
        for change in reversed(found):
            click.echo(f"{change.time}  {_describe(change)}")
        if not found:
            click.echo(f"{series}: there is nothing to undo")

    project.report({"series": series, "changes": [_data(change) for change in found]}, text)


def _data(change: Change) -> dict[str, object]:
    return {
        "command": change.command,
        "time": change.time,
        "pin": list(change.pin) if change.pin else None,
        "files": sorted(change.files),
    }


def _describe(change: Change) -> str:
    count = len(change.files)
    pin = f", pin {change.pin[0]} -> {change.pin[1]}" if change.pin else ""
    return f"{change.command} ({count} file{'' if count == 1 else 's'}{pin})"
