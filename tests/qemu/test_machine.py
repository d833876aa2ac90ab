"""What QEMU does with a whole machine, seen by the tiny guest: each is one boot of FreeBSD."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.qemu.host import Host
from tests.qemu.tinyguest import checksum

pytestmark = pytest.mark.vm

SUM = f"sum {checksum(1 << 20)}"
DIMM = f"dimm {checksum(1 << 21)}"
# A guest called $1 on the rest of the arguments, which speaks to $1.tiny.
GUEST = """
guest() {
    local name=$1; shift
    start $name -cpu host -m 32,slots=2,maxmem=512M -kernel tiny -debugcon file:$name.tiny "$@"
}
"""


def words(text: str) -> list[str]:
    """What the guest said, in order."""
    return re.findall(r"^tiny: (.+)$", text, re.MULTILINE)


def test_snapshot_hot_plug_reset_suspend_and_power_off(either: Host, tiny: Path) -> None:
    shutil.copy(tiny, either.directory)
    result = either.script(
        GUEST
        + """
        ./usr/bin/qemu-img create -q -f qcow2 disk 100M
        guest a -M pc -drive if=none,id=d,file=disk,format=qcow2
        expect a a.tiny "boot"; tell a sendkey c; expect a a.tiny "sum"

        tell a calc_dirty_rate -b 1; poll a "Dirty rate: [0-9]" info dirty_rate

        tell a stop; tell a 'pmemsave 0 0x2000000 "/tmp/before"'; tell a savevm one; tell a cont
        tell a sendkey r; expect a a.tiny "boot*boot"
        tell a stop; tell a loadvm one; tell a 'pmemsave 0 0x2000000 "/tmp/after"'
        poll a paused info status; cmp /tmp/before /tmp/after && echo same > snapshot
        tell a cont; tell a sendkey c; expect a a.tiny "sum*sum"

        tell a object_add memory-backend-ram,id=m,size=64M
        tell a device_add pc-dimm,id=dimm,memdev=m,addr=0x100000000
        tell a sendkey d; expect a a.tiny "dimm"

        tell a system_reset; expect a a.tiny "boot*boot*boot"
        tell a sendkey s; expect a a.tiny "suspend"
        poll a "(suspended)" info status
        tell a system_wakeup; expect a a.tiny "resumed"
        tell a system_powerdown; expect a a.tiny "power off"; ended a
        """
    )
    said = words(either.read("a.tiny"))
    shown = either.read("a.out") + result.console
    assert either.read("a.status") == "0\n", shown
    assert either.read("snapshot") == "same\n", shown
    assert [word.split()[0] for word in said] == [
        "boot", "sum", "boot", "sum", "dimm", "boot", "suspend", "resumed", "power"
    ], shown  # fmt: skip
    assert [word for word in said if word.startswith(("sum", "dimm"))] == [SUM, SUM, DIMM]
    assert said[7] == SUM.replace("sum", "resumed")
    assert not result.lock_reports


@pytest.mark.parametrize(
    "board",
    ["pc,kernel_irqchip=on", "q35,kernel_irqchip=split"],
)
def test_a_guest_migrates_while_it_runs(either: Host, tiny: Path, board: str) -> None:
    shutil.copy(tiny, either.directory)
    result = either.script(
        GUEST
        + f"""
        guest from -M {board}; guest to -M {board} -incoming unix:socket -S
        expect from from.tiny "boot"; tell from sendkey c; expect from from.tiny "sum"
        until [ -e socket ]; do sleep 1; done
        tell from migrate_set_parameter downtime-limit 5000
        tell from migrate -d unix:socket
        poll from "[sS]tatus: *[cf][oa][mi]" info migrate
        tell from 'pmemsave 0 0x2000000 "/tmp/before"'; tell from quit; ended from
        tell to 'pmemsave 0 0x2000000 "/tmp/after"'; poll to paused info status
        cmp /tmp/before /tmp/after && echo same > memory
        tell to cont; tell to sendkey c; expect to to.tiny "sum"
        tell to sendkey t; expect to to.tiny "ticks"
        tell to system_powerdown; expect to to.tiny "power off"; ended to
        """,
        memory=1536,
    )
    shown = either.read("from.out") + either.read("to.out") + result.console
    assert either.read("from.status") + either.read("to.status") == "0\n0\n", shown
    assert either.read("memory") == "same\n", shown
    assert words(either.read("to.tiny"))[0] == SUM
    assert not result.lock_reports


def test_a_guest_without_an_interrupt_controller_in_the_kernel(host: Host, tiny: Path) -> None:
    """As on Linux it takes a processor without an APIC, and without what KVM refuses then."""
    shutil.copy(tiny, host.directory)
    result = host.script(
        GUEST
        + """
        guest a -M pc,kernel_irqchip=off -cpu host,apic=off,kvm-asyncpf-int=off
        expect a a.tiny boot; tell a sendkey c; expect a a.tiny sum; tell a quit; ended a
        """
    )
    assert host.read("a.status") == "0\n", host.read("a.out") + result.console
    assert words(host.read("a.tiny"))[1:] == [SUM]


def test_on_intel(either: Host, tiny: Path) -> None:
    """Firmware and the tiny guest under VMX, which Bochs emulates."""
    shutil.copy(tiny, either.directory)
    result = either.script(
        GUEST
        + """
        start q -M pc -cpu host -m 64 \\
            -chardev file,path=bios,id=bios -device isa-debugcon,iobase=0x402,chardev=bios
        expect q bios "No bootable device"; tell q quit; ended q
        guest a -M pc; expect a a.tiny boot; tell a sendkey c; expect a a.tiny sum
        tell a sendkey t; expect a a.tiny ticks; tell a quit; ended a
        """,
        memory=512, emulator="bochs",
    )  # fmt: skip
    shown = either.read("q.out") + either.read("a.out") + result.console
    assert "SeaBIOS (version" in either.read("bios"), shown
    assert either.read("q.status") + either.read("a.status") == "0\n0\n", shown
    said = words(either.read("a.tiny"))
    assert said[1] == SUM
    assert int(said[2].split()[1], 16) > 0
