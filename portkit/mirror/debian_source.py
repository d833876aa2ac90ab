"""Releases as the ``.orig`` part of a Debian source package: upstream's files, no patches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portkit.errors import EnvironmentProblem
from portkit.manifest.model import DebianSource
from portkit.manifest.version import is_version, normalise
from portkit.mirror.apt import Apt, SourcePackage
from portkit.mirror.source import (
    Fetched,
    Progress,
    archive_file,
    not_there,
    sha256_file,
    unreachable,
)


class DebianClient:
    """A Debian source.

    Args:
        spec: the source, as the manifest has it.
        apt: shared by all Debian sources of the project.
        downloads: directory for archives; a part that is there is completed.
    """

    def __init__(self, spec: DebianSource, apt: Apt, downloads: Path) -> None:
        self.name = spec.name
        self._spec = spec
        self._apt = apt
        self._downloads = downloads
        self._packages: dict[str, list[SourcePackage]] | None = None

    @property
    def gap(self) -> str | None:
        """See ``SourceClient``."""
        return self._apt.problem

    def versions(self) -> list[str]:
        """See ``SourceClient``."""
        return list(self._known())

    @contextmanager
    def fetch(self, version: str, progress: Progress) -> Iterator[Fetched]:
        """See ``SourceClient``."""
        path, digest = self._download(version, progress)
        with archive_file(path, digest) as fetched:
            yield fetched
        path.unlink()  # the release is in the mirror

    def _download(self, version: str, progress: Progress) -> tuple[Path, str]:
        """The archive and its digest, from the first of the packages that can be had."""
        why = ""
        for package in self._known().get(version, []):
            try:
                path = self._apt.download(self._spec.package, package, self._downloads, progress)
            except EnvironmentProblem as error:  # listed, but old archives vanish from mirrors
                why = str(error)
                continue
            digest = sha256_file(path, progress)
            if digest != package.sha256:
                path.unlink()
                raise EnvironmentProblem(
                    f"wrong digest: it has {digest}, the package index wants {package.sha256}",
                    where=f"source {self.name}: {path.name}",
                    hint="nothing was imported; run again",
                )
            return path, digest
        raise not_there(self.name, version, why)

    def _known(self) -> dict[str, list[SourcePackage]]:
        """The packages of each release; several may be made of the same archive."""
        if self._packages is None:
            try:
                packages = self._apt.packages(self._spec.package)
            except EnvironmentProblem as error:
                raise unreachable(self.name, str(error)) from error
            self._packages = {}
            for package in packages:
                version = upstream_version(package.version, self._spec.components)
                if version is not None:
                    self._packages.setdefault(version, []).append(package)
        return self._packages


def upstream_version(version: str, components: int) -> str | None:
    """Upstream's version in Debian's: ``1:7.2+dfsg-7+deb12u18`` is ``7.2.0`` (three numbers).

    Returns:
        None when upstream's part is not a release number.
    """
    upstream = version.partition(":")[2] if ":" in version else version
    upstream = upstream.rpartition("-")[0] or upstream
    match = re.fullmatch(r"(\d+(?:\.\d+)*)(?:~(rc\d+))?(?:[+~](?:dfsg|ds|repack)[\d.]*)?", upstream)
    if match is None:
        return None
    candidate = f"-{match[2]}" if match[2] else ""
    found = normalise(match[1] + candidate, components)
    return found if is_version(found) else None
