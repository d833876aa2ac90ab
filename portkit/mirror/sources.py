"""The sources of one upstream, tried in the order of the manifest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from portkit.errors import UsageError
from portkit.manifest.model import DebianSource, GitSource, Manifest, Source, Upstream
from portkit.manifest.version import nearest, version_key
from portkit.mirror.apt import Apt
from portkit.mirror.debian_source import DebianClient
from portkit.mirror.git_source import GitClient
from portkit.mirror.source import Fetched, NotThere, Progress, SourceClient, Unreachable
from portkit.mirror.tarball_source import TarballClient


class Sources:
    """The sources of an upstream; one that cannot be reached is not asked again.

    Attributes:
        problems: why a source could not be asked, by its name.

    Args:
        upstream: the upstream.
        clients: its sources, in order of preference.
    """

    def __init__(self, upstream: Upstream, clients: list[SourceClient]) -> None:
        self._upstream = upstream
        self._clients = clients
        self._available: list[str] | None = None
        self.problems: dict[str, str] = {}

    def available(self) -> list[str]:
        """The releases of the first source that can be reached and can list them, oldest first.

        Empty when there is no such source.
        """
        if self._available is None:
            self._available = []
            for client in self._clients:
                if client.name in self.problems:
                    continue
                try:
                    self._available = sorted(client.versions(), key=version_key)
                except Unreachable as error:
                    self.problems[client.name] = error.what
                if self._available:
                    break
        return self._available

    def complaints(self) -> dict[str, str]:
        """Why a source could not be asked, or not for all that it has, by its name."""
        gaps = {
            client.name: f"reachable only in part ({client.gap})"
            for client in self._clients
            if client.gap
        }
        return gaps | self.problems

    @contextmanager
    def fetch(self, version: str, progress: Progress) -> Iterator[tuple[str, Fetched]]:
        """A release from the first source that can serve it, and the name of that source.

        Raises:
            NotThere: no source has it, as far as they can be reached; names the nearest release.
            EnvironmentProblem: what a source gave is not what was expected.
        """
        reasons = []
        for client in self._clients:
            with ExitStack() as stack:
                try:
                    if client.name in self.problems:
                        reasons.append(f"{client.name}: {self.problems[client.name]}")
                        continue
                    fetched = stack.enter_context(client.fetch(version, progress))
                except Unreachable as error:
                    self.problems[client.name] = error.what
                    reasons.append(f"{client.name}: {error.what}")
                    continue
                except NotThere as error:
                    reasons.append(f"{client.name}: {error.what}")
                    continue
                yield client.name, fetched
                return
        name = self._upstream.name
        others = [other for other in self.available() if other != version]
        other = nearest(version, others, self._upstream.track)
        raise NotThere(
            f"release {version} of {name} is nowhere to be had ({'; '.join(reasons)})",
            hint=f"the nearest release of the track is {other}:"
            f" run 'portkit sync {name} --version {other}'"
            if other
            else "check the network, or add a source that has it to portkit.toml",
        )


def open_sources(manifest: Manifest, upstream: Upstream, only: str | None = None) -> Sources:
    """The sources of an upstream.

    Args:
        manifest: the project's manifest.
        upstream: one of its upstreams.
        only: the name of the only source to use, or None.

    Raises:
        UsageError: the upstream has no source of that name.
    """
    specs = [spec for spec in upstream.sources if only in (None, spec.name)]
    if not specs:
        known = ", ".join(spec.name for spec in upstream.sources)
        raise UsageError(
            f"upstream {upstream.name} has no source {only!r}", hint=f"known are: {known}"
        )
    return Sources(upstream, [_client(manifest, upstream, spec) for spec in specs])


def _client(manifest: Manifest, upstream: Upstream, spec: Source) -> SourceClient:
    downloads = manifest.state_dir / "download" / f"{upstream.name}.{spec.name}"
    if isinstance(spec, GitSource):
        staging = manifest.state_dir / "staging" / f"{upstream.name}.{spec.name}.git"
        return GitClient(spec, upstream.subtree, staging)
    if isinstance(spec, DebianSource):
        return DebianClient(spec, debian_archive(manifest), downloads)
    return TarballClient(spec, downloads)


def debian_archive(manifest: Manifest) -> Apt:
    """Debian's archive, with the suites that the project's sources name."""
    specs = (spec for upstream in manifest.upstreams.values() for spec in upstream.sources)
    suites = [suite for spec in specs if isinstance(spec, DebianSource) for suite in spec.suites]
    return _apt(manifest.state_dir / "apt", tuple(dict.fromkeys(suites)))


@cache
def _apt(base: Path, suites: tuple[str, ...]) -> Apt:
    """The project's private apt: its lists are brought up to date once a process."""
    return Apt(base, suites)
