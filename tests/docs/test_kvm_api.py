"""docs/kvm-api.md names exactly the ioctls that the module knows, and refuses what is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "ports/emulators/linux-kvm-kmod/src"
KINDS = {
    "On /dev/kvm": "SYSTEM", "On a virtual machine": "VM", "On a vCPU": "VCPU",
    "On a device": "DEVICE",
}  # fmt: skip


def documented() -> dict[str, dict[str, str]]:
    """Command to remark, by kind of file."""
    text = (ROOT / "docs/kvm-api.md").read_text()
    found = {}
    for section in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        title, _, rest = section.partition("\n")
        found[KINDS[title]] = dict(re.findall(r"^\| `(KVM_\w+)` \| (.*?) ?\|$", rest, re.MULTILINE))
    return found


def offered() -> dict[str, set[str]]:
    text = (SOURCE / "linux/ioctl.c").read_text()
    found: dict[str, set[str]] = {}
    for kind, command in re.findall(r"\bE\((\w+), (KVM_\w+)\)", text):
        found.setdefault(kind, set()).add(command)
    return found


def test_every_ioctl_is_documented_and_no_other() -> None:
    assert {kind: set(rows) for kind, rows in documented().items()} == offered()


@pytest.mark.parametrize(
    ("option", "commands"),
    [
        ("CONFIG_KVM_XEN", r"KVM_XEN_\w+"),
        ("CONFIG_KVM_HYPERV", r"KVM_HYPERV_EVENTFD|KVM_GET_SUPPORTED_HV_CPUID"),
        ("CONFIG_KVM_AMD_SEV", r"KVM_MEMORY_ENCRYPT_\w+"),
        ("CONFIG_KVM_PRIVATE_MEM", r"KVM_CREATE_GUEST_MEMFD"),
        ("CONFIG_KVM_GENERIC_MEMORY_ATTRIBUTES", r"KVM_SET_MEMORY_ATTRIBUTES"),
        ("CONFIG_KVM_VFIO", r"KVM_CREATE_DEVICE"),
    ],
)
def test_what_the_configuration_leaves_out_is_said_to_be_refused(
    option: str, commands: str
) -> None:
    config = (SOURCE / "include/generated/autoconf.h").read_text()
    off = not re.search(rf"^#define {option} 1$", config, re.MULTILINE)
    rows = [(command, remark) for table in documented().values()
            for command, remark in table.items() if re.fullmatch(commands, command)]  # fmt: skip
    assert rows
    assert all(remark.startswith("refused") == off for _, remark in rows), rows


def test_nothing_else_is_said_to_be_refused() -> None:
    refused = {
        command for table in documented().values() for command, remark in table.items()
        if remark.startswith("refused")
    }  # fmt: skip
    left_out = (
        r"KVM_(XEN_|HYPERV_|GET_SUPPORTED_HV|MEMORY_ENCRYPT_|CREATE_GUEST_MEMFD|CREATE_DEVICE"
        r"|SET_MEMORY_ATTRIBUTES)"
    )
    assert [command for command in refused if not re.match(left_out, command)] == []
