"""What the kernel prints becomes panics, backtraces and lock reports."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from portkit.vm.console import Console

BOOT = """\
---<<BOOT>>---
FreeBSD 14.0-CURRENT #0: Sun Nov 22 19:13:59 UTC 2026
FreeBSD/SMP: Multiprocessor System Detected: 2 CPUs
Trying to mount root from ufs:/dev/vtbd0 []...
"""
WITNESS = "WARNING: WITNESS option enabled, expect reduced performance.\n"

PANIC = """\
panic: kdb_sysctl_panic
cpuid = 1
time = 1669147000
KDB: stack backtrace:
#0 0xffffffff80546d05 at kdb_backtrace+0x65
#1 0xffffffff804fc2a2 at vpanic+0x182
#2 0xffffffff804fc113 at panic+0x43
#3 0xffffffff8054719c at kdb_sysctl_panic+0x5c
Uptime: 1s
Rebooting...
cpu_reset: Restarting BSP
"""

TRAP = """\


Fatal trap 12: page fault while in kernel mode
cpuid = 0; apic id = 00
fault virtual address	= 0x10
fault code		= supervisor read data, page not present
current process		= 31 (kldload)
trap number		= 12
panic: page fault
cpuid = 0
time = 1669147001
KDB: stack backtrace:
db_trace_self_wrapper() at db_trace_self_wrapper+0x2b/frame 0xfffffe0045c2a8f0
vpanic() at vpanic+0x151/frame 0xfffffe0045c2a940
trap_fatal() at trap_fatal+0x387/frame 0xfffffe0045c2aa10
--- trap 0xc, rip = 0xffffffff82a11020, rsp = 0xfffffe0045c2ab40 ---
kvm_mod_event() at kvm_mod_event+0x20/frame 0xfffffe0045c2ab60
sys_kldload() at sys_kldload+0x5d/frame 0xfffffe0045c2abf0
KDB: enter: panic
Uptime: 2s
"""

REVERSAL = """\
lock order reversal:
 1st 0xfffff80003a5b5f0 kvm srcu (kvm srcu, sx) @ srcu.c:41
 2nd 0xfffffe00013c0010 kvm lock (kvm lock, sx) @ /usr/src/sys/kern/kern_sx.c:70
lock order kvm lock -> kvm srcu established at:
#0 0xffffffff8051fd1b at witness_checkorder+0x36b
#1 0xffffffff804d0a4e at _sx_xlock+0x5e
lock order kvm srcu -> kvm lock attempted at:
#0 0xffffffff805205e0 at witness_checkorder+0xc30
#1 0xffffffff804d0a4e at _sx_xlock+0x5e
"""

SLEEPING = """\
malloc(M_WAITOK) of "64", forcing M_NOWAIT with the following non-sleepable locks held:
exclusive rw kvm mmu (kvm mmu) r = 0 (0xfffffe0001) locked @ lkc_lock.c:101
stack backtrace:
#0 0xffffffff80546d05 at kdb_backtrace+0x65
#1 0xffffffff8051ff4e at witness_warn+0x2ee
"""


def read(text: str) -> Console:
    console = Console()
    console.feed(text.replace("\n", "\r\n").encode())
    console.end()
    return console


def test_a_boot_is_nothing_to_report() -> None:
    console = read(BOOT + WITNESS)
    assert console.panic is None
    assert console.lock_reports == ()
    assert console.text == BOOT + WITNESS


def test_a_panic_has_its_message_and_backtrace() -> None:
    panic = read(BOOT + PANIC).panic
    assert panic is not None
    assert panic.message == "kdb_sysctl_panic"
    assert len(panic.backtrace) == 4
    assert panic.backtrace[0] == "#0 0xffffffff80546d05 at kdb_backtrace+0x65"
    assert panic.text.startswith("panic: kdb_sysctl_panic")
    assert "Uptime" not in panic.text


def test_a_panic_may_start_in_the_middle_of_a_line() -> None:
    panic = read(BOOT + "debug.kdb.panic:" + PANIC).panic
    assert panic is not None
    assert panic.message == "kdb_sysctl_panic"


def test_a_fatal_trap_is_reported_from_its_first_line() -> None:
    console = read(BOOT + TRAP)
    panic = console.panic
    assert panic is not None
    assert panic.message == "page fault"
    assert panic.text.startswith("Fatal trap 12")
    assert "fault virtual address	= 0x10" in panic.text
    # The frame below the trap is the one that matters.
    assert panic.backtrace[3].startswith("--- trap 0xc")
    assert panic.backtrace[4].startswith("kvm_mod_event()")
    assert len(panic.backtrace) == 6
    assert console.rebooting


def test_a_machine_that_dies_within_its_panic_still_tells() -> None:
    console = Console()
    console.feed(b"Fatal double fault\r\nrip 0xffffffff80")
    assert console.panicking
    console.end()
    assert console.panic is not None
    assert console.panic.message == "Fatal double fault"
    assert console.panic.backtrace == ()


def test_only_the_first_of_two_panics_counts() -> None:
    first = PANIC.partition("Uptime")[0]
    panic = read(first + PANIC.replace("panic: kdb_", "panic: second_")).panic
    assert panic is not None
    assert panic.message == "kdb_sysctl_panic"


def test_a_word_about_panics_is_none() -> None:
    assert read("hello panic: not at the start\nkern.panic_reboot_wait_time\n").panic is None


def test_lock_order_reversals_are_counted_with_both_orders() -> None:
    other = REVERSAL.replace("reversal:", "reversal: (Giant after non-sleepable)")
    console = read(BOOT + REVERSAL + "kvm: loaded\n" + other)
    assert [report.kind for report in console.lock_reports] == [
        "lock order reversal:",
        "lock order reversal: (Giant after non-sleepable)",
    ]
    assert console.lock_reports[0].text == REVERSAL.rstrip("\n")


def test_two_reversals_in_a_row_are_two() -> None:
    assert len(read(REVERSAL + REVERSAL).lock_reports) == 2


def test_sleeping_with_a_lock_held_is_a_report_too() -> None:
    (report,) = read(BOOT + SLEEPING + "kvm: loaded\n").lock_reports
    assert report.text == SLEEPING.rstrip("\n")


@given(st.lists(st.integers(0, len(BOOT + REVERSAL + TRAP)), max_size=20))
def test_the_pieces_in_which_it_comes_do_not_matter(cuts: list[int]) -> None:
    data = (BOOT + REVERSAL + TRAP).encode()
    console = Console()
    edges = [0, *sorted(cuts), len(data)]
    for start, end in pairwise(edges):
        console.feed(data[start:end])
    console.end()
    whole = read(BOOT + REVERSAL + TRAP)
    assert console.panic == whole.panic
    assert console.lock_reports == whole.lock_reports
    assert console.text == whole.text


@given(st.binary(max_size=2000))
def test_any_bytes_can_be_read(data: bytes) -> None:
    console = Console()
    console.feed(data)
    console.end()
    assert console.text.count("\n") == data.count(b"\n") + (
        not data.endswith(b"\n") and data != b""
    )
