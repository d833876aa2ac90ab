"""More to start a guest with: UEFI's firmware, and FreeBSD's own kernel as a guest."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from portkit.vm.cache import Cache
from portkit.vm.images import make_image
from tests.qemu.guest import Linux
from tests.qemu.host import Host
from tests.qemu.test_guest import facts, give

pytestmark = pytest.mark.vm

OVMF = Path("/usr/share/OVMF")

# What FreeBSD's boot loader would pass on.
FREEBSD = """\
console=comconsole
hw.uart.console=io:0x3f8,br:115200
hint.uart.0.at=isa
hint.uart.0.port=0x3F8
hint.uart.0.irq=4
hint.uart.0.flags=0x10
vfs.root.mountfrom=ufs:/dev/vtbd0
"""
# The first script that FreeBSD's init(8) runs.
RC = """\
export PATH=/bin:/sbin
say() { echo "guest: $*"; }
say "cpus $(sysctl -n hw.ncpu)"
say "hypervisor $(sysctl -n kern.vm_guest)"
say "clock $(sysctl -n kern.timecounter.hardware)"
say "disk $(md5 -q /dev/vtbd1)"
say "end"
sleep 1
halt -qp
"""


def test_uefi_starts_linux(either: Host, linux: Linux) -> None:
    """Debian's OVMF: the code is a memory slot that the guest reads and QEMU sees writes to."""
    if not OVMF.is_dir():
        pytest.skip("needs Debian's package ovmf")
    give(either, linux)
    shutil.copy(OVMF / "OVMF_CODE_4M.fd", either.directory / "code")
    shutil.copy(OVMF / "OVMF_VARS_4M.fd", either.directory / "vars")
    result = either.script(
        """
        start q -M q35 -cpu host -m 320 -kernel vmlinuz -initrd initramfs \\
            -append "console=ttyS0 quiet" -serial file:serial \\
            -drive if=pflash,format=raw,readonly=on,file=code -drive if=pflash,format=raw,file=vars
        ended q
        """
    )
    said = facts(either.read("serial"))
    shown = either.read("q.out") + either.read("serial") + result.console
    assert either.read("q.status") == "0\n", shown
    assert said["efi"] == "/sys/firmware/efi"
    assert said["hypervisor"] == "Hypervisor detected: KVM"
    assert "end" in said
    assert not result.lock_reports


@pytest.mark.parametrize("cpus", [1, 2])
def test_freebsd_boots(either: Host, imported: Cache, tmp_path: Path, cpus: int) -> None:
    base = imported.sysroot
    assert base is not None
    root = tmp_path / "root"
    for name in ("sbin/init", "sbin/halt", "sbin/sysctl", "sbin/md5", "bin/sh", "bin/sleep"):
        if not (base / name).exists():
            pytest.skip(f"the imported base has no {name}")
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(base / name, root / name)
    shutil.copytree(base / "lib", root / "lib", symlinks=True)
    shutil.copytree(base / "libexec", root / "libexec")
    for library in base.glob("usr/lib/libedit.so.*"):  # where the shell has it is up to the release
        shutil.copy(library, root / "lib")
    for name in ("dev", "etc"):
        (root / name).mkdir()
    (root / "etc/rc").write_text(RC)
    make_image(root, either.directory / "image", free=1 << 20, root_owned=True)
    shutil.rmtree(root)
    content = bytes(reversed(range(256))) * 4096
    (either.directory / "disk").write_bytes(content)
    (either.directory / "env").write_text(FREEBSD)
    shutil.copy(imported.kernel("plain"), either.directory / "kernel")
    shutil.copy(imported.guest().multiboot, either.directory / "loader")
    result = either.script(
        f"""
        start q -M pc -cpu host -m 256 -smp {cpus} -kernel loader -initrd kernel,env \\
            -serial file:serial -drive file=image,if=virtio,format=raw,snapshot=on \\
            -drive file=disk,if=virtio,format=raw
        ended q
        """,
        cpus=cpus,
    )
    said = facts(either.read("serial"))
    shown = either.read("q.out") + either.read("serial") + result.console
    assert either.read("q.status") == "0\n", shown
    assert said["cpus"] == str(cpus), shown
    assert said["hypervisor"] == "kvm"
    assert said["clock"] == "kvmclock"
    assert said["disk"] == hashlib.md5(content).hexdigest()
    assert "end" in said
    assert not result.lock_reports
