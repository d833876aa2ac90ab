"""Debian's Linux kernels, through apt, kept below the cache for the next time."""

from __future__ import annotations

import io
import lzma
import os
import subprocess
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from portkit.errors import EnvironmentProblem
from portkit.mirror.apt import Apt

#: KVM and what it needs, in the order to load them.
MODULES = ("irqbypass", "kvm", "kvm-intel", "ccp", "kvm-amd")


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel and its KVM.

    Attributes:
        image: the bzImage.
        modules: those of MODULES that it has, ready to be loaded.
    """

    image: Path
    modules: tuple[Path, ...]


def downloads() -> Path:
    """Where kernels are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "portkit/linux"


def kernel(cache: Path, package: str, suites: Iterable[str]) -> Kernel:
    """A kernel of a suite.

    Args:
        cache: a directory for what was downloaded; made when it is not there.
        package: e.g. ``linux-image-cloud-amd64``; what a meta package depends on is followed.
        suites: where to look.

    Raises:
        EnvironmentProblem: it cannot be had.
    """
    place = cache / package
    image = next(place.glob("linux-image-*/vmlinuz"), None)
    if image is None:
        place.mkdir(parents=True, exist_ok=True)
        deb = _download(Apt(place / "apt", suites, "deb"), package, place)
        image = _unpack(deb, place / deb.name.partition("_")[0])
        deb.unlink()
    modules = (image.parent / f"{name}.ko" for name in MODULES)
    return Kernel(image, tuple(path for path in modules if path.exists()))


def _download(apt: Apt, package: str, place: Path) -> Path:
    deb = apt.binary(package, place)
    depends = subprocess.run(
        ["dpkg-deb", "--field", deb, "Depends"], capture_output=True, text=True, check=True
    ).stdout.split()
    if depends and depends[0].startswith("linux-image-"):
        deb.unlink()
        return _download(apt, depends[0].rstrip(","), place)
    return deb


def _unpack(deb: Path, into: Path) -> Path:
    """Kernel and KVM's modules of a package, below a directory."""
    unpacked = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], capture_output=True, check=True)
    into.mkdir(exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(unpacked.stdout)) as archive:
        for member in archive:
            path = Path(member.name)
            file = archive.extractfile(member) if member.isfile() else None
            if file is None:
                continue
            if path.name.startswith("vmlinuz-"):
                (into / "vmlinuz.new").write_bytes(file.read())
            elif path.name.partition(".")[0] in MODULES:
                raw = file.read()
                data = lzma.decompress(raw) if path.suffix == ".xz" else raw
                (into / path.name.removesuffix(".xz")).write_bytes(data)
    if not (into / "vmlinuz.new").exists():
        raise EnvironmentProblem("holds no kernel", where=deb.name)
    return (into / "vmlinuz.new").rename(into / "vmlinuz")
