"""Parts of the Linux side that run in user space: SRCU, pins, bitmaps, division, ioctl numbers.

The C under test is the module's own, built for this host with sanitizers.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.kmod.built import KVM, LKC, objects, source, variable

HERE = Path(__file__).parent
FLAGS = [
    "-std=gnu11", "-O2", "-g", "-Wall", "-Werror", "-pthread",
    "-fsanitize=address,undefined", "-fno-sanitize-recover",
]  # fmt: skip


def build(out: Path, *args: str | Path) -> Path:
    """Compile and link; the compiler's messages are the failure."""
    done = subprocess.run(
        ["cc", *FLAGS, *map(str, args), "-o", str(out)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return out


def run(program: Path) -> None:
    done = subprocess.run([program], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_division_agrees_with_128_bit_arithmetic(tmp_path: Path) -> None:
    run(build(tmp_path / "div", f"-I{LKC / 'include'}", HERE / "div_test.c"))


def test_pin_table_agrees_with_a_flat_model(tmp_path: Path) -> None:
    # Only lkc/ of the shadow headers may be seen: the others would replace the host's.
    (tmp_path / "lkc").symlink_to(LKC / "include/lkc")
    run(
        build(tmp_path / "pin", f"-I{tmp_path}", HERE / "pintable_test.c", LKC / "linux/pintable.c")
    )


def test_srcu_frees_nothing_under_a_reader(tmp_path: Path) -> None:
    shim = f"-I{HERE / 'shim'}"
    run(build(tmp_path / "srcu", shim, HERE / "srcu_test.c", LKC / "linux/srcu.c"))


def test_timers_that_were_active_stay_active(tmp_path: Path) -> None:
    """Also when a cancel meets the callback, which starts a periodic timer again."""
    for name in ("types", "ktime", "timekeeping", "timer", "percpu-defs", "jiffies", "math64"):
        (tmp_path / f"linux/{name}.h").parent.mkdir(exist_ok=True)
        (tmp_path / f"linux/{name}.h").touch()
    for path in ("asm/delay.h", "asm/tsc.h", "lkc/block.h"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    shutil.copy(LKC / "include/linux/hrtimer.h", tmp_path / "linux/hrtimer.h")
    shim = ["-include", HERE / "shim/timer_shim.h", f"-I{tmp_path}", f"-I{LKC / 'bridge'}"]
    run(build(tmp_path / "timer", *shim, HERE / "timer_test.c", LKC / "linux/timer.c"))


def test_bitmaps_agree_with_a_byte_per_bit(tmp_path: Path) -> None:
    """Upstream's lib/ as it is, with the module's headers, but without its freestanding flags."""
    headers = variable("LX_CPPFLAGS", objects())
    flags = ["-w", "-fPIE", "-funsigned-char", "-fshort-wchar", "-c"]
    names = [f"-D{key}=" for key in ("KBUILD_BASENAME", "KBUILD_MODNAME", "__KBUILD_MODNAME")]
    parts = [
        build(tmp_path / f"{name}.o", *headers, *names, *flags, source() / f"lib/{name}.c")
        for name in ("bitmap", "find_bit", "hweight")
    ]
    run(build(tmp_path / "bitmap", HERE / "bitmap_test.c", *parts))


@pytest.mark.parametrize("macro", ["_IO", "_IOW", "_IOR", "_IOWR"])
def test_user_side_keeps_the_direction_in_the_group(tmp_path: Path, macro: str) -> None:
    """What a program sends is IOC_VOID, size 0, group 0xae plus Linux's direction bits."""
    linux_direction = {"_IO": 0, "_IOW": 1, "_IOR": 2, "_IOWR": 3}[macro]
    (tmp_path / "sys").mkdir()
    # FreeBSD's encoding, as its sys/ioccom.h documents it.
    (tmp_path / "sys/ioccom.h").write_text(
        "#define IOC_VOID 0x20000000UL\n#define IOC_OUT 0x40000000UL\n#define IOC_IN 0x80000000UL\n"
        "#define IOC_INOUT (IOC_IN|IOC_OUT)\n"
        "#define _IOC(io,g,n,l) ((unsigned long)((io)|(((l)&0x1fff)<<16)|((g)<<8)|(n)))\n"
        "#define _IO(g,n) _IOC(IOC_VOID,(g),(n),0)\n"
        "#define _IOR(g,n,t) 0\n#define _IOW(g,n,t) 0\n#define _IOWR(g,n,t) 0\n"
    )
    argument = "" if macro == "_IO" else ", char[200]"
    native = (
        "1"
        if macro == "_IO"
        else f"{macro}('t', 5, int) != (0x{0xAE + linux_direction:x}05UL | IOC_VOID)"
    )
    source = tmp_path / "user.c"
    source.write_text(
        "#include <linux/ioctl.h>\nint main(void) {\n"
        f"  return {macro}(0xAE, 0x42{argument}) != (IOC_VOID | 0x{0xAE + linux_direction:x}42UL)"
        f" || !({native}); }}\n"
    )
    run(build(tmp_path / "user", f"-I{tmp_path}", f"-I{KVM / 'uapi'}", source))
