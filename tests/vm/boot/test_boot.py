"""Real kernels as guests: Debian's Linux and FreeBSD boot to user space, work there, and stop.

The Linux kernel is Debian 12's for clouds: downloaded through apt, once, or the bzImage that
GUEST_LINUX names. The FreeBSD kernel is the imported plain one.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from portkit.errors import EnvironmentProblem
from portkit.vm.cache import Cache, Kind
from portkit.vm.machine import Machine
from portkit.vm.run import Result, run
from tests.guests import suite
from tests.vm.boot import debian, programs

pytestmark = pytest.mark.vm

SECONDS = 900  # on a busy host
BOCHS_SECONDS = 3600

LINUX = "console=ttyS0 quiet panic=-1 reboot=k nokaslr mitigations=off"
FREEBSD = "vfs.root.mountfrom=ufs:/dev/md0 init_path=/sbin/init"

# Types a line when the guest asks for one, and shows what kvmboot says at the end.
SCRIPT = """
kldload ./kvm.ko
: > console
ready() { case $(cat console) in *"console: ready"*) ;; *) false ;; esac; }
{ until ready; do sleep 1; kill -0 $$ || exit; done; echo hello; } |
    ./kvmboot -v -c CPUS -i image kernel SETTINGS > console 2>&1
status=$?
cat console
kldunload kvm || exit 3
exit $status
"""


@pytest.fixture(scope="module")
def linux(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Kernel and initramfs."""
    if "GUEST_LINUX" in os.environ:
        kernel = Path(os.environ["GUEST_LINUX"])
    else:
        try:
            kernel = debian.kernel(
                debian.downloads(), "linux-image-cloud-amd64", ("bookworm", "bookworm-security")
            ).image
        except EnvironmentProblem as problem:
            pytest.skip(f"no Linux kernel: GUEST_LINUX names none, and apt says: {problem}")
    return kernel, programs.linux_image(tmp_path_factory.mktemp("linux") / "image")


@pytest.fixture(scope="module")
def freebsd(imported: Cache, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Kernel and memory disk."""
    image = programs.freebsd_image(imported, tmp_path_factory.mktemp("freebsd") / "image")
    return imported.kernel("plain"), image


def boot(
    cache: Cache, machine: Machine, vcpus: int, guest: tuple[Path, Path], settings: str,
    directory: Path,
) -> Result:  # fmt: skip
    """Boot a guest."""
    shutil.copy(suite.module(machine.kernel), directory / "kvm.ko")
    programs.kvmboot(cache, directory / "kvmboot")
    for name, path in zip(("kernel", "image"), guest, strict=True):
        shutil.copy(path, directory / name)
    script = SCRIPT.replace("CPUS", str(vcpus)).replace("SETTINGS", settings)
    timeout = SECONDS if machine.emulator == "qemu" else BOCHS_SECONDS
    result = run(cache, machine, directory, ["sh", "-c", script], timeout=timeout)
    assert result.panic is None, result.panic.text
    assert result.outcome == "exited", result.output.decode(errors="replace") + result.console
    assert result.lock_reports == ()
    assert suite.COMPLAINT.findall(result.console) == []
    return result


def said(result: Result) -> list[str]:
    """What the guest's first program said."""
    lines = [line.strip() for line in result.output.decode(errors="replace").splitlines()]
    what = ("CPUs", "clock", "naps", "token", "memory", "console: read ")
    return [line for line in lines if line.startswith(what)]


def works(result: Result, vcpus: int, clock: str) -> None:
    """All is as it should be, with the guest's time within the host's; prints both."""
    text, output = said(result), result.output.decode(errors="replace")
    assert text[:4] == [
        f"CPUs: {vcpus}", f"clock: {clock}", "naps: slept",
        f"token: passed {200 * vcpus} times by {vcpus} CPUs",
    ], output  # fmt: skip
    assert re.fullmatch(r"memory: 0 words of 1\d\d MB are wrong", text[4])
    assert text[5:] == ["console: read hello"]
    assert result.status == 0
    times = re.search(r"^user space after ([\d.]+) s.*kvmboot: power-off after ([\d.]+) s", output,
                      re.MULTILINE | re.DOTALL)  # fmt: skip
    assert times, output
    booted, whole = map(float, times.groups())
    assert 0 < booted < whole
    print(f"user space after {booted:.1f} s, power-off after {whole:.1f} s")


@pytest.mark.parametrize("vcpus", [1, 2])
def test_linux(
    imported: Cache, machine: Machine, vcpus: int, linux: tuple[Path, Path], tmp_path: Path
) -> None:
    works(boot(imported, machine, vcpus, linux, LINUX, tmp_path), vcpus, "kvm-clock")


def test_linux_on_vt_x(
    imported: Cache, kind: Kind, linux: tuple[Path, Path], tmp_path: Path
) -> None:
    machine = Machine(kind, emulator="bochs")
    result = boot(imported, machine, 1, linux, LINUX, tmp_path)
    works(result, 1, "tsc")  # which is invariant there


@pytest.mark.parametrize(("end", "status", "reason"), [
    ("reset", 0, b"reset"), ("port", 42, b"exit with status 42"),
])  # fmt: skip
def test_linux_ends_in_other_ways(
    imported: Cache, machine: Machine, end: str, status: int, reason: bytes,
    linux: tuple[Path, Path], tmp_path: Path,
) -> None:  # fmt: skip
    result = boot(imported, machine, 1, linux, f"{LINUX} END={end}", tmp_path)
    assert b"kvmboot: " + reason in result.output
    assert result.status == status


@pytest.mark.parametrize("vcpus", [1, 2])
def test_freebsd(
    imported: Cache, machine: Machine, vcpus: int, freebsd: tuple[Path, Path], tmp_path: Path
) -> None:
    works(boot(imported, machine, vcpus, freebsd, FREEBSD, tmp_path), vcpus, "kvmclock")


def test_it_compiles_for_linux(tmp_path: Path) -> None:
    programs.for_linux(sorted(programs.KVMBOOT.glob("*.c")), tmp_path / "kvmboot")
