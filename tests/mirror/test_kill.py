"""kill -9 and a full disk at every step of a sync: the next one goes on or starts clean."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from portkit.manifest.load import load_manifest
from portkit.manifest.lock import Lock
from portkit.mirror.store import Mirror
from tests.engine.kill import every_step
from tests.engine.support import portkit
from tests.engine.test_disk_full import limited, refused

SERIES = '[series.s]\nupstream = "up"\ndirectory = "patches"\npin = "1.0.1"\n'


def git(directory: Path, *args: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_COMMITTER_DATE": "1500000000 +0000"}
    subprocess.run(["git", "-C", directory, *who, *args], env=env, check=True, capture_output=True)


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """A repository with a tagged release, and an archive of it."""
    root = tmp_path / "upstream"
    (root / "src").mkdir(parents=True)
    git(root, "init", "--quiet")
    git(root, "config", "uploadpack.allowFilter", "true")
    git(root, "config", "uploadpack.allowAnySHA1InWant", "true")
    noise = "".join(hashlib.sha512(b"%d" % number).hexdigest() for number in range(400))
    (root / "src" / "main.c").write_text(noise)
    git(root, "add", "src")
    git(root, "commit", "--quiet", "-m", "1.0.1")
    git(root, "tag", "v1.0.1")
    git(root, "archive", "--prefix=up-1.0.1/", "-o", "up-1.0.1.tar", "v1.0.1")
    return root


@pytest.fixture
def address(upstream: Path) -> Iterator[str]:
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(upstream))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(params=["git", "tarball"])
def project(upstream: Path, address: str, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    kind = request.param
    urls = {"git": f"file://{upstream}", "tarball": f"{address}/up-{{version}}.tar"}
    root = tmp_path / "project"
    root.mkdir()
    (root / "portkit.toml").write_text(
        '[upstream.up]\ntrack = "1.0"\nsubtree = ["src"]\n[[upstream.up.source]]\n'
        f'name = "s"\nkind = "{kind}"\nurl = "{urls[kind]}"\n{SERIES}'
    )
    return root


def leftovers(root: Path) -> list[Path]:
    return [path for name in ("tmp_*", "*.lock") for path in (root / ".portkit").rglob(name)]


def test_kill_9(project: Path) -> None:
    root = project
    for _ in every_step(root, lambda: None, "sync"):
        manifest = load_manifest(root / "portkit.toml")
        mirror = Mirror(manifest, "up")
        lock = Lock.read(root / "portkit.lock")
        for release in mirror.releases():  # whatever is there is whole, and recorded
            mirror.repo.run("rev-list", "--objects", release.commit)
            recorded = lock.entry("up", release.version)
            assert recorded is not None
            assert recorded.tree == release.tree
        assert portkit(root, "sync").exit_code == 0
        assert [release.version for release in mirror.releases()] == ["1.0.1"]
        assert leftovers(root) == []
        mirror.repo.run("fsck", "--strict")


@pytest.mark.parametrize("limit", [0, 20, 300, 1500, 9000, 40_000, 90_000])
def test_a_full_disk(project: Path, limit: int) -> None:
    mirror = Mirror(load_manifest(project / "portkit.toml"), "up")
    if refused(limited(limit, project, "sync")):
        assert mirror.releases() == []
        assert not (project / "portkit.lock").exists()
    assert portkit(project, "sync").exit_code == 0
    assert [release.version for release in mirror.releases()] == ["1.0.1"]
    assert leftovers(project) == []
    mirror.repo.run("fsck", "--strict")
