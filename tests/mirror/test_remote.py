"""A git source behind git's own servers, as the official hosts run them: git:// and smart HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from portkit.manifest.load import load_manifest
from portkit.mirror.store import Mirror
from tests.engine.support import portkit

MANIFEST = """\
[upstream.up]
track = "1.0"
subtree = ["src"]
[[upstream.up.source]]
kind = "git"
name = "remote"
url = "{url}"
[series.s]
upstream = "up"
directory = "patches"
pin = "1.0.1"
"""


def git(directory: Path, *args: str) -> str:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", "-C", directory, *who, *args], env=env, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """A repository that lets clients filter, as the large hosts do."""
    root = tmp_path / "hosted" / "up.git"
    root.mkdir(parents=True)
    git(root, "init", "--quiet")
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant", "http.uploadpack"):
        git(root, "config", key, "true")
    for directory in ("src", "large"):
        (root / directory).mkdir()
    for version in ("1.0.1", "1.0.2"):
        (root / "src" / "main.c").write_text(f'char v[] = "{version}";\n')
        (root / "large" / "data").write_text(f"not wanted: {version}\n")
        git(root, "add", "src", "large")
        git(root, "commit", "--quiet", "-m", version)
        git(root, "tag", "-a", "-m", version, f"v{version}")
    return root


class Backend(BaseHTTPRequestHandler):
    """``git http-backend`` by the rules of CGI."""

    hosted: Path

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        names = {"Content-Encoding": "HTTP_CONTENT_ENCODING", "Git-Protocol": "HTTP_GIT_PROTOCOL",
                 "Content-Type": "CONTENT_TYPE"}  # fmt: skip
        headers = {key: self.headers[name] for name, key in names.items() if name in self.headers}
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        done = subprocess.run(
            ["git", "http-backend"], input=body, capture_output=True, check=True,
            env={**os.environ, "GIT_PROJECT_ROOT": str(self.hosted), "GIT_HTTP_EXPORT_ALL": "1",
                 "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
                 "CONTENT_LENGTH": str(len(body)), **headers},
        )  # fmt: skip
        self.wfile.write(b"HTTP/1.0 200 OK\r\n" + done.stdout)

    do_POST = do_GET


@pytest.fixture
def http(upstream: Path) -> Iterator[str]:
    handler = type("Here", (Backend,), {"hosted": upstream.parent})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        yield f"http://127.0.0.1:{server.server_port}/up.git"
        server.shutdown()


@pytest.fixture
def daemon(upstream: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        ["git", "daemon", "--listen=127.0.0.1", f"--port={port}", "--reuseaddr", "--export-all",
         f"--base-path={upstream.parent}", str(upstream.parent)],
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"git://127.0.0.1:{port}/up.git"
    os.killpg(process.pid, 15)
    process.wait()


@pytest.mark.parametrize("server", ["http", "daemon"])
def test_releases_are_fetched_shallow_and_filtered(
    upstream: Path, server: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "portkit.toml").write_text(MANIFEST.format(url=request.getfixturevalue(server)))
    done = portkit(tmp_path, "sync")
    assert done.exit_code == 0, done.output
    assert "up 1.0.1: new, from remote" in done.output
    assert "up 1.0.2: new, from remote" in done.output
    mirror = Mirror(load_manifest(tmp_path / "portkit.toml"), "up")
    for version in ("1.0.1", "1.0.2"):
        names = mirror.repo.text("ls-tree", "-r", "--name-only", mirror.release(version).tree)
        assert names == "src/main.c"
        text = mirror.repo.text("show", f"{mirror.release(version).tree}:src/main.c")
        assert text == f'char v[] = "{version}";'
    (staging,) = (tmp_path / ".portkit" / "staging").iterdir()
    objects = git(staging, "cat-file", "--batch-check", "--batch-all-objects", "--unordered")
    assert objects.count(" blob ") == 2  # src/main.c of each, nothing of large/
    assert (staging / "shallow").exists()
