"""Archives over a network and from files: resumed, verified, refused."""

from __future__ import annotations

import hashlib
import lzma
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from portkit.errors import EnvironmentProblem
from portkit.mirror.source import NotThere
from portkit.mirror.unpack import BadArchive
from tests.mirror.archives import member, tar
from tests.mirror.sources import (
    Project,
    Server,
    nothing_was_imported,
    sync,
    tar_source,
    trees,
)


def test_a_broken_connection_is_resumed_where_it_broke(
    project: Project, server: Server, tarballs: Path
) -> None:
    size = (tarballs / "up-1.0.1.tar.xz").stat().st_size
    server.break_off_after = size // 3 + 1
    root = project(tar_source(f"http://127.0.0.1:{server.server_port}"))
    sync(root, "1.0.1")
    assert [wanted for _, wanted in server.log] == [
        None, f"bytes={size // 3 + 1}-", f"bytes={2 * (size // 3 + 1)}-"
    ]  # fmt: skip
    assert not any((root / ".portkit" / "download").rglob("*.xz*"))


def part(root: Path, data: bytes) -> Path:
    path = root / ".portkit" / "download" / "up.s0" / "up-1.0.1.tar.xz.part"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_download_is_completed_by_the_next_sync(
    project: Project, server: Server, tarballs: Path, ranges: bool
) -> None:
    server.ranges = ranges
    root = project(tar_source(f"http://127.0.0.1:{server.server_port}"))
    part(root, (tarballs / "up-1.0.1.tar.xz").read_bytes()[:100])
    sync(root, "1.0.1")
    assert server.log == [("/up-1.0.1.tar.xz", "bytes=100-")]


def test_a_part_of_something_else_is_thrown_away(
    project: Project, server: Server, tarballs: Path
) -> None:
    data = (tarballs / "up-1.0.1.tar.xz").read_bytes()
    pin = f'sha256 = {{ "1.0.1" = "{hashlib.sha256(data).hexdigest()}" }}'
    root = project(tar_source(f"http://127.0.0.1:{server.server_port}", pin))
    part(root, b"x" * 100)
    sync(root, "1.0.1")
    assert [wanted for _, wanted in server.log] == ["bytes=100-", None]
    assert "1.0.1" in trees(root)


def test_a_part_longer_than_the_archive_is_thrown_away(project: Project, server: Server) -> None:
    root = project(tar_source(f"http://127.0.0.1:{server.server_port}"))
    part(root, b"x" * 100_000)
    sync(root, "1.0.1")
    assert "1.0.1" in trees(root)


def test_an_archive_that_is_not_there_is_told(project: Project, server: Server) -> None:
    root = project(tar_source(f"http://127.0.0.1:{server.server_port}"))
    with pytest.raises(NotThere, match=r"s0: does not have release 1.0.9"):
        sync(root, "1.0.9")


def test_a_wrong_digest_imports_nothing(project: Project, tarballs: Path, server: Server) -> None:
    pin = f'sha256 = {{ "1.0.1" = "{"0" * 64}" }}'
    for place in (tarballs, f"http://127.0.0.1:{server.server_port}"):
        root = project(tar_source(place, pin))
        with pytest.raises(EnvironmentProblem, match=r"wrong digest: it has [0-9a-f]{64}, portkit"):
            sync(root, "1.0.1")
        assert nothing_was_imported(root)
    assert (tarballs / "up-1.0.1.tar.xz").exists()
    assert not any((root / ".portkit" / "download").rglob("*.xz*"))


def test_a_truncated_archive_imports_nothing(
    project: Project, tarballs: Path, tmp_path: Path
) -> None:
    place = tmp_path / "bad"
    place.mkdir()
    data = (tarballs / "up-1.0.1.tar.xz").read_bytes()
    (place / "up-1.0.1.tar.xz").write_bytes(data[: len(data) // 2])
    root = project(tar_source(place))
    with pytest.raises(BadArchive, match=r"up-1.0.1.tar.xz: the archive is cut off"):
        sync(root, "1.0.1")
    assert nothing_was_imported(root)


def test_a_swapped_archive_is_an_error_that_says_so(
    project: Project, tarballs: Path, tmp_path: Path
) -> None:
    place = tmp_path / "bad"
    place.mkdir()
    (place / "up-1.0.1.tar.xz").write_bytes((tarballs / "up-1.0.1.tar.xz").read_bytes())
    root = project(tar_source(place), tar_source(tarballs))
    sync(root, "1.0.1", source="s0")
    before = (root / "portkit.lock").read_bytes()
    subprocess.run(["rm", "-rf", root / ".portkit"], check=True)
    swapped = (tarballs / "up-1.0.2.tar.xz").read_bytes()
    (place / "up-1.0.1.tar.xz").write_bytes(swapped)
    with pytest.raises(EnvironmentProblem, match="gives another digest than is recorded"):
        sync(root, "1.0.1", source="s0")
    (place / "up-1.0.1.tar.xz").unlink()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "up-1.0.1.tar.xz").write_bytes(swapped)
    project(tar_source(place), tar_source(tmp_path / "other"))
    with pytest.raises(EnvironmentProblem, match="source s1 gives another tree than is recorded"):
        sync(root, "1.0.1")
    assert trees(root) == {}
    assert (root / "portkit.lock").read_bytes() == before
    project(tar_source(place), tar_source(tarballs))
    assert sync(root, "1.0.1").mirrored[0].source == "s1"  # the same tree from another source
    assert (root / "portkit.lock").read_bytes() == before


@pytest.fixture
def signed(tarballs: Path, tmp_path: Path) -> Iterator[Path]:
    """Archives with signatures over the archive (.sig) and over what it unpacks to (.sign)."""
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    place = tmp_path / "signed"
    place.mkdir()
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", ""]
    subprocess.run([*gpg, "--quick-gen-key", "up@example.org", "ed25519", "sign"], check=True)
    exported = subprocess.run([*gpg, "--export"], check=True, capture_output=True).stdout
    (place / "keys.gpg").write_bytes(exported)
    for suffix in (".tar", ".tar.xz"):
        name = f"up-1.0.1{suffix}"
        (place / name).write_bytes((tarballs / name).read_bytes())
        mark = "sig" if suffix == ".tar.xz" else "sign"
        output = str(place / f"{name}.{mark}")
        subprocess.run([*gpg, "--output", output, "--detach-sign", str(place / name)], check=True)
    yield place
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)


@pytest.mark.parametrize("mark", ["tar.xz.sig", "tar.sign"])
@pytest.mark.parametrize("remote", [False, True])
def test_a_signature_is_checked(
    project: Project, signed: Path, server: Server, mark: str, remote: bool
) -> None:
    server.directory = signed
    place = f"http://127.0.0.1:{server.server_port}" if remote else signed
    keys = f'signature = "{place}/up-{{version}}.{mark}"\nkeyring = "{signed}/keys.gpg"'
    root = project(tar_source(place, keys))
    other = signed / "up-1.0.1.tar.xz"
    good = other.read_bytes()
    other.write_bytes(lzma.compress(tar([member("up-1.0.1/VERSION", b"evil")])))
    with pytest.raises(EnvironmentProblem, match=r"the signature is not good \(BAD signature"):
        sync(root, "1.0.1")
    assert nothing_was_imported(root)
    other.write_bytes(good)
    sync(root, "1.0.1")
    assert "1.0.1" in trees(root)


def test_a_signature_that_is_not_there_imports_nothing(
    project: Project, tarballs: Path, signed: Path
) -> None:
    keys = f'signature = "none/{{version}}.sig"\nkeyring = "{signed}/keys.gpg"'
    root = project(tar_source(tarballs, keys))
    with pytest.raises(EnvironmentProblem, match="the signature"):
        sync(root, "1.0.1")
    assert nothing_was_imported(root)
