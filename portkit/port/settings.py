"""The keys of a ``[port.NAME]`` table that templates read, checked one by one."""

from __future__ import annotations

import re

from portkit.errors import UsageError
from portkit.manifest.model import PortSpec
from portkit.manifest.version import in_track
from portkit.port.model import Distfile


class NoDistfile(UsageError):
    """The port's archive of this release is not declared."""


def text(spec: PortSpec, key: str) -> str:
    """A key that has to be there and to be a text of one line.

    Raises:
        UsageError: it is missing or something else.
    """
    value = spec.settings.get(key)
    if not isinstance(value, str) or not value or "\n" in value:
        raise _bad(spec, key, "is missing or not a text of one line")
    return value


def dist_paths(spec: PortSpec, release: str | None) -> tuple[str, ...]:
    """Files and directories of a release that the port is built from.

    They are those of ``dist``, and of ``dist-more`` for the release's track.

    Raises:
        UsageError: a key is malformed.
    """
    more = spec.settings.get("dist-more", {})
    if not isinstance(more, dict):
        raise _bad(spec, "dist-more", "is not a table from track to list of texts")
    found = _texts(spec, "dist", spec.settings.get("dist", []))
    for track, paths in more.items():
        texts = _texts(spec, f"dist-more.{track}", paths)
        if release is not None and in_track(release, track):
            found += texts
    return found


def _texts(spec: PortSpec, key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise _bad(spec, key, "is not a list of texts")
    return tuple(value)


def distfiles(spec: PortSpec, release: str | None) -> tuple[Distfile, ...]:
    """The archives of ``[[port.NAME.distfile]]``.

    Args:
        spec: the port.
        release: the pinned release; a distfile with a ``release`` key has to be of it.

    Raises:
        UsageError: a key is missing or malformed.
        NoDistfile: the pin has moved on and the file has not.
    """
    value = spec.settings.get("distfile", [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _bad(spec, "distfile", "is not a list of tables")
    found = []
    for item in value:
        name, sha256, size = (item.get(key) for key in ("name", "sha256", "size"))
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+~/-]*", name):
            raise _bad(spec, "distfile", "has no name that a file can have")
        if not isinstance(sha256, str) or not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise _bad(spec, "distfile", f"has no SHA-256 in lower-case hex for {name}")
        if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
            raise _bad(spec, "distfile", f"has no size in bytes for {name}")
        if item.get("release", release) != release:
            raise NoDistfile(
                f"{name} is of release {item['release']}, the port is for {release}",
                where=f"portkit.toml: port.{spec.name}.distfile",
                hint="give the name, sha256 and size of the new release's archive",
            )
        found.append(Distfile(name, sha256, size))
    return tuple(found)


def _bad(spec: PortSpec, key: str, what: str) -> UsageError:
    return UsageError(
        f"port.{spec.name}.{key} {what}", where="portkit.toml", hint="see docs/ports.md"
    )
