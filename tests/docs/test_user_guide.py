"""The user guide quotes what the module, QEMU and FreeBSD really print, and real tunables."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.test_docs import ROOT

GUIDE = (ROOT / "docs/user-guide.md").read_text()
MODULE = ROOT / "ports/emulators/linux-kvm-kmod/src/freebsd"
MESSAGES = re.findall(
    r"^\| `(.*?)`.*? \| (dmesg|terminal|QEMU) \|", GUIDE.partition("## Troubleshooting")[2], re.M
)


def literals(text: str) -> str:
    """C source with the literals that stand side by side joined."""
    return re.sub(r'"\s*\n\s*"', "", text)


def tree(upstream: str, *paths: str) -> str:
    """Files of the release that a series is pinned to, from this project's mirror."""
    repo = ROOT / f".portkit/mirror/{upstream}.git"
    pins = re.findall(r'^pin = "(.*)"', (ROOT / "portkit.toml").read_text(), re.M)
    for pin in pins:
        name = f"refs/releases/{pin}"
        done = subprocess.run(
            ["git", f"--git-dir={repo}", "grep", "-h", "", name, "--", *paths],
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        if done.returncode == 0:
            return done.stdout
    pytest.skip(f"{upstream} is not mirrored here")


def test_there_are_messages_of_everybody() -> None:
    assert {where for _, where in MESSAGES} == {"dmesg", "terminal", "QEMU"}
    assert len(MESSAGES) >= 9


def test_the_module_s_refusals_are_all_there() -> None:
    source = literals((MODULE / "kvm_host.c").read_text())
    reasons = re.findall(r'return \("(.*?)(?:;.*)?"\);', source)
    assert len(reasons) == 4
    quoted = [
        text.removeprefix("kvm: not started: ") for text, where in MESSAGES if where == "dmesg"
    ]
    assert 'printf("kvm: not started: %s\\n", why)' in (MODULE / "kvm_module.c").read_text()
    assert {reason.replace("AMD-V off", "VT-x off") for reason in reasons} == set(quoted)
    manual = (MODULE.parent / "man/kvm.4").read_text()
    assert [reason for reason in reasons if f"kvm: not started: {reason}" not in manual] == []


def test_qemu_says_so() -> None:
    source = literals(
        tree("qemu", "accel/kvm/kvm-all.c", "target/i386/kvm/kvm.c", "system/physmem.c")
    )
    source = source.replace("'%s'", "'pc.ram'")
    for text, where in MESSAGES:
        if where == "QEMU":  # after the last colon stands what strerror(3) says
            whole = text if text in source else text.rpartition(":")[0]
            assert whole
            assert whole in source, text


@pytest.mark.skipif("SRC_BASE" not in os.environ, reason="needs FreeBSD's sources in SRC_BASE")
def test_freebsd_s_programs_say_so() -> None:
    for text, where in MESSAGES:
        if where == "terminal":
            program, _, rest = text.partition(": ")
            path = Path(os.environ["SRC_BASE"]) / "sbin" / program / f"{program}.c"
            source = literals(path.read_text()).replace("%s", "kvm")
            assert rest in source or rest.rpartition(":")[0] in source, text


def test_every_tunable_is_a_parameter_of_the_module() -> None:
    own = literals((MODULE / "kvm_module.c").read_text())
    linux = {
        "hw.kvm": tree("linux-kvm", "virt/kvm/*.c", "arch/x86/kvm/*.c", "arch/x86/kvm/mmu/*.c"),
        "hw.kvm.intel": tree("linux-kvm", "arch/x86/kvm/vmx/*.c"),
        "hw.kvm.amd": tree("linux-kvm", "arch/x86/kvm/svm/*.c"),
    }
    table = GUIDE.partition("## Tunables")[2].partition("\n## ")[0]
    names = re.findall(r"`(hw\.kvm\.[\w.]+)`", "\n".join(re.findall(r"^\|.*?\|", table, re.M)))
    assert len(names) >= 9
    for name in names:
        unit, _, parameter = name.rpartition(".")
        assert f'"{name}"' in own or re.search(
            rf"\bmodule_param(?:_named|_cb)?\({parameter},", linux[unit]
        ), name  # fmt: skip
