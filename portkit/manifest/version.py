"""Release numbers: their order, and which of them belong to a track."""

from __future__ import annotations

import re
from collections.abc import Iterable

from portkit.errors import UsageError

_VERSION = re.compile(r"(?P<numbers>\d{1,9}(?:\.\d{1,9}){0,5})(?:-rc(?P<rc>\d{1,4}))?")


def is_version(text: str) -> bool:
    """True for ``6.12``, ``10.0.13`` and ``7.0-rc3``."""
    return _VERSION.fullmatch(text) is not None


def version_key(version: str) -> tuple[tuple[int, ...], int]:
    """Sort key of a version; ``7.0-rc3 < 7.0 < 7.0.1``.

    Raises:
        UsageError: it is not a version.
    """
    match = _VERSION.fullmatch(version)
    if match is None:
        raise UsageError(
            f"{version!r} is not a version", hint="give numbers like 6.12.107 or 7.0-rc3"
        )
    numbers = [int(number) for number in match["numbers"].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()  # 7.2 and 7.2.0 are the same release
    return tuple(numbers), int(match["rc"]) if match["rc"] else 10**4


def is_candidate(version: str) -> bool:
    """True for a release candidate."""
    return "-rc" in version


def in_track(version: str, track: str) -> bool:
    """True when the version starts with the numbers of the track: 6.12.107 is in 6.12."""
    numbers = version.partition("-")[0].split(".")
    wanted = track.split(".")
    return (numbers + ["0"] * len(wanted))[: len(wanted)] == wanted


def normalise(version: str, components: int) -> str:
    """The version with at least so many numbers: Debian's ``7.2`` is QEMU's ``7.2.0``."""
    numbers, dash, candidate = version.partition("-")
    missing = components - numbers.count(".") - 1
    return numbers + ".0" * missing + dash + candidate


def newest(versions: Iterable[str], track: str) -> str | None:
    """The newest release of a track, or None; candidates do not count."""
    found = [v for v in versions if in_track(v, track) and not is_candidate(v)]
    return max(found, key=version_key, default=None)


def track_of(version: str, track: str) -> str:
    """The track that a version belongs to: the given one, or that of its first two numbers."""
    if in_track(version, track):
        return track
    return ".".join(normalise(version, 2).partition("-")[0].split(".")[:2])


def nearest(version: str, available: Iterable[str], track: str) -> str | None:
    """The release of a version's track that is closest to it; of two equally close, the newer."""
    track = track_of(version, track)
    wanted = version_key(version)[0]

    def distance(other: str) -> tuple[list[int], bool]:
        numbers = version_key(other)[0]
        width = max(len(numbers), len(wanted))
        pairs = zip(_padded(numbers, width), _padded(wanted, width), strict=True)
        steps = [theirs - ours for theirs, ours in pairs]
        return [abs(step) for step in steps], numbers < wanted

    found = [v for v in available if in_track(v, track) and not is_candidate(v)]
    return min(found, key=distance, default=None)


def _padded(numbers: tuple[int, ...], width: int) -> tuple[int, ...]:
    return numbers + (0,) * (width - len(numbers))
