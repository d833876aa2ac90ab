"""The host border's arithmetic: error numbers, ioctl command words, time.

The C under test is the module's own (`lkc_convert.h`, `lkc_errno.c`), built for this host
with sanitizers. `lkc_errno.c` is compiled against FreeBSD's `sys/errno.h`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ziglang = pytest.importorskip("ziglang", reason="carries FreeBSD's sys/errno.h")

HERE = Path(__file__).parent
SRC = HERE.parents[1] / "ports/devel/linux-kmod-compat/src"
FREEBSD_HEADERS = Path(ziglang.__file__).parent / "lib/libc/include/generic-freebsd"
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
    errno_o, test_o, exe = out / "errno.o", out / "test.o", out / "convert_test"
    freebsd = ["-nostdinc", "-isystem", FREEBSD_HEADERS, "-D_KERNEL", "-D__FreeBSD_version=1400097"]
    cc(*FLAGS, *freebsd, "-c", SRC / "freebsd/lkc_errno.c", "-o", errno_o)
    cc(*FLAGS, "-c", HERE / "convert_test.c", "-o", test_o)
    cc(*FLAGS, errno_o, test_o, "-o", exe)
    return exe


@pytest.mark.parametrize(
    "case", ["errno_pairs", "errno_total", "ioctl_words", "time_to_sbt", "time_from_sbt"]
)
def test_case(program: Path, case: str) -> None:
    done = subprocess.run([program, case], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
