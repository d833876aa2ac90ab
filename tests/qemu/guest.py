"""A small Linux guest made of Debian's packages: a kernel, busybox, virtio's drivers."""

from __future__ import annotations

import lzma
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

_DRIVERS = ("virtio_pci", "virtio_blk", "virtio_net")

# What the guest does; "step" comes from the kernel's command line and says how far it goes.
_INIT = """\
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev; mount -t proc proc /proc; mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
exec </dev/ttyS0 >/dev/ttyS0 2>&1
for module in $(cat /modules); do insmod /$module.ko; done
say() { echo "guest: $*"; }
sum() { md5sum "$@" | cut -d ' ' -f 1; }
now() { cut -d ' ' -f 1 /proc/uptime; }
say "up $(now)"
say "cpus $(nproc)"
say "efi $(ls -d /sys/firmware/efi 2>/dev/null)"
say "blocks $(cat /sys/block/vda/size 2>/dev/null)"
say "hypervisor $(dmesg | grep -o 'Hypervisor detected: .*')"
say "clock $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
for step in $(cat /proc/cmdline); do
    case $step in
    disk)
        say "disk $(sum /dev/vda)"
        dd if=/dev/vda of=/dev/vda bs=64k count=16 seek=16 2>/dev/null; sync
        say "written"
        ;;
    work)
        begin=$(now); i=0
        while [ $i -lt 50000 ]; do i=$((i + 1)); done
        dd if=/dev/zero bs=64k count=128 2>/dev/null | sha256sum > /tmp/digest
        say "work $begin $(now)"
        ;;
    net)
        ip link set lo up; ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up
        tftp -g -r blob -l /tmp/blob 10.0.2.2 && say "net $(sum /tmp/blob)"
        ;;
    esac
done
say "end"
poweroff -f
"""


@dataclass(frozen=True)
class Linux:
    """A kernel and an initramfs, and the packages that these are made of."""

    kernel: Path
    initramfs: Path
    packages: Path


def make(directory: Path) -> Linux:
    """Download the packages with apt and put the guest together; skips the test without them."""
    kernel_package = _real_name("linux-image-cloud-amd64")
    root = directory / "packages"
    for package in (kernel_package, "busybox-static"):
        _unpack(package, directory, root)
    (kernel,) = (root / "boot").glob("vmlinuz-*")
    initramfs = directory / "initramfs"
    initramfs.write_bytes(packed(root, _INIT))
    return Linux(kernel, initramfs, root)


def packed(packages: Path, init: str) -> bytes:
    """An initramfs with busybox, the drivers and their order in ``/modules``.

    Args:
        packages: those of the kernel and of busybox, unpacked.
        init: the first program, a script.
    """
    modules = {path.name.partition(".")[0]: path for path in packages.rglob("*.ko*")}
    order = _order(modules)
    files = {
        "init": (0o755, init.encode()),
        "bin/busybox": (0o755, (packages / "bin/busybox").read_bytes()),
        "modules": (0o644, "\n".join(order).encode()),
        **{f"{name}.ko": (0o644, _plain(modules[name])) for name in order},
    }
    return cpio(files, ("bin", "dev", "proc", "sys", "tmp"))


def cpio(files: Mapping[str, tuple[int, bytes]], directories: tuple[str, ...]) -> bytes:
    """An initramfs: an archive in the "newc" form.

    Args:
        files: mode and content by path.
        directories: made first.
    """
    out = bytearray()

    def add(name: str, mode: int, data: bytes) -> None:
        fields = (len(out) + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        out.extend(b"070701" + b"".join(b"%08x" % field for field in fields))
        for part in (name.encode() + b"\0", data):
            out.extend(part)
            out.extend(bytes(-len(out) % 4))

    for name in directories:
        add(name, 0o040755, b"")
    for name, (mode, data) in files.items():
        add(name, 0o100000 | mode, data)
    add("TRAILER!!!", 0, b"")
    return bytes(out)


def _real_name(package: str) -> str:
    """The kernel's package that Debian's meta package stands for."""
    shown = _apt("apt-cache", "depends", package)
    match = re.search(r"Depends: (linux-image-\S+)", shown.stdout)
    if match is None:
        pytest.skip(f"apt does not know {package}: run 'apt-get update'")
    return match[1]


def _unpack(package: str, directory: Path, into: Path) -> None:
    done = _apt("apt-get", "download", "--quiet=2", package, cwd=directory)
    found = list(directory.glob(f"{package}_*.deb"))
    if done.returncode or not found:
        pytest.skip(f"{package} cannot be downloaded: {done.stderr.strip()}")
    subprocess.run(["dpkg-deb", "--extract", found[0], into], check=True)


def _apt(*command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("the guest is made of Debian packages, and there is no apt here")


def _order(modules: Mapping[str, Path]) -> list[str]:
    """The drivers, each after those that it needs (modinfo's "depends")."""
    found: list[str] = []

    def add(name: str) -> None:
        match = re.search(rb"\0depends=([^\0]*)\0", b"\0" + _plain(modules[name]))
        for needed in match[1].decode().split(",") if match else []:
            if needed and needed not in found:
                add(needed)
        if name not in found:
            found.append(name)

    for name in _DRIVERS:
        if name in modules:  # or it is part of the kernel
            add(name)
    return found


def _plain(path: Path) -> bytes:
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data
