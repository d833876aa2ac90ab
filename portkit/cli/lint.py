"""``portkit lint``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from portkit.cli.context import Project, pass_project
from portkit.errors import EnvironmentProblem, Refused, UsageError
from portkit.lint.finding import Finding
from portkit.manifest.model import Manifest, SeriesSpec


@click.command()
@click.argument("names", nargs=-1, metavar="[SERIES | PORT]...")
@pass_project
def lint(project: Project, names: tuple[str, ...]) -> None:
    """Find problems in patches and in ports; in all of them without a name.

    Every rule is described in docs/lint.md. Exits with 1 when there is a finding.

    \b
      portkit lint
      portkit lint qemu
    """
    manifest = project.manifest
    findings: list[Finding] = []
    unchecked: list[str] = []
    for name in _wanted(manifest, names):
        if name in manifest.series:
            findings += _lint_series(manifest, manifest.series[name], unchecked)
        if name in manifest.ports:
            findings += _lint_port(manifest, name, unchecked)
    data = {"findings": [finding.as_json() for finding in findings], "unchecked": unchecked}
    project.report(data, lambda: _print(findings, unchecked))
    if findings:
        rules = ", ".join(
            f"{count} {rule}" for rule, count in sorted(Counter(f.rule for f in findings).items())
        )
        raise Refused(f"{len(findings)} findings ({rules})", hint="see docs/lint.md for each rule")


def _wanted(manifest: Manifest, names: tuple[str, ...]) -> list[str]:
    known = list(dict.fromkeys([*manifest.series, *manifest.ports]))
    for name in names:
        if name not in known:
            raise UsageError(
                f"there is no series and no port {name!r}", where=manifest.path.name,
                hint=f"known are: {', '.join(known) or 'none'}",
            )  # fmt: skip
    return list(dict.fromkeys(names)) or known


def _lint_series(manifest: Manifest, spec: SeriesSpec, unchecked: list[str]) -> list[Finding]:
    from portkit.engine.chain import apply_series
    from portkit.lint.patches import lint_series
    from portkit.mirror.store import Mirror

    mirror = Mirror(manifest, spec.upstream)
    try:
        release = mirror.release(spec.pin)
    except EnvironmentProblem as problem:
        unchecked.append(f"{spec.name}: whether patches apply exactly: {problem}")
        return lint_series(spec, manifest.root, None)
    return lint_series(
        spec, manifest.root, lambda series: apply_series(mirror.repo, release, series)
    )


def _lint_port(manifest: Manifest, name: str, unchecked: list[str]) -> list[Finding]:
    from dataclasses import replace

    from portkit.lint.port import lint_port

    directory = manifest.root / "ports" / manifest.ports[name].origin
    if not directory.is_dir():
        unchecked.append(f"{name}: not written yet; run 'portkit build-port {name}'")
        return []
    return [
        replace(finding, file=_below(finding.file, manifest.root))
        for finding in lint_port(directory)
    ]


def _below(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path


def _print(findings: list[Finding], unchecked: list[str]) -> None:
    for finding in findings:
        click.echo(str(finding))
    for text in unchecked:
        click.echo(f"not checked: {text}")
    if not findings:
        click.echo("no findings")
