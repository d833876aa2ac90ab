"""The cross-built QEMU, the module and a guest, for tests in a FreeBSD machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from tests.qemu import guest, tinyguest
from tests.qemu.host import Host
from tests.vm import cross
from tests.vm.conftest import imported, kind, pytest_collection_modifyitems

__all__ = ["imported", "kind", "pytest_collection_modifyitems"]

ROOT = Path(__file__).parents[2]
PREFIX = ".portkit/build/qemu-kvm/root/usr/local"
# The firmware that these tests start with.
FIRMWARE = (
    "bios*.bin", "vgabios-stdvga.bin", "kvmvapic.bin", "linuxboot*.bin", "multiboot*.bin",
    "efi-virtio.rom",
)  # fmt: skip


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


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny guest."""
    return tinyguest.make(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def host(tmp_path: Path, imported: Cache, prefix: Path) -> Host:
    """A FreeBSD machine with QEMU and the module in its directory."""
    return _host(tmp_path, imported, prefix, "plain")


@pytest.fixture
def either(tmp_path: Path, imported: Cache, prefix: Path, kind: Kind) -> Host:
    """The same with the plain and with the debug kernel."""
    return _host(tmp_path, imported, prefix, kind)


def _host(directory: Path, imported: Cache, prefix: Path, kind: Kind) -> Host:
    base = imported.sysroot
    assert base is not None
    if not (base / "libexec" / "ld-elf.so.1").exists():
        pytest.skip("the imported base has no shared libraries: import base.txz")
    shutil.copy(cross.kvm_ko(kind), directory / "kvm.ko")
    share = directory / "usr" / "share" / "qemu"
    share.mkdir(parents=True)
    (directory / "usr" / "bin").mkdir()
    for program in ("qemu-system-x86_64", "qemu-img"):
        shutil.copy(prefix / "bin" / program, directory / "usr" / "bin")
    for pattern in FIRMWARE:
        for file in (prefix / "share" / "qemu").glob(pattern):
            shutil.copy(file, share)
    for name in ("asuser", "capmode", "fifo"):
        cross.program(imported, Path(__file__).parent / f"{name}.c", directory / name)
    return Host(imported, directory, kind)
