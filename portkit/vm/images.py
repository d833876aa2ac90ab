"""UFS images, made from directories with makefs."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from portkit.errors import UsageError
from portkit.vm.tools import call

_CYLINDER = 16 * 63 * 512  # what Bochs counts disks in
_MAX = 2000 << 20  # makefs counts the bytes of an image in 31 bits
# UFS2 as makefs writes it is not found by the kernel.
_FORMAT = "version=1,bsize=32768,fsize=4096,minfree=0"


def make_image(tree: Path, image: Path, *, free: int, root_owned: bool) -> None:
    """Write a UFS image of a directory.

    Args:
        tree: what the image is to hold.
        image: the file to write; it appears complete or not at all.
        free: bytes that can be written to the file system, at least.
        root_owned: every file belongs to root, whoever owns it here.

    Raises:
        UsageError: the directory is too large.
        EnvironmentProblem: makefs is missing or failed.
    """
    used = files = 0
    for path, info in _walk(tree):
        if not (stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode)
                or stat.S_ISLNK(info.st_mode)):  # fmt: skip
            raise UsageError("is neither a file, a directory nor a link", where=str(path))
        used += info.st_size
        files += 1
    if used + free > _MAX:
        raise UsageError(
            f"{used >> 20} MiB are too much for an image, {(_MAX - free) >> 20} MiB are possible",
            where=str(tree),
            hint="leave out what the machine does not need",
        )
    with tempfile.TemporaryDirectory(prefix="image-", dir=image.parent) as work:
        new = Path(work) / "image"
        extra: tuple[str, ...] = ()
        if root_owned:
            (Path(work) / "spec").write_bytes(b"".join(_mtree(tree)))
            extra = ("-F", str(Path(work) / "spec"))
        call("makefs", "-t", "ffs", "-o", _FORMAT, "-b", str(free), "-f", str(1000 + files // 4),
             *extra, str(new), str(tree.resolve()))  # fmt: skip
        os.truncate(new, -(-new.stat().st_size // _CYLINDER) * _CYLINDER)
        new.replace(image)


def _walk(tree: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for directory, names, files in os.walk(tree):
        for name in names + files:
            path = Path(directory) / name
            yield path, path.lstat()


def _mtree(tree: Path) -> Iterator[bytes]:
    """An mtree specification that says of every file that root owns it."""
    yield b"#mtree\n"
    yield b". type=dir uid=0 gid=0 mode=0755\n"
    for path, info in _walk(tree):
        kind = "dir" if stat.S_ISDIR(info.st_mode) else "file"
        attributes = f"mode=0{stat.S_IMODE(info.st_mode) & 0o777:o}"
        if stat.S_ISLNK(info.st_mode):
            kind, attributes = "link", f"mode=0755 link={_escape(os.readlink(path))}"  # noqa: PTH115
        name = _escape(f"./{path.relative_to(tree)}")
        yield f"{name} type={kind} uid=0 gid=0 {attributes}\n".encode()


def _escape(text: str) -> str:
    """As strsvis() does it: octal for what separates words or is not printable."""
    raw = os.fsencode(text)
    return "".join(
        chr(byte) if 33 <= byte < 127 and chr(byte) not in "\\#*?[=" else f"\\{byte:03o}"
        for byte in raw
    )
