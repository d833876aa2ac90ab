"""``python -m tests.guests.table [MODE[@MACHINE][:SUBJECT,...]...]``: the suite in each mode.

Runs the modes that are named (all, if none is) on each machine, or on the one that is named, and
writes what came out into docs/guest-modes.json, and the tables made of all that is there into
docs/guest-modes.md. Where subjects are named, one boot runs these and what is known of the others
stays as it is.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from portkit.vm.cache import Cache, Kind, default_directory
from portkit.vm.machine import Emulator, Machine
from portkit.vm.run import Result
from tests.guests import suite

DATA = suite.ROOT / "docs/guest-modes.json"
PAGE = suite.ROOT / "docs/guest-modes.md"
#: For one boot, on a busy host.
SECONDS = {"qemu": 1800.0, "bochs": 3600.0}

XSAVE = "qemu64,+svm,+npt,+ssse3,+sse4.1,+sse4.2,+popcnt,+aes,+avx,+xsave,+xsaveopt"


@dataclass(frozen=True, slots=True)
class Mode:
    """A way to run the module.

    Attributes:
        name: its column.
        emulator: what emulates the machine.
        cpu: the processor's model; None for the default one.
        tunables: the module's parameters.
    """

    name: str
    emulator: Emulator = "qemu"
    cpu: str | None = None
    tunables: tuple[str, ...] = ()


MODES = (
    Mode("svm"),
    Mode("svm-xsave", cpu=XSAVE),
    Mode("svm-npt=0", tunables=("hw.kvm.amd.npt=0",)),
    Mode("svm-nrips=0", tunables=("hw.kvm.amd.nrips=0",)),
    Mode("svm-avic=0", tunables=("hw.kvm.amd.avic=0",)),
    Mode("vmx", "bochs"),
    Mode("vmx-ept=0", "bochs", tunables=("hw.kvm.intel.ept=0",)),
    Mode("vmx-unrestricted_guest=0", "bochs", tunables=("hw.kvm.intel.unrestricted_guest=0",)),
    Mode("vmx-vpid=0", "bochs", tunables=("hw.kvm.intel.vpid=0",)),
    Mode("vmx-lynnfield", "bochs", "corei5_lynnfield_750"),
    Mode("vmx-skylake", "bochs", "corei7_skylake_x"),
    Mode("vmx-icelake", "bochs", "corei7_icelake_u"),
)  # fmt: skip

#: What is known about cases that are lost or not ok, by mode.
EXPLAINED = {
    "svm": "QEMU 7.2; each column is of one boot.",
    "vmx": "haswell with EPT; Bochs 2.7. Each column is of one boot. timer.apic_periodic once did"
    " not end, in an early boot; in the 56 boots of VT-x's whole tables since it has.",
    "vmx-skylake, vmx-icelake": "with a profiling timer of 1 ms signals.storm was not over after"
    " 60 s on debug-2; it has one of 3 ms now. A program"
    " that only counts to 3 million with the timer of 1 ms does not get there in 60 s on that"
    " machine either, with no module loaded: FreeBSD takes all 30,000 instructions of a millisecond"
    " to deliver the signal. On haswell it takes 1.4 s.",
    "vmx-icelake, machine": "Bochs 2.7 has protection keys in XCR0, but CPUID 0xd.9, their place in"
    " XSAVE's area, is empty: its cpu/cpuid.cc has BX_SUPPPORT_PKEYS, with three P. KVM warns of it"
    " once, at cpuid.c:1138, and leaves the leaf out."
    ' Linux itself warns of it in the same Bochs ("misordered xstate") and uses no XSAVE there.',
    "vmx, guest_debug": "in every mode with EPT the case fails by a fault of Bochs 2.7, repaired in"
    " 2.8: an exit for an EPT violation saves the step's trap as pending, so the first step stops"
    " before its instruction. Linux's own KVM, of the same release, says the same words in the same"
    ' Bochs: `python -m tests.guests.linux_host corei7_haswell_4770 "" exceptions.`',
    "vmx, emulator": "Bochs 2.7 and its newest source: a host that enters a guest with interrupts"
    " off, both having IF=0, keeps its own interrupts masked, so a guest that spins with"
    " interrupts off never exits. Its local APIC holds the timer's vector, 0xef, in IRR all the"
    " while, and the event is masked. Guests that wait in a loop have interrupts on for that"
    " reason; signals.kick_masked is the case without, and is skipped. On Linux's own KVM in the"
    " same Bochs it does not end either; with tests/emulators/bochs-2.7.patch it passes on both"
    " (docs/emulators.md).",
    "vmx, APICv": "off in every mode: KVM wants posted interrupts for it, which Bochs 2.7 does not"
    ' have on any model ("not implemented yet" in its cpu/cpudb/intel). The newest Bochs (August'
    " 2026) has them. With it, skylake on the plain and icelake on the debug kernel, all is ok, and"
    " guest_debug too, but 14 cases whose first interrupt finds its gate or stack not mapped yet:"
    " the guest takes exception 8. Linux's own KVM in that Bochs says the same words with pages of"
    " 4 KB (transparent_hugepage=never; nine of the cases were tried); with 2 MB the five of them"
    " that were tried are ok.",
}

#: The kernel and the number of processors; one of them has the table by subjects.
MACHINES: dict[str, tuple[Kind, int]] = {
    "plain-1": ("plain", 1), "plain-2": ("plain", 2),
    "debug-1": ("debug", 1), "debug-2": ("debug", 2),
}  # fmt: skip
STRICTEST = "debug-2"
#: Not a case: what the kernel said by itself, and whether the module could be unloaded.
MACHINE = "machine"

#: What a mode gave on a machine: for each case ``ok``, or its outcome, a colon and what it said.
Column = dict[str, str]
#: All that is known, by mode and machine.
Columns = dict[str, dict[str, Column]]


def said(found: dict[str, suite.Verdict], case: str) -> str:
    """What a case said; one that did not end is ``lost``."""
    if case not in found:
        return "lost"
    verdict = found[case]
    last = verdict.text.splitlines()[-1:] or [""]
    return "ok" if verdict.outcome == "ok" else f"{verdict.outcome}: {last[0].removeprefix('# ')}"


def outcome(text: str) -> str:
    return text.partition(":")[0]


def beside(result: Result) -> str:
    """``ok`` if the module could be unloaded and the kernel had nothing to complain of."""
    found = [report.text for report in result.lock_reports]
    found += suite.COMPLAINT.findall(result.console)
    if result.outcome != "exited":
        found.append(result.panic.message if result.panic else result.outcome)
    elif result.status == 3:
        found.append("the module does not unload")
    return "not ok: " + "; ".join(text.splitlines()[0] for text in found) if found else "ok"


def run_mode(cache: Cache, program: Path, mode: Mode, machine: str, subjects: list[str]) -> Column:
    """What each case of the subjects (all, if none) said."""
    kernel, cpus = MACHINES[machine]
    booted = Machine(kernel, cpus, emulator=mode.emulator, cpu=mode.cpu, tunables=mode.tunables)
    with tempfile.TemporaryDirectory() as name:
        result = suite.boot(
            cache, booted, program, Path(name), cases=" ".join(f"{s}." for s in subjects),
            timeout=SECONDS[mode.emulator],
        )  # fmt: skip
    found = suite.verdicts(result.output.decode(errors="replace"))
    return {MACHINE: beside(result)} | {
        case: said(found, case) for case in suite.names()
        if not subjects or case.partition(".")[0] in subjects
    }  # fmt: skip


def cell(column: Column, subject: str = "") -> str:
    """Of the cases of a subject, or all: how many are ok, of how many, and how many skipped."""
    of = [
        outcome(text) for case, text in column.items()
        if case != MACHINE and (not subject or subject == case.partition(".")[0])
    ]  # fmt: skip
    skipped = f" ({of.count('skip')})" if "skip" in of else ""
    return f"{of.count('ok')}/{len(of)}{skipped}" if of else "-"


def differing(columns: Columns) -> list[tuple[str, ...]]:
    """Mode, case and what it was on each machine, of those that are not the same on all."""
    rows = []
    for mode in (mode.name for mode in MODES if mode.name in columns):
        for case in suite.names():
            on_each = [columns[mode].get(machine, {}).get(case, "") for machine in MACHINES]
            if len(set(on_each) - {""}) > 1:
                rows.append((mode, case, *(outcome(text) or "-" for text in on_each)))
    return rows


def not_ok(columns: Columns) -> list[tuple[str, ...]]:
    """Case, outcome, what it said, and the modes (with the machines, if not on all of them)."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for mode in (mode.name for mode in MODES if mode.name in columns):
        for machine, column in columns[mode].items():
            for case, text in column.items():
                if text != "ok":
                    found.setdefault((case, text), {}).setdefault(mode, []).append(machine)
    rows = []
    for (case, both), where in sorted(found.items()):
        kind, _, text = both.partition(": ")
        modes = ", ".join(
            mode if len(machines) == sum(case in column for column in columns[mode].values())
            else f"{mode} on {' and '.join(machines)}"
            for mode, machines in where.items()
        )  # fmt: skip
        rows.append((case, kind, text.replace("|", "\\|"), modes))
    return rows


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["-"] * len(head), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]


def render(columns: Columns) -> str:
    """The page: modes by machines, modes by subjects, then each case that is not ok."""
    modes = [mode.name for mode in MODES if mode.name in columns]
    strictest = {mode: columns[mode].get(STRICTEST, {}) for mode in modes}
    subjects = sorted({case.partition(".")[0] for case in suite.names()})
    differ = differing(columns)
    lines = [
        "# The guests' suite in each mode",
        "",
        "Written by `python -m tests.guests.table`. The suite is run in each mode of the module on"
        " the plain kernel and on the one with INVARIANTS and WITNESS, with 1 and 2 processors."
        " A cell says how many cases are ok of how many (and how many are skipped); a dash, that"
        " none has run.",
        "",
        *table(
            ["mode", *MACHINES],
            [
                [mode, *(cell(columns[mode].get(machine, {})) for machine in MACHINES)]
                for mode in modes
            ],
        ),
    ]
    if differ:
        lines += ["These are not the same on all machines:", ""]
        lines += table(["mode", "case", *MACHINES], differ)
    else:
        lines += ["Each case came out the same on all machines of its mode.", ""]
    boots = [
        column[MACHINE] for of_mode in columns.values() for column in of_mode.values()
        if MACHINE in column
    ]  # fmt: skip
    lines += [
        f"After {boots.count('ok')} of {len(boots)} boots of whole suites the module could be"
        " unloaded, and the kernel had reported nothing by itself: no order of locks, no memory"
        " left.",
        "",
    ]
    lines += [f"## By subject, on {STRICTEST}", ""]
    lines += table(
        ["subject", *modes],
        [[s, *(cell(strictest[mode], s) for mode in modes)] for s in subjects],
    )
    lines += ["## What is known", ""]
    lines += [f"- {mode}: {text}" for mode, text in EXPLAINED.items()]
    lines += ["", "## What is not ok", ""]
    lines += table(["case", "outcome", "what it said", "modes"], not_ok(columns))
    return "\n".join(lines).rstrip() + "\n"


def parse(text: str) -> tuple[str, str, list[str]]:
    """Mode, machine (empty: all) and subjects (empty: all) of an argument."""
    name, _, subjects = text.partition(":")
    mode, _, machine = name.partition("@")
    return mode, machine, subjects.split(",") if subjects else []


def main(chosen: list[str]) -> None:
    cache = Cache(default_directory())
    by_name = {mode.name: mode for mode in MODES}
    with tempfile.TemporaryDirectory() as name:
        program = suite.build(cache, Path(name))
        for mode, only, subjects in map(parse, chosen or by_name):
            for machine in [only] if only else MACHINES:
                column = run_mode(cache, program, by_name[mode], machine, subjects)
                columns: Columns = json.loads(DATA.read_text()) if DATA.exists() else {}
                of_mode = columns.setdefault(mode, {})
                of_mode[machine] = (of_mode.get(machine, {}) if subjects else {}) | column
                DATA.write_text(json.dumps(columns, indent=0, sort_keys=True) + "\n")
                PAGE.write_text(render(columns))


if __name__ == "__main__":
    main(sys.argv[1:])
