"""Static libraries for FreeBSD, each cross-built once and kept for every project of the user."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from portkit.build.archives import Archive, unpack_below
from portkit.build.command import find_tool, run_logged
from portkit.build.toolchain import TRIPLE, Toolchain, make_toolchain
from portkit.errors import EnvironmentProblem, UsageError
from portkit.locking import project_lock
from portkit.manifest.model import PortSpec

#: A library without an archive is one of portkit's own, in a directory of its name here.
_OWN = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Library:
    """How one library is built.

    Attributes:
        name: what it is called here, e.g. ``glib``.
        kind: ``configure`` (a script, then make), ``make``, ``meson``, or ``own``.
        archive: its source; None for portkit's own.
        directory: of the source, where the build starts; empty for its top.
        options: arguments for the configure script, for make or for ``meson setup``.
    """

    name: str
    kind: str
    archive: Archive | None
    directory: str
    options: tuple[str, ...]


def libraries(spec: PortSpec) -> tuple[Library, ...]:
    """The libraries of ``[[port.NAME.library]]``, each after those that it needs.

    Raises:
        UsageError: a key is missing or malformed.
    """
    value = spec.settings.get("library", [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _bad(spec, "is not a list of tables")
    return tuple(_library(spec, item) for item in value)


def build_libraries(
    wanted: Sequence[Library],
    cache: Path,
    jobs: int,
    fetch: Callable[[Archive], Path],
    say: Callable[[str], object],
) -> tuple[Path, ...]:
    """Build what is not in the cache yet.

    An interrupted build leaves nothing that a later one would take for a library.

    Args:
        wanted: each after those that it needs.
        cache: the directory that keeps them; one portkit at a time builds there.
        jobs: how many compilers run at once.
        fetch: gives an archive's file.
        say: told what is being built.

    Returns:
        The directories where they are installed, in the same order.

    Raises:
        Refused: one does not build.
        EnvironmentProblem: a tool or an archive is missing, or the disk refuses.
    """
    prefixes: list[Path] = []
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with project_lock(cache):
            for stale in cache.glob("work-*"):
                shutil.rmtree(stale)
            for library in wanted:
                with tempfile.TemporaryDirectory(prefix="work-", dir=cache) as work:
                    chain = make_toolchain(Path(work) / "tools", prefixes)
                    prefix = cache / f"{library.name}-{_key(library, chain)[:16]}"
                    if not prefix.is_dir():
                        say(f"building {library.name}")
                        _build(library, chain, prefix, Path(work), jobs, fetch)
                prefixes.append(prefix)
    except OSError as error:
        raise EnvironmentProblem(
            error.strerror or str(error), where=str(error.filename or cache)
        ) from error
    return tuple(prefixes)


def _library(spec: PortSpec, item: dict[str, object]) -> Library:
    def text(key: str, pattern: str, default: str | None = None) -> str:
        value = item.get(key, default)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise _bad(spec, f"has no valid '{key}' for {item.get('name', '?')}")
        return value

    known = {"name", "kind", "package", "archive", "sha256", "directory", "options"}
    if unknown := item.keys() - known:
        raise _bad(spec, f"has the unknown key {min(unknown)!r}")
    name, kind = text("name", r"[a-z0-9][a-z0-9.+-]*"), text("kind", "|".join(_COMMANDS))
    options = item.get("options", [])
    if not isinstance(options, list) or not all(isinstance(option, str) for option in options):
        raise _bad(spec, f"has no list of texts as 'options' for {name}")
    if kind == "own" and not (_OWN / name).is_dir():
        raise _bad(spec, f"has kind 'own' for {name}, which portkit does not have")
    archive = None
    if kind != "own":
        package = text("package", r"[a-z0-9][a-z0-9.+-]*")
        file = text("archive", r"[A-Za-z0-9][A-Za-z0-9._+~-]*")
        archive = Archive(package, file, text("sha256", r"[0-9a-f]{64}"))
    inside = text("directory", r"(?:[A-Za-z0-9][\w.-]*)(?:/[A-Za-z0-9][\w.-]*)*|", "")
    return Library(name, kind, archive, inside, tuple(options))


def _bad(spec: PortSpec, what: str) -> UsageError:
    return UsageError(
        f"port.{spec.name}.library {what}", where="portkit.toml", hint="see docs/qemu.md"
    )


def _key(library: Library, chain: Toolchain) -> str:
    """What tells two builds of a library apart: its description, the compiler, what it needs."""
    own = {path.name: path.read_text() for path in _own_files(library)}
    needed = [prefix.name for prefix in chain.prefixes]
    text = json.dumps([asdict(library), own, chain.ident, needed])
    return hashlib.sha256(text.encode()).hexdigest()


def _own_files(library: Library) -> Iterator[Path]:
    if library.kind == "own":
        yield from sorted((_OWN / library.name).glob("*.[ch]"))


def _build(
    library: Library,
    chain: Toolchain,
    prefix: Path,
    work: Path,
    jobs: int,
    fetch: Callable[[Archive], Path],
) -> None:
    stage = work / "stage"
    log = prefix.parent / f"{library.name}.log"
    log.unlink(missing_ok=True)
    environment = {**chain.environment, "DESTDIR": str(stage)}
    where = work / "source"
    if library.archive is None:
        where.mkdir()
    else:
        unpack_below(fetch(library.archive), where)
    for command in _COMMANDS[library.kind](library, chain, prefix, stage, where, jobs):
        run_logged(
            command, f"building {library.name}", where / library.directory, log, environment,
            append=True,
        )  # fmt: skip
    (stage / prefix.relative_to("/")).rename(prefix)


def _configure(
    library: Library, chain: Toolchain, prefix: Path, stage: Path, where: Path, jobs: int
) -> Iterator[list[str]]:
    if not (where / library.directory / "configure").exists():
        yield [find_tool("autoreconf"), "--install"]
    yield ["./configure", f"--prefix={prefix}", *library.options]
    yield [find_tool("make"), f"-j{jobs}", "install"]


def _make(
    library: Library, chain: Toolchain, prefix: Path, stage: Path, where: Path, jobs: int
) -> Iterator[list[str]]:
    yield [find_tool("make"), f"-j{jobs}", f"PREFIX={prefix}", *library.options]


def _meson(
    library: Library, chain: Toolchain, prefix: Path, stage: Path, where: Path, jobs: int
) -> Iterator[list[str]]:
    yield [
        find_tool("meson"), "setup", "build", f"--prefix={prefix}", "--libdir=lib",
        f"--cross-file={chain.cross_file}", "--buildtype=release", "-Ddefault_library=static",
        "--wrap-mode=nodownload", *library.options,
    ]  # fmt: skip
    yield [find_tool("ninja"), "-C", "build", f"-j{jobs}", "install"]


def _own(
    library: Library, chain: Toolchain, prefix: Path, stage: Path, where: Path, jobs: int
) -> Iterator[list[str]]:
    files = list(_own_files(library))
    sources = [path for path in files if path.suffix == ".c"]
    into = stage / prefix.relative_to("/")
    (into / "lib").mkdir(parents=True)
    (into / "include").mkdir()
    for header in files:
        if header.suffix == ".h":
            shutil.copy(header, into / "include")
    yield [f"{TRIPLE}-cc", "-O2", "-c", *map(str, sources)]
    objects = [f"{path.stem}.o" for path in sources]
    yield [f"{TRIPLE}-ar", "rcs", str(into / "lib" / f"{library.name}.a"), *objects]


_COMMANDS = {"configure": _configure, "make": _make, "meson": _meson, "own": _own}
