"""The cross build of a kernel module on Linux, by the same makefile that FreeBSD's build uses.

The makefile is the port's ``src/Makefile``, run by bmake in the directory of the objects with:

- ``LINUX``: the patched source of the release;
- ``LKC``: the sources of devel/linux-kmod-compat;
- ``LKC_CROSS``: set, as this is not FreeBSD;
- ``CC``, ``LD``, ``OBJCOPY``: the tools;
- ``FREEBSD_VERSION``, ``FREEBSD_INCS``: ``__FreeBSD_version`` and the directories of installed
  kernel headers; or, for a module that is to be loaded,
- ``SYSDIR``, ``KERNBUILDDIR``: a FreeBSD ``sys`` directory, and where that kernel was built.

It leaves the module, and the Linux side's objects as ``lx_*.o``. Makefiles in directories of
``src/`` make further modules, each named as its directory; those have no Linux side and need
``SYSDIR``, so they are made with it only.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

from portkit.build.audit import audit_module, load_reviewed
from portkit.build.command import find_tool, run_logged
from portkit.build.source import patched_source
from portkit.errors import EnvironmentProblem, Refused, UsageError
from portkit.lint.finding import Finding
from portkit.manifest.model import Manifest, PortSpec, SeriesSpec
from portkit.port import settings

COMPAT = "devel/linux-kmod-compat"
_CK_HEADERS = Path("/usr/include")  # Debian's libck-dev; FreeBSD's kernel has the same files


@dataclass(frozen=True, slots=True)
class Target:
    """What a module is built for, and with what.

    Attributes:
        osversion: ``__FreeBSD_version``, e.g. 1400097.
        cc: the compiler, e.g. ``clang-14``.
        sysdir: the ``sys`` directory of the very kernel that will load the module, or None for a
            compile against installed headers, good for checks only.
        kernel: with ``sysdir``: the directory where that kernel was built (``opt_global.h``).
        debug: for a kernel with INVARIANTS and WITNESS; with ``sysdir`` its options decide.
    """

    osversion: int
    cc: str
    sysdir: Path | None = None
    kernel: Path | None = None
    debug: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """A module that was built.

    Attributes:
        target: what for.
        module: the file.
        findings: of the audits.
        more: the port's further modules.
    """

    target: Target
    module: Path
    findings: list[Finding]
    more: tuple[Built, ...] = ()


def can_build(manifest: Manifest, spec: PortSpec) -> bool:
    """Whether a port is a kernel module with a makefile that this host can run."""
    return spec.series is not None and _makefile(manifest, spec).is_file()


def build_module(
    manifest: Manifest,
    spec: PortSpec,
    target: Target,
    jobs: int,
    *,
    series: SeriesSpec | None = None,
    stand_in: bool = False,
) -> Built:
    """Cross-build a port's module and audit it; the project's lock is held.

    Args:
        manifest: the project.
        spec: the port.
        target: what for, and with what.
        jobs: how many compilers run at once.
        series: build from this one of the same upstream, in a directory of its own, instead of
            from the port's.
        stand_in: use the nearest release of the track if the pinned one is not mirrored.

    Raises:
        Refused: it does not compile (the first error is in the message, all in the log).
        UsageError: the manifest lacks a key, or the sys directory is none.
        EnvironmentProblem: a tool or the headers are missing.
    """
    assert spec.series is not None
    home = manifest.state_dir / "build" / (f"{spec.name}+{series.name}" if series else spec.name)
    series = series or manifest.series[spec.series]
    paths = settings.dist_paths(spec, series.pin)
    linux = patched_source(manifest, series, paths, home / "linux", stand_in=stand_in)
    objects = home / _directory_name(target)
    objects.mkdir(parents=True, exist_ok=True)
    makefile = _makefile(manifest, spec)
    values = {
        "LINUX": linux,
        "LKC": manifest.root / "ports" / COMPAT / "src",
        "LKC_CROSS": "yes",
        "CC": find_tool(target.cc),
        "LD": find_tool("ld.lld"),
        "OBJCOPY": find_tool("llvm-objcopy"),
        **_headers(target, home / "ck"),
    }
    variables = {key: str(value) for key, value in values.items()}
    _run_make(makefile, objects, variables, jobs)
    module = objects / "kvm.ko"
    if not module.is_file():
        raise Refused("the build made no kvm.ko", where=str(objects), hint=f"see {makefile}")
    reviewed = load_reviewed(manifest.root / settings.text(spec, "audit"))
    linux_side = sorted(objects.glob("lx_*_side.o"))
    if not linux_side:
        raise Refused("the build left no Linux side", where=str(objects), hint=f"see {makefile}")
    more = []
    for extra in sorted(makefile.parent.glob("*/Makefile")) if target.sysdir else []:
        directory = objects / extra.parent.name
        directory.mkdir(exist_ok=True)
        _run_make(extra, directory, variables, jobs)
        built = directory / f"{extra.parent.name}.ko"
        more.append(Built(target, built, audit_module(built, [], reviewed)))
    return Built(target, module, audit_module(module, linux_side, reviewed), tuple(more))


def _makefile(manifest: Manifest, spec: PortSpec) -> Path:
    return manifest.root / "ports" / spec.origin / "src" / "Makefile"


def _directory_name(target: Target) -> str:
    name = f"{target.osversion}-{Path(target.cc).name}"
    if target.sysdir is not None:
        where = f"{target.sysdir.absolute()}:{target.kernel}"
        return f"{name}-sys-{hashlib.sha256(where.encode()).hexdigest()[:8]}"
    return f"{name}-debug" if target.debug else name


def _headers(target: Target, ck: Path) -> dict[str, object]:
    if target.sysdir is not None:
        wanted = [(target.sysdir, "sys/param.h"), (target.kernel, "opt_global.h")]
        for directory, file in wanted:
            if directory is None or not (directory / file).is_file():
                raise UsageError(
                    f"no {file} there", where=str(directory or "--kernel"),
                    hint="give --sysdir the kernel's sys directory, --kernel where it was built",
                )  # fmt: skip
        assert target.kernel is not None
        return {"SYSDIR": target.sysdir.absolute(), "KERNBUILDDIR": target.kernel.absolute()}
    spec = importlib.util.find_spec("ziglang")
    if spec is None or spec.origin is None:
        raise EnvironmentProblem(
            "there are no FreeBSD headers here",
            hint="install the Python package ziglang (portkit[cross]), or give --sysdir",
        )
    include = Path(spec.origin).parent / "lib" / "libc" / "include"
    machine = [include / f"{name}-freebsd-none" for name in ("x86_64", "x86")]
    found = [path for path in machine if path.is_dir()]
    return {
        "FREEBSD_VERSION": target.osversion,
        "FREEBSD_INCS": " ".join(map(str, [*found, include / "generic-freebsd", _ck(ck)])),
        "DEBUG_KERNEL": "yes" if target.debug else "no",
    }


def _ck(directory: Path) -> Path:
    """Concurrency Kit's headers alone: nothing else of /usr/include may be seen."""
    headers = sorted(_CK_HEADERS.glob("ck_*.h"))
    if not headers:
        raise EnvironmentProblem(
            "Concurrency Kit's headers are missing", hint="install the package libck-dev"
        )
    if not directory.is_dir():
        partial = directory.with_name("ck.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for path in [*headers, _CK_HEADERS / "gcc", _CK_HEADERS / "spinlock"]:
            if path.exists():
                (partial / path.name).symlink_to(path)
        partial.rename(directory)
    return directory


def _run_make(makefile: Path, objects: Path, variables: dict[str, str], jobs: int) -> None:
    command = [
        find_tool("bmake"), "-j", str(jobs), "-f", str(makefile),
        *(f"{key}={value}" for key, value in variables.items()),
    ]  # fmt: skip
    environment = {"MAKEOBJDIR": str(objects)}
    run_logged(command, "the build", objects, objects / "build.log", environment)
