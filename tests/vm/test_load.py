"""kvm.ko in a live kernel: loads, says what it found, serves /dev/kvm, goes without a trace."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Machine
from portkit.vm.run import Result, run
from tests.guests import suite
from tests.vm import cross

pytestmark = pytest.mark.vm

HERE = Path(__file__).parent
BOOT_SECONDS = 900

BOCHS = [1, 2]

LOADS = 100


@pytest.fixture
def directory(tmp_path: Path, kind: Kind, imported: Cache) -> Path:
    """A directory with the module for a kernel, and the client."""
    shutil.copy(cross.kvm_ko(kind), tmp_path / "kvm.ko")
    cross.kvm_program(imported, HERE / "kvm_client.c", tmp_path / "kvm_client")
    return tmp_path


def script(cache: Cache, machine: Machine, directory: Path, text: str) -> Result:
    (directory / "script").write_text(text)
    command = ["sh", "-e", "./script"]
    result = run(cache, machine, directory, command, timeout=BOOT_SECONDS)
    assert result.panic is None, result.panic.text
    assert result.lock_reports == ()
    assert suite.COMPLAINT.findall(result.console) == []
    assert result.outcome == "exited", result.console
    return result


def loads_and_unloads(cache: Cache, machine: Machine, directory: Path, found: str) -> None:
    result = script(
        cache, machine, directory,
        "kldload ./kvm.ko; [ -c /dev/kvm ]; ./kvm_client version; kldunload kvm; [ ! -e /dev/kvm ]",
    )  # fmt: skip
    assert result.output == b"12\n", result.console
    assert result.status == 0, result.console
    assert [line for line in result.console.splitlines() if line.startswith(found)] != []


def test_it_loads_says_what_it_found_answers_and_unloads(
    imported: Cache, directory: Path, machine: Machine
) -> None:
    loads_and_unloads(imported, machine, directory, "kvm: AMD-V: nested paging")


@pytest.mark.parametrize("processors", BOCHS)
def test_it_does_so_on_vt_x(imported: Cache, directory: Path, kind: Kind, processors: int) -> None:
    machine = Machine(kind, processors, emulator="bochs")
    loads_and_unloads(imported, machine, directory, "kvm: VT-x: EPT, ")


def test_a_small_client_runs_guests(imported: Cache, directory: Path, machine: Machine) -> None:
    result = script(
        imported, machine, directory,
        "kldload ./kvm.ko; ./kvm_client guest; kldunload kvm",
    )  # fmt: skip
    assert result.output == b"ports and ioeventfd\nirqfd\nnew memory\nsignal mask\nrefusals\n"
    assert result.status == 0


def test_irqfds_are_bounded_and_refused_aloud(imported: Cache, directory: Path, kind: Kind) -> None:
    """One service watches all eventfds. Its full table once lost interrupts without a word."""
    result = script(
        imported, Machine(kind, 2), directory,
        "kldload ./kvm.ko; sysctl kern.maxfilesperproc=100 > /dev/null; ./kvm_client events;"
        " kldunload kvm",
    )  # fmt: skip
    assert result.output == b"events\n", result.output
    assert result.status == 0


def test_the_huge_page_thread_sleeps_between_its_rounds(
    imported: Cache, directory: Path, machine: Machine
) -> None:
    """They are minutes apart. It once never slept: on one CPU of Intel no guest ran."""
    result = script(
        imported, machine, directory,
        "kldload ./kvm.ko; sysctl hw.kvm.nx_huge_pages=force > /dev/null; ./kvm_client spin &"
        " sleep 1; for i in 1 2 3; do ps -axHo mwchan,tdname | grep kvm-nx-lpage; done; kill $!;"
        " wait $! || true; kldunload kvm",
    )  # fmt: skip
    assert re.findall(rb"^(\S+) +kvm-nx-lpage", result.output, re.MULTILINE) == [b"lkcpark"] * 3
    assert result.status == 0


def test_an_open_descriptor_keeps_it_loaded(
    imported: Cache, directory: Path, machine: Machine
) -> None:
    result = script(
        imported, machine, directory,
        "kldload ./kvm.ko; exec 3<>/dev/kvm; ! kldunload kvm 2>/dev/null; ./kvm_client version;"
        " exec 3>&-; kldunload kvm",
    )  # fmt: skip
    assert result.output == b"12\n"
    assert result.status == 0


def test_a_virtual_machine_keeps_it_loaded(
    imported: Cache, directory: Path, machine: Machine
) -> None:
    """Also when its process has closed the device, and until that process is gone."""
    result = script(
        imported, machine, directory,
        "kldload ./kvm.ko; ./kvm_client hold & sleep 2; ! kldunload kvm 2>/dev/null;"
        " ./kvm_client version; kill -9 $!; wait $! || true; kldunload kvm",
    )  # fmt: skip
    assert result.output == b"held\n12\n"
    assert result.status == 0


def test_without_virtualization_it_says_so(
    imported: Cache, directory: Path, machine: Machine
) -> None:
    result = script(
        imported, replace(machine, cpu="qemu64,-svm"), directory,
        "kldload ./kvm.ko || true; [ ! -e /dev/kvm ]",
    )  # fmt: skip
    assert result.status == 0
    assert "kvm: not started: the processor has neither VT-x nor AMD-V" in result.console


def test_32_bit_programs_are_refused(imported: Cache, directory: Path, machine: Machine) -> None:
    """As by a Linux without CONFIG_COMPAT: ENODEV at open, EINVAL on what was passed on."""
    cross.program_32(HERE / "kvm_32.c", directory / "kvm_32")
    result = script(
        imported, machine, directory,
        "kldload ./kvm.ko; exec 3<>/dev/kvm; ./kvm_32 3",
    )  # fmt: skip
    assert result.status == 0, result.output


@pytest.fixture
def vmm(directory: Path, kind: Kind) -> None:
    """FreeBSD's own hypervisor, in the directory."""
    name = {"plain": "VMM_KO", "debug": "VMM_KO_DEBUG"}[kind]
    if name not in os.environ:
        pytest.skip(f"needs FreeBSD's vmm.ko for the {kind} kernel, in {name}")
    shutil.copy(os.environ[name], directory / "vmm.ko")


@pytest.mark.usefixtures("vmm")
def test_beside_vmm_it_refuses(imported: Cache, directory: Path, machine: Machine) -> None:
    """The kernel's own words; and once vmm.ko is gone, kvm.ko loads."""
    result = script(
        imported, machine, directory,
        "kldload ./vmm.ko; ! kldload ./kvm.ko; [ ! -e /dev/kvm ]; kldunload vmm;"
        " kldload ./kvm.ko; ./kvm_client version; kldunload kvm",
    )  # fmt: skip
    assert "interface vmm.1 already present in the KLD 'vmm.ko'!" in result.console
    assert result.output.splitlines()[-1] == b"12"
    assert result.status == 0


@pytest.mark.usefixtures("vmm")
def test_vmm_is_refused_beside_it(imported: Cache, directory: Path, machine: Machine) -> None:
    """vmm.ko does not look by itself, and its unload would switch VT-x off under our guests."""
    result = script(
        imported, machine, directory,
        "kldload ./kvm.ko; ! kldload ./vmm.ko; ./kvm_client version; kldunload kvm",
    )  # fmt: skip
    assert "interface vmm.1 already present in the KLD 'kvm.ko'!" in result.console
    assert result.output.splitlines()[-1] == b"12"
    assert result.status == 0


def zones(text: str) -> dict[str, int]:
    """Items in use of each UMA zone, from ``vmstat -z``."""
    used: dict[str, int] = {}
    for line in text.splitlines():
        name, colon, numbers = line.partition(":")
        if colon and numbers.strip():
            used[name] = used.get(name, 0) + int(numbers.split(",")[2])
    return used


def types(text: str) -> dict[str, str]:
    """Allocations in use of each malloc type, from ``vmstat -m``."""
    found = re.findall(r"^ *(\S.*?) +(\d+) +\d+K +\d+ ", text, re.MULTILINE)
    assert len(found) > 10  # it is a list
    return dict(found)


def pages(sysctl: str, zones: str) -> int:
    """Wired pages that are neither UMA's, free items included, nor buffers nor kernel stacks."""
    values = dict(line.split(": ") for line in sysctl.splitlines())
    wired = int(values.pop("vm.stats.vm.v_wire_count"))
    buffers = int(values.pop("vfs.bufspace")) // 4096
    stack = re.search(r"^kstack_cache: +(\d+), +\d+, +(\d+), +(\d+)", zones, re.MULTILINE)
    assert stack
    assert len(values) > 50  # zones
    size, used, free = map(int, stack.groups())
    return wired - buffers - sum(map(int, values.values())) - (used + free) * size // 4096


# What files, the buffer cache, the page cache of a CPU and UMA's buckets hold changes by itself.
# Process structures, which FreeBSD keeps for reuse, hold a ksiginfo, thread structures an rl_entry.
_RESTLESS = re.compile(
    r"buf |BUF |vm pgcache|vmem|VM OBJECT|VNODE|FFS|RADIX NODE|\d+ Bucket|NAMEI|MAP ENTRY|UMA"
    r"|malloc-|pcpu|Files|S VFS|VFS|KNOTE|g_bio|THREAD|kstack|FPU_save_area|SLEEPQUEUE|TURNSTILE"
    r"|ksiginfo$|rl_entry$"
)
# Belong to thread and process structures, of which FreeBSD keeps some for reuse: proc_init()
# allocates a `subproc` for each one of a new slab.
_KEPT = {"umtx", "kdtrace", "subproc"}


def test_a_hundred_times_leaves_nothing_behind(
    imported: Cache, directory: Path, machine: Machine
) -> None:
    """Malloc types, zones, threads, callouts and wired pages are as before, and no vector is lost.

    One load in ten runs guests. FreeBSD keeps an event for devd(8) of every device that comes
    and goes, up to a thousand; no devd runs here, so that queue is off (from the start: the sysctl
    takes two of its locks in an order that WITNESS reports). FreeBSD has three vectors for
    interrupts between processors: the fourth load would miss one that is lost. Each processor has
    caches of UMA and of kernel stacks of its own, which grow for hundreds of loads, by 260 pages
    with four, and the buffer cache has the files that are written here. So these are counted and
    left out of the wired pages; what zones hold is compared by itself.
    """
    result = script(
        imported, replace(machine, tunables=("hw.bus.devctl_queue=0",)), directory,
        """
        once() { kldload ./kvm.ko; ./kvm_client $1 > /dev/null; kldunload kvm; }
        ten() { once guest; for i in 2 3 4 5 6 7 8 9 10; do once version; done; }
        look() {
            sleep 1; ps -axHo comm,tdname > threads.$1; vmstat -m > malloc.$1
            sysctl vm.stats.vm.v_wire_count vfs.bufspace vm.uma > /tmp/all
            grep -E 'wire_count|bufspace|keg.domain.*pages' /tmp/all > wired.$1
            vmstat -z > zones.$1; sysctl kern.callout_stat=1
        }
        look warm; for j in 1 2 3 4 5 6 7 8 9 10; do for i in 1 2 3 4; do once guest; done; done
        look before; for j in 1 2 3 4 5 6 7 8 9 10; do ten; done
        look after
        """,
    )  # fmt: skip
    assert result.status == 0, result.output
    assert "no interrupt vector is free" not in result.console

    def read(what: str) -> tuple[str, str]:
        before, after = (directory / f"{what}.{when}" for when in ("before", "after"))
        return before.read_text(), after.read_text()

    before, after = map(types, read("malloc"))
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed - _KEPT == set()
    before_zones, after_zones = map(zones, read("zones"))
    grown = {
        name: (before_zones.get(name), used) for name, used in after_zones.items()
        if not _RESTLESS.match(name) and used > before_zones.get(name, 0)
    }  # fmt: skip
    assert grown == {}
    old, new = read("threads")
    assert sorted(old.splitlines()) == sorted(new.splitlines())
    wired = list(map(pages, read("wired"), read("zones")))
    _, *callouts = map(int, re.findall(r"^  Callouts: +(\d+)", result.console, re.MULTILINE))
    print(f"wired pages {wired}, callouts {callouts}")
    assert wired[1] - wired[0] < LOADS // 10  # one by each load with a guest would be that
    assert callouts[1] - callouts[0] < LOADS // 10
