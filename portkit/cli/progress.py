"""Progress on standard error, when somebody looks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Told what is being done, how much of it, and of how much (None: unknown).
Progress = Callable[[str, int, int | None], None]


@contextmanager
def bars(*, data: bool = False) -> Iterator[Progress]:
    """A bar with rate and remaining time for each step; nothing when nobody looks.

    Args:
        data: the amounts are bytes.
    """
    if not sys.stderr.isatty():
        yield lambda what, done, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as Bars

    amount = (DownloadColumn(), TransferSpeedColumn()) if data else (MofNCompleteColumn(),)
    columns = (TextColumn("{task.description}"), BarColumn(), *amount, TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as shown:
        task = None
        current = ""

        def advance(what: str, done: int, total: int | None) -> None:
            nonlocal task, current
            if task is None or what != current:
                if task is not None:
                    shown.remove_task(task)
                task, current = shown.add_task(what, total=total), what
            shown.update(task, completed=done, total=total)

        yield advance
