"""The cross-built QEMU, the module and a guest, for tests in a FreeBSD machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from portkit.vm.cache import Cache
from tests.qemu import guest
from tests.qemu.host import Host
from tests.vm import cross
from tests.vm.conftest import imported, pytest_collection_modifyitems

__all__ = ["imported", "pytest_collection_modifyitems"]

ROOT = Path(__file__).parents[2]
PREFIX = ".portkit/build/qemu-kvm/root/usr/local"
# The firmware that these tests start with.
FIRMWARE = ("bios*.bin", "kvmvapic.bin", "linuxboot*.bin", "efi-virtio.rom")


@pytest.fixture(scope="session")
def prefix() -> Path:
    """Where the cross build has QEMU."""
    path = Path(os.environ.get("QEMU_PREFIX") or ROOT / PREFIX)
    if not (path / "bin" / "qemu-system-x86_64").is_file():
        pytest.skip("QEMU was not cross-built for FreeBSD: run 'make qemu'")
    return path


@pytest.fixture(scope="session")
def linux(tmp_path_factory: pytest.TempPathFactory) -> guest.Linux:
    """A Debian kernel, and an initramfs whose shell reports to the serial port."""
    return guest.make(tmp_path_factory.mktemp("linux"))


@pytest.fixture
def host(tmp_path: Path, imported: Cache, prefix: Path) -> Host:
    """A FreeBSD machine with QEMU and the module in its directory."""
    base = imported.sysroot
    assert base is not None
    if not (base / "libexec" / "ld-elf.so.1").exists():
        pytest.skip("the imported base has no shared libraries: import base.txz")
    if "KVM_KO" not in os.environ:
        pytest.skip("the module has to be linked for the plain kernel, in KVM_KO")
    shutil.copy(os.environ["KVM_KO"], tmp_path / "kvm.ko")
    share = tmp_path / "usr" / "share" / "qemu"
    share.mkdir(parents=True)
    (tmp_path / "usr" / "bin").mkdir()
    shutil.copy(prefix / "bin" / "qemu-system-x86_64", tmp_path / "usr" / "bin")
    shutil.copy(prefix / "bin" / "qemu-img", tmp_path / "usr" / "bin")
    for pattern in FIRMWARE:
        for file in (prefix / "share" / "qemu").glob(pattern):
            shutil.copy(file, share)
    cross.program(imported, Path(__file__).parent / "asuser.c", tmp_path / "asuser")
    return Host(imported, tmp_path)
