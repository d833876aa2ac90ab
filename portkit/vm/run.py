"""Boot a machine, run one command in it, and understand how that ended."""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from portkit.errors import EnvironmentProblem, UsageError
from portkit.vm import bochs, qemu
from portkit.vm.cache import Cache
from portkit.vm.console import Console, LockReport, Panic
from portkit.vm.exchange import Exchange
from portkit.vm.images import make_image
from portkit.vm.machine import Job, Machine

#: Exit statuses of ``portkit vm run`` that are not the command's.
STATUS_STOPPED, STATUS_PANIC, STATUS_TIMEOUT = 98, 99, 124

Outcome = Literal["exited", "panic", "timeout", "stopped"]

_T_FREE = 128 << 20
_ARCHIVE_EXTRA = 16 << 20  # headers and padding of the results
# A panicking kernel gets this long to print, and this long without a new line.
_PANIC_SECONDS, _PANIC_QUIET_SECONDS = 60.0, 10.0
_REBOOT_SECONDS = 1.0  # and this long to leave the emulator
_STATUS: dict[Outcome, int] = {
    "panic": STATUS_PANIC, "timeout": STATUS_TIMEOUT, "stopped": STATUS_STOPPED,
}  # fmt: skip
_PREPARE = {"qemu": qemu.prepare, "bochs": bochs.prepare}


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended.

    Attributes:
        outcome: ``exited``: the command ended by itself; ``panic``: the kernel did; ``timeout``:
            it took too long; ``stopped``: the machine was reset or its processor gave up.
        status: the command's status (128 + N for signal N), or one of ``STATUS_*``.
        output: what the command wrote to its standard output and error.
        console: what the kernel printed.
        panic: the panic, if there was one.
        lock_reports: lock order reversals and the like (debug kernel only).
        files: what the command wrote below its directory and is now there, relative to it.
        seconds: from the emulator's start to its end.
        emulator_fault: what the emulator said when a signal ended it: a fault of its own, and no
            verdict on what ran in the machine. Empty otherwise.
    """

    outcome: Outcome
    status: int
    output: bytes
    console: str
    panic: Panic | None
    lock_reports: tuple[LockReport, ...]
    files: tuple[str, ...]
    seconds: float
    emulator_fault: str


def run(
    cache: Cache,
    machine: Machine,
    directory: Path,
    command: Sequence[str],
    *,
    timeout: float,
    on_output: Callable[[bytes], object] = lambda data: None,
    on_console: Callable[[bytes], object] = lambda data: None,
) -> Result:
    """Boot a machine with a directory mounted at /t and run a command there.

    The machine works on a copy. When the command has ended, by itself, files that it created or
    changed are copied back; what it removed stays.

    Args:
        cache: the imported kernels and base system.
        machine: what to boot.
        directory: an existing directory.
        command: program and arguments; a name without a slash is looked for in /t too.
        timeout: seconds until the machine is stopped.
        on_output: gets the command's output while it runs.
        on_console: gets the kernel's console while it runs.

    Raises:
        UsageError: a part was not imported, or directory or command are too large.
        EnvironmentProblem: a tool is missing, or the machine did not come up.
        BadArchive: a result would land outside the directory.
    """
    if not directory.is_dir():
        raise UsageError("is not a directory", where=str(directory))
    kernel, root = cache.kernel(machine.kernel), cache.root_image()
    console, output = Console(), bytearray()

    def take_console(data: bytes) -> None:
        console.feed(data)
        on_console(data)

    def take_output(data: bytes) -> None:
        output.extend(data)
        on_output(data)

    with cache.run_directory() as name, _Pipe(take_console) as com1, _Pipe(take_output) as com2:
        work = Path(name)
        make_image(directory, work / "t.img", free=_T_FREE, root_owned=False)
        exchange = Exchange(work / "exchange.img")
        exchange.write_request(command, (work / "t.img").stat().st_size + _ARCHIVE_EXTRA)
        job = Job(machine, cache.guest(), kernel, root, work, com1.write_end, com2.write_end)
        prepared = _PREPARE[machine.emulator](job)
        started = time.monotonic()
        emulator = _Emulator(prepared, work, (com1, com2))
        try:
            timed_out = emulator.watch(console, started + timeout)
        finally:
            emulator.end()
        console.end()
        seconds = time.monotonic() - started
        fault = "" if timed_out else emulator.fault()
        answer = exchange.read_answer()
        files = exchange.read_files(directory) if answer else []
        if answer is None and console.panic is None and not timed_out:
            emulator.check_came_up(console)
    panic = None if answer else console.panic
    outcome: Outcome = (
        "exited" if answer else "panic" if panic else "timeout" if timed_out else "stopped"
    )
    status = answer.status if answer else _STATUS[outcome]
    return Result(
        outcome, status, bytes(output), console.text, panic, console.lock_reports, tuple(files),
        seconds, fault,
    )  # fmt: skip


class _Pipe:
    """What comes out of one serial port, and who takes it."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self.take = take
        self.read_end, self.write_end = os.pipe()

    def close_write_end(self) -> None:
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1

    def __enter__(self) -> _Pipe:
        return self

    def __exit__(self, *exception: object) -> None:
        os.close(self.read_end)
        self.close_write_end()


class _Emulator:
    """The emulator's process; it does not outlive this one."""

    def __init__(self, command: list[str], directory: Path, ports: tuple[_Pipe, ...]) -> None:
        self._name = Path(command[0]).name
        self._messages = directory / "messages"
        self._ports = ports
        self._ended_here = False
        setpriv = shutil.which("setpriv")  # of util-linux
        guard = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
        with self._messages.open("wb") as messages:
            self._process = subprocess.Popen(
                guard + command, cwd=directory, stdin=subprocess.DEVNULL, stdout=messages,
                stderr=messages, pass_fds=[port.write_end for port in ports],
                # QEMU keeps what a run changes of the root image in TMPDIR; Bochs needs a TERM.
                env={**os.environ, "TMPDIR": str(directory), "TERM": "vt100"},
            )  # fmt: skip
        for port in ports:
            port.close_write_end()

    def watch(self, console: Console, deadline: float) -> bool:
        """Pass on what the machine writes, until it ends or is to be ended.

        Returns:
            True when the deadline passed.
        """
        panic_deadline: float | None = None
        quiet = _PANIC_QUIET_SECONDS
        with selectors.DefaultSelector() as selector:
            for port in self._ports:
                selector.register(port.read_end, selectors.EVENT_READ, port.take)
            while selector.get_map() and console.boots <= 1:  # Bochs cannot stop at a reset
                now = time.monotonic()
                if console.panicking and panic_deadline is None:
                    panic_deadline = min(deadline, now + _PANIC_SECONDS)
                if panic_deadline is not None and console.rebooting and quiet != _REBOOT_SECONDS:
                    quiet = _REBOOT_SECONDS
                    panic_deadline = min(panic_deadline, now + quiet)
                until = deadline if panic_deadline is None else panic_deadline
                if now >= until:
                    return panic_deadline is None
                wait = until - now if panic_deadline is None else min(until - now, quiet)
                events = selector.select(wait)
                if not events and panic_deadline is not None:
                    return False  # it has said all it had to say
                for key, _ in events:
                    data = os.read(key.fd, 65536)
                    if data:
                        key.data(data)
                    else:
                        selector.unregister(key.fd)
        return False

    def end(self) -> None:
        """End the process, if it has not ended."""
        try:
            self._process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            self._ended_here = True

    def _said(self) -> list[str]:
        text = self._messages.read_text(errors="replace")
        return [line.strip() for line in text.splitlines() if line.strip()]

    def fault(self) -> str:
        """The signal that ended it, other than ours, and what it complained of; or empty."""
        if self._ended_here or self._process.returncode >= 0:
            return ""
        said = self._said() or ["no word"]
        # QEMU prints all registers after its complaint.
        complaint = next((line for line in said if "fatal" in line or "ssert" in line), said[-1])
        return f"{self._name}: signal {-self._process.returncode}: {complaint}"

    def check_came_up(self, console: Console) -> None:
        """Tell a machine that never started from one that stopped.

        Raises:
            EnvironmentProblem: the emulator refused, or the loader did.
        """
        lines = self._said()
        if not console.text:
            raise EnvironmentProblem(
                lines[-1] if lines else "ended without a word",
                where=self._name,
                hint="check --cpu and --memory",
            )
        loader = [line for line in console.text.splitlines() if line.startswith("portkit loader:")]
        if loader:
            raise EnvironmentProblem(loader[0])
