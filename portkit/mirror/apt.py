"""Debian's packages through apt's own client, without touching the system's apt.

What apt is configured for tells which mirrors this machine uses; lines for these, a private list
directory and a private configuration are all that portkit adds, below its own state
directory. It works without root. apt checks the archive's signature with Debian's keyring.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from portkit.errors import EnvironmentProblem
from portkit.mirror.source import Progress

_KEYRINGS = Path("/usr/share/keyrings")
_SUITES = re.compile(
    r"(?:oldoldstable|oldstable|stable|testing|unstable|experimental|sid|rc-buggy|buster"
    r"|bullseye|bookworm|trixie|forky|duke)"
    r"(?:-updates|-backports(?:-sloppy)?|-security|-proposed-updates|/updates)?"
)

_GET = ("apt-get", "source", "--quiet=2", "--download-only", "--tar-only")

_CONFIG = """\
Dir::Etc::SourceList "{base}/sources.list";
Dir::Etc::SourceParts "-";
Dir::State "{base}/state";
Dir::State::Lists "{base}/lists";
Dir::State::Status "{base}/status";
Dir::Cache "{base}/cache";
APT::Sandbox::User "root";
APT::Get::Only-Source "true";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "5";
Acquire::https::Timeout "5";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


@dataclass(frozen=True, slots=True)
class SourcePackage:
    """The upstream part of a source package.

    Attributes:
        version: Debian's version, e.g. ``1:10.0.13+ds-0+deb13u1``.
        archive: file name of the ``.orig`` archive.
        sha256: its digest.
        size: its bytes.
    """

    version: str
    archive: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class AptSource:
    """One entry of apt's configuration: a place, a suite there, and its components."""

    uri: str
    suite: str
    components: tuple[str, ...]
    keyring: str


class Apt:
    """A private apt.

    Attributes:
        problem: what kept some list of packages from being brought up to date, once that was tried.

    Args:
        base: its directory; no other apt uses it.
        suites: the suites to look in.
        kind: source or binary packages.
    """

    def __init__(
        self, base: Path, suites: Iterable[str], kind: Literal["deb-src", "deb"] = "deb-src"
    ) -> None:
        self._base = base
        self._suites = tuple(suites)
        self._kind = kind
        self.problem: str | None = None
        self._uris: dict[str, str] = {}
        self._updated = False

    def packages(self, name: str) -> list[SourcePackage]:
        """The versions of a source package in all suites that can be reached.

        Raises:
            EnvironmentProblem: there is no apt, it has no Debian source, or none can be reached.
        """
        self._update()
        shown = self._run("apt-cache", "showsrc", "--only-source", name)
        found = [package for text in shown.stdout.split("\n\n") for package in _orig(text)]
        if not found and self.problem:
            raise EnvironmentProblem(self.problem, where="apt")
        return list(dict.fromkeys(found))

    def download(
        self, name: str, package: SourcePackage, directory: Path, progress: Progress
    ) -> Path:
        """Download the ``.orig`` archive; apt checks its digest.

        apt itself tries one place. Others may still have an archive that vanished there, so every
        suite whose package is made of the same archive is asked.

        Raises:
            EnvironmentProblem: it cannot be had.
        """
        directory.mkdir(parents=True, exist_ok=True)
        tried: dict[str, EnvironmentProblem] = {}
        for wanted in (f"{name}={package.version}", *(f"{name}/{each}" for each in self._suites)):
            uri = self._uri(wanted, package.archive)
            if uri is None or uri in tried:
                continue
            try:
                return self._fetch(wanted, package, directory, progress)
            except EnvironmentProblem as error:
                tried[uri] = error
        raise next(iter(tried.values()), EnvironmentProblem("it is listed no more", where="apt"))

    def _uri(self, wanted: str, archive: str) -> str | None:
        """Where apt would get an archive for a source package; None when it is another archive."""
        if wanted not in self._uris:  # a suite is asked for every version that vanished
            self._uris[wanted] = self._run(*_GET, "--print-uris", wanted).stdout
        match = re.search(rf"^'([^']+)' {re.escape(archive)} ", self._uris[wanted], re.MULTILINE)
        return match and match[1]

    def _fetch(
        self, wanted: str, package: SourcePackage, directory: Path, progress: Progress
    ) -> Path:
        path = directory / package.archive
        process = self._start(*_GET, wanted, cwd=directory)
        while True:
            try:
                _, err = process.communicate(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                progress("download", _size(path), package.size)
            except BaseException:
                process.kill()
                process.wait()
                raise
        if process.returncode != 0 or not path.is_file():
            raise EnvironmentProblem(_complaint(err) or "apt-get source failed", where="apt")
        return path

    def binary(self, name: str, directory: Path) -> Path:
        """Download the newest binary package of a name; apt checks its digest.

        Args:
            name: the package.
            directory: an existing one, with no other package of this name.

        Raises:
            EnvironmentProblem: it cannot be had.
        """
        self._update()
        process = self._start("apt-get", "download", "--quiet=2", name, cwd=directory)
        _, err = process.communicate()
        found = next(directory.glob(f"{name}_*.deb"), None)
        if process.returncode != 0 or found is None:
            problem = self.problem or _complaint(err) or "apt-get download failed"
            raise EnvironmentProblem(problem, where="apt")
        return found

    def _update(self) -> None:
        if self._updated:
            return
        self._updated = True
        sources = wanted_sources(_configured(), self._suites)
        if not sources:
            raise EnvironmentProblem(
                "no Debian source is configured in apt",
                where="apt",
                hint="add a deb line for Debian's archive to apt's sources, or use another source",
            )
        lines = [
            f"{self._kind} [{_trust(source)}] {source.uri} {source.suite} main\n"
            for source in sources
        ]
        try:
            for name in ("state", "lists/partial", "cache/archives/partial"):
                (self._base / name).mkdir(parents=True, exist_ok=True)
            (self._base / "status").touch()
            (self._base / "sources.list").write_text("".join(lines))
            (self._base / "apt.conf").write_text(_CONFIG.format(base=self._base))
        except OSError as error:
            raise EnvironmentProblem(
                error.strerror or str(error), where=str(error.filename or self._base)
            ) from error
        # A suite that is not on this mirror is no reason to give up the others.
        self.problem = _complaint(self._run("apt-get", "update", "--quiet=2").stderr)

    def _run(self, *args: str) -> subprocess.CompletedProcess[str]:
        process = self._start(*args, cwd=self._base)
        try:
            out, err = process.communicate()
        except BaseException:
            process.kill()
            process.wait()
            raise
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def _start(self, command: str, *args: str, cwd: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [_tool(command), f"--config-file={self._base / 'apt.conf'}", *args],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, "LC_ALL": "C"},
        )


def wanted_sources(configured: Iterable[AptSource], suites: Iterable[str]) -> list[AptSource]:
    """The places that serve Debian, each with the suites that are looked for there.

    A suite with fixes for security is on the place for these, every other one on the main place.
    Where none is configured for fixes it is looked for beside the main one, as Debian has it.
    """
    places: dict[str, tuple[bool, str]] = {}
    for source in configured:
        if _serves_debian(source):
            security = _is_security(source.suite)
            places.setdefault(source.uri, (security, source.keyring))
    if not any(security for security, _ in places.values()):  # a bare system, e.g. debootstrap's
        beside = {uri.rstrip("/"): keyring for uri, (_, keyring) in places.items()}
        places |= {
            f"{uri}-security": (True, keyring)
            for uri, keyring in beside.items()
            if uri.endswith("/debian")
        }
    return [
        AptSource(uri, suite, ("main",), keyring)
        for suite in suites
        for uri, (security, keyring) in places.items()
        if security == _is_security(suite)
    ]


def parse_list(text: str) -> Iterator[AptSource]:
    """The entries of a file in the one-line form (sources.list)."""
    for line in text.splitlines():
        match = re.match(
            r"\s*deb(?:-src)?\s+(?:\[(?P<options>[^]]*)\]\s*)?(?P<uri>\S+)\s+(?P<suite>\S+)"
            r"(?P<components>[^#]*)",
            line,
        )
        if match:
            options = dict(
                option.split("=", 1) for option in (match["options"] or "").split() if "=" in option
            )
            keyring = options.get("signed-by", "")
            yield AptSource(
                match["uri"], match["suite"], tuple(match["components"].split()), keyring
            )


def parse_sources(text: str) -> Iterator[AptSource]:
    """The entries of a file in deb822 form (\\*.sources)."""
    for paragraph in re.split(r"\n\s*\n", text):
        fields = _fields(paragraph)
        if fields.get("enabled", "yes").lower() in ("no", "false", "without", "off", "disable"):
            continue
        if not {"deb", "deb-src"} & set(fields.get("types", "").split()):
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                components = tuple(fields.get("components", "").split())
                yield AptSource(uri, suite, components, fields.get("signed-by", ""))


def _configured() -> Iterator[AptSource]:
    """What apt is configured for, in its own order of files."""
    shell = subprocess.run(
        [_tool("apt-config"), "shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS",
         "Dir::Etc::sourceparts/d"],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    places = dict(re.findall(r"^(LIST|PARTS)='([^']*)'$", shell, re.MULTILINE))
    files = [Path(places["LIST"])] if places.get("LIST") else []
    if places.get("PARTS"):
        files += sorted(Path(places["PARTS"]).glob("*"))
    for path in files:
        try:
            if path.suffix == ".list":
                yield from parse_list(path.read_text(errors="replace"))
            elif path.suffix == ".sources":
                yield from parse_sources(path.read_text(errors="replace"))
        except OSError:
            continue  # not ours to complain about: apt itself does when it matters


def _serves_debian(source: AptSource) -> bool:
    """True for a mirror of Debian itself, not for somebody's packages made for Debian."""
    place = source.uri.rstrip("/").rpartition("/")[2].removesuffix(".list")
    foreign = source.keyring and "debian-archive" not in source.keyring
    return (
        place.startswith("debian")
        and "main" in source.components
        and _SUITES.fullmatch(source.suite) is not None
        and not foreign
    )


def _is_security(suite: str) -> bool:
    return suite.endswith(("-security", "/updates"))


def _trust(source: AptSource) -> str:
    """The option that names the keyring: Debian's own, and no other key of the machine."""
    if source.keyring.startswith("/"):
        return f"signed-by={source.keyring}"
    for name in ("debian-archive-keyring.pgp", "debian-archive-keyring.gpg"):
        if (_KEYRINGS / name).is_file():
            return f"signed-by={_KEYRINGS / name}"
    raise EnvironmentProblem(
        "there is no keyring of Debian's archive",
        where="apt",
        hint="install the package debian-archive-keyring",
    )


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise EnvironmentProblem(f"{name} is not installed", where="apt")
    return path


def _fields(paragraph: str) -> dict[str, str]:
    """The fields of a deb822 paragraph by lower-case name; lines that go on are joined."""
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] in (" ", "\t"):
            fields[name] = fields.get(name, "") + "\n" + line.strip()
        else:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def _orig(paragraph: str) -> Iterator[SourcePackage]:
    """The upstream part of a package in the form of ``apt-cache showsrc``."""
    fields = _fields(paragraph)
    for line in fields.get("checksums-sha256", "").splitlines():
        parts = line.split()
        if len(parts) == 3 and re.search(r"\.orig\.tar\.(xz|gz|bz2)$", parts[2]):
            yield SourcePackage(fields.get("version", ""), parts[2], parts[0], int(parts[1]))


def _complaint(stderr: str) -> str | None:
    lines = [line for line in stderr.splitlines() if line.startswith(("E: ", "W: "))]
    errors = [line for line in lines if line.startswith("E: ")] or lines
    return errors[0][3:].strip() if errors else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
