"""What the commands that change a series share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portkit.cli.context import Project, find_series
from portkit.errors import UsageError
from portkit.manifest.model import Manifest, SeriesSpec
from portkit.series.model import Patch, Series
from portkit.series.paths import printable

if TYPE_CHECKING:
    from portkit.gitio import GitRepo
    from portkit.mirror.model import Release


@dataclass(frozen=True, slots=True)
class Bench:
    """A series that a command works on.

    Attributes:
        manifest: the project.
        spec: the series' place and pin.
        series: as it is on disk; empty when it has no ``series`` file yet.
    """

    manifest: Manifest
    spec: SeriesSpec
    series: Series

    @property
    def saved_message(self) -> Path:
        """Where the text of the editor is kept."""
        return self.manifest.state_dir / "message.txt"

    def pinned(self) -> tuple[GitRepo, Release]:
        """The mirror's repository and the release that the series is pinned to.

        Raises:
            EnvironmentProblem: that release is not mirrored.
        """
        from portkit.mirror.store import Mirror

        mirror = Mirror(self.manifest, self.spec.upstream)
        return mirror.repo, mirror.release(self.spec.pin)

    def find(self, name: str) -> Patch:
        """The patch of a name.

        Raises:
            UsageError: there is none.
        """
        for patch in self.series.patches:
            if patch.name == name:
                return patch
        known = ", ".join(patch.name for patch in self.series.patches)
        raise UsageError(
            f"there is no patch '{name}' in {self.series.name}",
            hint=f"known are: {known or 'none'}",
        )

    def taken_names(self) -> list[str]:
        """Every file name of the series' directory, used by the series or not."""
        directory = self.spec.directory
        files = directory.rglob("*") if directory.is_dir() else []
        return [path.relative_to(directory).as_posix() for path in files]

    def store(self, patches: Sequence[Patch], command: str) -> None:
        """Write the series anew, in one transaction; ``command`` names it for 'portkit undo'."""
        from portkit.engine.undo import store_series

        store_series(self.manifest, self.spec, patches, command)


def open_series(manifest: Manifest, name: str) -> Bench:
    """A series to change.

    Raises:
        UsageError: there is none of that name, it is not valid, or a rebase of it is in progress.
    """
    from portkit.engine.state import StateDir
    from portkit.series.store import load_patches

    spec = find_series(manifest, name)
    if StateDir(manifest.state_dir, spec.name).state_file.exists():
        raise UsageError(
            f"a rebase of {name} is in progress",
            hint=f"finish it with 'portkit rebase {name} --continue', or give it up with --abort",
        )
    return Bench(manifest, spec, Series(spec.name, tuple(load_patches(spec.directory))))


def report_edit(
    project: Project, bench: Bench, patches: Sequence[Patch], notes: Sequence[str] = ()
) -> None:
    """Print what a command did to each patch, compared with ``bench.series``."""
    before = {patch.name: patch.raw for patch in bench.series.patches}
    after = {patch.name: patch.raw for patch in patches}
    verbs = {
        "added": [name for name in after if name not in before],
        "removed": [name for name in before if name not in after],
        "rewritten": [name for name in after if before.get(name, after[name]) != after[name]],
    }

    def text() -> None:
        for verb, names in verbs.items():
            for name in names:
                click.echo(f"{verb}: {printable(name)}")
        for note in notes:
            click.echo(note)
        click.echo(f"{bench.spec.name}: {len(after)} patches")

    data = {"series": bench.spec.name, "patches": list(after), **verbs, "notes": list(notes)}
    project.report(data, text)
