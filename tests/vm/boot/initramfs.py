"""An initramfs: a cpio archive in the "newc" form, as Linux's kernel unpacks it."""

from __future__ import annotations

import stat
from collections.abc import Mapping

_DIRECTORIES = ("dev", "proc", "sys")


def initramfs(files: Mapping[str, bytes]) -> bytes:
    """An archive with executable files by path, empty /dev, /proc and /sys, and the console."""
    out = bytearray()
    parents = {str(part) for path in files for part in _parents(path)}
    for number, name in enumerate(sorted({*parents, *_DIRECTORIES}), 1):
        out += _entry(number, name, stat.S_IFDIR | 0o755)
    out += _entry(1000, "dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    for number, (name, data) in enumerate(files.items(), 2000):
        out += _entry(number, name, stat.S_IFREG | 0o755, data)
    return bytes(out + _entry(0, "TRAILER!!!", 0))


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def _entry(
    number: int, name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)
) -> bytes:
    raw = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(raw), 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields) + raw
    return _padded(header) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
