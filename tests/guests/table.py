"""``python -m tests.guests.table [MODE[:SUBJECT,...]...]``: the suite in each mode of the module.

Runs the modes that are named (all, if none is) on the plain kernel and writes what came out into
docs/guest-modes.json, and the table made of all that is there into docs/guest-modes.md. Where
subjects are named, one boot runs these and the rest of the mode's column stays as it is.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from portkit.vm.cache import Cache, default_directory
from portkit.vm.machine import Emulator, Machine
from tests.guests import suite

DATA = suite.ROOT / "docs/guest-modes.json"
PAGE = suite.ROOT / "docs/guest-modes.md"
SECONDS = 900.0

XSAVE = "qemu64,+svm,+npt,+ssse3,+sse4.1,+sse4.2,+popcnt,+aes,+avx,+xsave,+xsaveopt"


@dataclass(frozen=True, slots=True)
class Mode:
    """A way to run the module.

    Attributes:
        name: its column.
        emulator: what emulates the machine.
        cpu: the processor's model; None for the default one.
        tunables: the module's parameters.
        cpus: how many processors the machine has.
    """

    name: str
    emulator: Emulator = "qemu"
    cpu: str | None = None
    tunables: tuple[str, ...] = ()
    cpus: int = 1


MODES = (
    Mode("svm", cpus=2),
    Mode("svm-xsave", cpu=XSAVE, cpus=2),
    Mode("svm-npt=0", tunables=("hw.kvm.amd.npt=0",), cpus=2),
    Mode("svm-nrips=0", tunables=("hw.kvm.amd.nrips=0",), cpus=2),
    Mode("svm-avic=0", tunables=("hw.kvm.amd.avic=0",), cpus=2),
    Mode("vmx", "bochs"),
    Mode("vmx-2-cpus", "bochs", cpus=2),
    Mode("vmx-ept=0", "bochs", tunables=("hw.kvm.intel.ept=0",)),
    Mode("vmx-unrestricted_guest=0", "bochs", tunables=("hw.kvm.intel.unrestricted_guest=0",)),
    Mode("vmx-vpid=0", "bochs", tunables=("hw.kvm.intel.vpid=0",)),
    Mode("vmx-lynnfield", "bochs", "corei5_lynnfield_750"),
    Mode("vmx-skylake", "bochs", "corei7_skylake_x"),
    Mode("vmx-icelake", "bochs", "corei7_icelake_u"),
)  # fmt: skip

#: What is known about cases that are lost or not ok, by mode.
EXPLAINED = {
    "svm-xsave, svm-nrips=0, svm-avic=0": "put together from two boots each, as the first ran out"
    " of time on a busy host: attacks (avic: all from signals on) are of the second."
    " Before it the MSRs and values that attacks.msr_* try were cut down: it took over a minute.",
    "vmx": "haswell with EPT, one processor, each row from a boot of its own or of a few subjects."
    " timer.apic_periodic once did not end. The debug kernel, in five boots, gave the same outcomes"
    " and no lock report; so it did with ept=0, in one. The other columns of Bochs are of one boot"
    " each, on the plain kernel.",
    "vmx, guest_debug": "in every mode with EPT the case fails by a fault of Bochs 2.7, repaired in"
    " 2.8: an exit for an EPT violation saves the step's trap as pending, so the first step stops"
    " before its instruction. Linux's own KVM, of the same release, says the same words in the same"
    ' Bochs: `python -m tests.guests.linux_host corei7_haswell_4770 "" exceptions.`',
    "vmx, emulator": "Bochs 2.7 and its newest source: a host that enters a guest with interrupts"
    " off, both having IF=0, keeps its own interrupts masked, so a guest that spins with"
    " interrupts off never exits. Its local APIC holds the timer's vector, 0xef, in IRR all the"
    " while, and the event is masked. With handleInterruptMaskChange() called at VM entry the cases"
    " that are skipped for it pass. lynnfield has no PAUSE-loop exiting, which elsewhere ends the"
    " spinning of three more. On Linux's own KVM in the same Bochs signals.kick_running and"
    " slots.change_while_running do not end either: after an entry Bochs had no exit to log in some"
    " 1,500 and 700 million instructions."
    " smp.ipi, where it matters which vCPU runs first, was ok there once; on FreeBSD it hangs with"
    " two processors too.",
    "vmx, APICv": "off in every mode: KVM wants posted interrupts for it, which Bochs 2.7 does not"
    ' have on any model ("not implemented yet" in its cpu/cpudb/intel). The newest Bochs (August'
    " 2026) has them. With it, skylake on the plain and icelake on the debug kernel, all is ok, and"
    " guest_debug too, but 14 cases whose first interrupt finds its gate or stack not mapped yet:"
    " the guest takes exception 8. Linux's own KVM in that Bochs says the same words with pages of"
    " 4 KB (transparent_hugepage=never; nine of the cases were tried); with 2 MB the five of them"
    " that were tried are ok.",
}

#: What one mode gave: a case's outcome and text.
Column = dict[str, list[str]]


def run_mode(cache: Cache, program: Path, mode: Mode, subjects: list[str]) -> Column:
    """The outcome of each case of the subjects (all, if none); one that did not end is ``lost``."""
    machine = Machine(
        "plain", mode.cpus, emulator=mode.emulator, cpu=mode.cpu, tunables=mode.tunables
    )
    with tempfile.TemporaryDirectory() as name:
        result = suite.boot(
            cache, machine, program, Path(name), cases=" ".join(f"{s}." for s in subjects),
            timeout=SECONDS,
        )  # fmt: skip
    found = suite.verdicts(result.output.decode(errors="replace"))
    ended = "the machine: " + (result.panic.message if result.panic else result.outcome)
    return {
        case: [found[case].outcome, found[case].text] if case in found else ["lost", ended]
        for case in suite.names()
        if not subjects or case.partition(".")[0] in subjects
    }


def render(columns: dict[str, Column]) -> str:
    """The page: subjects by modes, then each case that is not ok."""
    modes = [mode.name for mode in MODES if mode.name in columns]
    subjects = sorted({case.partition(".")[0] for case in suite.names()})
    lines = [
        "# The guests' suite in each mode",
        "",
        "Written by `python -m tests.guests.table`; a cell says how many cases are ok"
        " (and skipped); a dash, that none has run.",
        "",
        "| subject | " + " | ".join(modes) + " |",
        "|---|" + "---|" * len(modes),
    ]
    for subject in subjects:
        cells = []
        for mode in modes:
            of = [v for case, v in columns[mode].items() if case.partition(".")[0] == subject]
            ok, skipped = (sum(v[0] == kind for v in of) for kind in ("ok", "skip"))
            text = f"{ok}/{len(of)}" + (f" ({skipped})" if skipped else "")
            cells.append(text if of else "-")
        lines.append(f"| {subject} | " + " | ".join(cells) + " |")
    missing = [mode.name for mode in MODES if mode.name not in columns]
    lines += ["", "Not run: " + ", ".join(missing) + ".", ""] if missing else [""]
    lines += ["## What is known", ""]
    lines += [f"- {mode}: {text}" for mode, text in EXPLAINED.items()]
    lines += [""]
    lines += [
        "## Cases that are not ok",
        "",
        "| mode | case | outcome | what it said |",
        "|---|---|---|---|",
    ]
    for mode in modes:
        for case, (outcome, text) in sorted(columns[mode].items()):
            if outcome != "ok":
                last = text.splitlines()[-1].removeprefix("# ") if text else ""
                lines.append(
                    f"| {mode} | {case} | {outcome} | {last.replace('|', chr(92) + '|')} |"
                )
    return "\n".join(lines) + "\n"


def main(chosen: list[str]) -> None:
    subjects = {
        name: s.split(",") if s else [] for name, _, s in (c.partition(":") for c in chosen)
    }
    cache = Cache(default_directory())
    with tempfile.TemporaryDirectory() as name:
        program = suite.build(cache, Path(name))
        for mode in MODES:
            if not chosen or mode.name in subjects:
                of = subjects.get(mode.name, [])
                column = run_mode(cache, program, mode, of)
                columns: dict[str, Column] = json.loads(DATA.read_text()) if DATA.exists() else {}
                columns[mode.name] = (columns.get(mode.name, {}) if of else {}) | column
                DATA.write_text(json.dumps(columns, indent=0, sort_keys=True) + "\n")
                PAGE.write_text(render(columns))


if __name__ == "__main__":
    main(sys.argv[1:])
