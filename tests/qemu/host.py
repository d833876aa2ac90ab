"""Scripts in a FreeBSD machine that runs QEMU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Emulator, Machine
from portkit.vm.run import Result, run

# Bochs does some 30 million instructions a second.
SECONDS: dict[Emulator, int] = {"qemu": 1500, "bochs": 5000}

# Patterns are the shell's, as a base may have no grep. QEMUs have names. "start NAME ARGUMENT..."
# starts one; its monitor writes to NAME.out, its status is in NAME.status at the end, which "ended"
# waits for. "tell NAME COMMAND" gives the monitor a command; "poll NAME PATTERN COMMAND" does
# until it has answered with the pattern. "expect NAME FILE PATTERN" waits until a file has it.
# Both end the script with 3 when that QEMU ended first.
_COMMON = r"""
qemu=./usr/bin/qemu-system-x86_64
accel="-accel kvm"
machine="-nodefaults -display none -no-user-config"
has() { case "$(cat "$1" 2>/dev/null)" in *$2*) return 0;; esac; return 1; }
start() {
    local name=$1; shift
    rm -f $name.status $name.in $name.pid; ./fifo $name.in
    sleep 100000 > $name.in & eval open_$name=$!
    ( $qemu $machine $accel -pidfile $name.pid -monitor stdio "$@" < $name.in > $name.out 2>&1
      echo $? > $name.code; mv $name.code $name.status ) &
}
tell() { local name=$1; shift; echo "$*" > $name.in; }
lost() { [ -e $1.status ] && ! has "$2" "$3"; }
expect() {
    until has "$2" "$3"; do
        if lost "$@"; then echo "$1 ended without $3 in $2"; exit 3; fi
        sleep 1
    done
}
poll() {
    local name=$1 pattern=$2; shift 2
    until has $name.out "$pattern"; do
        if lost $name $name.out "$pattern"; then echo "$name ended without $pattern"; exit 3; fi
        tell $name "$@"; sleep 2
    done
}
ended() { while [ ! -e $1.status ]; do sleep 1; done; eval kill \$open_$1; }
"""


@dataclass(frozen=True)
class Host:
    """A FreeBSD machine.

    Attributes:
        cache: the imported FreeBSD.
        directory: what is below /t there; results come back here.
        kind: which of the kernels.
    """

    cache: Cache
    directory: Path
    kind: Kind

    def script(
        self,
        text: str,
        *,
        cpus: int = 1,
        memory: int = 1024,
        load: bool = True,
        emulator: Emulator = "qemu",
        model: str | None = None,
        options: tuple[str, ...] = (),
    ) -> Result:
        """Run a shell script; the module is loaded unless told otherwise."""
        kldload = "kldload ./kvm.ko\n" if load else ""
        (self.directory / "script").write_text(f"{_COMMON}\n{kldload}{text}\n")
        machine = Machine(self.kind, cpus, memory, emulator, model, options=options)
        result = run(
            self.cache, machine, self.directory, ["sh", "./script"], timeout=SECONDS[emulator]
        )
        assert result.panic is None, result.panic.text
        if result.emulator_fault:
            pytest.skip(f"no verdict, the emulator ended itself: {result.emulator_fault}")
        assert result.outcome == "exited", result.console + result.output.decode(errors="replace")
        return result

    def read(self, name: str) -> str:
        """A file that the script wrote."""
        path = self.directory / name
        return path.read_text(errors="replace") if path.exists() else ""
