"""Many QEMUs, QEMUs that are killed, and a host that has little to give."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.qemu.host import Host
from tests.qemu.test_machine import GUEST, SUM, words
from tests.stress import measure

pytestmark = pytest.mark.vm


def test_ten_at_once_kill_in_every_phase_and_unload(either: Host, tiny: Path) -> None:
    """Wired pages come back: the limit is a fifth of what one guest touches."""
    shutil.copy(tiny, either.directory)
    result = either.script(
        GUEST
        + f"""
        end() {{ kill -9 $(cat $1.pid); ended $1; }}
        wired() {{ sysctl -n vm.stats.vm.v_wire_count; }}
        guest a -M pc; expect a a.tiny boot; end a
        wired > wired
        {measure.SCRIPT.format(name="before")}

        guest a -M pc; until [ -s a.pid ]; do :; done; end a
        for seconds in 1 2 3; do
            guest a -M pc; until [ -s a.pid ]; do :; done; sleep $seconds; end a
        done
        rm -f a.tiny; guest a -M pc; expect a a.tiny boot; kldunload kvm; echo $? > busy; end a
        rm -f a.tiny; guest a -M pc -S; sleep 2; end a
        rm -f a.tiny; guest a -M pc; expect a a.tiny boot
        tell a sendkey s; poll a "(suspended)" info status; end a
        rm -f a.tiny; guest a -M pc; expect a a.tiny boot
        guest b -M pc -incoming unix:socket; until [ -e socket ]; do sleep 1; done
        tell a migrate_set_parameter max-bandwidth 1M
        tell a migrate -d unix:socket; poll a "tatus: active" info migrate; end a; ended b
        wired >> wired

        for round in 1 2; do
            for i in 0 1 2 3 4 5 6 7 8 9; do rm -f g$i.tiny; guest g$i -M pc; done
            for i in 0 1 2 3 4 5 6 7 8 9; do
                expect g$i g$i.tiny boot; tell g$i sendkey c; expect g$i g$i.tiny sum
            done
            for i in 0 1 2 3 4 5 6 7 8 9; do tell g$i quit; ended g$i; done
            wired >> wired
        done
        {measure.SCRIPT.format(name="after")}
        kldunload kvm; echo $? > gone
        """,
        memory=2048,
    )
    shown = result.output.decode(errors="replace") + result.console
    assert either.read("a.status") == "137\n", shown
    assert either.read("busy") == "1\n"
    for i in range(10):
        assert either.read(f"g{i}.status") == "0\n", either.read(f"g{i}.out") + shown
        assert words(either.read(f"g{i}.tiny"))[1:] == [SUM]
    first, killed, once, twice = wired = [int(word) for word in either.read("wired").split()]
    assert killed - first < 1024, wired
    assert twice - once < 1024, wired  # the first ten make FreeBSD's own zones grow
    assert measure.difference(either.directory) == ""
    assert either.read("gone") == "0\n", shown
    assert not result.lock_reports
