"""The slim distfile: the part of a release that a port is built from, as a reproducible archive.

The bytes depend on the release, the wanted paths and liblzma alone: members sorted, owner 0,
modes 0644 and 0755, the release's date on every file, one xz stream of fixed settings.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from portkit.errors import EnvironmentProblem, UsageError
from portkit.gitio import GitRepo
from portkit.mirror.model import Release
from portkit.port.model import Distfile

_FORMAT = 1  # part of the cache's key: raise it when the bytes change for the same release
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6}]
_BATCH = 512  # blobs read in one go, so that memory stays small


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A file of a release's tree: its git mode, object id and path."""

    mode: str
    oid: str
    path: str


def release_date(repo: GitRepo, release: Release) -> int:
    """Date of a release in seconds since 1970."""
    return int(repo.text("show", "--no-patch", "--format=%ct", release.commit))


def tree_files(repo: GitRepo, tree: str, paths: Sequence[str]) -> list[TreeFile]:
    """The files below some paths of a tree, sorted by path.

    Raises:
        UsageError: a path is not in the tree.
    """
    found = []
    for line in repo.run("ls-tree", "-r", "-z", tree).decode(errors="surrogateescape").split("\0"):
        if line:
            head, _, path = line.partition("\t")
            mode, _, oid = head.split(" ")
            found.append(TreeFile(mode, oid, path))
    wanted: list[TreeFile] = []
    for path in paths:
        below = [file for file in found if file.path == path or file.path.startswith(f"{path}/")]
        if not below:
            raise UsageError(
                f"the release has no {path!r}",
                where="dist",
                hint="take it out of the port's 'dist' list, or add it to the upstream's subtree",
            )
        wanted += below
    return sorted(set(wanted), key=lambda file: file.path)


def make_distfile(
    repo: GitRepo, release: Release, paths: Sequence[str], directory: Path
) -> tuple[Path, Distfile]:
    """Write ``<upstream>-<version>.tar.xz`` and prove it against the release; or reuse it.

    Args:
        repo: the mirror of the upstream.
        release: the release.
        paths: files and directories of its tree.
        directory: where the file goes; made when it is missing.

    Returns:
        The file and its digest and size.

    Raises:
        UsageError: a path is not in the release.
        EnvironmentProblem: the disk refuses.
    """
    stem = f"{release.upstream}-{release.version}"
    target = directory / f"{stem}.tar.xz"
    key = hashlib.sha256(
        json.dumps([_FORMAT, release.tree, release_date(repo, release), sorted(paths)]).encode()
    ).hexdigest()
    note = directory / f"{stem}.json"
    known = _cached(target, note, key)
    if known is not None:
        return target, known
    files = tree_files(repo, release.tree, paths)
    partial = directory / f"{stem}.partial"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with lzma.open(
            partial, "wb", format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC64, filters=_FILTERS
        ) as out:
            _write_tar(out, repo, files, stem, release_date(repo, release))
        verify_distfile(partial, files, stem)
        made = Distfile(target.name, _sha256(partial), partial.stat().st_size)
        partial.replace(target)
        note.write_text(json.dumps({"key": key, "sha256": made.sha256, "size": made.size}) + "\n")
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise EnvironmentProblem(
            error.strerror or str(error),
            where=str(error.filename or partial),
            hint="make room or fix the permissions and run again",
        ) from error
    return target, made


def verify_distfile(path: Path, files: Sequence[TreeFile], top: str) -> None:
    """Compare an archive with a tree: the same files, each with upstream's very blob.

    Raises:
        EnvironmentProblem: a file is missing, added or differs (a broken disk or liblzma).
    """
    expected = {f"{top}/{file.path}": file for file in files}
    with tarfile.open(path, "r:xz") as archive:
        for member in archive:
            file = expected.pop(member.name, None)
            data = _content(archive, member)
            blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            if file is None or file.oid != blob or file.mode != _git_mode(member):
                raise EnvironmentProblem(
                    f"{member.name} is not upstream's file", where=str(path), hint="run again"
                )
    if expected:
        raise EnvironmentProblem(f"{min(expected)} is missing", where=str(path), hint="run again")


def _cached(target: Path, note: Path, key: str) -> Distfile | None:
    try:
        data = json.loads(note.read_text())
        found = Distfile(target.name, _sha256(target), target.stat().st_size)
    except (OSError, ValueError):
        return None
    same = data == {"key": key, "sha256": found.sha256, "size": found.size}
    return found if same else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_tar(
    out: lzma.LZMAFile, repo: GitRepo, files: Sequence[TreeFile], top: str, date: int
) -> None:
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for file, data in _contents(repo, files):
            member = tarfile.TarInfo(f"{top}/{file.path}")
            member.mtime = date
            member.mode = 0o755 if file.mode == "100755" else 0o644
            if file.mode == "120000":
                member.type, member.linkname = tarfile.SYMTYPE, data.decode()
                archive.addfile(member)
            else:
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))


def _contents(repo: GitRepo, files: Sequence[TreeFile]) -> Iterator[tuple[TreeFile, bytes]]:
    for start in range(0, len(files), _BATCH):
        batch = files[start : start + _BATCH]
        for file, blob in zip(batch, repo.cat_file(file.oid for file in batch), strict=True):
            if blob is None:
                raise EnvironmentProblem(
                    f"the mirror lost {file.path}", where=str(repo.path), hint="sync it again"
                )
            yield file, blob.data


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.issym():
        return member.linkname.encode()
    stream = archive.extractfile(member)
    return stream.read() if stream is not None else b""


def _git_mode(member: tarfile.TarInfo) -> str:
    if member.issym():
        return "120000"
    return "100755" if member.mode == 0o755 else "100644"
