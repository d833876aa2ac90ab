"""``portkit releases``: what is known of an upstream's releases, without asking any source."""

from __future__ import annotations

import click

from portkit.cli.complete import upstream_names
from portkit.cli.context import Project, pass_project
from portkit.manifest.version import in_track, newest, version_key
from portkit.mirror.known import known_releases
from portkit.mirror.store import Mirror


@click.command()
@click.argument("upstream", shell_complete=upstream_names)
@click.option("--all", "every", is_flag=True, help="Also those outside the track.")
@pass_project
def releases(project: Project, upstream: str, every: bool) -> None:
    """List the releases of UPSTREAM: known, mirrored, pinned, newest of the track.

    Known is what a source listed for the last 'portkit sync' without --version; no source is
    asked now.
    """
    manifest = project.manifest
    mirror = Mirror(manifest, upstream)
    track = mirror.upstream.track
    known = known_releases(manifest, upstream)
    mirrored = {release.version: release for release in mirror.releases()}
    pins: dict[str, list[str]] = {}
    for spec in manifest.series.values():
        if spec.upstream == upstream:
            pins.setdefault(spec.pin, []).append(spec.name)
    last = newest([*known.versions, *mirrored], track)
    versions = sorted({*known.versions, *mirrored, *pins}, key=version_key)
    rows: list[dict[str, object]] = [
        {
            "version": version,
            "known": version in known.versions,
            "mirrored": version in mirrored,
            "tree": mirrored[version].tree if version in mirrored else None,
            "pinned_by": pins.get(version, []),
            "newest": version == last,
        }
        for version in versions
        if every or in_track(version, track) or version in mirrored or version in pins
    ]
    report = {"upstream": upstream, "track": track, "checked": known.checked, "releases": rows}
    project.report(report, lambda: _print(upstream, track, known.checked, rows))


def _print(upstream: str, track: str, checked: str | None, rows: list[dict[str, object]]) -> None:
    from rich.console import Console
    from rich.table import Table

    if not rows:
        click.echo(f"{upstream}: no release is known; run 'portkit sync {upstream}'")
        return
    asked = f"sources asked {checked}" if checked else "no source has listed its releases yet"
    table = Table("release", "known", "mirrored", "pinned by", "", box=None)
    for row in rows:
        pinned = row["pinned_by"]
        table.add_row(
            str(row["version"]),
            "yes" if row["known"] else "-",
            "yes" if row["mirrored"] else "-",
            ", ".join(pinned) if isinstance(pinned, list) and pinned else "-",
            f"newest of {track}" if row["newest"] else "",
        )
    click.echo(f"{upstream}, track {track} ({asked})")
    Console().print(table)
