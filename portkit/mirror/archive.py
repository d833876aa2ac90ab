"""Read a release out of a tar archive as a stream; nothing is unpacked to disk.

The archive is not trusted. What could harm is refused with one clear line, and because the
mirror makes a release visible only after its last entry, a refusal leaves no trace there.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import IO, Any, Self

from portkit.mirror.model import Entry, Readable
from portkit.mirror.unpack import LIMITS, BadArchive, Limits, Unpacked
from portkit.tarheader import StrictHeader


class _Header(StrictHeader):
    """A header of a member, read strictly and fast.

    The plain headers that nearly every member has are read here, as tarfile's general way costs
    as much as half of the decompression.
    """

    @classmethod
    def read(
        cls, general: Any, buf: bytes | bytearray, encoding: str, errors: str, **options: bool
    ) -> Self:
        """See ``StrictHeader.read``."""
        if len(buf) == tarfile.BLOCKSIZE and buf[156] in b"05" and buf[257:263] == b"ustar\0":
            header = cls._plain(bytes(buf), encoding, errors)
            if header is not None:
                return header
        return super().read(general, buf, encoding, errors, **options)

    @classmethod
    def _plain(cls, buf: bytes, encoding: str, errors: str) -> Self | None:
        """A POSIX header of a file or directory; None when something about it is special."""
        try:
            checksum = int(buf[148:156].rstrip(b" \0"), 8)
            mode = int(buf[100:108].rstrip(b" \0"), 8)
            size = int(buf[124:136].rstrip(b" \0"), 8)
            mtime = int(buf[136:148].rstrip(b" \0"), 8)
        except ValueError:
            return None
        if sum(buf) - sum(buf[148:156]) + 8 * ord(" ") != checksum or min(mode, size, mtime) < 0:
            return None
        name = buf[:100].partition(b"\0")[0]
        prefix = buf[345:500].partition(b"\0")[0]
        header = cls((prefix + b"/" + name if prefix else name).decode(encoding, errors))
        header.type = buf[156:157]
        if header.type == tarfile.REGTYPE and name.endswith(b"/"):
            return None
        header.name = header.name.rstrip("/")
        header.mode, header.size, header.mtime, header.chksum = mode, size, mtime, checksum
        return header


class ArchiveReader:
    """The files of a release in a tar archive (plain, gzip, bzip2 or xz).

    Attributes:
        date: after the last entry: the newest modification time of a file that was kept, in
            seconds since 1970. ``git archive`` gives every file the date of the commit.
        missing: after the last entry: parts of the subtree that the archive does not have.

    Args:
        stream: the archive's bytes.
        name: what messages call it.
        subtree: files and directories to keep; empty means all.
        limits: what counts as a bomb.
    """

    def __init__(
        self,
        stream: Readable,
        name: str,
        subtree: tuple[str, ...] = (),
        limits: Limits = LIMITS,
    ) -> None:
        self.date = 0
        self.missing: tuple[str, ...] = subtree
        self._stream = stream
        self._name = name
        self._limits = limits
        self._subtree = {path.encode() for path in subtree}
        self._ancestors = {
            b"/".join(path.split(b"/")[:depth])
            for path in self._subtree
            for depth in range(path.count(b"/") + 1)
        }
        self._depth = max((path.count("/") + 1 for path in subtree), default=0)

    def entries(self) -> Iterator[Entry]:
        """The files to keep, in the archive's order, without the top directory.

        The whole archive is read to its end, so that damage behind the last file is seen.

        Raises:
            BadArchive: it is damaged or hostile; what was yielded before must be discarded.
        """
        source = Unpacked(self._stream, self._name, self._limits)
        try:
            yield from self._entries(source)
        except (tarfile.TarError, UnicodeError, ValueError, OverflowError) as error:
            text = " ".join(str(error).split()) or type(error).__name__
            raise BadArchive(self._name, f"damaged archive ({text})") from error
        finally:
            source.close()

    def _entries(self, source: Unpacked) -> Iterator[Entry]:
        tree = _Tree()
        found: set[bytes] = set()
        top: bytes | None = None
        unwanted: set[str] = set()  # directories without anything of the subtree
        with tarfile.open(fileobj=source, mode="r:", tarinfo=_Header) as tar:
            for member in self._members(tar):
                directory, _, base = member.name.rpartition("/")
                if directory in unwanted and member.isreg() and not base.startswith("."):
                    continue  # a short cut for most of a large archive
                parts = self._parts(member)
                if not parts:
                    continue
                if top is None:
                    top = parts[0]
                if parts[0] != top or (len(parts) == 1 and not member.isdir()):
                    raise self._bad("is not below the archive's top directory", member)
                self._check_kind(member)
                kept = self._kept(parts[1:])
                if kept is None and parts[1:] and b"/".join(parts[1:-1]) not in self._ancestors:
                    unwanted.add(directory)
                if member.isdir() or kept is None:
                    continue
                found.add(kept)
                entry = self._entry(tar, member, parts[1:])
                problem = tree.add(parts[1:], entry)
                if problem:
                    raise self._bad(problem, member)
                yield entry
            source.seek(1 << 62)  # to the end
        self.missing = tuple(path.decode() for path in sorted(self._subtree - found))
        if not tree.files:
            raise BadArchive(self._name, "has nothing of the files that are wanted")

    def _members(self, tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
        count = 0
        while (member := tar.next()) is not None:
            tar.members = []  # type: ignore[attr-defined]  # or it remembers every one
            count += 1
            if count > self._limits.members:
                raise BadArchive(self._name, f"has more than {self._limits.members} members")
            yield member

    def _parts(self, member: tarfile.TarInfo) -> list[bytes]:
        path = _raw(member.name)
        if len(path) > self._limits.path:
            raise BadArchive(self._name, f"a path is longer than {self._limits.path} bytes")
        if path.startswith(b"/"):
            raise self._bad("is an absolute path", member)
        parts = [part for part in path.split(b"/") if part not in (b"", b".")]
        if b".." in parts:
            raise self._bad("leads out of the archive", member)
        if b"\0" in path:
            raise self._bad("has a zero byte in its path", member)
        return parts

    def _check_kind(self, member: tarfile.TarInfo) -> None:
        if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
            kinds = {
                tarfile.CHRTYPE: "a device node",
                tarfile.BLKTYPE: "a device node",
                tarfile.FIFOTYPE: "a named pipe",
            }
            raise self._bad(f"is {kinds.get(member.type, 'of an unknown kind')}", member)
        if member.issparse():
            raise self._bad("is a sparse file", member)

    def _kept(self, parts: list[bytes]) -> bytes | None:
        """The part of the subtree that a path is in, or None."""
        if not self._subtree:
            return b""
        for depth in range(1, min(len(parts), self._depth) + 1):
            path = b"/".join(parts[:depth])
            if path in self._subtree:
                return path
        return None

    def _entry(self, tar: tarfile.TarFile, member: tarfile.TarInfo, parts: list[bytes]) -> Entry:
        if any(part.lower() in (b".git", b"git~1") for part in parts):
            raise self._bad("is git's own directory", member)
        path = b"/".join(parts)
        if member.issym():
            target = _raw(member.linkname)
            if not _stays_inside(parts, target):
                raise self._bad("links out of the tree", member)
            return Entry(path, "120000", len(target), io.BytesIO(target))
        mode = "100755" if member.mode & 0o100 else "100644"
        if member.islnk():
            original = [part for part in _raw(member.linkname).split(b"/") if part != b"."]
            return Entry(path, mode, 0, io.BytesIO(), copy_of=b"/".join(original[1:]))
        self.date = max(self.date, min(int(member.mtime), 1 << 34))
        data = tar.extractfile(member)
        assert data is not None  # it is a regular file
        return Entry(path, mode, member.size, _Content(data, self._name))

    def _bad(self, what: str, member: tarfile.TarInfo) -> BadArchive:
        shown = _raw(member.name).decode(errors="replace")[:200]
        return BadArchive(self._name, f"the member {shown!r} {what}")


class _Content:
    """The content of one file, whose damage is reported as that of the archive."""

    def __init__(self, data: IO[bytes], name: str) -> None:
        self._data = data
        self._name = name

    def read(self, size: int = -1) -> bytes:
        """Up to so many bytes, all that are left by default.

        Raises:
            BadArchive: the archive ends before the file does.
        """
        try:
            return self._data.read(size)
        except tarfile.TarError as error:
            raise BadArchive(self._name, "the archive is cut off") from error


class _Tree:
    """The paths seen so far: no path twice, and no path below a file."""

    def __init__(self) -> None:
        self.files: dict[bytes, str] = {}
        self._directories: set[bytes] = set()

    def add(self, parts: list[bytes], entry: Entry) -> str | None:
        """Note an entry. Returns what is wrong with it, or None."""
        if entry.path in self.files or entry.path in self._directories:
            return "is there twice"
        for depth in range(len(parts) - 1, 0, -1):
            parent = b"/".join(parts[:depth])
            if parent in self._directories:
                break
            if parent in self.files:
                return "is below a file or link"
            self._directories.add(parent)
        if entry.copy_of is not None and self.files.get(entry.copy_of, "120000") == "120000":
            return "is a hard link to no file before it that is kept"
        self.files[entry.path] = entry.mode
        return None


def _raw(text: str) -> bytes:
    """A name as the bytes that were in the archive."""
    return text.encode("utf-8", "surrogateescape")


def _stays_inside(parts: list[bytes], target: bytes) -> bool:
    """True when a link cannot lead out of the tree, whatever other links there are.

    Upward steps are only allowed at the start, where they are taken from a real directory: behind
    the name of another link they would be taken from wherever that one leads.
    """
    if not target or target.startswith(b"/") or b"\0" in target or b"\n" in target:
        return False
    steps = [step for step in target.split(b"/") if step not in (b"", b".")]
    upward = 0
    while upward < len(steps) and steps[upward] == b"..":
        upward += 1
    return upward < len(parts) and b".." not in steps[upward:]
