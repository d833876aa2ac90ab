"""The data classes of ``portkit.toml``: immutable, made by ``portkit.manifest.load``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class GitSource(NamedTuple):
    """Releases as tags of a git repository.

    Attributes:
        name: the name that ``sync --source`` takes.
        url: a remote URL or a local path.
        tag: template of a release's tag, with ``{version}``.
    """

    name: str
    url: str
    tag: str = "v{version}"


class TarballSource(NamedTuple):
    """Releases as archives behind a URL template or a local path.

    Attributes:
        name: the name that ``sync --source`` takes.
        url: template with ``{version}``, ``{major}`` and ``{minor}``.
        sha256: pinned digest of the archive, by version; an unpinned one is recorded in the lock.
        signature: template of a detached OpenPGP signature's URL, or None.
        keyring: file with the keys that may sign, or None.
    """

    name: str
    url: str
    sha256: Mapping[str, str]
    signature: str | None = None
    keyring: Path | None = None


class DebianSource(NamedTuple):
    """Releases as the ``.orig`` part of a Debian source package, through apt's own client.

    Attributes:
        name: the name that ``sync --source`` takes.
        package: the source package.
        suites: suites to look in, in any order, e.g. ``("trixie", "sid")``.
        components: how many numbers a version has at least; Debian's ``7.2`` is QEMU's ``7.2.0``.
    """

    name: str
    package: str
    suites: tuple[str, ...]
    components: int = 2


Source = GitSource | TarballSource | DebianSource


class Upstream(NamedTuple):
    """A project whose releases are mirrored.

    Attributes:
        name: key below ``[upstream]``.
        track: the release track followed, e.g. ``6.12``; a release belongs to it when its
            version starts with these numbers.
        subtree: files and directories kept of every release; empty means all.
        sources: in order of preference.
    """

    name: str
    track: str
    subtree: tuple[str, ...]
    sources: tuple[Source, ...]


class SeriesSpec(NamedTuple):
    """A patch series and the release that it is made for.

    Attributes:
        name: key below ``[series]``.
        upstream: name of its upstream.
        directory: absolute path of the directory with the ``series`` file.
        pin: the release that the patches apply to exactly.
    """

    name: str
    upstream: str
    directory: Path
    pin: str


class PortSpec(NamedTuple):
    """A FreeBSD port that ``build-port`` writes.

    Attributes:
        name: key below ``[port]``.
        origin: ``category/name`` below ``ports/``.
        series: the series whose patches and release the port takes, or None.
        settings: the remaining keys of the table, read by the port's template.
    """

    name: str
    origin: str
    series: str | None
    settings: Mapping[str, object]


class Manifest(NamedTuple):
    """A validated ``portkit.toml``.

    Attributes:
        root: absolute directory of the manifest.
        upstreams, series, ports: by name, in the file's order.
    """

    root: Path
    upstreams: Mapping[str, Upstream]
    series: Mapping[str, SeriesSpec]
    ports: Mapping[str, PortSpec]

    @property
    def path(self) -> Path:
        """The manifest file itself."""
        return self.root / "portkit.toml"

    @property
    def state_dir(self) -> Path:
        """Where portkit keeps mirrors, caches and unfinished work (not under version control)."""
        return self.root / ".portkit"
