"""``portkit build-port``: write ports, lint them, build what this host can build."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import click

from portkit.build.cross import Built, Target, build_module, can_build
from portkit.build.program import BuiltProgram, build_program, is_program
from portkit.cli.complete import port_names
from portkit.cli.context import Project, pass_project
from portkit.cli.progress import bars
from portkit.errors import Refused, UsageError
from portkit.lint.finding import Finding
from portkit.lint.port import lint_port
from portkit.manifest.model import Manifest, PortSpec, SeriesSpec
from portkit.port.model import RenderedPort
from portkit.port.render import render_port, write_port
from portkit.port.settings import NoDistfile

# FreeBSD 14.0 and 15.0; one module serves all releases of a major version.
_OSVERSIONS = (1400097, 1500068)


@dataclass(slots=True)
class _Outcome:
    """What became of one port."""

    spec: PortSpec
    port: RenderedPort
    changed: list[Path]
    findings: list[Finding]
    built: list[Built] = field(default_factory=list)
    program: BuiltProgram | None = None

    @property
    def all_findings(self) -> list[Finding]:
        """Those of lint, of the audits, and of the comparison with the packing list."""
        found = [*self.findings, *(f for built in self.built for f in built.findings)]
        return found + (self.program.findings if self.program else [])


@click.command("build-port")
@click.argument("ports", nargs=-1, metavar="PORT...", shell_complete=port_names)
@click.option("--all", "every", is_flag=True, help="All ports of the manifest.")
@click.option(
    "--stand-in", is_flag=True,
    help="For a pinned release that is not mirrored, use the nearest one of the track.",
)  # fmt: skip
@click.option(
    "--series", metavar="SERIES",
    help="Build the module from this series of the same upstream; the port keeps its own.",
)  # fmt: skip
@click.option("--write-only", is_flag=True, help="Write and lint, build nothing.")
@click.option(
    "--osversion", "osversions", type=click.IntRange(1400000), multiple=True, metavar="N",
    help="__FreeBSD_version to cross-build for; several times for several.  [default: 14.0, 15.0]",
)  # fmt: skip
@click.option("--cc", default="clang", show_default=True, help="The compiler of the cross build.")
@click.option(
    "--sysdir", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="FreeBSD's sys directory of the kernel that is to load the module.",
)  # fmt: skip
@click.option(
    "--kernel", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="With --sysdir: the directory where that kernel was built.",
)  # fmt: skip
@click.option("--debug", is_flag=True, help="For a kernel with INVARIANTS and WITNESS.")
@click.option("--package", is_flag=True, help="Make packages (on FreeBSD).")
@click.option(
    "--jail", "jails", multiple=True, metavar="JAIL",
    help="With --package: use this jail of poudriere; several times for several releases.",
)  # fmt: skip
@pass_project
def build_port(
    project: Project,
    ports: tuple[str, ...],
    every: bool,
    stand_in: bool,
    series: str | None,
    write_only: bool,
    osversions: tuple[int, ...],
    cc: str,
    sysdir: Path | None,
    kernel: Path | None,
    debug: bool,
    package: bool,
    jails: tuple[str, ...],
) -> None:
    """Write the FreeBSD port(s) below ports/, lint them and build what this host can build.

    On Linux that is the kernel module, cross-built by clang and audited, and, when its port is
    named and not meant by --all, QEMU, cross-built by zig, which takes half an hour. On FreeBSD,
    with --package, it is a package of each port. Only the kernel whose sources --sysdir names
    can load the module below .portkit/build/.
    """
    if jails and not package:
        raise UsageError("--jail needs --package", hint="give both, or neither")
    targets = [
        Target(version, cc, sysdir, kernel, debug)
        for version in osversions or (_OSVERSIONS[:1] if sysdir else _OSVERSIONS)
    ]
    with project.locked() as manifest:
        wanted = _wanted(manifest, ports, every)
        other = _other_series(manifest, wanted, series) if series else None
        rendered, left = _rendered(manifest, wanted, stand_in)
        outcomes = []
        for spec, port in rendered:
            changed = write_port(manifest, port)
            outcomes.append(_Outcome(spec, port, changed, lint_port(port.directory)))
        if package:
            from portkit.build.package import make_packages

            origins = [spec.origin for spec, _ in rendered]
            make_packages(manifest.root / "ports", origins, jails)
        elif not write_only:
            for outcome in outcomes:
                outcome.built = _cross_build(manifest, outcome.spec, targets, other, stand_in)
                if is_program(outcome.spec) and not every:
                    outcome.program = _cross_build_program(manifest, outcome.spec)
    project.report(
        {"ports": [_as_json(manifest, outcome) for outcome in outcomes], "left": left},
        lambda: _print(manifest, outcomes, left),
    )
    count = sum(len(outcome.all_findings) for outcome in outcomes)
    if count:
        raise Refused(
            f"{count} finding{'s' if count > 1 else ''}",
            hint="see docs/ports.md for each rule",
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


def _other_series(manifest: Manifest, wanted: list[PortSpec], name: str) -> SeriesSpec:
    """The series of that name, for the one port that is wanted."""
    (spec, *more) = wanted
    own = manifest.series[spec.series] if spec.series else None
    if more or own is None:
        raise UsageError("--series needs one port that has a series", hint="name that port")
    fitting = [each.name for each in manifest.series.values() if each.upstream == own.upstream]
    if name not in fitting:
        raise UsageError(
            f"{spec.name} has no series {name!r}",
            where=manifest.path.name,
            hint=f"series of {own.upstream} are: {', '.join(fitting)}",
        )
    return manifest.series[name]


def _rendered(
    manifest: Manifest, wanted: list[PortSpec], stand_in: bool
) -> tuple[list[tuple[PortSpec, RenderedPort]], dict[str, str]]:
    """The ports, and by origin why one was left as it is.

    Only a release that stands in for a pin leaves a port as it is: nobody has declared that
    release's archive, and a distinfo that nobody has vouched for would be worse than an old one.
    """
    rendered, left = [], {}
    for spec in wanted:
        try:
            rendered.append((spec, render_port(manifest, spec, stand_in=stand_in)))
        except NoDistfile as error:
            if not stand_in:
                raise
            left[spec.origin] = error.what
    return rendered, left


def _known(manifest: Manifest) -> str:
    return f"known are: {', '.join(manifest.ports) or 'none'}"


def _cross_build(
    manifest: Manifest,
    spec: PortSpec,
    targets: list[Target],
    series: SeriesSpec | None,
    stand_in: bool,
) -> list[Built]:
    if not can_build(manifest, spec):
        return []
    jobs = os.cpu_count() or 1
    built = [
        build_module(manifest, spec, target, jobs, series=series, stand_in=stand_in)
        for target in targets
    ]
    return [module for one in built for module in (one, *one.more)]


def _cross_build_program(manifest: Manifest, spec: PortSpec) -> BuiltProgram:
    with bars(data=True) as progress:
        return build_program(
            manifest, spec, os.cpu_count() or 1,
            progress=progress, say=lambda text: click.echo(text, err=True),
        )  # fmt: skip


def _as_json(manifest: Manifest, outcome: _Outcome) -> dict[str, object]:
    root = manifest.root
    return {
        "origin": outcome.port.origin,
        "directory": str(outcome.port.directory),
        "files": len(outcome.port.files),
        "changed": [path.relative_to(root).as_posix() for path in outcome.changed],
        "findings": [finding.as_json() for finding in outcome.findings],
        "built": [
            {
                "osversion": built.target.osversion,
                "cc": built.target.cc,
                "module": str(built.module),
                "size": built.module.stat().st_size,
                "sha256": hashlib.sha256(built.module.read_bytes()).hexdigest(),
                "findings": [finding.as_json() for finding in built.findings],
            }
            for built in outcome.built
        ],
        "program": outcome.program
        and {
            "root": str(outcome.program.root),
            "findings": [finding.as_json() for finding in outcome.program.findings],
        },
    }


def _print(manifest: Manifest, outcomes: list[_Outcome], left: dict[str, str]) -> None:
    for outcome in outcomes:
        changed = len(outcome.changed)
        state = f"{changed} changed" if changed else "unchanged"
        click.echo(f"ports/{outcome.port.origin}: {len(outcome.port.files)} files, {state}")
        for built in outcome.built:
            size = built.module.stat().st_size
            path = built.module.relative_to(manifest.root)
            click.echo(f"  {path}: {size / 1024:.0f} KB, {len(built.findings)} audit findings")
        if outcome.program:
            count = len(outcome.program.findings)
            path = outcome.program.root.relative_to(manifest.root)
            click.echo(f"  {path}: {count} differences from pkg-plist")
        for finding in outcome.all_findings:
            click.echo(f"  {finding}")
    for origin, why in left.items():
        click.echo(f"ports/{origin}: left as it is: {why}")
