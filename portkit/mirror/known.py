"""The releases that sources listed when they were last asked; read without asking any."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import NamedTuple

from portkit.manifest.model import Manifest
from portkit.manifest.version import is_version
from portkit.transaction import replace_files


class Known(NamedTuple):
    """What was known of an upstream's releases when a source was last asked.

    Attributes:
        versions: oldest first.
        checked: when, in ISO 8601; None when no source was ever reached.
    """

    versions: tuple[str, ...] = ()
    checked: str | None = None


def known_releases(manifest: Manifest, upstream: str) -> Known:
    """What the last sync found, without asking any source."""
    try:
        data = json.loads((manifest.state_dir / "known" / f"{upstream}.json").read_bytes())
        versions = tuple(v for v in data["versions"] if is_version(v))
        return Known(versions, str(data["checked"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Known()  # a cache: the next sync writes it again


def remember_releases(manifest: Manifest, upstream: str, versions: list[str]) -> None:
    """Keep what a source has told, for ``known_releases``; the project's lock is held."""
    checked = datetime.now(UTC).isoformat(timespec="seconds")
    data = json.dumps({"checked": checked, "versions": versions}).encode()
    path = manifest.state_dir / "known" / f"{upstream}.json"
    replace_files(manifest.state_dir, {path: data})
