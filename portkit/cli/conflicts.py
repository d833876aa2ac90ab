"""How commands show explained conflicts."""

from __future__ import annotations

from collections.abc import Sequence

import click

from portkit.cli.threeway import aligned, near_changes
from portkit.engine.explain import Explanation, Place
from portkit.mirror.history import Commit

_SHOWN = 40  # lines of a place on the terminal; the file has all of them


def conflict_data(each: Explanation) -> dict[str, object]:
    """An explained conflict for ``--json``."""
    return {
        "path": str(each.path),
        "kind": each.kind,
        "changed_in": each.release,
        "changed_by": commit_data(each.commit),
        "places": [
            {
                "line": place.line,
                "upstream": _text(place.upstream),
                "base": _text(place.base),
                "ours": _text(place.ours),
            }
            for place in each.places
        ],
        "suggestions": [
            {"kind": hint.kind, "path": hint.path, "line": hint.line, "text": hint.text}
            for hint in each.suggestions
        ],
    }


def commit_data(commit: Commit | None) -> dict[str, object] | None:
    """A commit of upstream for ``--json``."""
    if commit is None:
        return None
    return {
        "commit": commit.id,
        "author": commit.author,
        "date": commit.date,
        "subject": commit.subject,
    }


def tell_conflicts(conflicts: Sequence[Explanation], release: str) -> None:
    """Print conflicts with a release: who changed the lines, the three versions, what may help."""
    for each in conflicts:
        when = f", changed upstream in {each.release}" if each.release else (
            ", not by upstream: an earlier patch, on which this one builds, is left out"
        )  # fmt: skip
        click.echo(f"  {each.path}: {each.kind}{when}")
        if each.commit:
            click.echo(f"    by {commit_line(each.commit)}")
        for place in each.places:
            _side_by_side(place, release)
        for hint in each.suggestions:
            click.echo("    " + click.style("look: ", fg="cyan") + hint.text)


def commit_line(commit: Commit) -> str:
    """A commit of upstream in one line."""
    return f'{commit.id[:12]} ("{commit.subject}"), {commit.author}, {commit.date[:10]}'


def _side_by_side(place: Place, release: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    titles = (f"upstream {release}", "before the patch", "the patch")
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, expand=True,
                  title=f"    line {place.line}", title_justify="left")  # fmt: skip
    for title in titles:
        table.add_column(title, ratio=1, overflow="fold")
    upstream, base, ours = _dedent([_lines(s) for s in (place.upstream, place.base, place.ours)])
    rows = near_changes(aligned(upstream, base, ours))
    for theirs, old, own in rows[:_SHOWN]:
        table.add_row(
            Text(theirs, "yellow" if theirs != old else "dim"),
            Text(old, "dim"),
            Text(own, "green" if own != old else "dim"),
        )
    Console(highlight=False).print(table)
    if len(rows) > _SHOWN:
        click.echo(f"    ... {len(rows) - _SHOWN} more lines")


def _lines(side: bytes) -> list[str]:
    """The lines of one version, safe for a terminal."""
    lines = side.decode(errors="replace").expandtabs(4).splitlines()
    return ["".join(char if char.isprintable() else "?" for char in line) for line in lines]


def _dedent(columns: list[list[str]]) -> list[list[str]]:
    """Without the blanks that every line begins with: columns are narrow."""
    margins = [
        len(line) - len(line.lstrip(" ")) for lines in columns for line in lines if line.strip()
    ]
    cut = min(margins, default=0)
    return [[line[cut:] for line in lines] for lines in columns]


def _text(side: bytes) -> str:
    return side.decode(errors="surrogateescape")
