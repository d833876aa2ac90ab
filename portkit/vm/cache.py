"""What the user imported: kernels and the base system, and the root image made of them.

``state.json`` says which directories count and is replaced last, so an interrupted import leaves
the former state whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from portkit.errors import EnvironmentProblem, UsageError
from portkit.locking import project_lock
from portkit.vm.guest import Guest, build
from portkit.vm.images import make_image
from portkit.vm.unpack import unpack

Kind = Literal["plain", "debug"]

_VERSION = re.compile(rb"FreeBSD \d+\.\d+-[^\0\n]{1,200}")
_KERNEL_MEMBER = re.compile(r"boot/kernel[^/]*/(kernel|[^/]+\.ko)")
# Large, and of no use in a test machine.
_LEFT_OUT = ("boot", "rescue", "usr/lib/debug", "usr/lib32", "usr/share", "usr/tests")
_MOUNT_POINTS = ("dev", "proc", "root", "t", "tmp")
_UNPACKED_MAX = 8 << 30
_ROOT_FREE = 64 << 20


@dataclass(frozen=True, slots=True)
class Imported:
    """A kernel or the base system.

    Attributes:
        directory: its name below the cache.
        source: where the user had it.
        version: what the kernel calls itself; empty for the base system.
    """

    directory: str
    source: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """Everything that is imported."""

    base: Imported | None = None
    kernels: dict[str, Imported] = field(default_factory=dict)


def default_directory() -> Path:
    """``PORTKIT_VM_DIR``, or ``portkit/vm`` below the user's cache directory."""
    own = os.environ.get("PORTKIT_VM_DIR")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "portkit" / "vm"


class Cache:
    """The imported parts, below one directory.

    Args:
        path: the directory; an import makes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def state(self) -> State:
        """What is imported."""
        try:
            data = json.loads((self.path / "state.json").read_bytes())
            base = Imported(**data["base"]) if data["base"] else None
            return State(base, {kind: Imported(**k) for kind, k in data["kernels"].items()})
        except FileNotFoundError:
            return State()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EnvironmentProblem(
                "the state of the imports cannot be read",
                where=str(self.path / "state.json"),
                hint="remove the directory and import again",
            ) from error

    @property
    def sysroot(self) -> Path | None:
        """The base system as a directory, to compile programs against; None before its import."""
        base = self.state.base
        return self.path / base.directory if base else None

    def guest(self) -> Guest:
        """The programs that start and end the machine, built when needed."""
        return build(self.path / "guest")

    def kernel(self, kind: Kind) -> Path:
        """The kernel of a kind.

        Raises:
            UsageError: it was not imported.
        """
        kernel = self.state.kernels.get(kind)
        if kernel is None:
            option = {"plain": "--kernel", "debug": "--debug-kernel"}[kind]
            raise UsageError(
                f"no {kind} kernel was imported",
                hint=f"run 'portkit vm import {option} KERNEL' first",
            )
        return self.path / kernel.directory / "kernel"

    def root_image(self) -> Path:
        """The image of the root file system, made anew when one of its parts changed.

        Raises:
            UsageError: no base system was imported.
        """
        state, programs = self.state, self.guest()
        if state.base is None:
            raise UsageError(
                "no base system was imported", hint="run 'portkit vm import --base BASE' first"
            )
        parts = [state.base, *(state.kernels[kind] for kind in sorted(state.kernels))]
        names = " ".join([programs.ident, *(part.directory for part in parts)])
        image = self.path / f"root-{hashlib.sha256(names.encode()).hexdigest()[:16]}.img"
        if not image.exists():
            self._make_root(state, programs, image)
        return image

    def run_directory(self) -> tempfile.TemporaryDirectory[str]:
        """A directory for the files of one run, removed when it is closed."""
        return tempfile.TemporaryDirectory(prefix="run-", dir=self.path)

    def import_parts(
        self, *, kernel: Path | None = None, debug_kernel: Path | None = None,
        base: Path | None = None,
    ) -> State:  # fmt: skip
        """Take over kernels and the base system; what is not given stays.

        Args:
            kernel: a distribution set (``kernel.txz``), a kernel file, or a directory with
                ``kernel`` and its modules.
            debug_kernel: the same, built with INVARIANTS and WITNESS.
            base: a distribution set (``base.txz``), or a root directory.

        Raises:
            UsageError: one of them is not what it should be.
            BadArchive: an archive is damaged or hostile.
        """
        with project_lock(self.path):
            state = self.state
            self._clean(state)
            kernels = dict(state.kernels)
            for kind, source in (("plain", kernel), ("debug", debug_kernel)):
                if source is not None:
                    kernels[kind] = self._import(source, f"kernel-{kind}-", _take_kernel)
            if base is not None:
                state = replace(state, base=self._import(base, "base-", _take_base))
            state = replace(state, kernels=kernels)
            text = json.dumps(asdict(state), indent=2)
            (self.path / "state.new").write_text(text + "\n", encoding="utf-8")
            (self.path / "state.new").replace(self.path / "state.json")
            self._clean(state)
            if state.base is not None:
                self.root_image()
        return state

    def _import(self, source: Path, prefix: str, take: Callable[[Path, Path], str]) -> Imported:
        if not source.exists():
            raise UsageError("there is no such file or directory", where=str(source))
        into = Path(tempfile.mkdtemp(prefix=prefix, dir=self.path))
        try:
            version = take(source, into)
        except BaseException:
            shutil.rmtree(into, ignore_errors=True)
            raise
        into.chmod(0o755)
        return Imported(into.name, str(source.resolve()), version)

    def _clean(self, state: State) -> None:
        """Remove what former imports, interrupted ones and killed runs left."""
        keep = {part.directory for part in (state.base, *state.kernels.values()) if part}
        for path in self.path.iterdir():
            if path.name.startswith(("base-", "kernel-", "run-", "image-", "stage-")):
                if path.name not in keep:
                    shutil.rmtree(path, ignore_errors=True)
            elif path.name.startswith("root-"):
                path.unlink()

    def _make_root(self, state: State, programs: Guest, image: Path) -> None:
        assert state.base is not None
        with tempfile.TemporaryDirectory(prefix="stage-", dir=self.path) as work:
            stage = Path(work) / "root"
            shutil.copytree(
                self.path / state.base.directory, stage, symlinks=True, copy_function=_link
            )
            for name in _MOUNT_POINTS:
                (stage / name).mkdir(exist_ok=True)
            for kind, kernel in state.kernels.items():
                modules = stage / "boot" / kind
                modules.mkdir(parents=True)
                for module in (self.path / kernel.directory).glob("*.ko"):
                    _link(module, modules / module.name)
            shutil.copy(programs.init, stage / "portkit-init")
            (stage / "portkit-init").chmod(0o755)
            make_image(stage, image, free=_ROOT_FREE, root_owned=True)


def _link(source: str | Path, target: str | Path) -> None:
    os.link(source, target, follow_symlinks=False)  # hardlink_to follows links


def _is_archive(path: Path) -> bool:
    return path.is_file() and tarfile.is_tarfile(path)


def _take_kernel(source: Path, into: Path) -> str:
    """Returns the kernel's version."""
    if _is_archive(source):
        with source.open("rb") as stream:
            unpack(stream, str(source), into, _wanted_of_kernel, limit=_UNPACKED_MAX)
    elif source.is_dir():
        for path in (source / "kernel", *source.glob("*.ko")):
            if path.is_file():
                shutil.copyfile(path, into / path.name)
    else:
        shutil.copyfile(source, into / "kernel")
    return _kernel_version(into / "kernel", source)


def _wanted_of_kernel(path: str) -> str | None:
    match = _KERNEL_MEMBER.fullmatch(path)
    return match[1] if match else None


def _kernel_version(kernel: Path, source: Path) -> str:
    image = kernel.read_bytes() if kernel.is_file() and not kernel.is_symlink() else b""
    version = _VERSION.search(image)
    # ELF, 64 bits, little endian; machine x86-64
    if image[:6] != b"\x7fELF\x02\x01" or image[18:20] != b"\x3e\x00" or version is None:
        raise UsageError(
            "there is no FreeBSD/amd64 kernel",
            where=str(source),
            hint="give kernel.txz, a build's kernel file, or the directory that holds it",
        )
    return version[0].decode(errors="replace").strip()


def _take_base(source: Path, into: Path) -> str:
    if _is_archive(source):
        with source.open("rb") as stream:
            unpack(stream, str(source), into, _wanted_of_base, limit=_UNPACKED_MAX)
    elif source.is_dir():
        shutil.copytree(
            source, into, symlinks=True, dirs_exist_ok=True,
            ignore=lambda directory, names: _special(source, Path(directory), names),
        )  # fmt: skip
    else:
        raise UsageError("is neither an archive nor a directory", where=str(source))
    if not (into / "bin" / "sh").is_file():
        raise UsageError(
            "has no bin/sh, so it is no FreeBSD base system",
            where=str(source),
            hint="give base.txz or the directory that 'make installworld' wrote",
        )
    return ""


def _wanted_of_base(path: str) -> str | None:
    left_out = any(path == name or path.startswith(name + "/") for name in _LEFT_OUT)
    return None if left_out else path


def _special(source: Path, directory: Path, names: list[str]) -> set[str]:
    """Names to leave out of a copied directory: the large, and devices, pipes and sockets."""
    skip = set()
    for name in names:
        path = directory / name
        ordinary = path.is_symlink() or path.is_file() or path.is_dir()
        if not ordinary or _wanted_of_base(path.relative_to(source).as_posix()) is None:
            skip.add(name)
    return skip
