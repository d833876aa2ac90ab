"""QEMU on FreeBSD with -accel kvm: what it says when it cannot, firmware, a Linux guest."""

from __future__ import annotations

import hashlib
import re
import shutil

import pytest

from portkit.vm.machine import Emulator
from tests.qemu.guest import Linux
from tests.qemu.host import Host

pytestmark = pytest.mark.vm

_LINUX = "-kernel vmlinuz -initrd initramfs"


def facts(text: str) -> dict[str, str]:
    """What the guest said, by the first word."""
    found = re.findall(r"guest: (\w+) ?([^\r\n]*)", text)
    return dict(found)


def give(host: Host, linux: Linux) -> None:
    shutil.copy(linux.kernel, host.directory / "vmlinuz")
    shutil.copy(linux.initramfs, host.directory / "initramfs")


def test_errors_name_the_module_and_the_group(host: Host) -> None:
    host.script(
        """
        $qemu $machine -accel kvm 2> nomodule; echo $? > status
        kldload ./kvm.ko
        chmod 755 . usr usr/bin usr/share usr/share/qemu
        ./asuser 1001 1001 $qemu $machine -accel kvm 2> nogroup; echo $? >> status
        """,
        load=False,
    )
    assert host.read("status").split() == ["1", "1"]
    assert 'Load the module with "kldload kvm"' in host.read("nomodule")
    assert "/dev/kvm is for members of the group" in host.read("nogroup")
    assert "pw groupmod" in host.read("nogroup")


_SEV = "-accel kvm -object sev-guest,id=s,cbitpos=47,reduced-phys-bits=1"
_REFUSED = {
    "-accel kvm -device vfio-pci,host=0:0.0": "'vfio-pci' is not a valid device model name",
    "-accel kvm -device vhost-vsock-pci": "'vhost-vsock-pci' is not a valid device model name",
    f"{_SEV} -M confidential-guest-support=s": "sev",
    "-accel kvm -M xenfv": 'unsupported machine type: "xenfv"',
    "-accel xen": "invalid accelerator xen",
    "-accel kvm -m 64 -mem-path /tmp": "host lacks kvm mmu notifiers, -mem-path unsupported",
}  # fmt: skip


def test_what_needs_more_of_linux_is_refused(host: Host) -> None:
    host.script(
        "".join(
            f"timeout 60 $qemu $machine {options} > refusal{i} 2>&1; echo $? >> refusal{i}\n"
            for i, options in enumerate(_REFUSED)
        )
    )
    for i, (options, message) in enumerate(_REFUSED.items()):
        said = host.read(f"refusal{i}")
        assert message in said, options
        assert said.endswith("\n1\n"), options


def test_vhost_is_refused_beside_a_tap(host: Host) -> None:
    """The tap itself works: without vhost QEMU starts and takes commands."""
    host.script(
        """
        [ -c /dev/tap ] || kldload if_tuntap || { echo none > refusal; exit; }
        tap="-netdev tap,id=n,ifname=tap0,script=no,downscript=no"
        ifconfig tap0 create
        timeout 60 $qemu $machine $accel $tap,vhost=on > refusal 2>&1; echo $? >> refusal
        start q $machine $tap; poll q "type=tap" info network; tell q quit; ended q
        """
    )
    if host.read("refusal") == "none\n":
        pytest.skip("this kernel has no tap(4)")
    assert "vhost" in host.read("refusal")
    assert host.read("refusal").endswith("\n1\n")
    assert host.read("q.status") == "0\n"


@pytest.mark.parametrize("irqchip", ["on", "split"])
def test_seabios_starts(host: Host, irqchip: str) -> None:
    result = host.script(
        f"""
        start q -M pc,kernel_irqchip={irqchip} -cpu host -m 64 \\
            -chardev file,path=bios,id=bios -device isa-debugcon,iobase=0x402,chardev=bios
        expect q bios "No bootable device"; tell q quit; ended q
        """
    )
    assert "SeaBIOS (version" in host.read("bios"), host.read("q.out") + result.console
    assert host.read("q.status") == "0\n", host.read("q.out")


def boots(host: Host, linux: Linux, board: str, cpus: int, emulator: Emulator = "qemu") -> None:
    """A Debian kernel, with a disk and a network, until it powers off."""
    give(host, linux)
    blob, disk = host.directory / "tftp" / "blob", host.directory / "disk"
    blob.parent.mkdir()
    blob.write_bytes(bytes(range(256)) * 1200)
    content = bytes(reversed(range(256))) * 8192
    disk.write_bytes(content)
    result = host.script(
        f"""
        start q -M {board} -cpu host -m 256 -smp {cpus} {_LINUX} \\
            -append "console=ttyS0 quiet disk net" \\
            -serial file:serial -drive file=disk,if=virtio,format=raw \\
            -netdev user,id=n,tftp=tftp -device virtio-net-pci,netdev=n
        ended q
        """,
        cpus=cpus,
        emulator=emulator,
    )
    said = facts(host.read("serial"))
    shown = host.read("q.out") + host.read("serial") + result.console
    assert host.read("q.status") == "0\n", shown
    assert said["cpus"] == str(cpus)
    assert said["hypervisor"] == "Hypervisor detected: KVM"
    assert said["clock"] == "kvm-clock"
    assert said["disk"] == hashlib.md5(content).hexdigest()
    assert said["net"] == hashlib.md5(blob.read_bytes()).hexdigest()
    assert disk.read_bytes() == content[: 1 << 20] + content[: 1 << 20]
    assert "end" in said
    assert not result.lock_reports


@pytest.mark.parametrize(("board", "cpus"), [("pc", 1), ("pc", 2), ("q35", 4)])
def test_linux_boots_with_disk_and_network_and_powers_off(
    either: Host, linux: Linux, board: str, cpus: int
) -> None:
    boots(either, linux, board, cpus)


def test_linux_boots_on_intel(either: Host, linux: Linux) -> None:
    """Bochs emulates VMX. It does not do for two vCPUs: docs/qemu.md, at its end."""
    boots(either, linux, "pc", 1, "bochs")
