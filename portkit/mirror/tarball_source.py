"""Releases as archives behind a URL template or a local path, verified before they are read."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, cast
from urllib.parse import urlsplit

from portkit.errors import EnvironmentProblem, UsageError
from portkit.manifest.model import TarballSource
from portkit.manifest.version import is_version, version_key
from portkit.mirror.source import (
    PATIENCE,
    Fetched,
    Progress,
    archive_file,
    not_there,
    probe,
    sha256_file,
    unreachable,
)
from portkit.mirror.unpack import LIMITS, BadArchive, Unpacked

_CHUNK = 1 << 16
_ATTEMPTS = 4  # each one goes on where the last one broke off
_LARGEST = 4 << 30  # bytes of an archive
_COMPRESSED = (".xz", ".gz", ".bz2")


class TarballClient:
    """A tarball source.

    Args:
        spec: the source, as the manifest has it.
        downloads: directory for archives; a part that is there is completed.
    """

    gap: str | None = None

    def __init__(self, spec: TarballSource, downloads: Path) -> None:
        self.name = spec.name
        self._spec = spec
        self._downloads = downloads
        self._remote = "://" in spec.url

    def versions(self) -> list[str]:
        """See ``SourceClient``: those of local files; a URL cannot be listed."""
        found = []
        if not self._remote:
            template = Path(self._spec.url)
            pattern = re.sub(r"\{\w+\}", "*", str(template.relative_to(template.anchor)))
            name = re.escape(self._spec.url).replace(r"\{version\}", "(?P<version>.+)", 1)
            path_pattern = re.compile(re.sub(r"\\\{\w+\\\}", ".+", name))
            for path in Path(template.anchor).glob(pattern):
                match = path_pattern.fullmatch(str(path))
                if (
                    match
                    and is_version(match["version"])
                    and self._location(self._spec.url, match["version"]) == str(path)
                ):
                    found.append(match["version"])
        return found

    @contextmanager
    def fetch(self, version: str, progress: Progress) -> Iterator[Fetched]:
        """See ``SourceClient``."""
        location = self._location(self._spec.url, version)
        if not self._remote:
            path = Path(location)
            if not path.is_file():
                raise not_there(self.name, version)
            digest = self._verified(path, version, progress)
        else:
            path, digest = self._download_verified(location, version, progress)
        try:
            with archive_file(path, digest) as fetched:
                yield fetched
        except BadArchive:
            if self._remote:
                path.unlink()  # or the next sync would take it for a finished download
            raise
        if self._remote:
            path.unlink()  # the release is in the mirror

    def _location(self, template: str, version: str) -> str:
        numbers = [*version_key(version)[0], 0, 0]
        return template.format(version=version, major=numbers[0], minor=numbers[1])

    def _download_verified(self, url: str, version: str, progress: Progress) -> tuple[Path, str]:
        probe(self.name, url)
        path = self._downloads / PurePosixPath(urlsplit(url).path).name
        resumed = path.exists() or path.with_name(path.name + ".part").exists()
        self._download(url, version, path, progress)
        try:
            return path, self._verified(path, version, progress)
        except EnvironmentProblem:
            if not resumed:
                raise
        # What was there before may have been a part of something else.
        self._download(url, version, path, progress)
        return path, self._verified(path, version, progress)

    def _download(self, url: str, version: str, path: Path, progress: Progress) -> None:
        """Download to a file, which appears when it is complete."""
        if path.exists():
            return
        part = path.with_name(path.name + ".part")
        part.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with part.open("ab") as file:
                    complete = _append(url, file, progress)
                if complete:
                    part.rename(path)
                    return
                problem = "the connection broke off"
            except urllib.error.HTTPError as error:
                if error.code in (404, 410):
                    part.unlink()
                    raise not_there(self.name, version) from error
                raise unreachable(self.name, f"HTTP status {error.code}") from error
            except (TimeoutError, urllib.error.URLError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", error)
                problem = str(getattr(reason, "strerror", None) or reason)
            except ConnectionError as error:
                problem = error.strerror or str(error)
            except OSError as error:
                raise EnvironmentProblem(
                    error.strerror or str(error),
                    where=str(error.filename or part),
                    hint="make room or fix the permissions; what is there is kept and completed",
                ) from error
            if attempt == _ATTEMPTS or not part.stat().st_size:
                raise unreachable(self.name, problem)

    def _verified(self, path: Path, version: str, progress: Progress) -> str:
        """The digest of an archive that is the expected one; another one is removed."""
        digest = sha256_file(path, progress)
        pinned = self._spec.sha256.get(version)
        try:
            if pinned is not None and digest != pinned:
                raise EnvironmentProblem(
                    f"wrong digest: it has {digest}, portkit.toml wants {pinned}",
                    where=f"source {self.name}: {path.name}",
                    hint="nothing was imported; find out which is right before changing the pin",
                )
            if self._spec.signature is not None:
                self._check_signature(path, self._location(self._spec.signature, version))
        except EnvironmentProblem:
            if self._remote:
                path.unlink()
            raise
        return digest

    def _check_signature(self, archive: Path, location: str) -> None:
        where = f"source {self.name}: {archive.name}"
        gpgv = shutil.which("gpgv")
        if gpgv is None:
            raise EnvironmentProblem(
                "gpgv is not installed, which checks the signature", where=where,
                hint="install the package gpgv",
            )  # fmt: skip
        keyring = self._spec.keyring
        if keyring is None or not keyring.is_file():
            raise UsageError(
                f"there is no keyring {keyring}", where=f"source {self.name}",
                hint="correct 'keyring' in portkit.toml",
            )  # fmt: skip
        signature = archive.with_name(archive.name + ".signature") if self._remote else None
        try:
            if signature is not None:
                signature.unlink(missing_ok=True)
                with signature.open("wb") as target:
                    _append(location, target, lambda *_: None)
            signed_name = PurePosixPath(urlsplit(location).path).stem
            with archive.open("rb") as file, _signed(file, archive, signed_name) as stream:
                process = subprocess.Popen(
                    [gpgv, "--keyring", str(keyring), str(signature or location), "-"],
                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                    env={**os.environ, "LC_ALL": "C"},
                )  # fmt: skip
                try:
                    assert process.stdin is not None
                    shutil.copyfileobj(stream, process.stdin, _CHUNK)
                except BrokenPipeError:
                    pass  # it has seen enough; its own words follow
                _, err = process.communicate()
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            raise EnvironmentProblem(
                f"the signature cannot be had ({error})", where=where,
                hint="nothing was imported; try again or use another source",
            ) from error  # fmt: skip
        finally:
            if signature is not None:
                signature.unlink(missing_ok=True)
        if process.returncode != 0:
            lines = err.decode(errors="replace").strip().splitlines() or ["gpgv gave no reason"]
            raise EnvironmentProblem(
                f"the signature is not good ({lines[-1].removeprefix('gpgv: ')})", where=where,
                hint="nothing was imported; check the keyring and where the archive comes from",
            )  # fmt: skip


def _signed(file: IO[bytes], archive: Path, signed_name: str) -> IO[bytes]:
    """What a signature is over: the archive, or (kernel.org) what it unpacks to."""
    if archive.suffix in _COMPRESSED and archive.stem == signed_name:
        return cast(IO[bytes], Unpacked(file, archive.name, LIMITS))
    return file


class _NoDowngrade(urllib.request.HTTPRedirectHandler):
    """Follows a redirection, but not from https to anything else."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise urllib.error.URLError(f"redirected to {newurl}, which is not secure")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _append(url: str, file: IO[bytes], progress: Progress) -> bool:
    """Download what a file lacks. Returns False when the connection ended before the last byte."""
    have = file.seek(0, os.SEEK_END)
    request = urllib.request.Request(url, headers={"User-Agent": "portkit"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    opener = urllib.request.build_opener(_NoDowngrade)
    try:
        response = opener.open(request, timeout=PATIENCE)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:
            raise
        file.truncate(0)  # there is nothing behind what we have: begin anew
        return _append(url, file, progress)
    with response:
        if have and response.status != 206:
            file.truncate(0)
            have = 0
        rest = response.headers.get("Content-Length")
        total = have + int(rest) if rest and rest.isdigit() else None
        while chunk := response.read(_CHUNK):
            have += len(chunk)
            if have > _LARGEST:
                raise urllib.error.URLError(f"larger than {_LARGEST >> 20} MiB")
            file.write(chunk)
            progress("download", have, total)
    return total is None or have == total
