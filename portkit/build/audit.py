"""Audits of a linked kernel module: what would panic, or not load, on FreeBSD fails the build.

Each rule names the function it is about. What was looked at and found to be right is on a reviewed
list, a TOML file beside the port's manifest entry, with a reason for each entry.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from portkit.build.elf import ElfObject, Relocation, Symbol, disassemble, read_object
from portkit.errors import UsageError
from portkit.lint.finding import Finding

# Linux makes these sections for its own boot code to work on; FreeBSD's loader does nothing.
_LINUX_SECTIONS = re.compile(
    r"__ex_table|__bug_table|__jump_table|\.altinstr|\.data\.\.percpu|\.smp_locks"
    r"|\.parainstructions|\.(retpoline|return|call|static_call|ibt_endbr_seal)_sites"
    r"|\.static_call|\.initcall|__ksymtab|___ksymtab|__kcrctab|__modver"
)
# Numbers of <sys/elf_common.h>, as sys/amd64/amd64/elf_machdep.c resolves them.
_RELOCATIONS = {0: "NONE", 1: "64", 2: "PC32", 4: "PLT32", 11: "32S"}
_RELOCATIONS |= {6: "GLOB_DAT", 7: "JMP_SLOT", 8: "RELATIVE", 37: "IRELATIVE"}
_SEGMENT = re.compile(r"%[fg]s\b")
_VECTOR = re.compile(
    r"%([xyz]?mm\d|st\b|k[0-7]\b)"
    r"|^(f[a-z0-9]+|wait|[vp]?emms|ldmxcsr|stmxcsr|vzero(all|upper)|x(save|rstor)[a-z0-9]*)\b"
)
# What faults by its operands, apart from _VECTOR.  VMX instructions fail without a fault.
_FAULTS = re.compile(
    r"^(rdmsr|wrmsr\w*|rdpmc|x[gs]etbv|wrpkru|inv(pcid|lpga)|vm(run|load|save)|i?div[bwlq]"
    r"|l(ldt|tr|gdt|idt|msw)[a-z]?|(i|l|sys)ret[a-z]+|swapgs|int|(in|out)s?[bwl]?)(?!\w)"
    r"|^mov\w* .*, %(cr|dr|db)\d|^(mov|pop)\w* .*%[d-gs]s$"
)
_FRAME = re.compile(r"^(?:subq \$|sub \$|leaq -|addq \$-)(0x[0-9a-f]+|\d+)(?:\(%rsp\))?, %rsp$")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What is known to be right: each name maps to the reason.

    Attributes:
        kpi: kernel functions and variables that the module may need.
        exports: names that the module may show to the rest of the kernel.
        sections: Linux sections that the module itself takes care of.
        segment: functions that may use %fs or %gs.
        fpu: functions that may use x87, SSE or AVX.
        fault: functions that may use an instruction that some operands make fault.
        stack: functions with a larger frame, mapped to their own limit in bytes.
        stack_limit: bytes that every other function's frame may have.
    """

    kpi: Mapping[str, str]
    exports: Mapping[str, str]
    sections: Mapping[str, str]
    segment: Mapping[str, str]
    fpu: Mapping[str, str]
    fault: Mapping[str, str]
    stack: Mapping[str, int]
    stack_limit: int


def load_reviewed(path: Path) -> Reviewed:
    """Read the reviewed lists.

    Raises:
        UsageError: the file is missing, not TOML, or has unknown or malformed keys.
    """
    try:
        data = tomllib.loads(path.read_text())
    except OSError as error:
        raise UsageError(
            "the reviewed list of the audits cannot be read", where=str(path), hint="restore it"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{error}", where=str(path), hint="fix the file") from error
    tables = {}
    for key in ("kpi", "exports", "sections", "segment", "fpu", "fault"):
        table = data.pop(key, {})
        if not isinstance(table, dict) or not all(isinstance(v, str) and v for v in table.values()):
            raise _malformed(path, key, 'holds lines like name = "reason"')
        tables[key] = table
    stack = data.pop("stack", {})
    limit = data.pop("stack_limit", None)
    if not isinstance(limit, int) or not all(isinstance(value, int) for value in stack.values()):
        raise _malformed(path, "stack_limit", "is a number of bytes, as are those below [stack]")
    if data:
        raise _malformed(path, next(iter(data)), "is not a key of this file")
    return Reviewed(**tables, stack=stack, stack_limit=limit)


def audit_module(module: Path, linux_objects: Sequence[Path], reviewed: Reviewed) -> list[Finding]:
    """All findings about a linked module.

    Args:
        module: the module, as it is loaded.
        linux_objects: the objects compiled from Linux's sources and Linux-side glue.
        reviewed: the reviewed lists.

    Returns:
        Findings, sorted; none is what a build needs.

    Raises:
        UsageError: a file is no ELF object.
        EnvironmentProblem: llvm-objdump is missing.
    """
    elf = read_object(module)
    found = [
        *_symbols(elf, reviewed),
        *_sections(elf, reviewed),
        *_relocations(elf),
        *_frames(module, reviewed),
    ]
    for path in linux_objects:
        found += _instructions(path, reviewed)
    return sorted(set(found))


def unused_reviews(module: Path, reviewed: Reviewed) -> list[str]:
    """Names on the list of kernel KPIs that the module no longer needs, sorted."""
    undefined = {symbol.name for symbol in read_object(module).symbols if not symbol.section}
    return sorted(set(reviewed.kpi) - undefined)


def _symbols(elf: ElfObject, reviewed: Reviewed) -> Iterator[Finding]:
    for symbol in elf.symbols:
        if not symbol.section and symbol.name not in reviewed.kpi and not _is_set(symbol):
            users = sorted(
                {
                    elf.function_at(relocation.section, relocation.offset)
                    for relocation in elf.relocations
                    if relocation.target == symbol.name
                }
            )
            by = f", used by {', '.join(users[:3])}" if users else ""
            yield Finding(
                elf.path, 0, "audit-undefined", f"{symbol.name} is not a reviewed kernel KPI{by}"
            )
        if symbol.section and symbol.binding != "LOCAL" and symbol.name not in reviewed.exports:
            yield Finding(
                elf.path, 0, "audit-export",
                f"{symbol.name} is visible to the whole kernel; make it local or review it",
            )  # fmt: skip


def _is_set(symbol: Symbol) -> bool:
    """The loader itself defines ``__start_X`` and ``__stop_X``."""
    return symbol.name.startswith(("__start_", "__stop_"))


def _sections(elf: ElfObject, reviewed: Reviewed) -> Iterator[Finding]:
    for name, size in elf.sections.items():
        if size and _LINUX_SECTIONS.match(name) and name not in reviewed.sections:
            functions = sorted(set(_referenced(elf, name)))
            by = f" (from {', '.join(functions[:5])})" if functions else ""
            yield Finding(
                elf.path, 0, "audit-section", f"{name}: {size} bytes that nobody handles{by}"
            )


def _referenced(elf: ElfObject, section: str) -> Iterator[str]:
    """Functions that a section's relocations lead to."""
    for relocation in elf.relocations:
        if relocation.section == section:
            yield relocation.target


def _relocations(elf: ElfObject) -> Iterator[Finding]:
    for relocation in elf.relocations:
        if relocation.kind not in _RELOCATIONS:
            yield Finding(elf.path, 0, "audit-relocation", _relocation_text(elf, relocation))


def _relocation_text(elf: ElfObject, relocation: Relocation) -> str:
    function = elf.function_at(relocation.section, relocation.offset)
    return (
        f"{function}: FreeBSD's loader refuses relocation type {relocation.kind} "
        f"(to {relocation.target})"
    )


def _instructions(path: Path, reviewed: Reviewed) -> Iterator[Finding]:
    """The first instruction of each function that breaks a rule."""
    rules = (
        ("audit-segment", _SEGMENT, reviewed.segment, "uses a segment of FreeBSD's"),
        ("audit-fpu", _VECTOR, reviewed.fpu, "would destroy a thread's FPU state"),
        ("audit-fault", _FAULTS, reviewed.fault, "may fault, which would be a panic"),
    )
    seen = set()
    for instruction in disassemble(path):
        for rule, pattern, allowed, harm in rules:
            key = (rule, instruction.function)
            if key in seen or instruction.function in allowed:
                continue
            if pattern.search(instruction.text):
                seen.add(key)
                yield Finding(
                    path, 0, rule, f"{instruction.function}: '{instruction.text}' {harm}"
                )


def _frames(module: Path, reviewed: Reviewed) -> Iterator[Finding]:
    largest: dict[str, int] = {}
    for instruction in disassemble(module):
        if match := _FRAME.match(instruction.text):
            size = int(match[1], 0)
            largest[instruction.function] = max(size, largest.get(instruction.function, 0))
    for function, size in largest.items():
        limit = reviewed.stack.get(function, reviewed.stack_limit)
        if size > limit:
            yield Finding(
                module,
                0,
                "audit-stack",
                f"{function}: a frame of {size} bytes, {limit} are allowed",
            )


def _malformed(path: Path, key: str, what: str) -> UsageError:
    return UsageError(f"'{key}' {what}", where=str(path), hint="see docs/ports.md")
