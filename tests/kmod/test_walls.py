"""The walls of docs/architecture.md: two worlds, one bridge, and KVM apart from the layer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portkit.build.elf import read_object
from tests.kmod.built import KVM, LKC, objects, source, variable

SERIES = ["", "linux-kvm-7.2"]
BRIDGES = [LKC / "bridge/lkc_bridge.h", KVM / "bridge/kvm_bridge.h"]
ASSERTS = {
    "sleep": "LKC_ASSERT_SLEEP()",
    "crit": ("LKC_ASSERT_SLEEP()", "LKC_ASSERT_THREAD()", "CRITICAL_ASSERT("),
}
_MARK = re.compile(r"\[(sleep|crit|irq)\]")
_DECLARATION = re.compile(r"^[a-z][\w ]*\s\**((?:lkc|kvmb)_\w+)\(")


def read_from(path: Path) -> set[Path]:
    """What an object was compiled from, by the file with dependencies beside it."""
    words = path.with_suffix(".d").read_text().replace("\\\n", " ").split()[1:]
    return {(path.parent / word).resolve() for word in words}


def inside(path: Path, *directories: Path) -> bool:
    return any(path.is_relative_to(directory.resolve()) for directory in directories)


@pytest.mark.parametrize("series", SERIES)
def test_the_linux_side_reads_no_header_of_freebsd(series: str) -> None:
    built, linux = objects(series), source(series)
    own = [LKC / "include", LKC / "linux", LKC / "bridge", KVM / "include", KVM / "linux",
           KVM / "bridge", built / "lkc-gen"]  # fmt: skip
    units = [path for path in built.glob("lx_*.o") if path.with_suffix(".d").exists()]
    assert len(units) > 60
    for unit in units:
        assert {path for path in read_from(unit) if not inside(path, linux, *own)} == set(), unit


@pytest.mark.parametrize("series", SERIES)
def test_the_freebsd_side_reads_no_header_of_linux(series: str) -> None:
    built = objects(series)
    own = [LKC / "freebsd", LKC / "bridge", KVM / "freebsd", KVM / "bridge"]
    units = [*built.glob("lkc_*.o"), *built.glob("kvm_*.o")]
    assert len(units) > 20
    for unit in units:
        foreign = {path for path in read_from(unit) if not inside(path, *own)}
        assert [path for path in foreign if inside(path, source(series), LKC, KVM)] == [], unit
        # What is left comes from FreeBSD's headers, and that unit has some.
        assert any(path.match("sys/*.h") for path in foreign) or unit.stem == "lkc_errno", unit


@pytest.mark.parametrize("bridge", BRIDGES, ids=lambda path: path.stem)
def test_a_bridge_includes_nothing_else(bridge: Path) -> None:
    included = re.findall(r"^#\s*include\s+(\S+)", bridge.read_text(), re.MULTILINE)
    assert set(included) <= {'"lkc_bridge.h"'}


@pytest.mark.parametrize("series", SERIES)
def test_the_layer_needs_nothing_of_kvm(series: str) -> None:
    """Another driver has no KVM. What the layer calls of a module is in its own headers."""
    built = objects(series)
    layer = {f"lx_glue_src_{name}.o" for name in variable("LKC_GLUE", built)}
    layer |= {f"lx_lib_{name}.o" for name in variable("LKC_LIB", built)}
    layer |= {f"lkc_{name}.o" for name in variable("LKC_HOST", built)}
    needed: set[str] = set()
    others: set[str] = set()
    for path in [*built.glob("lx_*.o"), *built.glob("lkc_*.o"), *built.glob("kvm_*.o")]:
        if path.name.endswith("_side.o"):
            continue
        for symbol in read_object(path).symbols:
            if path.name in layer and not symbol.section:
                needed.add(symbol.name)
            if path.name not in layer and symbol.section and symbol.binding != "LOCAL":
                others.add(symbol.name)
    assert needed & others == {"lx_host_dr7", "lx_ioctl", "lx_ioctl_command"}
    declared = (LKC / "include/lkc/block.h").read_text()
    assert all(re.search(rf"\b{name}\(", declared) for name in needed & others)


def contexts(header: str) -> dict[str, str | None]:
    """Each function that the FreeBSD side implements, and the mark of its context.

    A mark is in the comment behind the declaration, or in the one before it, which counts for all
    declarations up to the next comment.
    """
    found: dict[str, str | None] = {}
    mark: str | None = None
    comment = ""
    for line in header.partition("Part 2:")[0].splitlines():
        if comment or line.lstrip().startswith("/*"):
            comment += line
            if "*/" in line:
                marks = _MARK.findall(comment)
                mark, comment = (marks[-1] if marks else None), ""
        elif match := _DECLARATION.match(line):
            behind = _MARK.search(line)
            found[match[1]] = behind[1] if behind else mark
    return found


CONTEXTS = {name: mark for path in BRIDGES for name, mark in contexts(path.read_text()).items()}


def body(name: str) -> str:
    """The definition of a function of the FreeBSD side."""
    texts = [path.read_text() for root in (LKC, KVM) for path in root.glob("freebsd/*.c")]
    found = re.findall(rf"^{name}\(.*?^}}", "\n".join(texts), re.MULTILINE | re.DOTALL)
    assert len(found) == 1, name
    return str(found[0])


def test_every_function_of_the_bridge_says_its_context() -> None:
    assert len(CONTEXTS) > 100
    assert {name for name, mark in CONTEXTS.items() if mark is None} == set()


@pytest.mark.parametrize("mark", ASSERTS)
def test_debug_builds_assert_the_context(mark: str) -> None:
    """[irq] allows everything but an NMI: nothing is asserted."""
    words = ASSERTS[mark]
    names = [name for name, its in CONTEXTS.items() if its == mark]
    assert len(names) > 10
    missing = [
        name for name in names
        if not any(word in body(name) for word in ([words] if isinstance(words, str) else words))
    ]  # fmt: skip
    assert missing == []


def test_the_parser_finds_marks_and_their_absence() -> None:
    found = contexts(
        "/* Both block.\n * [sleep] */\nint\tlkc_a(void);\nvoid\t*lkc_b(int x);\t/* [irq] */\n"
        "/* says nothing */\nvoid\tlkc_c(void);\n * Part 2: */\nvoid\tlkc_d(void);\n"
    )
    assert found == {"lkc_a": "sleep", "lkc_b": "irq", "lkc_c": None}


def test_every_function_of_the_bridge_is_called() -> None:
    files = [path for root in (LKC, KVM) for path in root.rglob("*.[ch]") if path not in BRIDGES]
    text = {path: path.read_text() for path in files}
    unused = []
    for name in CONTEXTS:
        calls = re.compile(rf"^(?!{name}\().*\b{name}\b", re.MULTILINE)
        if not any(calls.search(content) for content in text.values()):
            unused.append(name)
    assert unused == []
