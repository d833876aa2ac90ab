"""The module as the port builds it on FreeBSD: its makefiles, linked by bsd.kmod.mk.

Needs FreeBSD's sources: SYSDIR, with share/mk beside it. What is not FreeBSD's here are the
programs: clang with a target, lld, LLVM's binutils, bmake, and ``xargs -J``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from portkit.build.audit import audit_module, load_reviewed
from portkit.build.command import find_tool
from portkit.build.elf import read_object
from tests.kmod.built import KVM, LKC, ROOT, objects, source

REVIEWED = load_reviewed(ROOT / "audits/linux-kvm-kmod.toml")
XARGS = """\
#!/bin/sh
# FreeBSD's "xargs -J% COMMAND": the words of standard input go where % stands.
[ "$1" = -J% ] || exec /usr/bin/xargs "$@"
shift
words=$(cat)
for word; do
	shift
	if [ "$word" = % ]; then set -- "$@" $words; else set -- "$@" "$word"; fi
done
exec "$@"
"""


@dataclass(frozen=True)
class Native:
    """A build: directory of the module's makefile, and the arguments of every make."""

    directory: Path
    command: list[str]
    environment: dict[str, str]

    def make(self, directory: Path, *more: str) -> None:
        done = subprocess.run(
            [*self.command, *more], cwd=directory, env=self.environment,
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]

    def again(self, directory: Path, *more: str) -> Path:
        """A copy of the module's directory, with only the FreeBSD side to be built anew."""
        shutil.copytree(self.directory, directory, symlinks=True)
        for path in [*directory.glob("lkc_*.o"), *directory.glob("kvm*.o"), directory / "kvm.ko"]:
            path.unlink()
        (directory / "opt_global.h").unlink()
        self.make(directory, *more)
        return directory / "kvm.ko"


def sysdir() -> Path:
    """FreeBSD's sys directory; skips the test without one."""
    if "SYSDIR" not in os.environ:
        pytest.skip("building as FreeBSD does needs its sources: SYSDIR, with share/mk beside it")
    path = Path(os.environ["SYSDIR"])
    if not (path.parent / "share/mk/bsd.kmod.mk").is_file():
        pytest.skip(f"there is no share/mk/bsd.kmod.mk beside {path}")
    return path


def awk() -> str:
    """An awk that reads kmod_syms.awk as FreeBSD's does; Debian's mawk parses it otherwise."""
    for name in ("original-awk", "gawk"):
        if found := shutil.which(name):
            return found
    pytest.skip("FreeBSD's makefiles need its awk: install the package original-awk")


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Native:
    """kvm.ko, built where and from what the ports put: SYSDIR alone names the kernel."""
    sys, linux, home = sysdir(), source(), tmp_path_factory.mktemp("native")
    directory, layer, programs = home / "kvm", home / "linux-kmod-compat", home / "bin"
    shutil.copytree(KVM, directory)
    # The layer is what its package has, so a file that pkg-plist forgets is missed here.
    for line in (LKC.parent / "pkg-plist").read_text().splitlines():
        if line.startswith("%%DATADIR%%/"):
            path = line.removeprefix("%%DATADIR%%/")
            (layer / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(LKC / path, layer / path)
    programs.mkdir()
    (programs / "xargs").write_text(XARGS)
    (programs / "xargs").chmod(0o755)
    (programs / "awk").symlink_to(awk())
    command = [
        find_tool("bmake"), "-m", str(sys.parent / "share/mk"), "-j2",
        f"SYSDIR={sys}", f"LINUX={linux}", f"LKC={layer}",
        "MACHINE=amd64", "MACHINE_ARCH=amd64", "MACHINE_CPUARCH=amd64",
        f"CC={find_tool('clang')} -target x86_64-unknown-freebsd14.0", f"LD={find_tool('ld.lld')}",
        f"OBJCOPY={find_tool('llvm-objcopy')}", f"NM={find_tool('llvm-nm')}",
        "__MAKE_CONF=/dev/null", "SRCCONF=/dev/null",
    ]  # fmt: skip
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    built = Native(directory, command, environment)
    built.make(directory)
    return built


def names(path: Path) -> set[tuple[str, str]]:
    """Names and bindings of an object's symbols."""
    return {(symbol.name, symbol.binding) for symbol in read_object(path).symbols}


def test_bsd_kmod_mk_links_the_module(native: Native) -> None:
    side = native.directory / "lx_kvm_side.o"
    assert audit_module(native.directory / "kvm.ko", [side], REVIEWED) == []


def test_the_linux_side_is_that_of_the_cross_build(native: Native) -> None:
    cross = objects() / "lx_kvm_side.o"
    assert names(native.directory / "lx_kvm_side.o") == names(cross)


def test_nothing_is_built_twice(native: Native) -> None:
    before = (native.directory / "kvm.ko").stat().st_mtime_ns
    native.make(native.directory)
    assert (native.directory / "kvm.ko").stat().st_mtime_ns == before


def test_the_module_for_linux_programs(native: Native) -> None:
    native.make(native.directory / "kvm_linux")
    assert audit_module(native.directory / "kvm_linux/kvm_linux.ko", [], REVIEWED) == []


@pytest.mark.parametrize("name", ["KERNBUILDDIR", "KERNBUILDDIR_DEBUG"])
def test_for_the_kernel_that_was_built(native: Native, tmp_path: Path, name: str) -> None:
    """The options of a kernel's own configuration decide, with INVARIANTS and WITNESS or not."""
    if name not in os.environ:
        pytest.skip(f"needs {name}, the directory where a kernel was built")
    module = native.again(tmp_path / "kvm", f"KERNBUILDDIR={os.environ[name]}")
    assert audit_module(module, [], REVIEWED) == []
    asserts = ("witness_warn", "GLOBAL") in names(module)
    assert asserts == (name == "KERNBUILDDIR_DEBUG")


def test_clean_leaves_what_came_with_the_port(native: Native, tmp_path: Path) -> None:
    directory = tmp_path / "kvm"
    shutil.copytree(native.directory, directory, symlinks=True)
    native.make(directory / "kvm_linux", "clean", "cleandepend")
    native.make(directory, "clean", "cleandepend")
    left = {path.relative_to(directory) for path in directory.rglob("*") if not path.is_dir()}
    assert left == {path.relative_to(KVM) for path in KVM.rglob("*") if path.is_file()}
