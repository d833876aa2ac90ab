"""The kernel side's table of ioctl commands against upstream's headers and sources.

The sources are those that the module was built from (``make module``).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "ports/emulators/linux-kvm-kmod/src/linux/ioctl.c"
TREES = sorted(ROOT.glob(".portkit/build/linux-kvm-kmod*/linux/include/uapi/linux/kvm.h"))

# Where upstream handles the commands of each kind of file.
HANDLERS = {
    "SYSTEM": ["kvm_dev_ioctl", "kvm_arch_dev_ioctl"],
    "VM": ["kvm_vm_ioctl", "kvm_arch_vm_ioctl"],
    "VCPU": ["kvm_vcpu_ioctl", "kvm_arch_vcpu_ioctl"],
    "DEVICE": ["kvm_device_ioctl"],
}

pytestmark = pytest.mark.skipif(not TREES, reason="needs upstream's sources: make module")


@pytest.fixture(params=TREES, ids=lambda path: path.parents[4].name)
def linux(request: pytest.FixtureRequest) -> Path:
    """A tree that a module was built from."""
    header: Path = request.param
    return header.parents[3]


def table() -> list[tuple[str, str]]:
    """Pairs of file kind and command name."""
    return re.findall(r"\bE\((SYSTEM|VM|VCPU|DEVICE), (KVM_\w+)\)", TABLE.read_text())


def definitions(linux: Path) -> dict[str, tuple[str, int]]:
    """Upstream's commands: name to direction macro and number."""
    found: dict[str, tuple[str, int]] = {}
    for header in ("include/uapi/linux/kvm.h", "arch/x86/include/uapi/asm/kvm.h"):
        text = (linux / header).read_text().replace("\\\n", " ")
        for name, macro, number in re.findall(
            r"^#define\s+(KVM_\w+)\s+(_IO[WR]*)\(KVMIO,\s*(0x[0-9a-f]+)", text, re.MULTILINE
        ):
            found[name] = (macro, int(number, 16))
    assert len(found) > 100
    return found


def handled(linux: Path, kind: str) -> set[str]:
    """The commands that upstream's functions for a kind of file have a case for."""
    sources = [linux / "virt/kvm/kvm_main.c", linux / "arch/x86/kvm/x86.c"]
    text = "\n".join(path.read_text() for path in sources)
    names: set[str] = set()
    for function in HANDLERS[kind]:
        bodies = re.findall(
            rf"^(?:static )?(?:long|int) {function}\([^;{{]*?\)\n{{.*?^}}", text, re.M | re.S
        )
        assert bodies != [], function
        for body in bodies:
            names.update(re.findall(r"\bcase (KVM_\w+):", body))
    return names


@pytest.mark.parametrize("kind", HANDLERS)
def test_the_table_has_what_upstream_handles(linux: Path, kind: str) -> None:
    """It may have more, for another release; upstream itself refuses what it does not know."""
    ours = {name for where, name in table() if where == kind}
    assert handled(linux, kind) - ours == set()


def test_no_two_commands_of_a_kind_of_file_share_direction_and_number(linux: Path) -> None:
    known = definitions(linux)
    taken: dict[tuple[str, str, int], str] = {}
    for kind, name in table():
        other = taken.setdefault((kind, *known[name]), name)
        assert other == name


def test_numbers_fit_the_table(linux: Path) -> None:
    assert all(number < 256 for _, number in definitions(linux).values())
