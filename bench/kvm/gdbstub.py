"""As much of GDB's remote protocol as stepping through an emulated machine takes."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from types import TracebackType

_RIP = slice(16 * 16, 17 * 16)  # in the answer to "g": 16 registers of 16 digits before it
_CONNECT_SECONDS = 10.0


class Stub:
    """A connection to QEMU's gdbstub; the machine stands while it does not run or step.

    Raises:
        OSError: the stub cannot be reached, or went away.
    """

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + _CONNECT_SECONDS
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        self._received = b""
        self._answer()  # that the machine stands now

    def __enter__(self) -> Stub:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._socket.close()

    def set_breakpoint(self, address: int) -> None:
        self._ask(f"Z1,{address:x},1")

    def clear_breakpoint(self, address: int) -> None:
        self._ask(f"z1,{address:x},1")

    def run(self) -> None:
        """Until the next breakpoint."""
        self._ask("c")

    def step(self) -> None:
        """One instruction; interrupts of devices wait."""
        self._ask("s")

    def rip(self) -> int:
        return int.from_bytes(bytes.fromhex(self._ask("g")[_RIP]), "little")

    def detach(self) -> None:
        """Let the machine run on by itself."""
        self._ask("D")

    def _ask(self, request: str) -> str:
        data = request.encode()
        self._socket.sendall(b"+$%s#%02x" % (data, sum(data) & 0xFF))
        return self._answer()

    def _answer(self) -> str:
        while True:
            start = self._received.find(b"$")
            end = self._received.find(b"#", start)
            if start >= 0 and end >= 0 and len(self._received) >= end + 3:
                break
            more = self._socket.recv(65536)
            if not more:
                raise ConnectionError("the emulator has closed the connection")
            self._received += more
        answer = self._received[start + 1 : end].decode()
        self._received = self._received[end + 3 :]
        return answer
