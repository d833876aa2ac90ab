"""The first guest of the user guide: what stands there is typed, with an installer's CD."""

from __future__ import annotations

import re
import shutil
import struct
from pathlib import Path

import pytest

from portkit.vm.tools import call
from tests.qemu.conftest import ROOT
from tests.qemu.guest import Linux
from tests.qemu.host import Host
from tests.qemu.test_guest import facts, give

pytestmark = pytest.mark.vm

_ISOLINUX = Path("/usr/lib/ISOLINUX/isolinux.bin")
_LDLINUX = Path("/usr/lib/syslinux/modules/bios/ldlinux.c32")
_SETTINGS = """\
DEFAULT linux
LABEL linux
  LINUX /vmlinuz
  INITRD /initramfs
  APPEND console=ttyS0 quiet
"""
_SECTOR = 2048


def chapter(title: str) -> str:
    """What is typed in a chapter of the guide, up to the first prose behind it."""
    text = (ROOT / "docs/user-guide.md").read_text()
    match = re.search(rf"^## {title}\n\n```sh\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    assert match is not None
    return match[1]


def cd(tree: Path, image: Path) -> None:
    """A CD that starts with isolinux, which wants to be told where on it it is."""
    call("makefs", "-t", "cd9660", "-o", "rockridge", "-o", f"bootimage=i386;{_ISOLINUX}",
         "-o", "no-emul-boot", str(image), str(tree))  # fmt: skip
    data = bytearray(image.read_bytes())
    (catalog,) = struct.unpack_from("<I", data, 17 * _SECTOR + 0x47)
    (sector,) = struct.unpack_from("<I", data, catalog * _SECTOR + 32 + 8)
    program = _ISOLINUX.read_bytes()
    words = struct.unpack_from(f"<{(len(program) - 64) // 4}I", program, 64)
    struct.pack_into("<4I", data, sector * _SECTOR + 8, 16, sector, len(program),
                     sum(words) & 0xFFFFFFFF)  # fmt: skip
    image.write_bytes(data)


def test_the_first_guest_starts_from_a_cd(either: Host, linux: Linux, tmp_path: Path) -> None:
    if not (_ISOLINUX.exists() and _LDLINUX.exists()):
        pytest.skip("needs Debian's packages isolinux and syslinux-common")
    tree = tmp_path / "cd"
    tree.mkdir()
    give(either, linux)
    for name in ("vmlinuz", "initramfs"):
        (either.directory / name).rename(tree / name)
    shutil.copy(_LDLINUX, tree)
    (tree / "isolinux.cfg").write_text(_SETTINGS)
    cd(tree, either.directory / "installer.iso")
    shutil.rmtree(tree)
    typed = chapter("A first guest").rstrip()
    result = either.script(
        f"ln -s /t/usr /usr/local; export PATH=$PATH:/usr/local/bin\n"
        f"exec < /dev/null > screen 2>&1\n{typed} -nographic\necho $? > status",
        cpus=2, memory=3072,
    )  # fmt: skip
    said = facts(either.read("screen"))
    assert either.read("status") == "0\n", either.read("screen") + result.console
    assert said["blocks"] == str(20 << 21)
    assert said["hypervisor"] == "Hypervisor detected: KVM"
    assert said["cpus"] == "2"
    assert "end" in said
    assert not result.lock_reports
