"""An upstream that serves its releases in every way, and projects that take them."""

from __future__ import annotations

import lzma
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from portkit.manifest.load import load_manifest
from portkit.mirror.store import Mirror
from portkit.mirror.sync import SyncResult, sync_upstream

VERSIONS = ["1.0", "1.0.1", "1.0.2", "1.1"]


def git(directory: Path, *args: str, date: int = 1_500_000_000) -> str:
    env = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_DATE": f"{date} +0000",
        "GIT_COMMITTER_DATE": f"{date} +0000",
    }
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    return subprocess.run(
        ["git", "-C", directory, *identity, *args], env=env, check=True, capture_output=True,
        text=True,
    ).stdout  # fmt: skip


@pytest.fixture(scope="session")
def upstream_git(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a tag for every release, as upstream would have it."""
    root = tmp_path_factory.mktemp("upstream")
    git(root, "init", "--quiet")
    git(root, "config", "uploadpack.allowFilter", "true")
    git(root, "config", "uploadpack.allowAnySHA1InWant", "true")
    (root / "src").mkdir()
    (root / "docs").mkdir()
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "src" / "link.h").symlink_to("../include.h")
    (root / "include.h").write_text("#define X\n")
    (root / ".gitattributes").write_text("VERSION export-subst\nsecret export-ignore\n")
    (root / "secret").write_text("not in an archive\n")
    for number, version in enumerate(VERSIONS):
        (root / "VERSION").write_text("$Format:%cd$\n")
        (root / "src" / "main.c").write_text(f'char v[] = "{version}";\n')
        (root / "docs" / "text").write_text(f"about {version}\n")
        git(root, "add", "-A")
        git(root, "commit", "--quiet", "-m", version, date=1_500_000_000 + number)
        git(root, "tag", "-a", "-m", version, f"v{version}")
    git(root, "tag", "v1.0.3-rc1")
    git(root, "tag", "not-a-release")
    return root


@pytest.fixture(scope="session")
def tarballs(upstream_git: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archives that upstream makes of its tags."""
    root = tmp_path_factory.mktemp("tarballs")
    for version in VERSIONS:
        path = root / f"up-{version}.tar"
        git(upstream_git, "archive", f"--prefix=up-{version}/", "-o", str(path), f"v{version}")
        (root / f"up-{version}.tar.xz").write_bytes(lzma.compress(path.read_bytes()))
    return root


class Server(ThreadingHTTPServer):
    """A web server for one directory that can be told to behave badly."""

    directory: Path
    log: list[tuple[str, str | None]]
    break_off_after: int | None = None
    ranges = True


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.log.append((self.path, wanted))
        path = self.server.directory / self.path.lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        start = int(re.findall(r"\d+", wanted)[0]) if wanted and self.server.ranges else 0
        if start and start >= len(data):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        stop = self.server.break_off_after
        self.wfile.write(data[start:] if stop is None else data[start : start + stop])


@pytest.fixture
def server(tarballs: Path) -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as found:
        found.directory, found.log = tarballs, []
        thread = threading.Thread(target=found.serve_forever, args=(0.05,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


Project = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Writes a project with these sources and returns its directory."""

    def write(
        *sources: str, pin: str = "1.0.1", subtree: str = '["VERSION", "src", "run.sh"]'
    ) -> Path:
        text = f'[upstream.up]\ntrack = "1.0"\nsubtree = {subtree}\n'
        for number, source in enumerate(sources):
            text += f'[[upstream.up.source]]\nname = "s{number}"\n{source}\n'
        text += f'[series.s]\nupstream = "up"\ndirectory = "patches"\npin = "{pin}"\n'
        (tmp_path / "portkit.toml").write_text(text)
        return tmp_path

    return write


def git_source(url: Path | str) -> str:
    return f'kind = "git"\nurl = "{url}"'


def tar_source(url: Path | str, more: str = "") -> str:
    return f'kind = "tarball"\nurl = "{url}/up-{{version}}.tar.xz"\n{more}'


def sync(root: Path, *versions: str, source: str | None = None) -> SyncResult:
    manifest = load_manifest(root / "portkit.toml")
    return sync_upstream(manifest, "up", lambda *_: None, versions, source)


def mirror(root: Path) -> Mirror:
    return Mirror(load_manifest(root / "portkit.toml"), "up")


def trees(root: Path) -> dict[str, str]:
    return {release.version: release.tree for release in mirror(root).releases()}


def nothing_was_imported(root: Path) -> bool:
    return trees(root) == {} and not (root / "portkit.lock").exists()
