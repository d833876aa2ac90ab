"""The host border's arithmetic: error and signal numbers, ioctl command words, time.

The C under test is the module's own (`lkc_convert.h`, `lkc_errno.c`, `lkc_signal.c`), built for
this host with sanitizers; the tables against FreeBSD's own headers.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ziglang = pytest.importorskip("ziglang", reason="carries FreeBSD's sys/errno.h")

HERE = Path(__file__).parent
SRC = HERE.parents[1] / "ports/devel/linux-kmod-compat/src"
INCLUDE = Path(ziglang.__file__).parent / "lib/libc/include"
FREEBSD_HEADERS = [
    f"-isystem{INCLUDE / name}"
    for name in ("x86_64-freebsd-none", "x86-freebsd-none", "generic-freebsd")
]
FLAGS = [
    "-std=c11",
    "-O1",
    "-g",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover",
    f"-I{SRC / 'bridge'}",
    f"-I{SRC / 'freebsd'}",
]


def cc(*args: str | Path) -> None:
    """Run the compiler; its messages are the failure."""
    done = subprocess.run(["cc", *map(str, args)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("convert")
    test_o, exe = out / "test.o", out / "convert_test"
    freebsd = ["-nostdinc", *FREEBSD_HEADERS, "-D_KERNEL", "-D__FreeBSD_version=1400097"]
    tables = [out / "errno.o", out / "signal.o"]
    for table in tables:
        cc(*FLAGS, *freebsd, "-c", SRC / f"freebsd/lkc_{table.stem}.c", "-o", table)
    cc(*FLAGS, "-c", HERE / "convert_test.c", "-o", test_o)
    cc(*FLAGS, *tables, test_o, "-o", exe)
    return exe


@pytest.mark.parametrize(
    "case", ["errno_pairs", "errno_total", "signals", "ioctl_words", "time_to_sbt", "time_from_sbt"]
)
def test_case(program: Path, case: str) -> None:
    done = subprocess.run([program, case], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
