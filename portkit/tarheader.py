"""Headers of tar archives, read strictly.

``tarfile`` takes a damaged header for the archive's end, and goes back in the file for a negative
size. For archives that are not trusted both are errors.
"""

from __future__ import annotations

import tarfile
from typing import Any, Self


class StrictHeader(tarfile.TarInfo):
    """For the argument ``tarinfo`` of ``tarfile.open``."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """See ``tarfile.TarInfo.frombuf``."""
        return cls.read(super().frombuf, buf, encoding, errors)

    # Pythons with the security repairs of 2025, Debian 12's 3.11.2 among them, read headers through
    # this one and never through frombuf().
    @classmethod
    def _frombuf(
        cls, buf: bytes | bytearray, encoding: str, errors: str, **options: bool
    ) -> Self:
        general: Any = super()
        return cls.read(general._frombuf, buf, encoding, errors, **options)

    @classmethod
    def read(
        cls, general: Any, buf: bytes | bytearray, encoding: str, errors: str, **options: bool
    ) -> Self:
        """A header.

        Args:
            general: tarfile's way to read it, for the other arguments.
            buf: the block.
            encoding: of names.
            errors: how names are decoded that are not of that encoding.
            options: for ``general``.

        Raises:
            tarfile.HeaderError: the block is zero, the regular end.
            tarfile.ReadError: it is damaged, or not whole.
        """
        try:
            header: Self = general(buf, encoding, errors, **options)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise
            what = "the archive is cut off" if len(buf) < tarfile.BLOCKSIZE else str(error)
            raise tarfile.ReadError(what) from error
        if header.size < 0:
            raise tarfile.ReadError("negative size")
        return header
