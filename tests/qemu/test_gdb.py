"""The gdb stub of a guest under KVM, spoken to in the debugger's own protocol."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tests.qemu.host import Host
from tests.qemu.test_machine import GUEST

pytestmark = pytest.mark.vm

START = """
./fifo gdb.in; ./fifo gdb.out; sleep 100000 > gdb.in & cat gdb.out > replies &
say() { printf "$1" > gdb.in; }
guest a -M pc -chardev pipe,id=g,path=gdb -gdb chardev:g
"""


def symbol(image: Path, name: str) -> int:
    with image.with_suffix(".elf").open("rb") as file:
        (found,) = ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name(name)
        return int(found["st_value"])


def packet(text: str) -> str:
    """A request, as printf(1) writes it, with the acknowledgement of what came before."""
    return f"+${text}#{sum(text.encode()) & 255:02x}"


def session(*requests: tuple[str, str]) -> Iterator[str]:
    """A script of requests, and of what the answers up to then have to be like."""
    expected = ""
    for request, answer in requests:
        if request:
            yield f"say '{request if request[0] == chr(92) else packet(request)}'"
        expected = f"{expected}*{answer}"
        yield f"expect a replies '{expected}'"


def registers(replies: str) -> list[int]:
    """The instruction pointer in every answer to "g": the 17th of the registers."""
    found = re.findall(r"\$([0-9a-fx]{500,})#", replies)
    return [int.from_bytes(bytes.fromhex(text[256:272]), "little") for text in found]


def test_a_guest_is_stopped_and_stepped(host: Host, tiny: Path) -> None:
    shutil.copy(tiny, host.directory)
    steps = session(("\\003", "T02"), ("s", "T05"), ("g", "#"), ("s", "T05"), ("g", "#"))
    result = host.script(
        GUEST
        + START
        + "say '+$c#63'; expect a a.tiny boot\n"
        + "\n".join(steps)
        + "\nsay '+$c#63'; tell a sendkey c; expect a a.tiny sum; tell a quit; ended a"
    )
    replies = host.read("replies")
    assert host.read("a.status") == "0\n", replies + host.read("a.out") + result.console
    assert len(set(registers(replies))) == 2, replies


@pytest.mark.parametrize(("model", "kinds"), [(None, "01"), ("ryzen", "0")])
def test_breakpoints_stop_a_guest(either: Host, tiny: Path, model: str | None, kinds: str) -> None:
    """Of both kinds, 0 is software's. On Bochs: QEMU's SVM neither intercepts INT3 nor loads DRs.

    On "ryzen" an exit for a debug exception has not written DR6, so nobody knows whose it is.
    """
    shutil.copy(tiny, either.directory)
    address = symbol(tiny, "break_here")
    steps = [("\\003", "T02")]
    for kind in kinds:
        where = f"{kind},{address:x},1"
        steps += [(f"Z{where}", "OK"), ("c", "T05"), ("g", "#"), (f"z{where}", "OK")]
        steps += [("s", "T05")] if "1" in kinds else []
    result = either.script(
        GUEST
        + START
        + "say '+$c#63'; expect a a.tiny boot\n"
        + "\n".join(session(*steps))
        + "\nsay '+$c#63'; tell a sendkey c; expect a a.tiny sum; tell a quit; ended a",
        emulator="bochs",
        model=model,
    )
    replies = either.read("replies")
    assert either.read("a.status") == "0\n", replies + either.read("a.out") + result.console
    assert registers(replies) == [address] * len(kinds), replies
