"""A real FreeBSD boots, runs a command and tells how it ended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Emulator, Machine
from portkit.vm.run import Result, run
from tests.vm import cross

pytestmark = pytest.mark.vm

# Generous, because the host may be busy; tests do not depend on how long a boot takes.
BOOT_SECONDS = 180


def boot(cache: Cache, directory: Path, machine: Machine, *command: str) -> Result:
    return run(cache, machine, directory, command, timeout=BOOT_SECONDS)


MACHINES: list[tuple[Emulator, int]] = [
    ("qemu", 1), ("qemu", 2), ("qemu", 4), ("bochs", 1), ("bochs", 2),
]  # fmt: skip


@pytest.mark.parametrize(("emulator", "cpus"), MACHINES)
def test_a_command_runs_on_every_machine(
    imported: Cache, tmp_path: Path, kind: Kind, emulator: Emulator, cpus: int
) -> None:
    machine = Machine(kind, cpus, emulator=emulator)
    result = boot(imported, tmp_path, machine, "sysctl", "-n", "hw.ncpu", "kern.smp.cpus")
    assert (result.outcome, result.status) == ("exited", 0), result.console
    assert result.output == f"{cpus}\n{cpus}\n".encode()
    assert result.panic is None


def test_the_debug_kernel_watches_its_locks(imported: Cache, tmp_path: Path) -> None:
    if "debug" not in imported.state.kernels:
        pytest.skip("no debug kernel was imported")
    result = boot(imported, tmp_path, Machine("debug"), "sysctl", "-n", "debug.witness.watch")
    assert result.output == b"1\n"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (("sh", "-c", "exit 41"), 41),
        (("sh", "-c", "kill -9 $$"), 137),
        (("no-such-command",), 127),
        (("./not-executable",), 126),
        (("./script", "two words", ""), 3),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_the_status_comes_out(
    imported: Cache, tmp_path: Path, command: tuple[str, ...], status: int
) -> None:
    (tmp_path / "not-executable").write_text("")
    (tmp_path / "script").write_text('#!/bin/sh\n[ "$1" = "two words" ] && [ $# = 2 ] && exit 3\n')
    (tmp_path / "script").chmod(0o755)
    result = boot(imported, tmp_path, Machine(), *command)
    assert (result.outcome, result.status) == ("exited", status)


def test_files_go_in_and_what_was_written_comes_out(imported: Cache, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"from the host\n")
    (tmp_path / "stays").write_bytes(b"untouched")
    (tmp_path / "goes").write_bytes(b"removed in the machine only")
    os.utime(tmp_path / "stays", (1, 1))
    long = "long-" * 40
    script = f"""
        set -e
        cat in && echo more >> in
        mkdir -p deep/er && echo made > deep/er/{long}
        rm goes
        ln -s deep/er link
        echo run > tool && chmod 755 tool
        dd if=/dev/zero of=large bs=65536 count=100 2>/dev/null
    """
    result = boot(imported, tmp_path, Machine(), "sh", "-c", script)
    assert result.status == 0, result.output
    assert result.output == b"from the host\n"
    assert (tmp_path / "in").read_bytes() == b"from the host\nmore\n"
    assert (tmp_path / "deep/er" / long).read_bytes() == b"made\n"
    assert os.readlink(tmp_path / "link") == "deep/er"  # noqa: PTH115
    assert os.access(tmp_path / "tool", os.X_OK)
    assert (tmp_path / "large").read_bytes() == bytes(6553600)
    assert (tmp_path / "goes").exists()
    assert (tmp_path / "stays").stat().st_mtime == 1
    assert set(result.files) == {"in", f"deep/er/{long}", "link", "tool", "large"}


def test_output_is_binary_and_console_apart(imported: Cache, tmp_path: Path) -> None:
    data = bytes(range(256)) * 100
    (tmp_path / "data").write_bytes(data)
    result = boot(imported, tmp_path, Machine(), "cat", "data")
    assert result.output == data
    result = boot(imported, tmp_path, Machine(), "echo", "panic: only a word")
    assert (result.outcome, result.panic) == ("exited", None)


def test_a_panic_is_99_with_a_backtrace(imported: Cache, tmp_path: Path, kind: Kind) -> None:
    result = boot(imported, tmp_path, Machine(kind), "sysctl", "debug.kdb.panic=1")
    assert (result.outcome, result.status) == ("panic", 99)
    assert result.panic is not None
    assert result.panic.message == "kdb_sysctl_panic"
    assert any("kdb_sysctl_panic" in frame for frame in result.panic.backtrace)


def test_a_page_fault_in_the_kernel_is_a_panic(imported: Cache, tmp_path: Path) -> None:
    result = boot(imported, tmp_path, Machine(cpus=2), "sysctl", "debug.kdb.trap=1")
    assert (result.outcome, result.status) == ("panic", 99)
    assert result.panic is not None
    assert result.panic.text.startswith("Fatal trap 12: page fault")


def test_time_is_up(imported: Cache, tmp_path: Path) -> None:
    result = run(imported, Machine(), tmp_path, ["sleep", "3600"], timeout=20)
    assert (result.outcome, result.status) == ("timeout", 124)


def test_a_module_loads_serves_its_device_and_unloads(
    imported: Cache, tmp_path: Path, kind: Kind
) -> None:
    cross.module([Path(__file__).parent / "hello.c"], tmp_path / "hello.ko", kind)
    script = "set -e; kldload hello; cat /dev/hello; kldunload hello; [ ! -e /dev/hello ]"
    result = boot(imported, tmp_path, Machine(kind, cpus=2), "sh", "-c", script)
    assert (result.outcome, result.status) == ("exited", 0), result.console
    assert result.output == b"hello from the kernel\n"
    assert "hello: loaded\nhello: unloaded\n" in result.console
    assert result.lock_reports == ()
