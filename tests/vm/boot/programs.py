"""kvmboot, and the first program of each guest."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from portkit.vm.cache import Cache
from portkit.vm.images import make_image
from portkit.vm.tools import tool
from tests.guests.suite import ROOT, UAPI
from tests.vm.boot.initramfs import initramfs

KVMBOOT = ROOT / "examples/kvmboot"
INIT = Path(__file__).parent / "init.c"

_FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror", "-static", "-pthread")


def for_freebsd(cache: Cache, sources: list[Path], output: Path) -> Path:
    """Link a program for the imported base; skips the test when something is missing."""
    sysroot = cache.sysroot
    if sysroot is None or not (sysroot / "usr/lib/libpthread.a").exists():
        pytest.skip("the imported base has no headers and libraries to compile against")
    if "LINUX" not in os.environ:
        pytest.skip("a client needs KVM's headers: LINUX, the tree that kvm.ko was built from")
    linux = Path(os.environ["LINUX"])
    include = (UAPI, linux / "include/uapi", linux / "arch/x86/include/uapi")
    _call(tool("clang"), "--target=x86_64-unknown-freebsd14.0", f"--sysroot={sysroot}",
          "-fuse-ld=lld", *_FLAGS, *(f"-isystem{directory}" for directory in include),
          "-o", str(output), *map(str, sources))  # fmt: skip
    return output


def for_linux(sources: list[Path], output: Path) -> Path:
    """Link a program for this host's system, Linux; skips the test elsewhere."""
    if os.uname().sysname != "Linux" or shutil.which("cc") is None:
        pytest.skip("programs of a Linux guest are built on Linux, with its own cc")
    _call("cc", *_FLAGS, "-s", "-o", str(output), *map(str, sources))
    return output


def kvmboot(cache: Cache, output: Path) -> Path:
    """The client, for FreeBSD."""
    return for_freebsd(cache, sorted(KVMBOOT.glob("*.c")), output)


def linux_image(output: Path) -> Path:
    """The initramfs of the Linux guest."""
    program = for_linux([INIT], output.with_suffix(".init"))
    output.write_bytes(initramfs({"init": program.read_bytes()}))
    return output


def freebsd_image(cache: Cache, output: Path) -> Path:
    """The memory disk of the FreeBSD guest."""
    tree = output.with_suffix(".tree")
    for name in ("dev", "sbin"):
        (tree / name).mkdir(parents=True)
    for_freebsd(cache, [INIT], tree / "sbin/init")
    make_image(tree, output, free=8 << 20, root_owned=True)
    return output


def _call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
