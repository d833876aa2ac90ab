"""Read and validate ``portkit.toml``; change a pin in it and nothing else."""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from portkit.errors import UsageError
from portkit.manifest.model import (
    DebianSource,
    GitSource,
    Manifest,
    PortSpec,
    SeriesSpec,
    Source,
    TarballSource,
    Upstream,
)
from portkit.manifest.toml import Document, Table
from portkit.manifest.version import is_candidate, is_version

#: A name that is safe as a directory, in a git ref and on the command line.
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9+_-]|\.(?!\.|lock$|$))*")
_PORT_NAME = re.compile(r"[a-z0-9](?:[A-Za-z0-9+_-]|\.(?!\.))*")
_SUITE = re.compile(r"[a-z0-9][a-z0-9./+-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def load_manifest(path: Path) -> Manifest:
    """Read ``portkit.toml``.

    Args:
        path: the file; its directory is the project's root.

    Raises:
        UsageError: it is not valid; the message has the line and the key.
        EnvironmentProblem: it cannot be read.
    """
    return _manifest(Document.read(path), path.resolve().parent)


def set_pin(manifest: bytes, series: str, version: str) -> bytes:
    """The text of a manifest with the pin of a series changed and every other byte as it was.

    Args:
        manifest: content of ``portkit.toml``.
        series: name of the series.
        version: the release that it is pinned to from now on.

    Raises:
        UsageError: there is no such pin to change, or the version is none.
    """
    if not is_version(version):
        raise UsageError(f"{version!r} is not a version", where=f"series.{series}.pin")
    document = Document(Path("portkit.toml"), manifest)
    line = document.lines.get(("series", series, "pin"))
    if line is None:
        document.fail(("series", series), "there is no pin", 'add pin = "VERSION"')
    expected = tomllib.loads(document.text)
    expected["series"][series]["pin"] = version
    lines = document.text.splitlines(keepends=True)
    before, here = "".join(lines[: line - 1]), lines[line - 1]
    after = "".join(lines[line:])
    for match in re.finditer(r"""\bpin["']?\s*=\s*(["'])(?P<value>[^"']*)\1""", here):
        changed = here[: match.start("value")] + version + here[match.end("value") :]
        if tomllib.loads(before + changed + after) == expected:
            return (before + changed + after).encode()
    raise UsageError(
        "the pin cannot be changed in place",
        where=f"portkit.toml:{line}: series.{series}.pin",
        hint='write it as pin = "VERSION"',
    )


def _manifest(document: Document, root: Path) -> Manifest:
    top = Table(document, (), document.data)
    upstreams = {
        name: _upstream(name, table, root) for name, table in top.tables("upstream").items()
    }
    series: dict[str, SeriesSpec] = {}
    for name, table in top.tables("series").items():
        spec = _series(name, table, root, upstreams)
        for other in series.values():
            if spec.directory == other.directory:
                table.fail("directory", f"series {other.name} has it already", "use another one")
        series[name] = spec
    ports = {name: _port(name, table, series) for name, table in top.tables("port").items()}
    top.close()
    return Manifest(root=root, upstreams=upstreams, series=series, ports=ports)


def _upstream(name: str, table: Table, root: Path) -> Upstream:
    _check_name(name, table)
    track = table.text("track")
    if not is_version(track) or is_candidate(track):
        table.fail("track", f"{track!r} is not a release track", "give its numbers, e.g. 6.12")
    subtree = table.texts("subtree")
    for path in subtree:
        _check_subtree(path, subtree, table)
    sources: list[Source] = []
    for entry in table.array("source"):
        source = _source(entry, root)
        if any(source.name == other.name for other in sources):
            entry.fail("name", f"source {source.name!r} is there twice", "give it another name")
        sources.append(source)
    if not sources:
        table.fail(None, "there is no source", f"add [[upstream.{name}.source]]")
    table.close()
    return Upstream(name=name, track=track, subtree=subtree, sources=tuple(sources))


def _check_subtree(path: str, subtree: tuple[str, ...], table: Table) -> None:
    parts = path.split("/")
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        table.fail(
            "subtree",
            f"{path!r} is not a path inside the release",
            "give it relative to the release's top, without '.', '..' and a slash at the end",
        )
    for parent in PurePosixPath(path).parents:
        if str(parent) in subtree:
            table.fail("subtree", f"{path!r} is part of {str(parent)!r}", "take it out")


def _source(table: Table, root: Path) -> Source:
    kinds: dict[str, Callable[[str, Table, Path], Source]] = {
        "git": _git_source,
        "tarball": _tarball_source,
        "debian": _debian_source,
    }
    kind = table.text("kind")
    if kind not in kinds:
        table.fail("kind", f"unknown kind {kind!r}", f"use one of {', '.join(kinds)}")
    name = table.text("name")
    _check_name(name, table, key="name")
    source = kinds[kind](name, table, root)
    table.close()
    return source


def _git_source(name: str, table: Table, root: Path) -> GitSource:
    url = _location(table, "url", root)
    if "://" in url and url.partition("://")[0] not in ("https", "http", "ssh", "git", "file"):
        table.fail("url", "the scheme is not known", "use https://, ssh://, git:// or a path")
    tag = table.optional_text("tag") or "v{version}"
    _check_template(tag, table, "tag", ("version",))
    if not re.fullmatch(r"[A-Za-z0-9._{}/+-]+", tag) or tag.startswith("-") or ".." in tag:
        table.fail("tag", f"{tag!r} cannot name a tag", "use letters, digits and {version}")
    return GitSource(name=name, url=url, tag=tag)


def _tarball_source(name: str, table: Table, root: Path) -> TarballSource:
    url = _location(table, "url", root)
    _check_template(url, table, "url", ("version", "major", "minor"))
    if "://" in url and not url.startswith(("https://", "http://")):
        table.fail("url", "the scheme is not known", "use https://, http:// or a path")
    digests = table.table("sha256")
    sha256 = {version: digests.text(version) for version in digests}
    for version, digest in sha256.items():
        if not is_version(version):
            digests.fail(version, "not a version", 'write it as "6.12.107" = "digest"')
        if not _SHA256.fullmatch(digest):
            digests.fail(version, "not a SHA-256", "give 64 hexadecimal digits, lower case")
    signature = keyring = None
    if table.optional_text("signature") is not None:
        signature = _location(table, "signature", root)
        _check_template(signature, table, "signature", ("version", "major", "minor"))
        keyring = root / Path(table.text("keyring")).expanduser()
    elif table.optional_text("keyring") is not None:
        table.fail("keyring", "there is no signature to check with it", "add signature = URL")
    return TarballSource(name=name, url=url, sha256=sha256, signature=signature, keyring=keyring)


def _debian_source(name: str, table: Table, root: Path) -> DebianSource:
    package = table.text("package")
    if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", package):
        table.fail("package", f"{package!r} cannot name a source package", "correct it")
    suites = table.texts("suites")
    if not suites:
        table.fail(None, "there are no suites", 'add suites = ["trixie", "sid"]')
    for suite in suites:
        if not _SUITE.fullmatch(suite) or ".." in suite:
            table.fail("suites", f"{suite!r} cannot name a suite", "correct it")
    components = table.number("components", 2, 1, 6)
    return DebianSource(name=name, package=package, suites=suites, components=components)


def _series(name: str, table: Table, root: Path, upstreams: Mapping[str, Upstream]) -> SeriesSpec:
    _check_name(name, table)
    upstream = table.text("upstream")
    if upstream not in upstreams:
        known = ", ".join(upstreams) or "none"
        table.fail("upstream", f"there is no upstream {upstream!r}", f"known are: {known}")
    given = table.text("directory")
    directory = (root / given).resolve()
    if root not in directory.parents or root / ".portkit" in (directory, *directory.parents):
        table.fail(
            "directory", f"{given!r} is not a directory inside the project", "give a path below it"
        )
    pin = table.text("pin")
    if not is_version(pin):
        table.fail("pin", f"{pin!r} is not a version", "give numbers like 6.12.107")
    table.close()
    return SeriesSpec(name=name, upstream=upstream, directory=directory, pin=pin)


def _port(name: str, table: Table, series: Mapping[str, SeriesSpec]) -> PortSpec:
    _check_name(name, table)
    origin = table.text("origin")
    parts = origin.split("/")
    if len(parts) != 2 or not all(_PORT_NAME.fullmatch(part) for part in parts):
        table.fail("origin", f"{origin!r} is not a port's origin", "write it as category/name")
    wanted = table.optional_text("series")
    if wanted is not None and wanted not in series:
        known = ", ".join(series) or "none"
        table.fail("series", f"there is no series {wanted!r}", f"known are: {known}")
    return PortSpec(name=name, origin=origin, series=wanted, settings=table.rest())


def _check_name(name: str, table: Table, key: str | None = None) -> None:
    if not _NAME.fullmatch(name):
        table.fail(key, f"bad name {name!r}", "use lower case letters, digits and . _ + -")


def _check_template(text: str, table: Table, key: str, known: tuple[str, ...]) -> None:
    names = ", ".join("{" + name + "}" for name in known)
    try:
        fields = list(string.Formatter().parse(text))
    except ValueError:
        table.fail(key, "the braces do not match", f"use only {names}")
    used = {field for _, field, _, _ in fields if field is not None}
    plain = all(not spec and not conversion for _, _, spec, conversion in fields)
    if not used <= set(known) or not plain:
        table.fail(key, "unknown placeholder", f"use only {names}")
    if "version" not in used:
        table.fail(key, "it does not depend on the version", "put {version} in it")


def _location(table: Table, key: str, root: Path) -> str:
    """A URL as it is; a local path made absolute, from the project's root."""
    text = table.text(key)
    if text.startswith("-"):
        table.fail(key, "neither a URL nor a path", "put ./ before a path")
    try:
        if urlsplit(text).port == 0:
            raise ValueError
    except ValueError:
        table.fail(key, f"{text!r} is not a URL", "correct it")
    if "://" in text or re.match(r"[^/]+@[^/]+:", text):
        return text
    return str(root / Path(text).expanduser())
