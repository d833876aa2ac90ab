"""The result of ``portkit watch`` as Markdown, for an issue or a merge request."""

from __future__ import annotations

import re

import jinja2

from portkit.engine.watch import Watch
from portkit.series.paths import printable

_SHOWN = 40  # lines of each version of a place


def post(result: Watch, made: str) -> str:
    """The report.

    Args:
        result: what was found.
        made: when, as it is shown.
    """
    env = jinja2.Environment(
        loader=jinja2.PackageLoader("portkit.report"), autoescape=False,
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    env.filters.update(code=_code, fence=_fence, text=_text)
    return env.get_template("watch.md").render(watch=result, made=made)


def _code(value: object) -> str:
    """Text as code inside a line; a name may hold anything."""
    text = printable(str(value))
    ticks = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _fence(data: bytes) -> str:
    """Lines as a block of code that nothing in them ends."""
    lines = data.decode(errors="replace").expandtabs(8).split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    more = [f"... {len(lines) - _SHOWN} more lines"] if len(lines) > _SHOWN else []
    shown = [printable(line) for line in lines[:_SHOWN]] + more
    ticks = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", "\n".join(shown)) or [""]))
    return "\n".join((ticks, *shown, ticks))


def _text(value: object) -> str:
    """Text from outside in a sentence, without meaning for Markdown or HTML."""
    return re.sub(r"([\\`*_{}\[\]<>#|@])", r"\\\1", printable(str(value)))
