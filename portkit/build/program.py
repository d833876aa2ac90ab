"""The cross build of a program with a ``configure`` script: QEMU, for a FreeBSD test machine.

What is built is what the port builds: its distfile with the series applied, configured with the
options that the port's Makefile has. Only the libraries differ: here they are static.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from portkit.build.archives import Archive, cache_directory, fetch, unpack_below
from portkit.build.command import find_tool, run_logged
from portkit.build.library import build_libraries, libraries
from portkit.build.program_table import ProgramTable
from portkit.build.source import patched_source
from portkit.build.toolchain import TRIPLE, Toolchain, make_toolchain
from portkit.errors import EnvironmentProblem, Refused, UsageError
from portkit.lint.finding import Finding
from portkit.lint.portmake import parse_makefile, variables
from portkit.manifest.model import Manifest, PortSpec, SeriesSpec
from portkit.mirror.source import Progress
from portkit.mirror.sources import debian_archive

_PREFIX = Path("/usr/local")


@dataclass(frozen=True, slots=True)
class BuiltProgram:
    """A program that was built.

    Attributes:
        root: a directory that holds ``usr/local`` as the package has it.
        findings: where the port's ``pkg-plist`` says otherwise.
    """

    root: Path
    findings: list[Finding]


def is_program(spec: PortSpec) -> bool:
    """Whether a port has a ``program`` table, so that its program can be cross-built."""
    return "program" in spec.settings


def build_program(
    manifest: Manifest,
    spec: PortSpec,
    jobs: int,
    *,
    progress: Progress,
    say: Callable[[str], object],
) -> BuiltProgram:
    """Cross-build a port's program and the libraries it needs; the project's lock is held.

    A second run compiles only what changed.

    Args:
        manifest: the project.
        spec: the port.
        jobs: how many compilers run at once.
        progress: told about downloads.
        say: told about each step.

    Raises:
        Refused: something does not build, or a patch does not apply.
        UsageError: the manifest lacks a key.
        EnvironmentProblem: a tool, an archive or the firmware is missing, or the disk refuses.
    """
    home = manifest.state_dir / "build" / spec.name
    archives = cache_directory() / "archives"

    def get(archive: Archive) -> Path:
        return fetch(archive, debian_archive(manifest), archives, progress)

    if spec.series is None:
        raise UsageError(
            f"port.{spec.name} has a program and no series", where="portkit.toml",
            hint="name the series of the program",
        )  # fmt: skip
    series = manifest.series[spec.series]
    table = ProgramTable(spec, series.pin)
    prefixes = build_libraries(libraries(spec), cache_directory(), jobs, get, say)
    try:
        chain = make_toolchain(home / "tools", prefixes)
        source = _source(manifest, series, home, get(table.archive), table)
        build, log = home / "build", home / "build.log"
        log.unlink(missing_ok=True)
        options = [*port_options(manifest, spec), *table.options]
        _configure(options, chain, source, build, log)
        say(f"building {spec.name}")
        # "ninja install" would build the tests too.
        ninja = [find_tool("ninja"), f"-j{jobs}", *_installed(build, chain)]
        run_logged(ninja, f"building {spec.name}", build, log, chain.environment, append=True)
        stage = home / "stage"
        shutil.rmtree(stage, ignore_errors=True)
        install = [find_tool("meson"), "install", "--no-rebuild", "--strip", f"--destdir={stage}"]
        run_logged(install, f"installing {spec.name}", build, log, chain.environment, append=True)
        share = stage / _PREFIX.relative_to("/") / table.firmware_directory
        for path in table.firmware():
            shutil.copy(path, share / path.name)
        root = home / "root"
        shutil.rmtree(root, ignore_errors=True)
        stage.rename(root)
    except OSError as error:
        raise EnvironmentProblem(
            error.strerror or str(error), where=str(error.filename or home)
        ) from error
    plist = manifest.root / "ports" / spec.origin / "pkg-plist"
    return BuiltProgram(root, plist_findings(plist, root / _PREFIX.relative_to("/"), table.tags))


def plist_findings(plist: Path, installed: Path, tags: Sequence[str]) -> list[Finding]:
    """Where a ``pkg-plist`` and what a build installed differ.

    Args:
        plist: the port's.
        installed: what is to become the prefix.
        tags: options that were built; lines of other options are not expected to be there.
    """
    expected, possible = set(), set()
    for line in plist.read_text().splitlines():
        tag, _, path = line[2:].partition("%%") if line.startswith("%%") else ("", "", line)
        possible.add(path)
        if not tag or tag in tags:
            expected.add(path)
    there = {
        path.relative_to(installed).as_posix()
        for path in installed.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    where = Path(plist.parent.name, plist.name)
    return [
        *(Finding(where, 0, "program-plist", f"{path} is listed and not installed")
          for path in sorted(expected - there)),
        *(Finding(where, 0, "program-plist", f"{path} is installed and not listed")
          for path in sorted(there - possible)),
    ]  # fmt: skip


def port_options(manifest: Manifest, spec: PortSpec) -> list[str]:
    """The options for ``configure`` in the port's Makefile that name no place of FreeBSD."""
    makefile = manifest.root / "ports" / spec.origin / "Makefile"
    words = variables(parse_makefile(makefile.read_text())).get("CONFIGURE_ARGS", "").split()
    return [word for word in words if "$" not in word]


def _source(
    manifest: Manifest, series: SeriesSpec, home: Path, archive: Path, table: ProgramTable
) -> Path:
    """The archive's files with the series applied and the port's other changes made."""
    patched = patched_source(manifest, series, (), home / "patched")
    changed = {
        path.relative_to(patched).as_posix(): path.read_bytes()
        for path in patched.rglob("*")
        if path.is_file()
    }
    source, note = home / "source", home / "source.json"
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(changed.items())}
    key = [table.archive.sha256, table.unused, table.replaced, digests]
    text = json.dumps(key)
    if note.exists() and note.read_text() == text:
        return source
    note.unlink(missing_ok=True)
    unpack_below(archive, source, lambda path: path.partition("/")[0] not in table.unused)
    for name, data in changed.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
    for name, old, new in table.replaced:
        before = (source / name).read_text()
        if before.count(old) != 1:
            raise UsageError(
                f"{old!r} is there {before.count(old)} times", where=name,
                hint="adapt the port's 'program.replace'",
            )  # fmt: skip
        (source / name).write_text(before.replace(old, new))
    note.write_text(text)
    return source


def _configure(
    options: Sequence[str], chain: Toolchain, source: Path, build: Path, log: Path
) -> None:
    """Configure, unless it was done in the same way; ninja notices a changed source by itself."""
    command = [
        str(source / "configure"), f"--cross-prefix={TRIPLE}-", f"--cc={TRIPLE}-cc", "--host-cc=cc",
        "--cpu=x86_64", f"--python={sys.executable}", f"--ninja={find_tool('ninja')}",
        f"--prefix={_PREFIX}", "--disable-stack-protector", *options,
        f"--extra-cflags={' '.join(chain.compile_flags)}",
        f"--extra-ldflags={' '.join(chain.link_flags)}",
    ]  # fmt: skip
    note = build / "portkit.json"
    text = json.dumps([command, chain.ident])
    if note.exists() and note.read_text() == text:
        return
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir(parents=True)
    find_tool("cc")  # of the programs that run during the build
    run_logged(command, "configure", build, log, chain.environment)
    note.write_text(text)


def _installed(build: Path, chain: Toolchain) -> list[str]:
    """What has to be built for the installation, as ninja's targets."""
    command = [find_tool("meson"), "introspect", "--installed", str(build)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refused(
            "meson does not say what is installed", where=str(build),
            hint="remove the directory and run again",
        )  # fmt: skip
    paths = [Path(path) for path in json.loads(done.stdout)]
    return sorted(
        path.relative_to(build).as_posix() for path in paths if path.is_relative_to(build)
    )
