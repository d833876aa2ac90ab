"""The reviewed list of kernel functions is one by call site: files and contexts are held true."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from portkit.build.audit import load_reviewed
from portkit.build.elf import read_object
from tests.kmod.built import KVM, LKC, ROOT, objects
from tests.kmod.test_walls import CONTEXTS

KPI = load_reviewed(ROOT / "audits/linux-kvm-kmod.toml").kpi
# From where at most, and what a bridge function with a mark may therefore use.
USABLE = {
    "irq": {"irq", "data", "debug"},
    "crit": {"irq", "crit", "data", "debug"},
    "sleep": {"irq", "crit", "sleep", "load", "data", "debug"},
}


def entry(name: str) -> tuple[set[str], str, str]:
    files, context, why = KPI[name].split("; ", 2)
    return set(files.split(", ")), context, why


@cache
def builds() -> list[Path]:
    """Every build of the port's release and of today's sources that is here, plain and debug."""
    changed = max(
        path.stat().st_mtime for root in (LKC, KVM) for path in root.glob("freebsd/*.[ch]")
    )
    modules = objects().parent.glob("*/kvm.ko")
    return [module.parent for module in modules if module.stat().st_mtime >= changed]


def undefined(path: Path) -> set[str]:
    return {symbol.name for symbol in read_object(path).symbols if not symbol.section}


def users(some: list[Path]) -> dict[str, set[str]]:
    """The files of the FreeBSD side that use a kernel function, over some builds."""
    found: dict[str, set[str]] = defaultdict(set)
    for build in some:
        needed = undefined(build / "kvm.ko")
        units = {path.stem.removeprefix("lkc_"): path for path in build.glob("lkc_*.o")}
        units |= {path.stem: path for path in build.glob("kvm_*.o")}
        for name, path in {**units, "linux": build / "lx_kvm_side.o"}.items():
            for symbol in undefined(path) & needed:
                found[symbol].add(name)
    return found


@pytest.mark.parametrize("name", KPI)
def test_an_entry_has_files_a_context_and_a_reason(name: str) -> None:
    files, context, why = entry(name)
    known = {path.stem.removeprefix("lkc_") for root in (LKC, KVM)
             for path in root.glob("freebsd/*.c")} | {"linux", "kvm_linux"}  # fmt: skip
    assert files <= known
    assert context in USABLE["sleep"]
    assert len(why) >= 4


def test_a_new_file_that_uses_one_is_a_new_review() -> None:
    found = users(builds())
    assert len(found) > 150
    for name, files in found.items():
        if not name.startswith(("__start_", "__stop_")):
            assert files <= entry(name)[0], name


def test_a_file_that_uses_one_no_more_is_not_listed() -> None:
    """Of 14 and 15, plain and debug; kvm_linux.ko and other kernels' macros are not looked at."""
    some = [path for path in builds() if "sys" not in path.name]
    if {("debug" in path.name, path.name[:2]) for path in some} != {
        (debug, release) for debug in (False, True) for release in ("14", "15")
    }:
        pytest.skip("needs builds for 14 and 15, also with --debug")
    found = users(some)
    for name in set(KPI) - {"panicked"}:
        assert found.get(name, set()) == entry(name)[0] - {"kvm_linux"}, name


def test_contexts_agree_with_the_marks_of_the_bridge() -> None:
    """What may sleep is not used where the bridge says that its caller may not."""
    wrong = set()
    for build in builds():
        module = read_object(build / "kvm.ko")
        for relocation in module.relocations:
            mark = CONTEXTS.get(module.function_at(relocation.section, relocation.offset))
            if mark and relocation.target in KPI:
                context = entry(relocation.target)[1]
                if context not in USABLE[mark]:
                    wrong.add((module.function_at(relocation.section, relocation.offset),
                               mark, relocation.target, context))  # fmt: skip
    assert wrong == set()


def test_the_names_in_reasons_exist() -> None:
    """Functions of the FreeBSD side and of the bridge."""
    sources = [path for root in (LKC, KVM) for path in root.rglob("*.[ch]")]
    text = "\n".join(path.read_text() for path in sources)
    for name in KPI:
        for word in re.findall(r"\b((?:lkc|kvmb|watch|mapping|task|page|mm)_\w+)\(\)", KPI[name]):
            assert re.search(rf"\b{word}\(", text), (name, word)
