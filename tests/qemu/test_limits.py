"""QEMU without access to /dev/kvm, with few descriptors, with little memory: nothing leaks."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.qemu.host import Host
from tests.qemu.test_machine import GUEST, SUM, words
from tests.stress import measure

pytestmark = pytest.mark.vm


def test_a_jail_capability_mode_and_few_descriptors(either: Host, tiny: Path) -> None:
    """With each number of descriptors QEMU works or ends with a message; GLib needs more than 8."""
    shutil.copy(tiny, either.directory)
    result = either.script(
        GUEST
        + f"""
        guest a -M pc; expect a a.tiny boot; tell a quit; ended a
        {measure.SCRIPT.format(name="before")}

        ./capmode $qemu $machine -M none $accel 2> capsicum; echo $? > status
        mount -t devfs devfs /dev && devfs rule apply path kvm hide
        jail -c name=j path=/ command=/bin/sh -c "cd /t && exec $qemu $machine $accel" 2> jail
        echo $? >> status
        umount /dev

        many=10
        while [ $many -le 60 ]; do
            rm -f b.tiny
            (
                ulimit -n $many
                exec $qemu $machine $accel -M pc -cpu host -m 32 -kernel tiny \\
                    -debugcon file:b.tiny -pidfile b.pid 2> few.$many
            ) &
            qemu_pid=$!
            until has b.tiny boot || ! kill -0 $qemu_pid 2>/dev/null; do sleep 1; done
            if has b.tiny boot; then echo "$many works" >> few; kill -9 $qemu_pid; fi
            wait $qemu_pid; echo "$many $?" >> few
            [ $many -lt 32 ] && many=$((many + 2)) || many=$((many + 7))
        done

        {measure.SCRIPT.format(name="after")}
        kldunload kvm; echo $? >> status
        """,
    )
    shown = result.output.decode(errors="replace") + result.console
    assert either.read("status").split() == ["1", "1", "0"], shown
    assert "KVM kernel module: Not permitted in capability mode" in either.read("capsicum")
    assert "In a jail, its devfs ruleset has to unhide kvm" in either.read("jail")
    outcomes = dict(re.findall(r"^(\d+) (\d+)$", either.read("few"), re.MULTILINE))
    assert outcomes["10"] == "1"
    assert outcomes["60"] == "137"
    for many, status in outcomes.items():
        said = either.read(f"few.{many}")
        assert status in ("1", "137"), f"{many}: {status}: {said}"
        if status == "1":
            assert re.search("Too many open files|could not load PC BIOS", said), (many, said)
    assert measure.difference(either.directory) == ""
    assert not result.lock_reports


def test_too_little_memory(either: Host, tiny: Path) -> None:
    """Limits stop the one guest with a message; without them the host kills it, and lives on.

    It may kill more before the guest's memory is back, so the script protects itself. And it does
    not fork meanwhile: the killed QEMU needs one more page to end, and tries every ten seconds.
    """
    shutil.copy(tiny, either.directory)
    result = either.script(
        GUEST
        + f"""
        big() {{ rm -f $1.tiny; guest $1 -M pc -m 448; }}
        guest a -M pc; expect a a.tiny boot; tell a quit; ended a
        {measure.SCRIPT.format(name="before")}

        ( ulimit -v 400000; exec $qemu $machine $accel -m 448 ) 2> space; echo $? > status

        sysctl vm.max_user_wired=30000 > /dev/null
        big limit; expect limit limit.tiny boot; tell limit sendkey a
        poll limit "(internal-error)" info status; tell limit quit; ended limit

        sysctl vm.max_user_wired=10000000 > /dev/null
        protect -p $$
        big all; expect all all.tiny boot; pid=$(cat all.pid); tell all sendkey a
        while kill -0 $pid 2>/dev/null; do :; done
        kill $open_all 2>/dev/null

        rm -f a.tiny; guest a -M pc; expect a a.tiny boot
        tell a sendkey c; expect a a.tiny sum; tell a quit; ended a
        {measure.SCRIPT.format(name="after")}
        kldunload kvm; echo $? >> status
        """,
        memory=384,
    )
    shown = result.output.decode(errors="replace") + result.console
    assert either.read("status").split() == ["1", "0"], shown
    assert "cannot set up guest memory" in either.read("space")
    assert "error: kvm run failed Bad address" in either.read("limit.out")
    assert re.search(r"\(qemu-system-x86_64\).* was killed: failed to reclaim", result.console)
    assert words(either.read("a.tiny"))[1:] == [SUM]
    assert measure.difference(either.directory) == ""
    assert not result.lock_reports
