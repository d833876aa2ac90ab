"""``portkit build-port``: write ports, lint them, build what this host can build."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from portkit.cli.context import Project, pass_project
from portkit.errors import Refused, UsageError
from portkit.lint.finding import Finding
from portkit.lint.port import lint_port
from portkit.manifest.model import Manifest, PortSpec
from portkit.port.model import RenderedPort
from portkit.port.render import render_port, write_port


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one port."""

    port: RenderedPort
    changed: list[Path]
    findings: list[Finding]


@click.command("build-port")
@click.argument("ports", nargs=-1, metavar="PORT...")
@click.option("--all", "every", is_flag=True, help="All ports of the manifest.")
@pass_project
def build_port(project: Project, ports: tuple[str, ...], every: bool) -> None:
    """Write the FreeBSD port(s) below ports/, lint them and build what this host can build."""
    with project.locked() as manifest:
        wanted = _wanted(manifest, ports, every)
        rendered = [render_port(manifest, spec) for spec in wanted]
        outcomes = []
        for port in rendered:
            changed = write_port(manifest, port)
            outcomes.append(_Outcome(port, changed, lint_port(port.directory)))
    project.report(
        {"ports": [_as_json(manifest, outcome) for outcome in outcomes]},
        lambda: _print(manifest, outcomes),
    )
    count = sum(len(outcome.findings) for outcome in outcomes)
    if count:
        raise Refused(
            f"{count} finding{'s' if count > 1 else ''} in the ports",
            hint="fix the templates or the manifest",
        )


def _wanted(manifest: Manifest, names: tuple[str, ...], every: bool) -> list[PortSpec]:
    if every == bool(names):
        raise UsageError("name the ports, or give --all", hint=_known(manifest))
    unknown = [name for name in names if name not in manifest.ports]
    if unknown:
        raise UsageError(
            f"there is no port {unknown[0]!r}", where=manifest.path.name, hint=_known(manifest)
        )
    return [spec for name, spec in manifest.ports.items() if every or name in names]


def _known(manifest: Manifest) -> str:
    return f"known are: {', '.join(manifest.ports) or 'none'}"


def _as_json(manifest: Manifest, outcome: _Outcome) -> dict[str, object]:
    root = manifest.root
    return {
        "origin": outcome.port.origin,
        "directory": str(outcome.port.directory),
        "files": len(outcome.port.files),
        "changed": [path.relative_to(root).as_posix() for path in outcome.changed],
        "findings": [finding.as_json() for finding in outcome.findings],
    }


def _print(manifest: Manifest, outcomes: list[_Outcome]) -> None:
    for outcome in outcomes:
        changed = len(outcome.changed)
        state = f"{changed} changed" if changed else "unchanged"
        click.echo(f"ports/{outcome.port.origin}: {len(outcome.port.files)} files, {state}")
        for finding in outcome.findings:
            click.echo(f"  {finding}")
