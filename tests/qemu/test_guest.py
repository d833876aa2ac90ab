"""QEMU on FreeBSD with -accel kvm: firmware, a Linux guest, snapshots, migration, debugging."""

from __future__ import annotations

import hashlib
import re
import shutil

import pytest

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


@pytest.mark.parametrize("irqchip", ["on", "split", "off"])
@pytest.mark.parametrize("board", ["pc", "q35"])
def test_seabios_starts(host: Host, irqchip: str, board: str) -> None:
    result = host.script(
        f"""
        {{ expect bios "No bootable device"; echo quit; }} |
            start -M {board},kernel_irqchip={irqchip} -cpu host \\
                -chardev file,path=bios,id=bios -device isa-debugcon,iobase=0x402,chardev=bios
        """
    )
    assert "SeaBIOS (version" in host.read("bios"), host.read("monitor") + result.console
    assert host.read("status") == "0\n", host.read("monitor")


@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_linux_boots_with_disk_and_network_and_powers_off(
    host: Host, linux: Linux, cpus: int
) -> None:
    give(host, linux)
    blob, disk = host.directory / "tftp" / "blob", host.directory / "disk"
    blob.parent.mkdir()
    blob.write_bytes(bytes(range(256)) * 1200)
    content = bytes(reversed(range(256))) * 8192
    disk.write_bytes(content)
    result = host.script(
        f"""
        start -cpu host -smp {cpus} {_LINUX} -append "console=ttyS0 quiet disk net" \\
            -serial file:serial -drive file=disk,if=virtio,format=raw \\
            -netdev user,id=n,tftp=tftp -device virtio-net-pci,netdev=n < /dev/null
        """,
        cpus=min(cpus, 2),
    )
    said = facts(host.read("serial"))
    assert host.read("status") == "0\n", host.read("monitor") + host.read("serial") + result.console
    assert said["cpus"] == str(cpus)
    assert said["hypervisor"] == "Hypervisor detected: KVM"
    assert said["clock"] == "kvm-clock"
    assert said["disk"] == hashlib.md5(content).hexdigest()
    assert said["net"] == hashlib.md5(blob.read_bytes()).hexdigest()
    assert disk.read_bytes() == content[: 1 << 20] + content[: 1 << 20]
    assert "end" in said


def test_reset_starts_again(host: Host, linux: Linux) -> None:
    give(host, linux)
    host.script(
        f"""
        {{ expect serial "memory same"; echo system_reset
           expect serial "memory same*memory ready*memory same"; echo quit; }} |
            start {_LINUX} -append "console=ttyS0 quiet memory" -serial file:serial
        """
    )
    assert host.read("status") == "0\n", host.read("monitor")
    assert host.read("serial").count("memory ready") == 2
    assert "differs" not in host.read("serial")


def counts(text: str) -> list[int]:
    """How often the guest has found its memory unchanged."""
    assert "differs" not in text
    return [int(count) for count in re.findall(r"guest: memory same (\d+)", text)]


def test_a_snapshot_brings_memory_and_devices_back(host: Host, linux: Linux) -> None:
    give(host, linux)
    host.script(
        f"""
        ./usr/bin/qemu-img create -q -f qcow2 state 64M
        guest() {{
            start {_LINUX} -append "console=ttyS0 quiet memory" \\
                -drive file=state,if=none,format=qcow2,id=state "$@"
        }}
        {{ expect first "memory same 2"; echo stop; echo "{SAVE} before"
           echo "savevm one"; echo quit; }} | guest -serial file:first
        rm ended
        {{ echo "{SAVE} after"; echo cont; expect second "memory same*memory same"; echo quit; }} |
            guest -serial file:second -loadvm one -S
        """
    )
    assert host.read("status") == "0\n0\n", host.read("monitor")
    same_memory(host)
    assert counts(host.read("second"))[0] == counts(host.read("first"))[-1] + 1


def test_migration_between_two_qemus(host: Host, linux: Linux) -> None:
    give(host, linux)
    host.script(
        f"""
        guest() {{ start {_LINUX} -append "console=ttyS0 quiet memory" "$@"; }}
        mkdir b
        {{ expect from "memory same 2"; echo "migrate unix:socket"; echo "info migrate"
           expect monitor "Migration status: completed"; echo "{SAVE} before"
           echo quit; }} | guest -serial file:from &
        {{ while [ ! -e ended ]; do sleep 1; done
           echo "{SAVE} after"; echo cont
           while ! has to "memory same*memory same"; do sleep 1; done; echo quit; }} |
            $qemu $machine -accel kvm {_LINUX} -monitor stdio -serial file:to -S \\
                -incoming unix:socket > incoming 2>&1
        echo $? >> status
        """,
        cpus=2,
        memory=1536,
    )
    assert host.read("status") == "0\n0\n", host.read("monitor") + host.read("incoming")
    same_memory(host)
    assert counts(host.read("to"))[0] == counts(host.read("from"))[-1] + 1


SAVE = "pmemsave 0x1000000 0x1000000"  # 16 MiB from where the kernel is


def same_memory(host: Host) -> None:
    before = (host.directory / "before").read_bytes()
    assert len(before) == 16 << 20
    assert len(set(before[::4096])) > 50  # it is not empty
    assert (host.directory / "after").read_bytes() == before
