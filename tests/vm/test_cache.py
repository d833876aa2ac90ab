"""Importing kernels and the base system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from portkit.errors import EnvironmentProblem, UsageError
from portkit.vm.cache import Cache, default_directory
from portkit.vm.unpack import BadArchive
from tests.vm import fake


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    path = tmp_path / "built-kernel"
    path.write_bytes(fake.KERNEL)
    return path


def test_the_cache_is_where_the_user_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/x/cache")
    monkeypatch.delenv("PORTKIT_VM_DIR", raising=False)
    assert default_directory() == Path("/x/cache/portkit/vm")
    monkeypatch.setenv("PORTKIT_VM_DIR", "/y")
    assert default_directory() == Path("/y")


def test_a_kernel_file_is_imported(own_cache: Cache, kernel: Path) -> None:
    state = own_cache.import_parts(kernel=kernel)
    assert state.kernels["plain"].version == fake.VERSION
    assert own_cache.kernel("plain").read_bytes() == fake.KERNEL
    assert own_cache.state == state


def test_a_build_directory_brings_its_modules(own_cache: Cache, tmp_path: Path) -> None:
    build = tmp_path / "build"
    build.mkdir()
    (build / "kernel").write_bytes(fake.KERNEL)
    (build / "if_x.ko").write_bytes(b"module")
    (build / "kernel.full").write_bytes(b"not wanted")
    own_cache.import_parts(debug_kernel=build)
    directory = own_cache.kernel("debug").parent
    assert sorted(path.name for path in directory.iterdir()) == ["if_x.ko", "kernel"]


def test_a_distribution_set_brings_its_modules(own_cache: Cache, tmp_path: Path) -> None:
    txz = fake.archive(
        tmp_path / "kernel.txz",
        {"./boot/kernel/kernel": fake.KERNEL, "./boot/kernel/vmm.ko": b"m", "./etc/x": b"x"},
    )
    own_cache.import_parts(kernel=txz)
    directory = own_cache.kernel("plain").parent
    assert sorted(path.name for path in directory.iterdir()) == ["kernel", "vmm.ko"]


def test_both_kinds_of_kernel_live_side_by_side(own_cache: Cache, kernel: Path) -> None:
    own_cache.import_parts(kernel=kernel)
    own_cache.import_parts(debug_kernel=kernel)
    assert set(own_cache.state.kernels) == {"plain", "debug"}
    assert own_cache.kernel("plain") != own_cache.kernel("debug")


def test_a_new_import_replaces_the_old_one(own_cache: Cache, kernel: Path) -> None:
    own_cache.import_parts(kernel=kernel)
    first = own_cache.kernel("plain")
    kernel.write_bytes(fake.KERNEL + b"2")
    own_cache.import_parts(kernel=kernel)
    assert own_cache.kernel("plain").read_bytes() == fake.KERNEL + b"2"
    assert not first.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"#!/bin/sh\n", fake.KERNEL[:20], fake.KERNEL.replace(b"\x3e", b"\xb7", 1)],
    ids=["empty", "script", "cut", "arm64"],
)
def test_what_is_no_kernel_is_refused(own_cache: Cache, kernel: Path, content: bytes) -> None:
    own_cache.import_parts(kernel=kernel)
    former = own_cache.state
    kernel.write_bytes(content)
    with pytest.raises(UsageError, match="no FreeBSD/amd64 kernel"):
        own_cache.import_parts(kernel=kernel)
    assert own_cache.state == former
    assert own_cache.kernel("plain").read_bytes() == fake.KERNEL
    assert len(list(own_cache.path.glob("kernel-*"))) == 1


def test_a_kernel_that_is_a_link_is_refused(own_cache: Cache, tmp_path: Path) -> None:
    import tarfile

    with tarfile.open(tmp_path / "kernel.txz", "w:xz") as tar:
        info = tarfile.TarInfo("boot/kernel/kernel")
        info.type, info.linkname = tarfile.SYMTYPE, "/bin/sh"
        tar.addfile(info)
    with pytest.raises(UsageError, match="no FreeBSD/amd64 kernel"):
        own_cache.import_parts(kernel=tmp_path / "kernel.txz")


def test_a_hostile_set_leaves_nothing(own_cache: Cache, tmp_path: Path, kernel: Path) -> None:
    own_cache.import_parts(kernel=kernel)
    txz = fake.archive(tmp_path / "base.txz", {"bin/sh": b"x", "../../stolen": b"x"})
    with pytest.raises(BadArchive, match="leads out"):
        own_cache.import_parts(base=txz)
    assert own_cache.state.base is None
    assert not list(own_cache.path.glob("base-*"))
    assert not list(tmp_path.rglob("stolen"))


def test_a_base_without_a_shell_is_refused(own_cache: Cache, tmp_path: Path) -> None:
    txz = fake.archive(tmp_path / "base.txz", {"etc/passwd": b"x"})
    with pytest.raises(UsageError, match="no bin/sh"):
        own_cache.import_parts(base=txz)


def test_an_import_that_is_not_there_is_named(own_cache: Cache, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere: there is no such file"):
        own_cache.import_parts(base=tmp_path / "nowhere")


def test_a_base_becomes_the_root_image(own_cache: Cache, tmp_path: Path, tools: None) -> None:
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "bin/sh").write_bytes(b"shell")
    (root / "bin/odd name").symlink_to("sh")
    (root / "usr/share").mkdir(parents=True)
    (root / "usr/share/large").write_bytes(b"x" * 100)
    os.mkfifo(root / "pipe")
    own_cache.import_parts(base=root)
    image = own_cache.root_image()
    assert image.stat().st_size % (16 * 63 * 512) == 0
    assert own_cache.sysroot is not None
    assert (own_cache.sysroot / "bin/sh").read_bytes() == b"shell"
    assert not (own_cache.sysroot / "usr/share").exists()
    assert not (own_cache.sysroot / "pipe").exists()
    # Made once, and again only when a part changes.
    made = image.stat().st_mtime_ns
    assert own_cache.root_image().stat().st_mtime_ns == made
    (tmp_path / "k").write_bytes(fake.KERNEL)
    own_cache.import_parts(kernel=tmp_path / "k")
    assert own_cache.root_image() != image
    assert not image.exists()


def test_what_a_killed_import_left_is_removed_by_the_next(own_cache: Cache, kernel: Path) -> None:
    own_cache.import_parts(kernel=kernel)
    (own_cache.path / "base-killed").mkdir()
    (own_cache.path / "run-killed").mkdir()
    own_cache.import_parts(debug_kernel=kernel)
    assert not list(own_cache.path.glob("*-killed"))


def test_a_damaged_state_says_what_to_do(own_cache: Cache, kernel: Path) -> None:
    own_cache.import_parts(kernel=kernel)
    (own_cache.path / "state.json").write_text('{"base": 3')
    with pytest.raises(EnvironmentProblem, match="import again"):
        own_cache.kernel("plain")
