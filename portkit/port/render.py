"""Ports from templates: the manifest, the series and the release in, files out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from portkit.engine.standin import based
from portkit.errors import UsageError
from portkit.manifest.model import Manifest, PortSpec
from portkit.mirror.model import Release
from portkit.mirror.store import Mirror
from portkit.port import settings
from portkit.port.dist import make_distfile, release_date
from portkit.port.model import Distfile, RenderedPort, distinfo
from portkit.transaction import replace_files

BUILTIN_TEMPLATES = Path(__file__).parent / "templates"
_SOURCES = "src"  # written by people, below the port's directory; never touched here


def distfile_directory(manifest: Manifest) -> Path:
    """Where the distfiles go that portkit makes."""
    return manifest.state_dir / "distfiles"


def render_port(manifest: Manifest, spec: PortSpec, *, stand_in: bool = False) -> RenderedPort:
    """All files of a port but its own sources.

    Args:
        manifest: the project.
        spec: one of its ports; its pinned release is mirrored when the port packs a slim distfile.
        stand_in: use the nearest release of the track if the pinned one is not mirrored.

    Returns:
        The files. The same project gives the same bytes.

    Raises:
        UsageError: a key of the port's table is missing or wrong, or the template fails.
        EnvironmentProblem: the release is not mirrored, or the disk refuses.
    """
    directory = manifest.root / "ports" / spec.origin
    base = based(manifest, manifest.series[spec.series], stand_in=stand_in) if spec.series else None
    release = base.release if base else None
    archives = _distfiles(manifest, spec, release, stand_in)
    context: dict[str, object] = {
        **{key: value for key, value in spec.settings.items() if isinstance(value, str)},
        "version": release.version if release else settings.text(spec, "version"),
        "distfiles": archives,
        "paths": settings.dist_paths(spec, release.version if release else None),
        "sources": _source_paths(directory / _SOURCES),
    }
    files = dict(_from_templates(spec, _template_directory(manifest, spec), context))
    if archives:
        assert release is not None
        date = release_date(Mirror(manifest, release.upstream).repo, release)
        files[PurePosixPath("distinfo")] = distinfo(archives, date)
    for patch in base.series.patches if base else ():
        files[PurePosixPath("files", f"patch-{patch.name.removesuffix('.patch')}")] = patch.raw
    return RenderedPort(spec.origin, directory, files)


def write_port(manifest: Manifest, port: RenderedPort) -> list[Path]:
    """Make a port's directory hold exactly these files (and its sources), as one change.

    The project's lock is held.

    Returns:
        The files that changed, sorted.

    Raises:
        EnvironmentProblem: the disk refuses; then nothing has changed.
    """
    wanted: dict[Path, bytes | None] = {
        port.directory / path: data for path, data in port.files.items()
    }
    for path in sorted(port.directory.rglob("*")):
        inside = path.relative_to(port.directory).parts[0]
        if inside != _SOURCES and not path.is_dir() and path not in wanted:
            wanted[path] = None
    changed = [path for path, data in wanted.items() if _differs(path, data)]
    replace_files(manifest.state_dir, wanted)
    return sorted(changed)


def _distfiles(
    manifest: Manifest, spec: PortSpec, release: Release | None, stand_in: bool
) -> tuple[Distfile, ...]:
    """The slim distfile, if the port has one, and the archives that the manifest declares.

    A release that stands in for a pin has its slim distfile alone when nobody has declared others.
    """
    version = release.version if release else None
    paths = settings.dist_paths(spec, version)
    try:
        given = settings.distfiles(spec, version)
    except settings.NoDistfile:
        if not (stand_in and paths):
            raise
        given = ()
    if not paths:
        return given
    if release is None:
        raise UsageError(
            f"port.{spec.name}.dist needs a series", where="portkit.toml", hint="see docs/ports.md"
        )
    repo = Mirror(manifest, release.upstream).repo
    return (make_distfile(repo, release, paths, distfile_directory(manifest))[1], *given)


def _template_directory(manifest: Manifest, spec: PortSpec) -> Path:
    """The project's own templates go before the ones that come with portkit."""
    for directory in (manifest.root / "templates" / spec.name, BUILTIN_TEMPLATES / spec.name):
        if (directory / "Makefile").is_file():
            return directory
    raise UsageError(
        f"there is no template for port {spec.name}",
        where=str(manifest.root / "templates" / spec.name),
        hint="write one there: Makefile, pkg-descr and pkg-plist (docs/ports.md)",
    )


def _from_templates(
    spec: PortSpec, directory: Path, context: Mapping[str, object]
) -> list[tuple[PurePosixPath, bytes]]:
    environment = Environment(
        loader=FileSystemLoader(directory),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    found = []
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        name = path.relative_to(directory).as_posix()
        try:
            text = environment.get_template(name).render(context)
        except (TemplateError, IndexError) as error:
            raise UsageError(
                f"the template does not render: {error}",
                where=f"{path}",
                hint=f"give the missing key in [port.{spec.name}] or fix the template",
            ) from error
        found.append((PurePosixPath(name), text.encode()))
    return found


def _source_paths(directory: Path) -> list[str]:
    """The port's own sources, sorted, relative to its ``src`` directory."""
    if not directory.is_dir():
        return []
    return sorted(
        path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()
    )


def _differs(path: Path, data: bytes | None) -> bool:
    try:
        return path.read_bytes() != data
    except FileNotFoundError:
        return data is not None
