"""New objects of a repository as one pack, hashed and written in this process.

``git fast-import`` hashes every object once and its pack three times, which is most of the time of
applying a series (docs/bench.md). A pack written once needs one pass, and appears in
the repository as a whole or not at all: its index is the last file to get its name.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from itertools import accumulate
from pathlib import Path

from portkit.errors import disk_problem

_TYPES = {"commit": 1, "tree": 2, "blob": 3}
_LONG = 1 << 31  # marks a number that is a place in an index's table of long offsets
_FIRST_LONG = _LONG  # the first offset that needs one


class PackWriter:
    """Objects to be added to a repository.

    Nothing is written before ``store``. The objects are not compressed: that would take as long
    as all the rest, and ``Mirror.tidy`` packs them well later.

    Args:
        objects: the repository's directory of objects.
    """

    def __init__(self, objects: Path) -> None:
        self._directory = objects / "pack"
        self._entries: dict[bytes, bytes] = {}

    def add(self, kind: str, data: bytes) -> bytes:
        """Take an object.

        Args:
            kind: ``commit``, ``tree`` or ``blob``.
            data: its content.

        Returns:
            Its id, 20 bytes.
        """
        oid = hashlib.sha1(b"%s %d\0" % (kind.encode(), len(data)), usedforsecurity=False)
        oid.update(data)
        name = oid.digest()
        if name not in self._entries:
            self._entries[name] = _header(_TYPES[kind], len(data)) + zlib.compress(data, 0)
        return name

    def store(self) -> None:
        """Write the objects; they are on the disk when this returns.

        Raises:
            EnvironmentProblem: the disk refuses; then the repository is as it was.
        """
        names = sorted(self._entries)
        if not names:
            return
        final = self._directory / f"pack-{_sha1(b''.join(names)).hex()}"
        if final.with_suffix(".idx").exists() and final.with_suffix(".pack").exists():
            return  # named after its objects: they are all there
        pack = self._pack()
        files = {".pack": pack, ".idx": self._index(names, pack[-1])}
        drafts = {suffix: self._directory / f"tmp_{os.getpid()}{suffix}" for suffix in files}
        try:
            self._directory.mkdir(exist_ok=True)
            for suffix, pieces in files.items():
                _write(drafts[suffix], pieces)
            for suffix, draft in drafts.items():
                draft.replace(final.with_suffix(suffix))
        except OSError as error:
            for draft in drafts.values():
                draft.unlink(missing_ok=True)
            raise disk_problem(error, str(self._directory)) from error

    def _pack(self) -> list[bytes]:
        pieces = [b"PACK" + struct.pack(">2L", 2, len(self._entries)), *self._entries.values()]
        return [*pieces, _sha1(*pieces)]

    def _index(self, names: list[bytes], pack_sum: bytes) -> list[bytes]:
        """The index, version 2, of objects by their sorted names."""
        sizes = (len(entry) for entry in self._entries.values())
        offset = dict(zip(self._entries, accumulate(sizes, initial=12), strict=False))
        offsets: list[int] = []
        long_offsets: list[int] = []
        for name in names:
            if offset[name] < _FIRST_LONG:
                offsets.append(offset[name])
            else:
                offsets.append(_LONG | len(long_offsets))
                long_offsets.append(offset[name])
        count = [0] * 256
        for name in names:
            count[name[0]] += 1
        pieces = [
            b"\xfftOc" + struct.pack(">L", 2),
            struct.pack(">256L", *accumulate(count)),
            *names,
            struct.pack(f">{len(names)}L", *(zlib.crc32(self._entries[name]) for name in names)),
            struct.pack(f">{len(names)}L", *offsets),
            struct.pack(f">{len(long_offsets)}Q", *long_offsets),
            pack_sum,
        ]
        return [*pieces, _sha1(*pieces)]


def _header(kind: int, size: int) -> bytes:
    """An entry's type and size, seven bits a byte after the first four."""
    head, size = kind << 4 | size & 15, size >> 4
    out = bytearray()
    while size:
        out.append(head | 0x80)
        head, size = size & 0x7F, size >> 7
    out.append(head)
    return bytes(out)


def _sha1(*pieces: bytes) -> bytes:
    digest = hashlib.sha1(usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def _write(path: Path, pieces: list[bytes]) -> None:
    """Write a new file that nobody may change, to the disk itself."""
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        os.fchmod(file.fileno(), 0o444)
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
