"""A disk with an installed Debian: from the BIOS to multi-user, and at work."""

from __future__ import annotations

import hashlib

import pytest

from tests.qemu import disk
from tests.qemu.guest import Linux
from tests.qemu.host import Host
from tests.qemu.test_guest import facts

pytestmark = pytest.mark.vm


def test_an_installed_debian_works(
    either: Host, linux: Linux, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The guest's disk is one of the host's, as a ZFS volume would be."""
    image, tree = disk.make(tmp_path_factory.mktemp("disk"), linux)
    blob = bytes(range(256)) * 2048
    (either.directory / "tftp").mkdir()
    (either.directory / "tftp" / "blob").write_bytes(blob)
    result = either.script(
        """
        start q -M pc -cpu host -m 512 -smp 2 -serial file:console -serial file:serial \\
            -drive file=/dev/vtbd3,if=virtio,format=raw \\
            -netdev user,id=n,tftp=tftp -device virtio-net-pci,netdev=n
        ended q
        """,
        cpus=2, memory=1536,
        options=("-drive", f"file={image},if=virtio,format=raw,snapshot=on"),
    )  # fmt: skip
    image.unlink()
    said = facts(either.read("serial"))
    shown = either.read("q.out") + either.read("console") + either.read("serial") + result.console
    assert either.read("q.status") == "0\n", shown
    assert said["target"] == "active", shown
    assert said["compiled"] == str(sum(range(10_000_000)))
    assert said["net"] == hashlib.md5(blob).hexdigest()
    assert said["disk"] == hashlib.md5(blob * 16).hexdigest()
    libc = (tree / "usr/lib/x86_64-linux-gnu/libc.so.6").read_bytes()
    assert said["libc"] == hashlib.md5(libc).hexdigest()
    assert "end" in said
    assert not result.lock_reports
