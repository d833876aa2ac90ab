"""Where the instructions of an exit go, by function.

    python bench/kvm/profile.py [--host freebsd|linux] [--kind KIND] [--rounds N]

Steps through some rounds of a guest's loop, one instruction at a time, from the guest through the
host and its client back to the guest, on the machine of run.py with its time counted. Needs
what run.py needs. Interrupts of devices are held off meanwhile.
"""

from __future__ import annotations

import argparse
import bisect
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
sys.path[:0] = [str(REPOSITORY), str(HERE)]

from elftools.elf.elffile import ELFFile  # noqa: E402
from elftools.elf.sections import SymbolTableSection  # noqa: E402
from gdbstub import Stub  # noqa: E402
from run import Host, on_freebsd, on_linux  # noqa: E402

from portkit.vm.cache import Cache, default_directory  # noqa: E402
from portkit.vm.tools import tool  # noqa: E402

GUEST_CODE = range(0x1000, 0x3000)  # CODE of exits.c
WARM_UP = 200  # rounds
BATCHES = 50  # enough for the rounds that are looked at; of memory one is
KERNEL = 1 << 63


@dataclass(slots=True)
class Symbols:
    """Functions by address."""

    places: list[tuple[int, str]] = field(default_factory=list)

    def name(self, address: int) -> tuple[str, bool]:
        """The function that has the address, and whether that is its first one."""
        if address in GUEST_CODE:
            return "(guest)", False
        if address < KERNEL:
            return "(client)", False
        found = bisect.bisect_right(self.places, (address, "\x7f")) - 1
        start, name = self.places[found]
        return name, start == address


def of_elf(path: Path, base: int = 0) -> list[tuple[int, str]]:
    """Functions of a kernel, or of a module that FreeBSD loaded at base: link_elf_obj.c puts
    one section behind the other."""
    places = []
    with path.open("rb") as file:
        elf = ELFFile(file)
        start, address = {}, base
        for index, section in enumerate(elf.iter_sections()):
            if section["sh_flags"] & 2 and section["sh_size"] and section["sh_type"] in (
                "SHT_PROGBITS", "SHT_NOBITS", "SHT_X86_64_UNWIND",
            ):  # fmt: skip
                align = max(section["sh_addralign"], 1)
                address = (address + align - 1) // align * align
                start[index] = address
                address += section["sh_size"]
        for section in elf.iter_sections():
            if not isinstance(section, SymbolTableSection):
                continue
            for symbol in section.iter_symbols():
                if symbol["st_info"]["type"] not in ("STT_FUNC", "STT_NOTYPE") or not symbol.name:
                    continue
                if symbol["st_shndx"] in start:
                    own = start[symbol["st_shndx"]] if base else 0
                    places.append((own + symbol["st_value"], symbol.name))
    return places


def loop_of(kind: str, compiler: str, work: Path) -> int:
    """Where the guest of a kind does the same again; assemblers and levels differ."""
    program = work / "exits.o"
    subprocess.run([compiler, "-O2", "-c", "-o", program, HERE / "exits.c"], check=True)
    places = {name: address for address, name in of_elf(program, base=KERNEL)}
    return GUEST_CODE.start + places[f"loop_{kind.partition('-')[0]}"] - places["guest_cpuid"]


class Tracer:
    """Waits until the machine is ready, and then follows some rounds."""

    def __init__(self, stub: Path, loop: int, rounds: int) -> None:
        self.output = b""
        self.addresses: Counter[int] = Counter()
        self._stub, self._loop, self._rounds = stub, loop, rounds
        self._thread = threading.Thread(target=self._trace)

    def take(self, data: bytes) -> None:
        ready = b"ready" in self.output
        self.output += data
        if not ready and b"ready" in self.output:
            self._thread.start()

    def wait(self) -> None:
        self._thread.join()

    def _trace(self) -> None:
        with Stub(self._stub) as stub:
            for _ in range(WARM_UP):
                stub.set_breakpoint(self._loop)
                stub.run()
                stub.clear_breakpoint(self._loop)
                stub.step()
            stub.set_breakpoint(self._loop)
            stub.run()
            stub.clear_breakpoint(self._loop)
            rounds = 0
            while rounds < self._rounds:
                stub.step()
                address = stub.rip()
                self.addresses[address] += 1
                rounds += address == self._loop
            stub.detach()


def of_freebsd(output: str) -> Symbols:
    kernel = Cache(default_directory()).kernel("plain")
    match = re.search(r"^ *\d+ +\d+ +0x([0-9a-f]+) +[0-9a-f]+ kvm\.ko", output, re.MULTILINE)
    if match is None:
        sys.exit(f"kldstat does not know kvm.ko: {output}")
    module = of_elf(Path(os.environ["KVM_KO"]), int(match[1], 16))
    return Symbols(sorted(of_elf(kernel) + module))


def of_linux(output: str) -> Symbols:
    lines = re.findall(r"^([0-9a-f]{8}) (\S+)", output, re.MULTILINE)
    return Symbols(sorted((0xFFFFFFFF << 32 | int(address, 16), name) for address, name in lines))


def report(tracer: Tracer, symbols: Symbols, rounds: int) -> None:
    instructions: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for address, times in tracer.addresses.items():
        name, first = symbols.name(address)
        instructions[name] += times
        calls[name] += times * first
    print(f"{'instructions':>12} {'calls':>6}  function")
    for name, times in instructions.most_common():
        print(f"{times / rounds:12.1f} {calls[name] / rounds:6.1f}  {name}")
    print(f"{sum(instructions.values()) / rounds:12.1f} {'':6}  in all")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--host", choices=("freebsd", "linux"), default="freebsd")
    parser.add_argument("--kind", default="port")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    on, symbols_of, compiler = {
        "freebsd": (on_freebsd, of_freebsd, tool("clang")), "linux": (on_linux, of_linux, "cc"),
    }[args.host]  # fmt: skip
    batches = 1 if args.kind.startswith("fill-") else BATCHES
    with tempfile.TemporaryDirectory(dir=default_directory().parent) as name:
        work = Path(name)
        stub = work / "gdb"
        tracer = Tracer(stub, loop_of(args.kind, compiler, work), args.rounds)
        (work / "t").mkdir()
        on(Host(True, batches, args.kind, ("-gdb", f"unix:{stub},server=on,wait=off"), tracer.take),
           work / "t")  # fmt: skip
        tracer.wait()
    output = tracer.output.decode(errors="replace").replace("\r", "")
    report(tracer, symbols_of(output), args.rounds)


if __name__ == "__main__":
    main()
