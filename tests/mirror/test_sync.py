"""Releases come from the first source that can serve, the same ones from every kind."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from portkit.cli import main
from portkit.errors import EnvironmentProblem, PortkitError, UsageError
from portkit.manifest.load import load_manifest
from portkit.manifest.lock import Lock
from portkit.mirror import source as source_module
from portkit.mirror.source import NotThere
from tests.mirror.archives import member, tar
from tests.mirror.sources import (
    VERSIONS,
    Project,
    Server,
    git,
    git_source,
    mirror,
    nothing_was_imported,
    sync,
    tar_source,
    trees,
)


def test_every_kind_of_source_gives_the_same_release(
    project: Project, upstream_git: Path, tarballs: Path, server: Server
) -> None:
    sources = [
        git_source(upstream_git),
        git_source(f"file://{upstream_git}"),
        tar_source(tarballs),
        tar_source(f"http://127.0.0.1:{server.server_port}"),
    ]
    root = project(*sources)
    found = {}
    for number in range(len(sources)):
        sync(root, "1.0.1", "1.1", source=f"s{number}")
        found[number] = mirror(root).releases()
        subprocess.run(["rm", "-rf", root / ".portkit", root / "portkit.lock"], check=True)
    assert found[0] == found[1] == found[2] == found[3]
    assert len(found[0]) == 2


def test_a_filtered_fetch_brings_the_subtree_only(project: Project, upstream_git: Path) -> None:
    root = project(git_source(f"file://{upstream_git}"), subtree='["docs"]')
    sync(root, "1.0.2")
    staging = next((root / ".portkit" / "staging").iterdir())
    objects = git(staging, "cat-file", "--batch-check", "--batch-all-objects", "--unordered")
    assert objects.count(" blob ") == 2  # docs/text and .gitattributes
    assert mirror(root).repo.text("ls-tree", "-r", "--name-only", "refs/releases/1.0.2") == (
        "docs/text"
    )


def test_pinned_and_newest_are_mirrored_and_nothing_twice(
    project: Project, upstream_git: Path
) -> None:
    root = project(git_source(upstream_git))
    result = sync(root)
    assert [(m.release.version, m.new) for m in result.mirrored] == [("1.0.1", 1), ("1.0.2", 1)]
    assert result.newest == "1.0.2"
    lock = (root / "portkit.lock").read_bytes()
    assert [m.new for m in sync(root).mirrored] == [False, False]
    assert (root / "portkit.lock").read_bytes() == lock


def test_the_lock_file_records_what_a_release_was_made_of(project: Project, tarballs: Path) -> None:
    root = project(tar_source(tarballs))
    sync(root, "1.0.1")
    (entry,) = Lock.read(root / "portkit.lock").entries()
    assert entry.source == "s0"
    archive = (tarballs / "up-1.0.1.tar.xz").read_bytes()
    assert entry.digest == f"sha256:{hashlib.sha256(archive).hexdigest()}"
    assert entry.tree == mirror(root).release("1.0.1").tree
    assert entry.date == 1_500_000_001


def test_the_first_source_that_can_be_reached_serves(
    project: Project, upstream_git: Path, tmp_path: Path
) -> None:
    root = project(
        git_source("https://host.invalid/x.git"),
        tar_source("https://host.invalid"),
        git_source(tmp_path / "nowhere"),
        git_source(upstream_git),
    )
    result = sync(root)
    assert {m.source for m in result.mirrored} == {"s3"}
    assert set(result.problems) == {"s0", "s1", "s2"}
    assert "host.invalid" in result.problems["s0"]


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that takes connections and never answers."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_host_that_never_answers_is_given_up(
    project: Project,
    upstream_git: Path,
    black_hole: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("source", "git_source", "tarball_source"):
        monkeypatch.setattr(f"portkit.mirror.{module}.PATIENCE", 0.5)
    assert source_module.PATIENCE == 0.5
    root = project(
        git_source(f"http://127.0.0.1:{black_hole}/x.git"),
        tar_source(f"http://127.0.0.1:{black_hole}"),
        git_source(upstream_git),
    )
    result = sync(root)
    assert {m.source for m in result.mirrored} == {"s2"}
    assert set(result.problems) == {"s0", "s1"}
    with pytest.raises(NotThere, match="s1: not reachable"):
        sync(root, "1.0", source="s1")


def test_no_network_and_nothing_mirrored_says_so(project: Project) -> None:
    root = project(git_source("https://host.invalid/x.git"))
    with pytest.raises(NotThere, match=r"1.0.1 of up is nowhere.*host.invalid.*check the network"):
        sync(root)


def test_no_network_is_no_harm_when_the_pin_is_mirrored(
    project: Project, upstream_git: Path
) -> None:
    root = project(git_source(upstream_git))
    sync(root)
    project(git_source("https://host.invalid/x.git"))
    result = sync(root)
    assert [(m.release.version, m.new) for m in result.mirrored] == [("1.0.1", False)]
    assert set(result.problems) == {"s0"}


def test_a_pinned_release_that_is_gone_is_replaced_by_the_nearest(
    project: Project, upstream_git: Path
) -> None:
    root = project(git_source(upstream_git), pin="1.0.7")
    (item,) = sync(root).mirrored
    assert (item.release.version, item.instead_of) == ("1.0.2", "1.0.7")
    with pytest.raises(NotThere, match=r"track is 1.0.2: run 'portkit sync up --version 1.0.2'"):
        sync(root, "1.0.7")


def test_what_the_track_does_not_have_cannot_be_replaced(
    project: Project, upstream_git: Path
) -> None:
    root = project(git_source(upstream_git), pin="3.0.1")
    with pytest.raises(NotThere, match=r"release 3.0.1 of up is nowhere to be had"):
        sync(root)


def test_a_pin_that_is_gone_for_good_does_not_hold_up_the_others(
    project: Project, upstream_git: Path
) -> None:
    root = project(git_source(upstream_git))
    path = root / "portkit.toml"
    later = '[series.t]\nupstream = "up"\ndirectory = "later"\npin = "3.0.1"\n'
    path.write_text(path.read_text() + later)
    result = sync(root)
    assert [item.release.version for item in result.mirrored] == ["1.0.1", "1.0.2"]
    assert result.absent == ("3.0.1",)


def test_wrong_names_are_usage_errors(project: Project, upstream_git: Path) -> None:
    root = project(git_source(upstream_git))
    with pytest.raises(UsageError, match="no source 'x'; known are: s0"):
        sync(root, source="x")
    with pytest.raises(UsageError, match="'latest' is not a version"):
        sync(root, "latest")


def test_another_subtree_makes_the_releases_anew(project: Project, upstream_git: Path) -> None:
    root = project(git_source(upstream_git))
    sync(root, "1.0.1")
    one = trees(root)
    project(git_source(upstream_git), subtree='["src"]')
    assert sync(root, "1.0.1").mirrored[0].new
    assert trees(root) != one
    assert len(Lock.read(root / "portkit.lock").entries()) == 1


def test_a_subtree_that_no_release_has_is_an_error(project: Project, upstream_git: Path) -> None:
    root = project(git_source(upstream_git), subtree='["nonexistent"]')
    with pytest.raises(EnvironmentProblem, match=r"nothing of the files.*correct the subtree"):
        sync(root, "1.0.1")


# A sync whose source gives the archive slowly, in a process of its own that can be killed.
_SLOW = """
import sys, time
from pathlib import Path
from portkit.cli.context import Project
from portkit.mirror import sync
real = sync.Counted.read
def read(self, size):
    data = real(self, 1000)
    print("read", flush=True)
    time.sleep(0.01)
    return data
sync.Counted.read = read
project = Project(Path(sys.argv[1]), False, False)
with project.locked() as manifest:
    sync.sync_upstream(manifest, "up", lambda *_: None, ["1.0.1"])
"""


def slow_sync(root: Path) -> subprocess.Popen[str]:
    here = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", _SLOW, root], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": here},
    )  # fmt: skip


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """An archive of some size that does not compress."""
    place = tmp_path / "large"
    place.mkdir()
    noise = b"".join(hashlib.sha512(b"%d" % n).digest() for n in range(4000))
    data = tar([member("up-1.0.1/src/noise", noise), member("up-1.0.1/VERSION", b"1.0.1\n")])
    (place / "up-1.0.1.tar.xz").write_bytes(gzip.compress(data))
    return place


@pytest.mark.parametrize("blocks", [1, 20, 120, 250])
def test_kill_9_in_the_middle_and_the_next_sync_starts_clean(
    project: Project, large: Path, blocks: int
) -> None:
    root = project(tar_source(large))
    process = slow_sync(root)
    assert process.stdout is not None
    for _ in range(blocks):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert trees(root) == {}
    sync(root, "1.0.1")
    assert "1.0.1" in trees(root)
    repository = mirror(root).repo.path
    assert list(repository.rglob("tmp_*")) == []
    git(repository, "fsck", "--strict")


def test_two_portkits_at_once(project: Project, large: Path) -> None:
    root = project(tar_source(large))
    process = slow_sync(root)
    assert process.stdout is not None
    process.stdout.readline()
    result = CliRunner().invoke(main, ["-C", str(root), "sync", "up", "--version", "1.0.1"])
    assert isinstance(result.exception, EnvironmentProblem)
    assert f"another portkit (process {process.pid})" in str(result.exception)
    process.stdout.read()
    process.wait()
    assert "1.0.1" in trees(root)


def test_a_full_disk_imports_nothing_and_says_so(
    project: Project, large: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = project(tar_source(large))
    limited = f"ulimit -f 64; trap '' XFSZ; exec {sys.executable} -m portkit -C {root} sync"
    done = subprocess.run(
        ["bash", "-c", f"{limited} up --version 1.0.1"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert "make room if the disk is full" in done.stderr
    assert list(mirror(root).repo.path.rglob("tmp_*")) == []
    assert nothing_was_imported(root)
    sync(root, "1.0.1")
    assert "1.0.1" in trees(root)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def invoke(root: Path, *args: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["-C", str(root), *args], catch_exceptions=True)
    if isinstance(result.exception, PortkitError):
        return result.exception.exit_code, str(result.exception)
    return result.exit_code, result.output


def test_sync_and_releases_report(project: Project, upstream_git: Path) -> None:
    root = project(git_source("https://host.invalid/x.git"), git_source(upstream_git))
    status, text = invoke(root, "sync")
    assert status == 0
    assert "up 1.0.1: new, from s1" in text
    assert "up: source s0 is not reachable (host.invalid" in text
    status, text = invoke(root, "sync")
    assert "up 1.0.1: already mirrored" in text
    status, text = invoke(root, "releases", "up")
    assert status == 0
    assert re.search(r"1\.0\.1 +yes +yes +s\b", text)
    assert re.search(r"1\.0\.2 +yes +yes +- +newest of 1\.0", text)
    assert "1.1" not in text
    status, text = invoke(root, "--json", "releases", "up", "--all")
    data = json.loads(text)
    assert data["track"] == "1.0"
    rows = {row["version"]: row for row in data["releases"]}
    assert set(rows) == {*VERSIONS, "1.0.3-rc1"}
    assert rows["1.0.1"]["pinned_by"] == ["s"]
    assert rows["1.0.2"]["newest"]
    assert not rows["1.1"]["mirrored"]
    status, text = invoke(root, "--json", "sync", "up", "--version", "1.1")
    data = json.loads(text)
    assert data["upstreams"][0]["releases"][0]["version"] == "1.1"


def test_releases_says_that_no_source_was_asked_for_a_list(
    project: Project, upstream_git: Path
) -> None:
    root = project(git_source(upstream_git))
    invoke(root, "sync", "up", "--version", "1.0")
    _, text = invoke(root, "releases", "up")
    assert "(no source has listed its releases yet)" in text
    assert re.search(r"1\.0 +- +yes", text)
    invoke(root, "sync")
    assert re.search(r"\(sources asked \d{4}-", invoke(root, "releases", "up")[1])


def test_a_version_needs_its_upstream(project: Project, upstream_git: Path) -> None:
    root = project(git_source(upstream_git))
    status, text = invoke(root, "sync", "--version", "1.0")
    assert status == 2
    assert "--version needs the one UPSTREAM" in text


def test_init_writes_a_manifest_that_is_valid_and_overwrites_none(tmp_path: Path) -> None:
    assert invoke(tmp_path, "init")[0] == 0
    manifest = load_manifest(tmp_path / "portkit.toml")
    assert list(manifest.series) == ["example"]
    before = (tmp_path / "portkit.toml").read_bytes()
    status, text = invoke(tmp_path, "init")
    assert (status, "is there already" in text) == (2, True)
    assert (tmp_path / "portkit.toml").read_bytes() == before


def test_init_s_comments_are_valid_too(tmp_path: Path) -> None:
    """The sources that the template holds as comments load when they are taken in."""
    invoke(tmp_path, "init")
    path = tmp_path / "portkit.toml"
    text = re.sub(r"^# (\[|\w+ = |\"1)", r"\1", path.read_text(), flags=re.MULTILINE)
    path.write_text(text.replace("64 hexadecimal digits", "a" * 64))
    assert len(load_manifest(path).upstreams["example"].sources) == 3
