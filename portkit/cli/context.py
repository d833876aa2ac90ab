"""What every command gets: the project it works on, and how to report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portkit.errors import UsageError
from portkit.locking import project_lock

if TYPE_CHECKING:
    from portkit.manifest.model import Manifest, SeriesSpec

#: Version of every ``--json`` report; a field is never renamed or removed within one version.
JSON_SCHEMA = 1


@dataclass(frozen=True)
class Project:
    """The options before the command, and the project found from them."""

    directory: Path
    as_json: bool
    verbose: bool

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest of the directory or of the nearest one above it.

        Raises:
            UsageError: there is none, or it is not valid.
        """
        from portkit.manifest.load import load_manifest

        start = self.directory.resolve()
        for directory in (start, *start.parents):
            if (directory / "portkit.toml").is_file():
                return load_manifest(directory / "portkit.toml")
        raise UsageError(
            "no portkit.toml here or above",
            where=str(start),
            hint="run 'portkit init' to start one",
        )

    @property
    def settled(self) -> Manifest:
        """The manifest for a command that only reads, with an interrupted change finished."""
        if (self.manifest.state_dir / "transaction").exists():
            with self.locked():
                pass
        return self.manifest

    @contextmanager
    def locked(self) -> Iterator[Manifest]:
        """The manifest, with the project's lock held and an interrupted change finished.

        Every command that writes anything below the project runs inside this.
        """
        state_dir = self.manifest.state_dir
        with project_lock(state_dir):
            if (state_dir / "transaction").exists():
                from portkit.transaction import recover  # seldom needed

                recover(state_dir)
                self.__dict__.pop("manifest", None)  # the change may have been to the manifest
            yield self.manifest

    def report(self, data: Mapping[str, object], text: Callable[[], None]) -> None:
        """Print a result: ``data`` as one JSON object with ``--json``, else by ``text()``."""
        if self.as_json:
            import json

            click.echo(json.dumps({"schema": JSON_SCHEMA, **data}, indent=2))
        else:
            text()


def find_series(manifest: Manifest, name: str) -> SeriesSpec:
    """The series of a name.

    Raises:
        UsageError: the manifest has none of that name.
    """
    if name not in manifest.series:
        raise UsageError(
            f"there is no series {name!r}",
            where=manifest.path.name,
            hint=f"known are: {', '.join(manifest.series) or 'none'}",
        )
    return manifest.series[name]


pass_project = click.make_pass_decorator(Project)
