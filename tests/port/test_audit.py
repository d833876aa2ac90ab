"""Every audit rule, on a small object made to fail it; and the good object that passes."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from portkit.build.audit import Reviewed, audit_module, load_reviewed, unused_reviews
from portkit.build.command import find_tool
from portkit.build.elf import read_object
from portkit.errors import UsageError
from portkit.lint.finding import Finding

LISTS = Reviewed(
    kpi={"malloc": "malloc(9)"},
    exports={"kvm_moduledata": "the module's metadata"},
    sections={"__start_known": "x"},
    segment={},
    fpu={},
    fault={},
    stack={},
    stack_limit=1024,
)
GOOD = """
	.text
	.globl kvm_moduledata
	.type good,@function
good:	subq $1024, %rsp
	call malloc
	leaq __start_params(%rip), %rax
	addq $1024, %rsp
	ret
	.size good, .-good
	.data
kvm_moduledata: .quad good
"""


@pytest.fixture
def build(tmp_path: Path) -> Callable[[str], Path]:
    """Assemble a source for amd64 FreeBSD."""

    def run(source: str) -> Path:
        path = tmp_path / "kvm.ko"
        subprocess.run(
            [find_tool("clang"), "--target=x86_64-unknown-freebsd", "-c", "-x", "assembler", "-",
             "-o", path],
            input=source.encode(), check=True,
        )  # fmt: skip
        return path

    return run


def function(name: str, body: str) -> str:
    return (
        f"\t.text\n\t.type {name},@function\n{name}:\n\t{body}\n\tret\n\t.size {name}, .-{name}\n"
    )


def rules(findings: list[Finding]) -> set[str]:
    return {finding.rule for finding in findings}


def test_a_module_in_order_passes(build: Callable[[str], Path]) -> None:
    module = build(GOOD)
    assert audit_module(module, [module], LISTS) == []
    assert unused_reviews(module, LISTS) == []


def test_a_kpi_that_is_not_needed_any_more_is_listed(build: Callable[[str], Path]) -> None:
    lists = dataclasses.replace(LISTS, kpi={**LISTS.kpi, "printf": "printf(9)"})
    assert unused_reviews(build(GOOD), lists) == ["printf"]


@pytest.mark.parametrize(
    ("source", "rule", "function"),
    [
        (function("bad", "call printk"), "audit-undefined", "bad"),
        ("\t.globl vm_mmap\n" + function("vm_mmap", "nop"), "audit-export", "vm_mmap"),
        ("\t.weak thing\n" + function("thing", "nop"), "audit-export", "thing"),
        (function("bad", "1: nop\n\t.section __ex_table,\"a\"\n\t.long 1b-.\n\t.text"),
         "audit-section", "__ex_table"),
        (function("bad", "nop\n\t.section __bug_table,\"aw\"\n\t.quad bad\n\t.text"),
         "audit-section", "__bug_table"),
        ("\t.section .data..percpu,\"aw\"\ncounter: .quad 0\n", "audit-section", ".data..percpu"),
        ("\t.section .altinstructions,\"a\"\n\t.long 0\n", "audit-section", ".altinstructions"),
        (function("bad", "movq kvm_moduledata@GOTPCREL(%rip), %rax"), "audit-relocation", "bad"),
        (function("bad", "movl $kvm_moduledata, %eax"), "audit-relocation", "bad"),
        (function("bad", "movq %gs:0, %rax"), "audit-segment", "bad"),
        (function("bad", "movw %fs, %ax"), "audit-segment", "bad"),
        (function("bad", "movups %xmm0, (%rdi)"), "audit-fpu", "bad"),
        (function("bad", "vpxor %ymm0, %ymm1, %ymm2"), "audit-fpu", "bad"),
        (function("bad", "fldz"), "audit-fpu", "bad"),
        (function("bad", "fwait"), "audit-fpu", "bad"),
        (function("bad", "fxsave (%rdi)"), "audit-fpu", "bad"),
        (function("bad", "xsaveopt (%rdi)"), "audit-fpu", "bad"),
        (function("bad", "xrstors64 (%rdi)"), "audit-fpu", "bad"),
        (function("bad", "ldmxcsr (%rdi)"), "audit-fpu", "bad"),
        (function("bad", "emms"), "audit-fpu", "bad"),
        *(
            (function("bad", faulting), "audit-fault", "bad")
            for faulting in (
                "rdmsr", "wrmsr", "xsetbv", "wrpkru", "rdpmc", "divq %rcx", "idivl (%rdi)",
                "vmload", "vmrun", "invlpga", "invpcid (%rdi), %rax", "lldtw %ax", "ltrw %ax",
                "lgdtq (%rdi)", "lidtq (%rdi)", "iretq", "lretq", "int $2", "inb %dx, %al",
                "outl %eax, %dx", "insb", "movq %rax, %cr4", "movq %rax, %dr7", "movw %ax, %ds",
            )
        ),
        (function("bad", "subq $1032, %rsp"), "audit-stack", "bad"),
        (function("bad", "leaq -2048(%rsp), %rsp"), "audit-stack", "bad"),
    ],
)  # fmt: skip
def test_each_rule_names_the_function(
    build: Callable[[str], Path], source: str, rule: str, function: str
) -> None:
    module = build(GOOD + source)
    findings = audit_module(module, [module], LISTS)
    assert rules(findings) == {rule}
    assert any(function in finding.message for finding in findings)


@pytest.mark.parametrize(
    ("source", "change"),
    [
        (function("f", "call printk"), {"kpi": {"malloc": "x", "printk": "x"}}),
        ("\t.section .altinstructions,\"a\"\n\t.long 0\n", {"sections": {".altinstructions": "x"}}),
        (function("f", "movq %gs:0, %rax"), {"segment": {"f": "x"}}),
        (function("f", "fldz"), {"fpu": {"f": "x"}}),
        (function("f", "divq %rcx"), {"fault": {"f": "x"}}),
        (function("f", "subq $4096, %rsp"), {"stack": {"f": 4096}}),
    ],
)  # fmt: skip
def test_what_was_reviewed_passes(
    build: Callable[[str], Path], source: str, change: dict[str, dict[str, str]]
) -> None:
    module = build(GOOD + source)
    assert audit_module(module, [module], dataclasses.replace(LISTS, **change)) == []


@pytest.mark.parametrize(
    "harmless",
    [
        "cpuid",
        "vmlaunch",
        "int3",
        "incl %eax",
        "wrfsbase %rax",
        "movl $5, %eax",
        "prefetcht0 (%rax)",
        "clflush (%rax)",
    ],
)
def test_harmless_instructions_pass(build: Callable[[str], Path], harmless: str) -> None:
    module = build(GOOD + function("f", harmless))
    assert audit_module(module, [module], LISTS) == []


def test_instructions_of_the_freebsd_side_are_its_own_business(
    build: Callable[[str], Path],
) -> None:
    module = build(GOOD + function("f", "movq %gs:0, %rax"))
    assert audit_module(module, [], LISTS) == []


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF\x02\x01\x01" + b"\xff" * 200, b"text"])
def test_what_is_not_an_object_is_refused_in_one_line(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.o").write_bytes(data)
    with pytest.raises(UsageError, match="not an ELF object"):
        read_object(tmp_path / "x.o")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stack_limit = 1024\nkpi = 5\n", "kpi"),
        ('stack_limit = 1024\n[kpi]\nmalloc = ""\n', "kpi"),
        ("[kpi]\n", "stack_limit"),
        ("stack_limit = 1\n[other]\n", "other"),
        ("stack_limit = 1\n[stack]\nf = 'x'\n", "stack"),
        ("= 1", "line 1"),
    ],
)
def test_a_bad_list_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "list.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        load_reviewed(path)


def test_a_missing_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_reviewed(tmp_path / "list.toml")
