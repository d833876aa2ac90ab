"""Scripts in a FreeBSD machine that runs QEMU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from portkit.vm.cache import Cache
from portkit.vm.machine import Machine
from portkit.vm.run import Result, run

SECONDS = 900

# The base has no grep; the shell's patterns do. "expect FILE PATTERN" waits until QEMU, or its
# guest, has written that, and gives up when QEMU has ended. "start" runs QEMU with the monitor's
# commands on standard input.
_COMMON = """
qemu=./usr/bin/qemu-system-x86_64
machine="-nodefaults -display none -no-user-config -m 256"
has() { case "$(cat "$1" 2>/dev/null)" in *$2*) return 0;; esac; return 1; }
start() {
    $qemu $machine -accel kvm -monitor stdio "$@" > monitor 2>&1
    echo $? >> status; : > ended
}
expect() {
    while ! has "$1" "$2"; do
        [ -e ended ] && return 1
        sleep 1
    done
}
"""


@dataclass(frozen=True)
class Host:
    """A FreeBSD machine.

    Attributes:
        cache: the imported FreeBSD.
        directory: what is below /t there; results come back here.
    """

    cache: Cache
    directory: Path

    def script(self, text: str, *, cpus: int = 1, memory: int = 1024, load: bool = True) -> Result:
        """Run a shell script; the module is loaded unless told otherwise."""
        kldload = "kldload ./kvm.ko\n" if load else ""
        (self.directory / "script").write_text(f"{_COMMON}\n{kldload}{text}\n")
        machine = Machine(cpus=cpus, memory=memory)
        result = run(self.cache, machine, self.directory, ["sh", "./script"], timeout=SECONDS)
        assert result.panic is None, result.panic.text
        assert result.outcome == "exited", result.console + result.output.decode(errors="replace")
        return result

    def read(self, name: str) -> str:
        """A file that the script wrote."""
        path = self.directory / name
        return path.read_text(errors="replace") if path.exists() else ""
