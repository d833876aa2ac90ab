"""Small projects with made-up upstream releases, for the tests of every part."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from portkit.manifest.load import load_manifest
from portkit.manifest.model import Manifest
from portkit.mirror.model import Entry, Release
from portkit.mirror.store import Mirror

#: Content of a file; a pair is (git mode, content), e.g. ``("100755", b"#!/bin/sh\n")``.
Content = bytes | str | tuple[str, bytes]

#: The date of every made-up release.
DATE = 1_700_000_000


def entry(path: str, content: Content) -> Entry:
    mode, data = content if isinstance(content, tuple) else ("100644", content)
    raw = data.encode() if isinstance(data, str) else data
    return Entry(path=path.encode(), mode=mode, size=len(raw), data=io.BytesIO(raw))


def add_release(
    manifest: Manifest, version: str, files: Mapping[str, Content], upstream: str = "up"
) -> Release:
    """Put a release with these files into the mirror of an upstream."""
    mirror = Mirror(manifest, upstream)
    mirror.prepare()
    entries = (entry(path, content) for path, content in files.items())
    return mirror.import_release(version, entries, lambda: DATE)


def make_project(
    root: Path,
    releases: Mapping[str, Mapping[str, Content]],
    patches: Iterable[tuple[str, str]] = (),
    *,
    pin: str | None = None,
    track: str | None = None,
) -> Manifest:
    """A project with the upstream ``up``, its releases, and the series ``s`` in ``patches/s``.

    Args:
        root: an existing directory, e.g. ``tmp_path``.
        releases: files of every release, by version, oldest first.
        patches: (file name, text) of every patch of the series, in order.
        pin: the release of the series; the first one when None.
        track: of the upstream; the first two numbers of the pin when None.
    """
    pin = pin or next(iter(releases), "1.0")
    track = track or ".".join(pin.split(".")[:2])
    (root / "portkit.toml").write_text(
        f"""\
[upstream.up]
track = "{track}"
[[upstream.up.source]]
kind = "git"
name = "local"
url = "upstream-git"

[series.s]
upstream = "up"
directory = "patches/s"
pin = "{pin}"
"""
    )
    directory = root / "patches" / "s"
    directory.mkdir(parents=True)
    named = list(patches)
    for name, text in named:
        (directory / name).write_bytes(text.encode())
    (directory / "series").write_text("".join(f"{name}\n" for name, _ in named))
    manifest = load_manifest(root / "portkit.toml")
    for version, files in releases.items():
        add_release(manifest, version, files)
    return manifest
