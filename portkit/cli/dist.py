"""``portkit dist``: a port's reproducible slim distfile."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from portkit.cli.complete import series_names
from portkit.cli.context import Project, pass_project
from portkit.errors import UsageError
from portkit.manifest.model import Manifest
from portkit.mirror.store import Mirror
from portkit.port import settings
from portkit.port.dist import make_distfile
from portkit.port.render import distfile_directory


@click.command()
@click.argument("series", shell_complete=series_names)
@click.option(
    "--to",
    "target",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also copy the file into this directory, e.g. /usr/ports/distfiles.",
)
@pass_project
def dist(project: Project, series: str, target: Path | None) -> None:
    """Make the slim distfile of SERIES' pinned release.

    It holds just the files that the port is built from, each compared with the mirrored release.
    The same release gives the same bytes on every host.
    """
    with project.locked() as manifest:
        paths = _paths(manifest, series)
        spec = manifest.series[series]
        mirror = Mirror(manifest, spec.upstream)
        release = mirror.release(spec.pin)
        path, made = make_distfile(mirror.repo, release, paths, distfile_directory(manifest))
        if target is not None:
            target.mkdir(parents=True, exist_ok=True)
            path = Path(shutil.copy(path, target / path.name))
    project.report(
        {
            "series": series,
            "release": release.version,
            "file": str(path),
            "sha256": made.sha256,
            "size": made.size,
        },
        lambda: click.echo(f"{path}\nSHA256 {made.sha256}\nSIZE   {made.size}"),
    )


def _paths(manifest: Manifest, series: str) -> tuple[str, ...]:
    if series not in manifest.series:
        raise UsageError(
            f"there is no series {series!r}",
            where=manifest.path.name,
            hint=f"known are: {', '.join(manifest.series) or 'none'}",
        )
    wanted = manifest.series[series]
    for port in manifest.ports.values():
        own = manifest.series[port.series].upstream if port.series else None
        if own == wanted.upstream and port.settings.get("dist"):
            return settings.dist_paths(port, wanted.pin)
    raise UsageError(
        f"no port of upstream {wanted.upstream!r} packs a slim distfile",
        where=manifest.path.name,
        hint="list the files it needs in the port's 'dist' key",
    )
