"""``portkit log`` and ``portkit range-diff``: how a series itself changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from portkit.cli.complete import series_names
from portkit.cli.context import Project, find_series, pass_project
from portkit.series.paths import printable
from portkit.series.revisions import LogEntry, Revisions

if TYPE_CHECKING:
    from portkit.series.compare import Pair
    from portkit.series.model import Patch

_MARKS = {"same": "=", "changed": "!", "added": ">", "removed": "<"}
_STYLES = {"same": None, "changed": "yellow", "added": "green", "removed": "red"}


@click.command()
@click.argument("series", shell_complete=series_names)
@pass_project
def log(project: Project, series: str) -> None:
    """How SERIES changed, commit by commit, from the history of the project's repository.

    It is followed through portkit.toml, also when its directory was renamed. The latest comes
    first.
    """
    manifest = project.settled
    entries = Revisions(manifest, find_series(manifest, series)).log()
    if project.as_json:
        project.report(
            {"series": series, "commits": [_entry_data(each) for each in entries]}, lambda: None
        )
        return
    for entry in entries:
        _tell_entry(entry)


@click.command("range-diff")
@click.argument("series", shell_complete=series_names)
@click.argument("old", metavar="A")
@click.argument("new", metavar="[B]", required=False)
@pass_project
def range_diff(project: Project, series: str, old: str, new: str | None) -> None:
    """How the patches of SERIES differ between A and B (the files as they are, when left out).

    A and B are revisions of the project's repository, or releases: then the last revision pinned
    to it. Line numbers do not count. '=' is the same patch, '!' a changed one, '<' removed, '>'
    added.

    \b
      portkit range-diff qemu HEAD~3
      portkit range-diff qemu 10.0.13 10.2.2
    """
    from portkit.series.compare import compare

    manifest = project.settled
    revisions = Revisions(manifest, find_series(manifest, series))
    commits = [revisions.resolve(old), revisions.resolve(new) if new is not None else None]
    before, after = (_patches(revisions, commit) for commit in commits)
    pairs = compare(before, after)

    def text() -> None:
        for pair in pairs:
            _tell_pair(pair)

    data = {
        "series": series,
        "old": {"revision": old, "commit": commits[0], "patches": len(before)},
        "new": {"revision": new, "commit": commits[1], "patches": len(after)},
        "patches": [_pair_data(pair) for pair in pairs],
    }
    project.report(data, text)


def _patches(revisions: Revisions, commit: str | None) -> list[Patch]:
    return revisions.patches(commit) if commit else revisions.now()


def _entry_data(entry: LogEntry) -> dict[str, object]:
    return {
        "commit": entry.commit,
        "author": entry.author,
        "date": entry.date,
        "subject": entry.subject,
        "pin": list(entry.pin) if entry.pin else None,
        "added": list(entry.added),
        "removed": list(entry.removed),
        "rewritten": list(entry.rewritten),
        "renamed": [list(names) for names in entry.renamed],
        "reordered": entry.reordered,
    }


def _tell_entry(entry: LogEntry) -> None:
    head = click.style(entry.commit[:12], fg="yellow")
    author = printable(entry.author).partition(" <")[0]
    click.echo(f"{head} {entry.date[:10]} {author}: {printable(entry.subject)}")
    if entry.pin:
        click.echo(f"  pin: {' -> '.join(pin or 'none' for pin in entry.pin)}")
    for verb, style in (("added", "green"), ("removed", "red"), ("rewritten", "yellow")):
        for name in getattr(entry, verb):
            click.echo("  " + click.style(f"{verb}: {printable(name)}", fg=style))
    for old, new in entry.renamed:
        click.echo(f"  renamed: {printable(old)} -> {printable(new)}")
    if entry.reordered:
        click.echo("  reordered")


def _pair_data(pair: Pair) -> dict[str, object]:
    return {
        "outcome": pair.outcome,
        "old": {"number": pair.old[0], "name": pair.old[1].name} if pair.old else None,
        "new": {"number": pair.new[0], "name": pair.new[1].name} if pair.new else None,
        "message_changed": pair.message,
        "diff_changed": pair.diff,
        "diff": pair.text.decode(errors="surrogateescape"),
    }


def _tell_pair(pair: Pair) -> None:
    old, new = (f"{side[0]:>3}" if side else "  -" for side in (pair.old, pair.new))
    shown = pair.new or pair.old
    assert shown is not None
    name = printable(shown[1].name)
    if pair.old and pair.new and pair.old[1].name != pair.new[1].name:
        name = f"{printable(pair.old[1].name)} -> {name}"
    line = f"{old} {_MARKS[pair.outcome]} {new}  {name}"
    click.echo(click.style(line, fg=_STYLES[pair.outcome]))
    styles = {"+": "green", "-": "red", "@": "cyan"}
    for each in pair.text.decode(errors="replace").splitlines():
        click.echo("      " + click.style(printable(each.expandtabs(4)), fg=styles.get(each[:1])))
