"""How a run ends, with an emulator that only pretends; and the command line of ``portkit vm``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from portkit.cli import entry
from portkit.vm.cache import Cache
from tests.vm import fake


@pytest.fixture(scope="module")
def fake_cache(tmp_path_factory: pytest.TempPathFactory, tools: None) -> Cache:
    """A cache with a kernel and a base, and an emulator beside it."""
    top = tmp_path_factory.mktemp("fake")
    (top / "kernel").write_bytes(fake.KERNEL)
    (top / "root/bin").mkdir(parents=True)
    (top / "root/bin/sh").write_bytes(b"shell")
    cache = Cache(top / "cache")
    cache.import_parts(kernel=top / "kernel", base=top / "root")
    (top / "programs").mkdir()
    fake.install_emulator(top / "programs")
    return cache


@pytest.fixture
def machine(fake_cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything that a run needs; returns the directory for /t."""
    monkeypatch.setenv("PORTKIT_VM_DIR", str(fake_cache.path))
    monkeypatch.setenv("PATH", str(fake_cache.path.parent / "programs"), prepend=":")
    (tmp_path / "t").mkdir()
    return tmp_path / "t"


def portkit(monkeypatch: pytest.MonkeyPatch, *args: object) -> int:
    """Run the command line; returns its exit status."""
    monkeypatch.setattr(sys, "argv", ["portkit", *map(str, args)])
    with pytest.raises(SystemExit) as caught:
        entry()
    return int(caught.value.code or 0)


Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


@pytest.mark.parametrize("status", [0, 1, 7, 98, 255])
def test_the_status_is_the_commands(machine: Path, monkeypatch: Patch, status: int) -> None:
    assert portkit(monkeypatch, "vm", "run", machine, "exit", status) == status


def test_output_and_files_come_back(machine: Path, monkeypatch: Patch, capfd: Capture) -> None:
    assert portkit(monkeypatch, "vm", "run", machine, "exit", 0) == 0
    assert capfd.readouterr().out == "out\n"
    assert (machine / "made/new").read_text() == "result"


def test_the_console_is_shown_with_v_only(
    machine: Path, monkeypatch: Patch, capfd: Capture
) -> None:
    portkit(monkeypatch, "vm", "run", machine, "exit", 0)
    assert "<<BOOT>>" not in capfd.readouterr().err
    portkit(monkeypatch, "-v", "vm", "run", machine, "exit", 0)
    assert "<<BOOT>>" in capfd.readouterr().err


def test_options_behind_the_directory_are_the_commands(
    machine: Path, monkeypatch: Patch, capfd: Capture
) -> None:
    args = ("vm", "run", "--cpus", 2, machine, "exit", 3, "--cpus", "-x", "--help")
    assert portkit(monkeypatch, "--json", *args) == 3
    assert json.loads(capfd.readouterr().out)["command"] == ["exit", "3", "--cpus", "-x", "--help"]


def test_json_has_it_all(machine: Path, monkeypatch: Patch, capfd: Capture) -> None:
    assert portkit(monkeypatch, "--json", "vm", "run", machine, "exit", 5) == 5
    report = json.loads(capfd.readouterr().out)
    assert report["schema"] == 1
    assert (report["outcome"], report["status"], report["output"]) == ("exited", 5, "out\n")
    assert report["files"] == ["made/new"]
    assert report["panic"] is None
    assert report["lock_reports"] == []
    assert report["machine"] == {
        "kernel": "plain", "cpus": 1, "memory": 1024, "emulator": "qemu", "cpu": None,
        "counted": False,
        "tunables": [],
        "options": [],
    }  # fmt: skip


@pytest.mark.parametrize("how", ["panic", "panic and hang"])
def test_a_panic_is_99_with_its_backtrace(
    machine: Path, monkeypatch: Patch, capfd: Capture, how: str
) -> None:
    assert portkit(monkeypatch, "vm", "run", machine, how) == 99
    shown = capfd.readouterr().err
    assert "#0 0xffffffff80 at f+0x1" in shown
    assert shown.endswith("portkit: the kernel panicked: oops\n")


def test_panics_in_circles_end_with_the_first(
    machine: Path, monkeypatch: Patch, capfd: Capture
) -> None:
    assert portkit(monkeypatch, "vm", "run", machine, "panic in circles") == 99
    shown = capfd.readouterr().err
    assert "panic: number 0" in shown
    assert "number 1" not in shown


def test_a_time_out_is_124_and_keeps_the_output(
    machine: Path, monkeypatch: Patch, capfd: Capture
) -> None:
    assert portkit(monkeypatch, "vm", "run", "--timeout", 2, machine, "hang") == 124
    captured = capfd.readouterr()
    assert captured.out == "working\n"
    assert "stopped after 2 seconds" in captured.err


@pytest.mark.parametrize("how", ["stop", "forge", "reboot"])
def test_a_machine_that_stops_without_an_answer_of_its_own_is_98(
    machine: Path, monkeypatch: Patch, how: str
) -> None:
    assert portkit(monkeypatch, "vm", "run", machine, how) == 98


def test_an_emulator_that_a_signal_ends_is_told_from_a_machine_that_stops(
    machine: Path, monkeypatch: Patch, capfd: Capture
) -> None:
    """The first is a fault of the emulator, the second of what runs in it."""
    assert portkit(monkeypatch, "vm", "run", machine, "abort") == 98
    fault = "qemu-system-x86_64: signal 6: qemu: fatal: invalid tss type"
    assert f"stopped by itself ({fault})\n" in capfd.readouterr().err
    assert portkit(monkeypatch, "--json", "vm", "run", machine, "abort") == 98
    assert json.loads(capfd.readouterr().out)["emulator_fault"] == fault
    assert portkit(monkeypatch, "vm", "run", machine, "stop") == 98
    assert "stopped by itself\n" in capfd.readouterr().err


def test_lock_reports_are_counted_and_shown(
    machine: Path, monkeypatch: Patch, capfd: Capture
) -> None:
    assert portkit(monkeypatch, "vm", "run", machine, "locks") == 0
    shown = capfd.readouterr().err
    assert " 1st 0x1 a (a, sx) @ a.c:1\n" in shown
    assert shown.endswith("portkit: 1 lock reports\n")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("refuse", "unable to find CPU model 'x'"),
        ("loader", "the kernel is too large"),
        ("cannot", "cannot mount /t: errno 19"),
        ("escape", "leads out of the archive"),
    ],
)
def test_a_machine_that_does_not_work_is_4_in_one_line(
    machine: Path, monkeypatch: Patch, capfd: Capture, how: str, message: str
) -> None:
    assert portkit(monkeypatch, "vm", "run", machine, how) == 4
    shown = capfd.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1
    assert not (machine.parent / "stolen").exists()


def test_no_run_leaves_files_behind(machine: Path, monkeypatch: Patch, fake_cache: Cache) -> None:
    for how in ("exit", "panic", "stop", "cannot"):
        portkit(monkeypatch, "vm", "run", machine, how, 0)
    assert not list(fake_cache.path.glob("run-*"))


@pytest.mark.parametrize(("emulator", "package"), [("qemu", "qemu-system-x86"), ("bochs", "bochs")])
def test_a_missing_emulator_names_its_package(
    machine: Path, monkeypatch: Patch, capfd: Capture, tmp_path: Path, emulator: str, package: str
) -> None:
    from portkit.vm import tools

    found = tools.tool
    monkeypatch.setattr(
        "portkit.vm.tools.shutil.which", lambda name: None if "s" in name else found(name)
    )
    monkeypatch.setattr("portkit.vm.tools._ALSO", ("/usr/sbin",))
    assert portkit(monkeypatch, "vm", "run", "--emulator", emulator, machine, "exit", 0) == 4
    assert f"apt install {package})" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("vm", "import"), "nothing to import"),
        (("vm", "run", "/nonexistent", "true"), "does not exist"),
        (("vm", "run", "."), "COMMAND"),
        (("vm", "run", "--cpus", "0", ".", "true"), "--cpus"),
        (("vm", "run", "--memory", "1", ".", "true"), "--memory"),
        (("vm", "run", "--emulator", "xen", ".", "true"), "--emulator"),
        (("vm", "run", "--timeout", "-1", ".", "true"), "--timeout"),
        (("vm", "run", ".", "true"), "portkit vm import --kernel"),
        (("vm", "run", "--debug-kernel", ".", "true"), "portkit vm import --debug-kernel"),
    ],
)
def test_a_wrong_command_line_is_2(
    own_cache: Cache, monkeypatch: Patch, capfd: Capture, args: tuple[str, ...], message: str
) -> None:
    assert portkit(monkeypatch, *args) == 2
    assert message in capfd.readouterr().err


def test_a_kernel_without_a_base_says_what_to_import(
    own_cache: Cache, tmp_path: Path, monkeypatch: Patch, capfd: Capture, tools: None
) -> None:
    (tmp_path / "kernel").write_bytes(fake.KERNEL)
    own_cache.import_parts(kernel=tmp_path / "kernel")
    assert portkit(monkeypatch, "vm", "run", tmp_path, "true") == 2
    assert "portkit vm import --base" in capfd.readouterr().err


def test_an_endless_command_is_refused(machine: Path, monkeypatch: Patch, capfd: Capture) -> None:
    assert portkit(monkeypatch, "vm", "run", machine, "echo", "x" * 70000) == 2
    assert "put it into a script" in capfd.readouterr().err


def test_list_shows_what_there_is(machine: Path, monkeypatch: Patch, capfd: Capture) -> None:
    assert portkit(monkeypatch, "vm", "list") == 0
    shown = capfd.readouterr().out
    assert fake.VERSION in shown
    assert "debug  no kernel imported" in shown
