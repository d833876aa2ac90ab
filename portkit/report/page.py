"""The matrix as one HTML file: no network, no other file, readable without scripts."""

from __future__ import annotations

from collections.abc import Sequence

import jinja2

from portkit import __version__
from portkit.report.matrix import Matrix


def page(title: str, made: str, matrices: Sequence[Matrix]) -> str:
    """The page.

    Args:
        title: its title.
        made: when, as it is shown.
        matrices: the series.
    """
    env = jinja2.Environment(
        loader=jinja2.PackageLoader("portkit.report"), autoescape=True,
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    env.filters["printable"] = _printable
    largest = max((row.size for matrix in matrices for row in matrix.rows), default=0) or 1
    return env.get_template("matrix.html").render(
        title=title, made=made, matrices=matrices, largest=largest, version=__version__
    )


def _printable(text: object) -> str:
    """Text that HTML can hold: file names may have any byte."""
    return str(text).encode(errors="surrogateescape").decode(errors="replace")
