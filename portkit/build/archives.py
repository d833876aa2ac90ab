"""Upstream archives of Debian source packages, kept for every project of the user."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from portkit.errors import EnvironmentProblem
from portkit.mirror.apt import Apt
from portkit.mirror.source import Progress, sha256_file
from portkit.vm.unpack import unpack

_UNPACKED_MAX = 4 << 30


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive and where it comes from.

    Attributes:
        package: Debian's source package.
        name: the file's.
        sha256: in hexadecimal.
    """

    package: str
    name: str
    sha256: str


def cache_directory() -> Path:
    """``portkit/cross`` below the user's cache directory."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "portkit" / "cross"


def fetch(archive: Archive, apt: Apt, directory: Path, progress: Progress) -> Path:
    """The file, verified; downloaded when it is not there yet.

    Args:
        archive: what to fetch.
        apt: asked for it.
        directory: where it is kept.
        progress: told how far it is.

    Raises:
        EnvironmentProblem: Debian does not have it, or has another file of that name.
    """
    path = directory / archive.name
    if path.is_file() and sha256_file(path, progress) == archive.sha256:
        return path
    packages = [package for package in apt.packages(archive.package)
                if (package.archive, package.sha256) == (archive.name, archive.sha256)]  # fmt: skip
    if not packages:
        raise EnvironmentProblem(
            f"{archive.name} with the wanted digest is in none of the suites",
            where=f"Debian package {archive.package}",
            hint="take the name and sha256 of a newer one into portkit.toml",
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory) as work:
            got = apt.download(archive.package, packages[0], Path(work), progress)
            digest = sha256_file(got, progress)
            if digest != archive.sha256:
                raise EnvironmentProblem(
                    f"wrong digest: it has {digest}", where=archive.name, hint="run again"
                )
            got.replace(path)
    except OSError as error:
        raise EnvironmentProblem(
            error.strerror or str(error), where=str(error.filename or path)
        ) from error
    return path


def unpack_below(
    path: Path, into: Path, wanted: Callable[[str], bool] = lambda path: True
) -> list[str]:
    """Unpack an archive without its top directory; returns the files that changed.

    Args:
        path: the archive.
        into: made when it is missing; a file that has its content already is not touched.
        wanted: whether a path, without the top directory, is unpacked.

    Raises:
        BadArchive: it is damaged or hostile.
    """

    def target(member: str) -> str | None:
        inside = member.partition("/")[2]
        return inside if inside and wanted(inside) else None

    into.mkdir(parents=True, exist_ok=True)
    with path.open("rb") as stream:
        return unpack(stream, path.name, into, target, limit=_UNPACKED_MAX)
