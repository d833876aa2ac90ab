"""docs/primitives.md has every primitive, by name, and no other."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from portkit.build.elf import read_object
from tests.kmod.built import KVM, LKC, ROOT, objects

SERIES = ["", "linux-kvm-7.2"]
_NAME = re.compile(r"`(\w+\*?)`")
_WORD = re.compile(r"\w+")


def table_names(text: str) -> set[str]:
    """The names in the first two columns of all tables: Linux's, and what stands behind them."""
    rows = (line.split("|")[1:3] for line in text.splitlines() if line.startswith("|"))
    return {name for row in rows for cell in row for name in _NAME.findall(cell)}


def covers(name: str, symbol: str) -> bool:
    """Whether a name of the table is the symbol, or a pattern with ``*`` at its end for it."""
    return symbol.startswith(name[:-1]) if name.endswith("*") else symbol == name


def missing(names: set[str], symbols: set[str]) -> set[str]:
    """The symbols without a row."""
    return {symbol for symbol in symbols if not any(covers(name, symbol) for name in names)}


def stale(names: set[str], known: set[str]) -> set[str]:
    """The names of the table that nothing is called any more."""
    return {name for name in names if not any(covers(name, word) for word in known)}


def undefined(directory: Path) -> set[str]:
    """What upstream's objects need and no other object of upstream's has."""
    needed: set[str] = set()
    defined: set[str] = set()
    for path in directory.glob("lx_*.o"):
        if path.name.startswith("lx_glue_") or path.name.endswith("_side.o"):
            continue
        for symbol in read_object(path).symbols:
            if not symbol.section:
                needed.add(symbol.name)
            elif symbol.binding != "LOCAL":
                defined.add(symbol.name)
    return needed - defined


@functools.cache
def words() -> set[str]:
    """Every word in the sources of the layer and of the module's glue."""
    files = [path for root in (LKC, KVM) for path in root.rglob("*.[chS]")]
    return {word for path in files for word in _WORD.findall(path.read_text())}


NAMES = table_names((ROOT / "docs/primitives.md").read_text())


@pytest.mark.parametrize("series", SERIES)
def test_every_primitive_has_a_row(series: str) -> None:
    symbols = undefined(objects(series))
    assert len(symbols) > 200  # about 280: the objects are upstream's
    assert missing(NAMES, symbols) == set()


def test_every_name_of_the_table_is_in_the_sources() -> None:
    known = words()
    for series in SERIES:
        known = known | undefined(objects(series))
    assert stale(NAMES, known) == set()


def test_a_missing_row_and_a_stale_one_are_found() -> None:
    names = table_names("| `kfree`, `cpufreq_*` | `lkc_free` | `not_looked_at` |\n")
    assert names == {"kfree", "cpufreq_*", "lkc_free"}
    assert missing(names, {"kfree", "cpufreq_get", "kmalloc"}) == {"kmalloc"}
    assert stale(names, {"kfree", "lkc_free"}) == {"cpufreq_*"}
    assert stale(names, {"kfree", "cpufreq_get"}) == {"lkc_free"}
