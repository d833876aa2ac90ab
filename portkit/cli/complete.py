"""What the shell completes: the names and versions of the project that the command is for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portkit.cli.context import Project
from portkit.errors import PortkitError

if TYPE_CHECKING:
    from portkit.manifest.model import Manifest

_Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def _completer(names: Callable[[Manifest, click.Context], Iterable[str]]) -> _Completer:
    """Complete from the project; outside of one, or when it is broken, there is nothing."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        directory = ctx.find_root().params.get("directory") or Path()
        try:
            manifest = Project(directory=directory, as_json=False, verbose=False).manifest
            return [name for name in names(manifest, ctx) if name.startswith(incomplete)]
        except (PortkitError, OSError):
            return []

    return complete


def _patches(manifest: Manifest, ctx: click.Context) -> Iterable[str]:
    from portkit.series.store import read_series_file

    spec = manifest.series.get(str(ctx.params.get("series")))  # not parsed yet after an option
    specs = [spec] if spec else manifest.series.values()
    lines = (line for each in specs for line in read_series_file(each.directory))
    return [line.patch for line in lines if line.patch is not None]


def _mirrored(manifest: Manifest, ctx: click.Context) -> Iterable[str]:
    from portkit.mirror.store import Mirror

    spec = manifest.series.get(str(ctx.params.get("series")))
    names = [spec.upstream] if spec else manifest.upstreams
    return [each.version for name in names for each in Mirror(manifest, name).releases()]


def _known(manifest: Manifest, ctx: click.Context) -> Iterable[str]:
    from portkit.mirror.known import known_releases

    names = ctx.params.get("upstreams") or manifest.upstreams
    known = (known_releases(manifest, name).versions for name in names)
    return [version for versions in known for version in versions]


#: Names of series, patches of the command's series, upstreams and ports.
series_names = _completer(lambda manifest, ctx: manifest.series)
patch_names = _completer(_patches)
upstream_names = _completer(lambda manifest, ctx: manifest.upstreams)
port_names = _completer(lambda manifest, ctx: manifest.ports)
#: Releases of the command's upstream: mirrored ones, and those that a source has told of.
mirrored_versions = _completer(_mirrored)
known_versions = _completer(_known)
