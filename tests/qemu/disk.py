"""A disk with Debian on it, installed by debootstrap, that a BIOS starts."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from portkit.build.archives import cache_directory
from tests.qemu.guest import Linux, packed

_PACKAGES = ("systemd-sysv", "udev", "iproute2", "tcc", "libc6-dev", "curl")
_MBR = Path("/usr/lib/syslinux/mbr/mbr.bin")
_MIB = 1 << 20
_BOOT, _ROOT = 32 * _MIB, 640 * _MIB  # sizes of the two file systems

_INIT = """\
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
for module in $(cat /modules); do insmod /$module.ko; done
mkdir /new; mount -t ext4 /dev/vda2 /new
exec switch_root /new /sbin/init
"""
_SYSLINUX = """\
DEFAULT linux
LABEL linux
  LINUX vmlinuz
  INITRD initramfs
  APPEND console=ttyS0 quiet
"""
# What the system runs once it is up; getty(8) hangs the first serial port up.
_WORKLOAD = """\
#!/bin/sh
exec > /dev/ttyS1 2>&1
say() { echo "guest: $*"; }
sum() { md5sum "$@" | cut -d ' ' -f 1; }
say "state $(systemctl is-system-running --wait)"
say "up $(cut -d ' ' -f 1 /proc/uptime)"
say "target $(systemctl is-active multi-user.target)"
cat > /tmp/sum.c << END
#include <stdio.h>
int main(void) {
    unsigned long i, s = 0;
    for (i = 0; i < 10000000; i++) s += i;
    printf("%lu\\n", s);
}
END
tcc -o /tmp/sum /tmp/sum.c && say "compiled $(/tmp/sum)"
until ip -4 address show scope global | grep -q inet; do sleep 1; done
curl --silent tftp://10.0.2.2/blob > /tmp/blob; say "net $(sum /tmp/blob)"
i=0; while [ $i -lt 16 ]; do cat /tmp/blob; i=$((i + 1)); done > /var/tmp/blobs
sync; echo 3 > /proc/sys/vm/drop_caches
say "disk $(sum /var/tmp/blobs)"
say "libc $(sum /usr/lib/x86_64-linux-gnu/libc.so.6)"
say "end"
systemctl poweroff
"""
_FILES = {
    "etc/fstab": "/dev/vda2 / ext4 defaults 0 0\n",
    "etc/hostname": "guest\n",
    "etc/systemd/network/all.network": "[Match]\nType=ether\n[Network]\nDHCP=ipv4\n",
    "etc/systemd/system/workload.service": "[Service]\nExecStart=/usr/sbin/workload\n",
    "usr/sbin/workload": _WORKLOAD,
}
_WANTED = ("/etc/systemd/system/workload.service", "/lib/systemd/system/systemd-networkd.service")


def make(directory: Path, linux: Linux) -> tuple[Path, Path]:
    """The image, and the tree of files in it; skips the test where something is missing."""
    for name in ("debootstrap", "mke2fs", "mkfs.vfat", "mcopy", "syslinux"):
        if shutil.which(name) is None:
            pytest.skip(f"the image is made with {name}")
    if os.geteuid() != 0:
        pytest.skip("debootstrap needs root")
    tree = _tree(cache_directory().parent / "debootstrap")
    for name, text in _FILES.items():
        (tree / name).write_text(text)
    (tree / "usr/sbin/workload").chmod(0o755)
    wants = tree / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    for unit in _WANTED:
        (wants / Path(unit).name).unlink(missing_ok=True)
        (wants / Path(unit).name).symlink_to(unit)

    image, boot, root = (directory / name for name in ("image", "boot", "root"))
    for path, size in ((boot, _BOOT), (root, _ROOT)):
        path.touch()
        os.truncate(path, size)
    _call("mke2fs", "-q", "-F", "-t", "ext4", "-d", str(tree), str(root))
    _call("mkfs.vfat", "--invariant", str(boot))
    (directory / "syslinux.cfg").write_text(_SYSLINUX)
    (directory / "initrd").write_bytes(packed(linux.packages, _INIT))
    for path, name in (
        (linux.kernel, "vmlinuz"), (directory / "initrd", "initramfs"),
        (directory / "syslinux.cfg", "syslinux.cfg"),
    ):  # fmt: skip
        _call("mcopy", "-i", str(boot), str(path), f"::{name}")
    _call("syslinux", "--install", str(boot))
    with image.open("wb") as disk:
        disk.write(_MBR.read_bytes().ljust(446, b"\0")[:446])
        disk.write(_partition(0x80, 0x0C, _MIB, _BOOT) + _partition(0, 0x83, _MIB + _BOOT, _ROOT))
        disk.write(bytes(32) + b"\x55\xaa")
        for at, path in ((_MIB, boot), (_MIB + _BOOT, root)):
            disk.seek(at)
            with path.open("rb") as file:
                shutil.copyfileobj(file, disk, _MIB)
            path.unlink()
    return image, tree


def _tree(place: Path) -> Path:
    """What debootstrap installs, kept for the next time."""
    root = place / "root"
    if not root.exists():
        new = place / "new"
        shutil.rmtree(new, ignore_errors=True)
        place.mkdir(parents=True, exist_ok=True)
        _call("debootstrap", "--variant=minbase", f"--include={','.join(_PACKAGES)}", "bookworm",
              str(new))  # fmt: skip
        _call("chroot", str(new), "apt-get", "clean")
        new.rename(root)
    return root


def _partition(flag: int, kind: int, at: int, size: int) -> bytes:
    everywhere = b"\xfe\xff\xff"  # no cylinders: LBA alone counts
    sectors = at // 512, size // 512
    return struct.pack("<B3sB3sII", flag, everywhere, kind, everywhere, *sectors)


def _call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
