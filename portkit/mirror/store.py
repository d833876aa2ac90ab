"""The mirror of one upstream: a bare repository with one parentless commit a release."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from portkit.errors import EnvironmentProblem, UsageError
from portkit.gitio import GitFailed, GitRepo
from portkit.manifest.model import Manifest, Upstream
from portkit.manifest.version import is_version, version_key
from portkit.mirror.model import Entry, Readable, Release

_RELEASES = "refs/releases/"
_INCOMING = "refs/incoming/"
_CHUNK = 1 << 16
_MANY_PACKS = 20


class Mirror:
    """The releases of one upstream below ``.portkit/mirror/``.

    Attributes:
        upstream: the upstream, as the manifest has it.
        repo: its bare repository; it exists once something was mirrored.

    Args:
        manifest: the project's manifest.
        upstream_name: an upstream in it.

    Raises:
        UsageError: there is no such upstream.
    """

    def __init__(self, manifest: Manifest, upstream_name: str) -> None:
        if upstream_name not in manifest.upstreams:
            raise UsageError(
                f"there is no upstream {upstream_name!r}",
                where=manifest.path.name,
                hint=f"known are: {', '.join(manifest.upstreams) or 'none'}",
            )
        self.upstream: Upstream = manifest.upstreams[upstream_name]
        self.repo = GitRepo(manifest.state_dir / "mirror" / f"{upstream_name}.git")

    @property
    def subtree_id(self) -> str:
        """Digest of the subtree in use: a release made for another one is not mirrored."""
        return hashlib.sha256("\0".join(sorted(self.upstream.subtree)).encode()).hexdigest()[:16]

    def releases(self) -> list[Release]:
        """The mirrored releases, oldest first."""
        if not (self.repo.path / "HEAD").exists():
            return []
        prefix = len(_RELEASES.split("/")) - 1
        out = self.repo.text(
            "for-each-ref",
            f"--format=%(refname:lstrip={prefix}) %(objectname) %(tree) %(contents:body)",
            _RELEASES,
        )
        found = []
        for line in filter(None, out.splitlines()):
            version, commit, tree, *body = line.split(" ")
            if body == ["Subtree:", self.subtree_id]:
                found.append(Release(self.upstream.name, version, commit, tree))
        return sorted(found, key=lambda release: version_key(release.version))

    def release(self, version: str) -> Release:
        """One mirrored release.

        Raises:
            UsageError: this is not a version.
            EnvironmentProblem: the release is not mirrored.
        """
        if not is_version(version):
            raise UsageError(f"{version!r} is not a version", hint="give numbers like 6.12.107")
        for release in self.releases():
            if release.version == version:
                return release
        raise EnvironmentProblem(
            f"release {version} of {self.upstream.name} is not mirrored",
            hint=f"run 'portkit sync {self.upstream.name} --version {version}'",
        )

    def prepare(self) -> None:
        """Create the repository, and clear away what an interrupted import has left.

        The project's lock is held. Raises EnvironmentProblem when the disk refuses.
        """
        try:
            if not (self.repo.path / "HEAD").exists():
                GitRepo.init_bare(self.repo.path).run("config", "core.compression", "1")
            self.repo.sweep()
        except OSError as error:
            raise EnvironmentProblem(
                error.strerror or str(error),
                where=str(error.filename or self.repo.path),
                hint="make room or fix the permissions and run again",
            ) from error
        stale = self.repo.refs(_INCOMING)
        if stale:
            self.repo.update_refs(dict.fromkeys(stale))

    def import_release(
        self,
        version: str,
        entries: Iterable[Entry],
        date: Callable[[], int],
        accept: Callable[[Release], None] = lambda release: None,
    ) -> Release:
        """Take a release in; it exists in the mirror only when all of it was accepted.

        Args:
            version: of the release.
            entries: its files, in any order.
            date: asked after the last entry: seconds since 1970.
            accept: asked with the finished release before it becomes visible; raises to refuse.

        Raises:
            EnvironmentProblem: the disk is full, or git refused something else.
        """
        incoming = _INCOMING + version
        others = self._packs()
        try:
            self._write(incoming, version, entries, date)
        except GitFailed as error:
            raise EnvironmentProblem(
                error.what,
                where=str(self.repo.path),
                hint="nothing was imported; make room if the disk is full, and run again",
            ) from error
        commit, tree = self.repo.text(
            "rev-parse", f"{incoming}^{{commit}}", f"{incoming}^{{tree}}"
        ).split()
        release = Release(self.upstream.name, version, commit, tree)
        try:
            accept(release)
        except BaseException:
            self.repo.update_refs({incoming: None})
            raise
        self.repo.update_refs({_RELEASES + version: commit, incoming: None})
        for pack in self._packs() - others:
            pack.with_suffix(".keep").touch()
        return release

    def tidy(self) -> None:
        """Join the packs that runs of 'apply' have left when they are many.

        What nothing needs goes; a release's pack is large and stays as it is. The project's lock
        is held.

        Raises:
            EnvironmentProblem: the disk refuses; then nothing is lost.
        """
        if len(self._packs()) > _MANY_PACKS:
            self.repo.run("repack", "-a", "-d", "-F", "-l", "--quiet", "--no-write-bitmap-index")
            self.repo.run("prune", "--expire=2.weeks.ago")  # of 'git add' in a checkout

    def _packs(self) -> set[Path]:
        """The packs that hold no release."""
        packs = (self.repo.path / "objects" / "pack").glob("*.pack")
        return {pack for pack in packs if not pack.with_suffix(".keep").exists()}

    def _write(
        self, ref: str, version: str, entries: Iterable[Entry], date: Callable[[], int]
    ) -> None:
        """Write a release's objects and its commit, to which a ref then points."""
        with self.repo.fast_import("--depth=0", "--force") as stream:
            files: dict[bytes, tuple[str, int]] = {}  # path -> mode and mark
            for number, entry in enumerate(entries, start=1):
                if entry.copy_of is not None:
                    files[entry.path] = entry.mode, files[entry.copy_of][1]
                    continue
                stream.write(b"blob\nmark :%d\ndata %d\n" % (number, entry.size))
                _copy_exactly(entry.data, stream, entry.size)
                stream.write(b"\n")
                files[entry.path] = entry.mode, number
            stream.write(_commit_header(ref, version, date(), self.subtree_id))
            for path, (mode, mark) in files.items():
                stream.write(b"M %s :%d %s\n" % (mode.encode(), mark, _quote(path)))


def _copy_exactly(source: Readable, target: IO[bytes], size: int) -> None:
    """Copy ``size`` bytes.

    Raises:
        EOFError: the source ends before.
    """
    while size:
        chunk = source.read(min(size, _CHUNK))
        if not chunk:
            raise EOFError
        target.write(chunk)
        size -= len(chunk)


def _commit_header(ref: str, version: str, seconds: int, subtree_id: str) -> bytes:
    message = f"{version}\n\nSubtree: {subtree_id}\n".encode()
    return (
        f"commit {ref}\ncommitter portkit <portkit@localhost> {seconds} +0000\n".encode()
        + b"data %d\n" % len(message)
        + message
        + b"deleteall\n"
    )


def _quote(path: bytes) -> bytes:
    """A path as fast-import reads it back, whatever bytes are in it."""
    plain = path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + plain + b'"'
