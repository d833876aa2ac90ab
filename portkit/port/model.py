"""What a port is made of, before it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class Distfile:
    """One archive that a port fetches.

    Attributes:
        name: its file name, with ``DIST_SUBDIR`` in front when the port has one.
        sha256: digest in lower-case hex.
        size: in bytes.
    """

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class RenderedPort:
    """The files of one port that portkit owns.

    Attributes:
        origin: ``category/name``.
        directory: absolute path of the port.
        files: path below the directory to content; everything else there but ``src/`` is stale.
    """

    origin: str
    directory: Path
    files: Mapping[PurePosixPath, bytes]


def distinfo(distfiles: tuple[Distfile, ...], timestamp: int) -> bytes:
    """The ``distinfo`` file.

    Args:
        distfiles: in the order of the port's ``DISTFILES``.
        timestamp: seconds since 1970; the release's date, so that the file is a function of the
            release alone.
    """
    lines = [f"TIMESTAMP = {timestamp}\n"]
    for file in distfiles:
        lines.append(f"SHA256 ({file.name}) = {file.sha256}\nSIZE ({file.name}) = {file.size}\n")
    return "".join(lines).encode()
