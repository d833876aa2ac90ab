"""What a guest costs: the same Linux guest and release of QEMU on FreeBSD and on Linux's own KVM.

    python bench/kvm/boot.py [--time counted|real] [--on HOST]...

HOST is ``freebsd``, ``linux``, or ``tcg``: FreeBSD without KVM. The FreeBSD is the imported plain
one with the module of KVM_KO and the QEMU of ``make qemu``; Linux and its QEMU are Debian's.
docs/bench-kvm.md explains.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "bench/kvm")]

from run import MEMORY, PACKAGE, SECONDS, SETTINGS, SUITES, TSC_IS_CLOCK  # noqa: E402

from portkit.build.archives import cache_directory  # noqa: E402
from portkit.mirror.apt import Apt  # noqa: E402
from portkit.vm import qemu  # noqa: E402
from portkit.vm.cache import Cache, default_directory  # noqa: E402
from portkit.vm.machine import Machine  # noqa: E402
from portkit.vm.run import run  # noqa: E402
from portkit.vm.tools import tool  # noqa: E402
from tests.qemu import guest  # noqa: E402
from tests.qemu.conftest import FIRMWARE, PREFIX  # noqa: E402
from tests.vm.boot import debian  # noqa: E402
from tests.vm.boot.initramfs import initramfs  # noqa: E402

_GUEST = (
    "-M pc -m 192 -nodefaults -display none -no-user-config -L share -kernel vmlinuz"
    " -initrd initramfs -append 'console=ttyS0 quiet work' -serial file:serial"
)
_INIT = """\
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin
mount -t devtmpfs dev /dev; mount -t proc proc /proc; mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
exec </dev/ttyS0 >/dev/ttyS0 2>&1
for module in /modules/*; do insmod $module; done
cd /t
{command}
cat serial
poweroff -f
"""


def parse(text: str) -> dict[str, float]:
    """Seconds: of the guest's clock, and of QEMU from start to end by the host's."""
    up = re.search(r"guest: up ([\d.]+)", text)
    work = re.search(r"guest: work ([\d.]+) ([\d.]+)", text)
    real = re.search(r"^real\s+([\d.]+)", text, re.MULTILINE)
    if not (up and work and real):
        sys.exit(f"boot.py: a figure is missing in: {text}")
    return {
        "kernel's boot": float(up[1]), "work": float(work[2]) - float(work[1]),
        "QEMU": float(real[1]),
    }  # fmt: skip


def give(work: Path, linux: guest.Linux) -> None:
    """What both hosts have: guest and firmware."""
    (work / "share").mkdir(parents=True)
    for pattern in FIRMWARE:
        for file in (REPOSITORY / PREFIX / "share/qemu").glob(pattern):
            shutil.copy(file, work / "share")
    shutil.copy(linux.kernel, work / "vmlinuz")
    shutil.copy(linux.initramfs, work / "initramfs")


def on_freebsd(counted: bool, linux: guest.Linux, work: Path, accel: str) -> dict[str, float]:
    give(work, linux)
    shutil.copy(os.environ["KVM_KO"], work / "kvm.ko")
    shutil.copy(REPOSITORY / PREFIX / "bin/qemu-system-x86_64", work)
    # From memory, as on Linux: waiting for a disk would count. The first start reads libraries.
    script = (
        "kldload ./kvm.ko; cp -R . /tmp/t; cd /tmp/t; ./qemu-system-x86_64 --version;"
        f" time -p ./qemu-system-x86_64 {accel} {_GUEST}; cat serial"
    )
    machine = Machine(cpus=1 if counted else 2, memory=MEMORY, counted=counted,
                      tunables=TSC_IS_CLOCK)  # fmt: skip
    result = run(Cache(default_directory()), machine, work, ["sh", "-c", script], timeout=SECONDS)
    return parse(result.output.decode(errors="replace"))


def on_linux(counted: bool, linux: guest.Linux, work: Path, accel: str) -> dict[str, float]:
    give(work / "t", linux)
    place = cache_directory().parent
    kernel = debian.kernel(place / "linux", PACKAGE, SUITES)
    root = debian_qemu(place / "linux-qemu")
    files = {
        "init": _INIT.format(command=f"time -p qemu-system-x86_64 {accel} {_GUEST}").encode(),
        "bin/busybox": (linux.packages / "bin/busybox").read_bytes(),
    }
    files |= {f"modules/{i}": path.read_bytes() for i, path in enumerate(kernel.modules)}
    files |= {str(p.relative_to(work)): p.read_bytes() for p in work.rglob("*") if p.is_file()}
    files |= {name: path.read_bytes() for name, path in needed(root, "usr/bin/qemu-system-x86_64")}
    files["lib64/ld-linux-x86-64.so.2"] = files["usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"]
    files["tmp/.keep"] = b""
    (work / "initrd").write_bytes(initramfs(files))
    command = (
        [tool("qemu-system-x86_64"), *qemu.ACCEL[counted], "-machine", "pc",
         "-cpu", qemu.DEFAULT_CPU, "-smp", "1" if counted else "2", "-m", str(MEMORY),
         "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
         "-kernel", str(kernel.image), "-initrd", str(work / "initrd"), "-append", SETTINGS]
    )  # fmt: skip
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=True
    )
    return parse(done.stdout.decode(errors="replace").replace("\r", ""))


def debian_qemu(place: Path) -> Path:
    """Debian 13's QEMU and what it needs, unpacked; downloaded once."""
    root = place / "root"
    if not root.exists():
        apt = Apt(place / "apt", SUITES, "deb")
        apt.binary("qemu-system-x86", place)
        subprocess.run(
            ["apt-get", f"--config-file={place / 'apt/apt.conf'}", "install", "--quiet=2", "--yes",
             "--download-only", "--no-install-recommends", "qemu-system-x86"],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        for deb in (place / "apt/cache/archives").glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", deb, place / "new"], check=True)
        (place / "new").rename(root)
    return root


def needed(root: Path, program: str) -> Iterator[tuple[str, Path]]:
    """A program and all libraries that it needs, by their paths below a root."""
    libraries = {path.name: path for path in (root / "usr/lib/x86_64-linux-gnu").rglob("*.so*")}
    waiting, seen = [root / program], set[Path]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        name = path.name if path.parent == root / "usr/bin" else f"x86_64-linux-gnu/{path.name}"
        yield (f"usr/bin/{name}" if path.parent == root / "usr/bin" else f"usr/lib/{name}"), path
        shown = subprocess.run(
            [tool("llvm-readelf"), "--needed-libs", path], capture_output=True, text=True,
            check=True,
        ).stdout  # fmt: skip
        waiting += [libraries[word] for word in shown.split() if word in libraries]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--time", choices=("counted", "real"), default="counted")
    parser.add_argument("--on", choices=("freebsd", "linux", "tcg"), action="append")
    args = parser.parse_args()
    place = cache_directory().parent
    with tempfile.TemporaryDirectory(dir=place) as name:
        linux = guest.make(Path(name))
        for host in args.on or ("freebsd", "linux"):
            accel = "-accel tcg" if host == "tcg" else "-accel kvm -cpu host"
            measure = on_linux if host == "linux" else on_freebsd
            with tempfile.TemporaryDirectory(dir=place) as work:
                figures = measure(args.time == "counted", linux, Path(work), accel)
            shown = "  ".join(f"{what} {seconds:.2f} s" for what, seconds in figures.items())
            print(f"{host:8} {shown}", flush=True)


if __name__ == "__main__":
    main()
