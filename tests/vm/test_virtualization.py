"""kvm.ko finds, switches on and leaves VT-x, on several processors and firmwares.

Bochs has Intel's models. Firmware that locks VT-x off, or leaves it to the system, is Bochs's own
BIOS with another value for IA32_FEATURE_CONTROL.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from portkit.vm import bochs
from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Machine
from tests.vm import cross
from tests.vm.peek import script

pytestmark = pytest.mark.vm

PEEK = Path(__file__).parent / "host_state/peek.c"

#: What each model has of VT-x, as the module says it.
MODELS = {
    "corei7_haswell_4770": "EPT, EPT accessed and dirty bits, unrestricted guest, VPID,"
    " TPR shadow and APIC access page",
    "corei7_skylake_x": "EPT, EPT accessed and dirty bits, unrestricted guest, VPID,"
    " page-modification logging, TPR shadow and APIC access page, TSC scaling",
    "corei7_icelake_u": "EPT, EPT accessed and dirty bits, unrestricted guest, VPID,"
    " page-modification logging, TPR shadow and APIC access page, TSC scaling",
    "corei5_lynnfield_750": "EPT, VPID, TPR shadow and APIC access page",
}

# mov ecx, IA32_FEATURE_CONTROL; rdmsr; or eax, 5; wrmsr: 16-bit code for the
# other processors, 32-bit code for the first one.
_LOCKS = (
    (b"\x66\xb9\x3a\0\0\0\x0f\x32\x66\x83\xc8", b"\x05"),
    (b"\xb9\x3a\0\0\0\x0f\x32\x83\xc8", b"\x05"),
)


@pytest.fixture
def directory(tmp_path: Path, kind: Kind) -> Path:
    """A directory with the module and the one that looks at processors."""
    directory = tmp_path / "t"
    directory.mkdir()
    shutil.copy(cross.kvm_ko(kind), directory / "kvm.ko")
    cross.module([PEEK], directory / "peek.ko", kind)
    return directory


def firmware(directory: Path, value: int) -> Path:
    """Bochs's BIOS that sets these bits of IA32_FEATURE_CONTROL instead of 5: lock, enable."""
    image = bochs._BIOS.read_bytes()
    for code, old in _LOCKS:
        assert image.count(code + old) == 1
        image = image.replace(code + old, code + bytes([value]))
    path = directory / "bios"
    path.write_bytes(image)
    return path


# Loads, unloads, and says on how many processors VT-x is on in between.
LOAD_AND_UNLOAD = """
    look() { sysctl -n debug.peek.virtual; }
    look; kldload ./kvm.ko; look; kldunload kvm; look; kldload ./kvm.ko; look; kldunload kvm; look
"""


@pytest.mark.parametrize("cpus", [1, 2])
@pytest.mark.parametrize("model", MODELS)
def test_it_is_on_while_the_module_is_loaded(
    imported: Cache, kind: Kind, directory: Path, model: str, cpus: int
) -> None:
    machine = Machine(kind, cpus, emulator="bochs", cpu=model)
    result = script(imported, machine, directory, LOAD_AND_UNLOAD)
    assert result.output.split() == [b"%d" % n for n in (0, cpus, 0, cpus, 0)], result.console
    assert f"kvm: VT-x: {MODELS[model]}" in result.console.splitlines()


@pytest.mark.parametrize("cpus", [1, 2])
def test_svm_is_on_while_the_module_is_loaded(
    imported: Cache, kind: Kind, directory: Path, cpus: int
) -> None:
    result = script(imported, Machine(kind, cpus), directory, LOAD_AND_UNLOAD)
    assert result.output.split() == [b"%d" % n for n in (0, cpus, 0, cpus, 0)], result.console


REFUSED = "kldload ./kvm.ko; [ ! -e /dev/kvm ]; echo $?; sysctl -n debug.peek.virtual"


def test_locked_off_by_the_firmware(
    imported: Cache, kind: Kind, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bochs, "_BIOS", firmware(tmp_path, 1))
    result = script(imported, Machine(kind, 2, emulator="bochs"), directory, REFUSED)
    assert result.output.split()[-2:] == [b"0", b"0"], result.console
    assert "kvm: not started: the firmware has locked VT-x off" in result.console


def test_left_to_the_system_by_the_firmware(
    imported: Cache, kind: Kind, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bochs, "_BIOS", firmware(tmp_path, 0))
    machine = Machine(kind, 2, emulator="bochs")
    result = script(imported, machine, directory, LOAD_AND_UNLOAD)
    assert result.output.split() == [b"0", b"2", b"0", b"2", b"0"], result.console


@pytest.mark.parametrize("model", ["athlon64_venice", "p4_prescott_celeron_336"])
def test_absent(imported: Cache, kind: Kind, directory: Path, model: str) -> None:
    machine = Machine(kind, emulator="bochs", cpu=model)
    result = script(imported, machine, directory, REFUSED)
    assert result.output.split()[-2:] == [b"0", b"0"], result.console
    assert "kvm: not started: the processor has neither VT-x nor AMD-V" in result.console


@pytest.mark.parametrize("emulator", ["qemu", "bochs"])
def test_in_use_by_another_hypervisor(
    imported: Cache, kind: Kind, directory: Path, emulator: str
) -> None:
    machine = Machine(kind, 2, emulator="bochs" if emulator == "bochs" else "qemu")
    text = f"sysctl debug.peek.virtual=1 > /dev/null; {REFUSED}"
    result = script(imported, machine, directory, text)
    assert result.output.split()[-2:] == [b"0", b"2"], result.console
    assert "kvm: not started: another hypervisor has the processors'" in result.console


def test_in_use_by_vmm_on_vt_x(imported: Cache, kind: Kind, directory: Path) -> None:
    """In either order; and each loads when the other one is gone."""
    name = {"plain": "VMM_KO", "debug": "VMM_KO_DEBUG"}[kind]
    if name not in os.environ:
        pytest.skip(f"needs FreeBSD's vmm.ko for the {kind} kernel, in {name}")
    shutil.copy(os.environ[name], directory / "vmm.ko")
    result = script(
        imported, Machine(kind, 2, emulator="bochs"), directory,
        "kldload ./vmm.ko; kldload ./kvm.ko; [ ! -e /dev/kvm ] && echo refused; kldunload vmm;"
        " kldload ./kvm.ko; kldload ./vmm.ko; [ -e /dev/kvm ] && kldunload kvm && kldload ./vmm.ko"
        " && echo loaded",
    )  # fmt: skip
    assert "interface vmm.1 already present in the KLD 'vmm.ko'!" in result.console
    assert "interface vmm.1 already present in the KLD 'kvm.ko'!" in result.console
    words = result.output.split()
    assert b"refused" in words, result.output
    assert words[-1] == b"loaded", result.output
