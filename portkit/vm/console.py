"""Understand what a FreeBSD kernel prints: panics with their backtrace, and lock reports."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_PANIC = re.compile(r"(?:^|:)\s*panic: (.*)$")
_TRAP = re.compile(r"^(?:Fatal (?:trap|double fault)\b.*|NMI .*going to debugger.*)$")
_BOOT = "---<<BOOT>>---"
_REBOOT = re.compile(r"^(?:Uptime: |Automatic reboot in |Rebooting\.\.\.|cpu_reset: )")
# "#0 0xffffffff80b at kdb_backtrace+0x60", or with DDB "kdb_enter() at kdb_enter+0x32/frame 0x"
_FRAME = re.compile(r"^(?:#\d+ 0x[0-9a-f]+ at |\S+\(.*\) at \S+|--- (?:trap|interrupt|syscall))")
_BACKTRACE = re.compile(r"^(?:KDB: )?stack backtrace:")
_LOCK = re.compile(
    r"lock order reversal|with the following (?:\S+ )?locks? held:"
    r"|^(?:shared|exclusive|recursed) lock of .* @ |^Witness "
)
_LOCK_DETAIL = re.compile(
    r"^(?: ?\d(?:st|nd|rd) 0x|lock order .* (?:established|attempted) at:"
    r"|(?:shared|exclusive) .* locked @ | ?while (?:share|exclusive)ly locked from )"
)

_PANIC_LINES_MAX = 500
_LOCK_LINES_MAX = 200


@dataclass(frozen=True, slots=True)
class Panic:
    """A kernel's end.

    Attributes:
        message: what follows ``panic:``; of a fatal trap its first line when nothing follows.
        backtrace: the frames, innermost first.
        text: all that the kernel printed from its first sign on.
    """

    message: str
    backtrace: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class LockReport:
    """What WITNESS objected to, e.g. a lock order reversal.

    Attributes:
        kind: the report's first line.
        text: the whole report with its backtraces.
    """

    kind: str
    text: str


@dataclass(slots=True)
class Console:
    """A kernel's console, fed as it comes.

    Attributes:
        text: everything, decoded; lines end with a newline only.
        boots: how often a kernel started.
        rebooting: a kernel has nothing more to say that would count.
    """

    text: str = ""
    boots: int = 0
    rebooting: bool = False
    _rest: bytes = b""
    _panic: list[str] = field(default_factory=list)
    _message: str | None = None
    _traced: bool = False
    _locks: list[list[str]] = field(default_factory=list)
    _in_lock: bool = False

    def feed(self, data: bytes) -> None:
        """Take bytes from the serial port, in pieces of any size."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line.decode(errors="replace").rstrip("\r"))

    def end(self) -> None:
        """The machine has stopped: what is there is the last line."""
        if self._rest:
            self.feed(b"\n")

    @property
    def panicking(self) -> bool:
        """True from the first sign of a panic on."""
        return bool(self._panic)

    @property
    def panic(self) -> Panic | None:
        """The first panic."""
        if not self._panic:
            return None
        frames: list[str] = []
        start = next((i for i, line in enumerate(self._panic) if _BACKTRACE.match(line)), None)
        for line in self._panic[start + 1 :] if start is not None else ():
            if not _FRAME.match(line):
                break
            frames.append(line)
        return Panic(self._message or self._panic[0], tuple(frames), "\n".join(self._panic))

    @property
    def lock_reports(self) -> tuple[LockReport, ...]:
        """What WITNESS reported, in order."""
        return tuple(LockReport(lines[0].strip(), "\n".join(lines)) for lines in self._locks)

    def _line(self, line: str) -> None:
        self.text += line + "\n"
        if line == _BOOT:
            self.boots += 1
        panic = _PANIC.search(line)
        if _REBOOT.match(line) or (panic and self._traced):  # one panic led to the next
            self.rebooting = True
        if self._panic or panic or _TRAP.match(line):
            if panic and self._message is None:
                self._message = panic[1].strip()
            if len(self._panic) < _PANIC_LINES_MAX and not self.rebooting:
                self._panic.append(line)
            self._traced |= _BACKTRACE.match(line) is not None
            return
        if self._in_lock and self._continues(line):
            if len(self._locks[-1]) < _LOCK_LINES_MAX:
                self._locks[-1].append(line)
            return
        self._in_lock = _LOCK.search(line) is not None
        if self._in_lock:
            self._locks.append([line])

    @staticmethod
    def _continues(line: str) -> bool:
        return bool(_FRAME.match(line) or _LOCK_DETAIL.match(line) or _BACKTRACE.match(line))
