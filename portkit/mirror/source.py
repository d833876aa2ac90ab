"""What every kind of source of releases has in common."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies

from portkit.errors import EnvironmentProblem

#: Told now and then how far a step is: what it does, bytes done, bytes in all (if known).
Progress = Callable[[str, int, int | None], None]

#: An unreachable source costs no more than this, in seconds.
PATIENCE = 5.0

_PORTS = {"http": 80, "https": 443, "git": 9418, "ssh": 22}
_CHUNK = 1 << 18


class Unreachable(EnvironmentProblem):
    """A source cannot be asked now; the next one may serve."""


class NotThere(EnvironmentProblem):
    """A source can be asked and does not have the release."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A release as a source gives it.

    Attributes:
        stream: a tar archive, compressed or not, with one top directory.
        name: what messages call the archive.
        digest: ``sha256:<hex>`` of the archive, or ``commit:<id>`` of a git source.
        size: bytes of the stream, if known.
    """

    stream: IO[bytes]
    name: str
    digest: str
    size: int | None


class SourceClient(Protocol):
    """One source of an upstream's releases."""

    @property
    def name(self) -> str:
        """The name in the manifest."""

    @property
    def gap(self) -> str | None:
        """Why it could be asked only in part, if that is so."""

    def versions(self) -> list[str]:
        """The releases that it is known to have; empty when it cannot tell.

        Raises:
            Unreachable: it cannot be asked.
        """

    def fetch(self, version: str, progress: Progress) -> AbstractContextManager[Fetched]:
        """A release, verified as far as can be before it is read.

        Raises:
            Unreachable: it cannot be asked, or the connection broke.
            NotThere: it does not have the release.
            EnvironmentProblem: the archive is not the one that was expected.
        """


def probe(name: str, url: str) -> None:
    """Find out fast whether the host of a URL takes connections.

    git and urllib have no time limit that covers name resolution and every address.

    Args:
        name: of the source, for the message.
        url: a URL with a host; other locations are not probed.

    Raises:
        Unreachable: no connection within ``PATIENCE`` seconds.
    """
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in _PORTS or parts.scheme in getproxies():
        return
    address = (parts.hostname, parts.port or _PORTS[parts.scheme])
    outcome: list[str | None] = []

    def connect() -> None:
        try:
            socket.create_connection(address, PATIENCE).close()
            outcome.append(None)
        except OSError as error:
            outcome.append(error.strerror or str(error))
        except UnicodeError:
            outcome.append("not a host name")

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    problem = outcome[0] if outcome else f"no answer within {PATIENCE:.0f} seconds"
    if problem:
        raise unreachable(name, f"{parts.hostname}: {problem}")


def unreachable(name: str, why: str) -> Unreachable:
    """The error for a source that cannot be asked."""
    return Unreachable(
        f"not reachable ({why})",
        where=f"source {name}",
        hint="check the network or use another source",
    )


def not_there(name: str, version: str, why: str = "") -> NotThere:
    """The error for a release that a source does not have."""
    return NotThere(
        f"does not have release {version}" + (f" ({why})" if why else ""),
        where=f"source {name}",
        hint="use another release or source",
    )


def sha256_file(path: Path, progress: Progress) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    size = path.stat().st_size
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            done += len(chunk)
            progress("verify", done, size)
    return digest.hexdigest()


@contextmanager
def archive_file(path: Path, digest: str) -> Iterator[Fetched]:
    """A verified archive on disk."""
    with path.open("rb") as file:
        yield Fetched(file, path.name, f"sha256:{digest}", path.stat().st_size)


class Counted:
    """The stream of a release, which tells how much of it was read."""

    def __init__(self, fetched: Fetched, what: str, progress: Progress) -> None:
        self._fetched = fetched
        self._what = what
        self._progress = progress
        self._done = 0

    def read(self, size: int) -> bytes:
        """Up to so many bytes; none at the end."""
        data = self._fetched.stream.read(size)
        self._done += len(data)
        self._progress(self._what, self._done, self._fetched.size)
        return data
