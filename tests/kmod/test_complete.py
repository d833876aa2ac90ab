"""Every file of KVM that the configuration asks for is built: upstream's makefiles say which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.kmod.built import KVM, objects, source

# For hosts that are themselves guests of Hyper-V, which a conditional of make asks for.
_LEFT_OUT = re.compile(r"onhyperv|hyperv_evmcs")


def configured(release: int) -> set[str]:
    """The names that autoconf.h defines for a release."""
    found: set[str] = set()
    taken = True
    for line in (KVM / "include/generated/autoconf.h").read_text().splitlines():
        if line.startswith("#if LX_RELEASE >= 702"):
            taken = release >= 702
        elif line.startswith("#else"):
            taken = not taken
        elif line.startswith("#endif"):
            taken = True
        elif taken and (match := re.match(r"#define (CONFIG_\w+) 1\b", line)):
            found.add(match[1])
    return found


def wanted(text: str, config: set[str]) -> set[str]:
    """Objects of the lists kvm-y, kvm-intel-y, kvm-amd-y of a makefile."""
    found: set[str] = set()
    lists = re.findall(
        r"^kvm(?:-intel|-amd)?-(y|\$\(\w+\))\s*[:+]=(.*)", text.replace("\\\n", " "), re.MULTILINE
    )
    for condition, names in lists:
        if condition == "y" or condition[2:-1] in config:
            found.update(word.removesuffix(".o") for word in names.split() if word.endswith(".o"))
    return {name for name in found if not _LEFT_OUT.search(name)}


@pytest.mark.parametrize(("series", "release"), [("", 612), ("linux-kvm-7.2", 702)])
def test_nothing_of_the_configuration_is_missing(series: str, release: int) -> None:
    linux, built = source(series), objects(series)
    config = configured(release)
    assert "CONFIG_KVM_SMM" in config
    assert "CONFIG_KVM_HYPERV" not in config
    parts = {Path("arch/x86/kvm"): "Makefile", Path("virt/kvm"): "Makefile.kvm"}
    for directory, makefile in parts.items():
        names = wanted((linux / directory / makefile).read_text(), config)
        assert len(names) >= 7
        for name in names:
            path = directory / name.removeprefix("$(KVM)/")
            assert (built / f"lx_{str(path).replace('/', '_')}.o").is_file(), path


def test_the_lists_are_read() -> None:
    text = (
        "kvm-y\t+= x86.o mmu/mmu.o \\\n\t irq.o\n"
        "kvm-$(CONFIG_A) += a.o\nkvm-intel-$(CONFIG_B) += b.o"
    )
    assert wanted(text, {"CONFIG_B"}) == {"x86", "mmu/mmu", "irq", "b"}
