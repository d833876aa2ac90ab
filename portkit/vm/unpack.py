"""Unpack a tar archive that is not trusted: a distribution set, or what a machine hands back.

Nothing is written outside the target directory, whatever the archive or the target holds: no
path is absolute or has ``..``, and no directory of a path may be a symbolic link.
"""

from __future__ import annotations

import filecmp
import lzma
import os
import stat
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self

from portkit.errors import EnvironmentProblem
from portkit.tarheader import StrictHeader

_EXTENDED_MAX = 1 << 20  # bytes of a header that carries a long path or attributes
_MEMBERS_MAX = 500_000
_EXTENDED = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip


class BadArchive(EnvironmentProblem):
    """An archive is damaged, or holds what is not unpacked."""


class _Member(StrictHeader):
    """A header; one that is read into memory with what follows has a bounded size."""

    @classmethod
    def read(
        cls, general: Any, buf: bytes | bytearray, encoding: str, errors: str, **options: bool
    ) -> Self:
        """See ``StrictHeader.read``."""
        member = super().read(general, buf, encoding, errors, **options)
        if member.type in _EXTENDED and member.size > _EXTENDED_MAX:
            raise tarfile.ReadError("a header of impossible size")
        return member


def unpack(
    stream: IO[bytes],
    name: str,
    into: Path,
    wanted: Callable[[str], str | None] = lambda path: path,
    *,
    limit: int,
) -> list[str]:
    """Unpack the wanted members of an archive; files that are there already are replaced.

    A file whose content would stay is not touched. Set-user-id bits, owners and flags are not
    taken over.

    Args:
        stream: the archive, plain or compressed with gzip, bzip2 or xz.
        name: what messages call it.
        into: an existing directory.
        wanted: from a member's path to its path below ``into``, or None to leave it out.
        limit: bytes that all members may hold together.

    Returns:
        The paths below ``into`` that were written, without directories, in the archive's order.

    Raises:
        BadArchive: it is damaged or hostile; what came before stays unpacked.
    """
    written: list[str] = []
    at: dict[str, Path] = {}  # regular files by their path in the archive
    try:
        with tarfile.open(
            fileobj=stream, mode="r|*", tarinfo=_Member, encoding="utf-8", errors="surrogateescape"
        ) as tar:
            for count, member in enumerate(tar):
                tar.members = []  # type: ignore[attr-defined]  # or it keeps every one
                limit -= member.size
                if limit < 0 or count >= _MEMBERS_MAX:
                    raise _bad(name, "unpacks to more than is allowed")
                source = _clean(name, member.name)
                target = wanted(source) if source else None
                if target is None:
                    continue
                path = _below(name, into, _clean(name, target))
                if member.isdir():
                    _directory(name, path, member.mode)
                    continue
                if path.is_dir() and not path.is_symlink():
                    raise _bad(name, "takes the place of a directory", path)
                if member.isreg() and not member.issparse():
                    content = tar.extractfile(member)
                    assert content is not None
                    changed = _file(path, content, member)
                    at[source] = path
                elif member.issym():
                    changed = _symlink(path, member.linkname)
                elif member.islnk() and (original := _clean(name, member.linkname)) in at:
                    changed = _hard_link(path, at[original])
                    at[source] = path
                else:
                    raise _bad(name, "is neither a file, a directory nor a link", path)
                if changed:
                    written.append(path.relative_to(into).as_posix())
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, ValueError) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise _bad(name, f"damaged archive ({text})") from error
    return written


def _bad(name: str, what: str, path: Path | str | None = None) -> BadArchive:
    which = f"{str(path)!r} " if path is not None else ""
    return BadArchive(f"{which}{what}", where=name, hint="check where the archive comes from")


def _clean(name: str, path: str) -> str:
    """A member's path without ``./``; empty for the top itself."""
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or "\0" in path:
        raise _bad(name, "leads out of the archive", path)
    return "/".join(parts)


def _below(name: str, into: Path, path: str) -> Path:
    """The path in the target directory, its parents made and none of them a link."""
    *parents, last = PurePosixPath(path).parts
    directory = into
    for part in parents:
        directory /= part
        _directory(name, directory, 0o755)
    return directory / last


def _directory(name: str, path: Path, mode: int) -> None:
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        path.mkdir()
        path.chmod((mode & 0o777) | 0o700)
        return
    if not stat.S_ISDIR(kind):
        raise _bad(name, "is not a directory, but something is to go below it", path)


def _file(path: Path, content: IO[bytes], member: tarfile.TarInfo) -> bool:
    mode = (member.mode & 0o777) | 0o600
    fd, temporary = tempfile.mkstemp(prefix=".portkit-", dir=path.parent)
    new = Path(temporary)
    try:
        with os.fdopen(fd, "wb") as file:
            while block := content.read(1 << 20):
                file.write(block)
        if path.is_file() and not path.is_symlink() and filecmp.cmp(new, path, shallow=False):
            changed = stat.S_IMODE(path.stat().st_mode) != mode
            path.chmod(mode)
            return changed
        new.chmod(mode)
        os.utime(new, (member.mtime, member.mtime))
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return True


def _symlink(path: Path, target: str) -> bool:
    if path.is_symlink() and os.readlink(path) == target:  # noqa: PTH115  (Path normalises)
        return False
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    return True


def _hard_link(path: Path, original: Path) -> bool:
    if path.exists() and not path.is_symlink() and path.samefile(original):
        return False
    path.unlink(missing_ok=True)
    os.link(original, path, follow_symlinks=False)  # hardlink_to follows links
    return True
