"""Compile C for the machine: programs against the imported base, modules against a kernel build."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from portkit.vm.cache import Cache, Kind
from portkit.vm.tools import tool

UAPI = Path(__file__).parents[2] / "ports/emulators/linux-kvm-kmod/src/uapi"

_MODULE = (
    "-O2", "-pipe", "-Wall", "-Werror", "-D_KERNEL", "-DKLD_MODULE", "-nostdinc",
    "-DHAVE_KERNEL_OPTION_HEADERS", "-fno-common", "-fno-omit-frame-pointer",
    "-fno-asynchronous-unwind-tables", "-ffreestanding", "-fwrapv", "-fno-stack-protector",
    "-mcmodel=kernel", "-mno-red-zone", "-mno-mmx", "-mno-sse", "-msoft-float",
)  # fmt: skip


def program(cache: Cache, source: Path, output: Path, *options: str) -> None:
    """Link a static program."""
    sysroot = cache.sysroot
    assert sysroot is not None
    if not (sysroot / "usr/lib/libc.a").exists():
        pytest.skip("the imported base has no headers and libraries to compile against")
    _call("clang", "--target=x86_64-unknown-freebsd14.0", f"--sysroot={sysroot}", "-static", "-O1",
          "-Wall", "-Werror", "-fuse-ld=lld", *options,
          "-o", str(output), str(source), "-lpthread")  # fmt: skip


def kvm_program(
    cache: Cache, source: Path, output: Path, *more: Path, options: Iterable[str] = ()
) -> None:
    """Link a static program that uses KVM's headers, from one source or more."""
    linux = linux_tree()
    headers = [UAPI, linux / "include/uapi", linux / "arch/x86/include/uapi"]
    program(cache, source, output, "-Wno-gnu-variable-sized-type-not-at-end",
            *options, *(f"-isystem{path}" for path in headers), *map(str, more))  # fmt: skip


def program_32(source: Path, output: Path) -> None:
    """Link a program for 32-bit x86 that has its own ``_start``."""
    _call("clang", "--target=i386-unknown-freebsd14.0", "-O1", "-ffreestanding", "-fno-pic",
          "-nostdlib", "-static", "-Wall", "-Werror", "-fuse-ld=lld",
          "-o", str(output), str(source))  # fmt: skip


def linux_program(source: Path, output: Path) -> None:
    """Link a static program for Linux, by this host's own compiler."""
    if platform.system() != "Linux" or shutil.which("gcc") is None:
        pytest.skip("a Linux program is built by gcc on Linux")
    done = subprocess.run(
        ["gcc", "-static", "-O1", "-Wall", "-Werror", "-o", str(output), str(source), "-lpthread"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def linux_tree() -> Path:
    """The Linux tree that kvm.ko was built from; skips the test when there is none."""
    if "LINUX" not in os.environ:
        pytest.skip("a client needs KVM's headers: LINUX, the tree that kvm.ko was built from")
    return Path(os.environ["LINUX"])


def kvm_ko(kind: Kind) -> Path:
    """kvm.ko for a kernel; skips the test when there is none."""
    name = {"plain": "KVM_KO", "debug": "KVM_KO_DEBUG"}[kind]
    if name not in os.environ:
        pytest.skip(f"the module's tests need it linked for the {kind} kernel, in {name}")
    return Path(os.environ[name])


def kernel_build(kind: Kind) -> Path:
    """The directory in which a kernel was built; skips the test when there is none."""
    name = {"plain": "KERNBUILDDIR", "debug": "KERNBUILDDIR_DEBUG"}[kind]
    if "SYSDIR" not in os.environ or name not in os.environ:
        pytest.skip(f"compiling a module needs SYSDIR and {name}")
    return Path(os.environ[name])


def module(sources: Iterable[Path], output: Path, kind: Kind, include: Iterable[Path] = ()) -> None:
    """Link a kernel module for a kernel; include: directories with its own headers."""
    build, sys = kernel_build(kind), Path(os.environ["SYSDIR"])
    objects = []
    own = [f"-I{directory}" for directory in include]
    for source in sources:
        objects.append(str(output.parent / f"{source.stem}.o"))
        _call("clang", "--target=x86_64-unknown-freebsd14.0", *_MODULE,
              "-include", str(build / "opt_global.h"), f"-I{build}", f"-I{sys}",
              f"-I{sys}/contrib/ck/include", *own,
              "-c", str(source), "-o", objects[-1])  # fmt: skip
    _call("ld.lld", "-m", "elf_x86_64_fbsd", "-r", "-o", str(output), *objects)
    for name in objects:
        Path(name).unlink()


def _call(name: str, *args: str) -> None:
    done = subprocess.run([tool(name), *args], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
