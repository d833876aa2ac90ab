"""Build the suite, run it in a machine, and read what it prints.

A case's name is in its source, so tests can be made for cases before a machine has run.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Machine
from portkit.vm.run import Result, run
from portkit.vm.tools import tool

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
UAPI = ROOT / "ports/emulators/linux-kvm-kmod/src/uapi"

_CASE = re.compile(r"^CASE\((\w+), (\w+)\)$", re.MULTILINE)
_LINE = re.compile(r"^(ok|not ok) \d+ - (\S+)(?: # SKIP (.*))?$")

#: What Linux's WARN(), FreeBSD's malloc(9) and uma(9) say on the console.
COMPLAINT = re.compile(
    r"^WARNING: \S+\.[ch]:\d+|^.*(?:leaked memory|keg .* was not empty).*", re.MULTILINE
)

#: On Bochs this never ends, and takes a processor with it: see docs/vm.md.
_HANGS_BOCHS = "signals.kick_masked"
_BOCHS = "Bochs masks the host's interrupts while a guest spins with its own off"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a case ended.

    Attributes:
        outcome: ``ok``, ``not ok``, or ``skip``.
        text: what it said, or why it was skipped.
    """

    outcome: str
    text: str


def names() -> list[str]:
    """All cases, as ``subject.what``."""
    found: list[str] = []
    for source in sorted(HERE.glob("*.c")):
        found += [".".join(match) for match in _CASE.findall(source.read_text())]
    return found


def build(cache: Cache, directory: Path) -> Path:
    """The program ``guests``, built in a directory; skips the test when something is missing."""
    sysroot = cache.sysroot
    if sysroot is None or not (sysroot / "usr/lib/libpthread.a").exists():
        pytest.skip("the imported base has no headers and libraries to compile against")
    kvm = [UAPI, linux_tree() / "include/uapi", linux_tree() / "arch/x86/include/uapi"]
    return make(directory, f"SYSROOT={sysroot}", f"KVM_INCS={' '.join(map(str, kvm))}")


def linux_tree() -> Path:
    """The tree with KVM's headers; skips the test when there is none."""
    if "LINUX" not in os.environ:
        pytest.skip("a client needs KVM's headers: LINUX, the tree that kvm.ko was built from")
    return Path(os.environ["LINUX"])


def make(directory: Path, *variables: str) -> Path:
    """The program ``guests``, by its makefile."""
    if shutil.which("bmake") is None:
        pytest.skip("needs bmake")
    done = subprocess.run(
        ["bmake", "-f", str(HERE / "Makefile"), f"CC={tool('clang')}", f"LD={tool('ld.lld')}",
         *variables],
        cwd=directory, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return directory / "guests"


def module(kind: Kind) -> Path:
    """kvm.ko for a kernel; skips the test when there is none."""
    name = {"plain": "KVM_KO", "debug": "KVM_KO_DEBUG"}[kind]
    if name not in os.environ:
        pytest.skip(f"the module's tests need it linked for the {kind} kernel, in {name}")
    return Path(os.environ[name])


def boot(
    cache: Cache, machine: Machine, program: Path, directory: Path,
    *, cases: str = "", case_seconds: int = 60, timeout: float = 600,
) -> Result:  # fmt: skip
    """Load the module, run the suite without what hangs the emulator, unload the module."""
    shutil.copy(module(machine.kernel), directory / "kvm.ko")
    shutil.copy(program, directory / "guests")
    out = f"-x {shlex.quote(f'{_HANGS_BOCHS}:{_BOCHS}')}" if machine.emulator == "bochs" else ""
    script = (
        f"kldload ./kvm.ko; ./guests -t {case_seconds} {out} {cases}; s=$?;"
        " kldunload kvm || exit 3; exit $s"
    )
    return run(cache, machine, directory, ["sh", "-c", script], timeout=timeout)


def verdicts(output: str) -> dict[str, Verdict]:
    """What a run printed, by case; one that did not end is not in it."""
    found, said = {}, []
    for line in output.splitlines():
        match = _LINE.match(line)
        if match is None:
            said.append(line)
            continue
        outcome, name, reason = match.groups()
        if reason is not None:
            found[name] = Verdict("skip", reason)
        else:
            found[name] = Verdict(outcome, "\n".join(said))
        said = []
    return found
