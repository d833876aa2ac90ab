"""Decompress an archive as a stream: in a thread, within limits, and to its very end."""

from __future__ import annotations

import bz2
import io
import lzma
import queue
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from portkit.errors import EnvironmentProblem
from portkit.mirror.model import Readable

_CHUNK = 1 << 18
_QUEUED = 16  # blocks of _CHUNK that may wait between decompressor and reader


class BadArchive(EnvironmentProblem):
    """An archive is damaged, or holds what no release may hold; nothing of it was imported."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            what,
            where=name,
            hint="nothing was imported; check where the archive comes from or use another source",
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may take before it counts as a bomb.

    Attributes:
        unpacked: bytes after decompression.
        ratio: of unpacked to packed bytes, looked at after the first ``free`` bytes.
        free: unpacked bytes that need no justification.
        members: files, directories and links.
        path: bytes of one path.
    """

    unpacked: int = 16 << 30
    ratio: int = 200
    free: int = 64 << 20
    members: int = 1_000_000
    path: int = 1024


#: For archives of releases: the kernel unpacks to about 1.5 GiB, ten times its size.
LIMITS = Limits()


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """zlib with the interface that the standard library's bz2 and lzma have."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)
        self._rest = b""

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._rest and not self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._zlib.decompress(self._rest + data, max_length)
        self._rest = self._zlib.unconsumed_tail
        return out


class _Plain:
    """An archive that is not compressed."""

    eof = False
    needs_input = True
    unused_data = b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return data


def _decompressor(start: bytes) -> _Decompressor:
    if start.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=128 << 20)
    if start.startswith(b"BZh"):
        return bz2.BZ2Decompressor()
    if start.startswith(b"\x1f\x8b"):
        return _Gzip()
    return _Plain()


class Unpacked(io.RawIOBase):
    """The unpacked bytes of a stream, decompressed in a thread while the reader works.

    It is read in pieces and can be sought forward only; tarfile asks for no more. Closing it does
    not close the stream.

    Args:
        stream: gzip, bzip2 or xz, or anything else, which is given as it is.
        name: what messages call it.
        limits: what counts as a bomb.

    Raises:
        BadArchive: (while reading) it is damaged or a bomb.
    """

    def __init__(self, stream: Readable, name: str, limits: Limits) -> None:
        self._stream = stream
        self._name = name
        self._limits = limits
        self._queue: queue.Queue[bytes | Exception] = queue.Queue(_QUEUED)
        self._stop = threading.Event()
        self._block = memoryview(b"")
        self._position = 0
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="decompress", daemon=True)
        self._thread.start()

    def readable(self) -> bool:
        """See ``io.RawIOBase``."""
        return True

    def seekable(self) -> bool:
        """See ``io.RawIOBase``."""
        return True

    def tell(self) -> int:
        """How many bytes were read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Read on to an offset, or to the end; returns where that is."""
        if whence != io.SEEK_SET or offset < self._position:
            raise io.UnsupportedOperation("an archive is read once, forward")
        while self._position < offset and self._fill():
            self._take(offset - self._position)
        return self._position

    def read(self, size: int = -1) -> bytes:
        """So many bytes; fewer only at the end."""
        if size < 0:
            raise io.UnsupportedOperation("an archive is read in pieces")
        if size and self._fill() and len(self._block) >= size:
            return bytes(self._take(size))
        pieces = bytearray()
        while len(pieces) < size and self._fill():
            pieces += self._take(size - len(pieces))
        return bytes(pieces)

    def close(self) -> None:
        """End the thread; the rest of the stream is not read."""
        if not self.closed:
            self._stop.set()
            while self._thread.is_alive():
                self._drain()
                self._thread.join(0.01)
        super().close()

    def _take(self, size: int) -> memoryview:
        taken = self._block[:size]
        self._block = self._block[size:]
        self._position += len(taken)
        return taken

    def _fill(self) -> bool:
        """True when there are bytes to take."""
        while not self._block and not self._ended:
            item = self._queue.get()
            if isinstance(item, Exception):
                self._ended = True
                raise item
            self._block = memoryview(item)
            self._ended = not item
        return bool(self._block)

    def _drain(self) -> None:
        try:
            while True:
                self._queue.get_nowait()
        except queue.Empty:
            pass

    def _work(self) -> None:
        try:
            for block in self._blocks():
                self._queue.put(block)
                if self._stop.is_set():
                    return
            self._queue.put(b"")
        except EnvironmentProblem as error:
            self._queue.put(error)
        except (lzma.LZMAError, zlib.error, OSError, EOFError, ValueError) as error:
            bad = BadArchive(self._name, f"damaged archive ({' '.join(str(error).split())})")
            self._queue.put(bad)

    def _blocks(self) -> Iterator[bytes]:
        packed = self._stream.read(_CHUNK)
        machine = _decompressor(packed)
        plain = isinstance(machine, _Plain)
        read, unpacked = len(packed), 0
        fresh = True  # the decompressor has seen nothing yet
        while packed or not machine.needs_input:
            if not machine.eof:
                block = machine.decompress(packed, _CHUNK)
                fresh = False
                packed = b""
                unpacked += len(block)
                self._check(read, unpacked)
                if block:
                    yield block
            if machine.eof:  # another one may follow; zeros may pad it
                packed = machine.unused_data.lstrip(b"\0")
                if not packed:
                    packed = self._stream.read(_CHUNK).lstrip(b"\0")
                    read += len(packed)
                if not packed:
                    return
                machine, fresh = _decompressor(packed), True
                if isinstance(machine, _Plain):
                    raise BadArchive(self._name, "something follows the compressed data")
            elif machine.needs_input and not packed:
                packed = self._stream.read(_CHUNK)
                read += len(packed)
        if not plain and not (fresh or machine.eof):
            raise BadArchive(self._name, "the archive is cut off")

    def _check(self, read: int, unpacked: int) -> None:
        limits = self._limits
        if unpacked > limits.unpacked:
            raise BadArchive(self._name, f"unpacks to more than {limits.unpacked >> 20} MiB")
        if unpacked > limits.free and unpacked > read * limits.ratio:
            raise BadArchive(self._name, f"unpacks to more than {limits.ratio} times its size")
