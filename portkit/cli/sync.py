"""``portkit sync``: mirror releases of the upstreams."""

from __future__ import annotations

import click

from portkit.cli.complete import known_versions, upstream_names
from portkit.cli.context import Project, pass_project
from portkit.cli.progress import bars
from portkit.mirror.sync import Mirrored, SyncResult, sync_upstream


@click.command()
@click.argument("upstreams", nargs=-1, metavar="[UPSTREAM]...", shell_complete=upstream_names)
@click.option(
    "--version", "versions", multiple=True, metavar="V", shell_complete=known_versions,
    help="Mirror this release.",
)  # fmt: skip
@click.option("--source", metavar="NAME", help="Use only this source.")
@pass_project
def sync(
    project: Project, upstreams: tuple[str, ...], versions: tuple[str, ...], source: str | None
) -> None:
    """Mirror releases of each upstream (of all, when none is named).

    Without --version these are the release that each series is pinned to and the newest one of
    its track. A pinned release that is nowhere to be had any more is replaced by the nearest
    one of the track, and portkit says so. What is mirrored already is not fetched again.
    """
    if versions and len(upstreams) != 1:
        raise click.UsageError("--version needs the one UPSTREAM whose release it is")
    with project.locked() as manifest, bars(data=True) as progress:
        results = [
            sync_upstream(manifest, name, progress, versions, source)
            for name in upstreams or manifest.upstreams
        ]
    report = {"upstreams": [_as_json(result) for result in results]}
    project.report(report, lambda: _print(results))


def _print(results: list[SyncResult]) -> None:
    for result in results:
        for name, problem in result.problems.items():
            click.echo(f"{result.upstream}: source {name} is {problem}", err=True)
        if result.absent:
            absent = ", ".join(result.absent)
            click.echo(f"{result.upstream}: nowhere to be had: {absent}", err=True)
        for item in result.mirrored:
            click.echo(f"{result.upstream} {item.release.version}: {_describe(item)}")
        if not result.mirrored:
            click.echo(f"{result.upstream}: no release to mirror is known")


def _describe(item: Mirrored) -> str:
    text = f"new, from {item.source}" if item.new else "already mirrored"
    if item.instead_of:
        text += f"; the pinned {item.instead_of} is nowhere to be had, this is the nearest"
    if item.missing:
        text += f"; it does not have {', '.join(item.missing)}"
    return text


def _as_json(result: SyncResult) -> dict[str, object]:
    return {
        "upstream": result.upstream,
        "newest": result.newest,
        "absent": list(result.absent),
        "unreachable": result.problems,
        "releases": [
            {
                "version": item.release.version,
                "source": item.source,
                "new": item.new,
                "commit": item.release.commit,
                "tree": item.release.tree,
                "missing": list(item.missing),
                "instead_of": item.instead_of,
            }
            for item in result.mirrored
        ],
    }
