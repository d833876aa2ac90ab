"""Made-up parts of FreeBSD, and an emulator that only pretends."""

from __future__ import annotations

import io
import struct
import tarfile
from pathlib import Path

VERSION = "FreeBSD 14.0-CURRENT #7: Tue Jan  2 03:04:05 UTC 2024"

#: A file that passes for an amd64 kernel.
KERNEL = b"\x7fELF\x02\x01\x01\x09" + bytes(8) + struct.pack("<HH", 2, 62) + bytes(44)
KERNEL += b"@(#)" + VERSION.encode() + b"\n\0"

# Instead of QEMU: finds its serial ports and the exchange disk as QEMU would, reads the command
# from the disk and does what it says.
_EMULATOR = """\
#!/usr/bin/env python3
import io, os, struct, sys, tarfile, time

ports = {a.split("id=")[1].split(",")[0]: a.split("path=")[1]
         for a in sys.argv if a.startswith("file,id=")}
console, output = (open(ports[n], "wb", buffering=0) for n in ("console", "output"))
disk = open("exchange.img", "r+b")
magic, token, argc = struct.unpack("<8s16sI", disk.read(28))
args = [a.decode() for a in disk.read(60000).split(b"\\0")[:argc]]

def answer(kind, status, files=(), message=b""):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    disk.seek(65536)
    disk.write(struct.pack("<8s16sIIQ256s", b"pkvm-ans", token, kind, status,
                           len(out.getvalue()), message).ljust(512, b"\\0"))
    disk.write(out.getvalue())
    disk.close()

act = args[0]
if act == "refuse":
    sys.exit("qemu: unable to find CPU model 'x'")
console.write(b"---<<BOOT>>---\\r\\n")
if act == "exit":
    output.write(b"out\\n")
    answer(1, int(args[1]), [("made/new", b"result")])
elif act == "escape":
    answer(1, 0, [("../stolen", b"x")])
elif act == "cannot":
    answer(2, 0, message=b"cannot mount /t: errno 19")
elif act == "forge":
    token = b"0" * 16
    answer(1, 0)
elif act in ("panic", "panic and hang"):
    console.write(b"panic: oops\\r\\nKDB: stack backtrace:\\r\\n#0 0xffffffff80 at f+0x1\\r\\n")
    console.write(b"Uptime: 1s\\r\\n")
    time.sleep(600 if act == "panic and hang" else 0)
elif act == "panic in circles":
    for n in range(10**9):
        console.write(b"panic: number %d\\r\\nKDB: stack backtrace:\\r\\n#0 0xff at f+1\\r\\n" % n)
        time.sleep(0.1)
elif act == "abort":
    print("qemu: fatal: invalid tss type\\nEAX=0 EBX=0", file=sys.stderr, flush=True)
    os.abort()
elif act == "hang":
    output.write(b"working\\n")
    time.sleep(600)
elif act == "reboot":
    console.write(b"Uptime: 1s\\r\\n---<<BOOT>>---\\r\\n")
    time.sleep(600)
elif act == "locks":
    console.write(b"lock order reversal:\\r\\n 1st 0x1 a (a, sx) @ a.c:1\\r\\n")
    answer(1, 0)
elif act == "loader":
    console.write(b"portkit loader: the kernel is too large\\r\\n")
"""


def install_emulator(directory: Path) -> None:
    """Put the pretending emulator into a directory."""
    program = directory / "qemu-system-x86_64"
    program.write_text(_EMULATOR, encoding="utf-8")
    program.chmod(0o755)


def archive(path: Path, files: dict[str, bytes]) -> Path:
    """A distribution set."""
    with tarfile.open(path, "w:xz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mode = 0o755
            tar.addfile(info, io.BytesIO(data))
    return path
