"""The modules that ``make module`` leaves, and the makefile that made them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from portkit.build.command import find_tool

ROOT = Path(__file__).parents[2]
LKC = ROOT / "ports/devel/linux-kmod-compat/src"
KVM = ROOT / "ports/emulators/linux-kvm-kmod/src"
_BUILD = ROOT / ".portkit/build"


def source(series: str = "") -> Path:
    """The patched Linux tree of the port's series, or of another; skips the test without one."""
    path = _BUILD / f"linux-kvm-kmod{series and '+' + series}" / "linux"
    if not path.is_dir():
        pytest.skip(f"no Linux tree of {series or 'the port'} here: run 'make module' first")
    return path


def objects(series: str = "") -> Path:
    """The directory of the cross build for FreeBSD 14 with clang; skips the test without one."""
    path = source(series).with_name("1400097-clang")
    if not (path / "kvm.ko").is_file():
        pytest.skip(f"no kvm.ko in {path.relative_to(ROOT)}: run 'make module' first")
    return path


def variable(name: str, directory: Path) -> list[str]:
    """The words of a variable of the module's makefile, for objects in a directory."""
    command = [
        find_tool("bmake"), "-f", str(KVM / "Makefile"), f"LINUX={source()}", f"LKC={LKC}",
        "LKC_CROSS=yes", "CC=clang", "FREEBSD_VERSION=1400097", "FREEBSD_INCS=/nowhere", "-v", name,
    ]  # fmt: skip
    done = subprocess.run(
        ["env", f"MAKEOBJDIR={directory}", *command],
        cwd=directory, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()
