"""Rules for the files beside a port's Makefile."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from portkit.lint.finding import Finding
from portkit.lint.portmake import expand

_WIDTH = 80
_DIGEST = re.compile(r"(SHA256|SIZE) \(([^()]+)\) = (\S+)")
_LENGTH = 24
_NAME = 100


def descr_findings(directory: Path) -> Iterator[Finding]:
    """pkg-descr: there, of some use, and no wider than a terminal."""
    path = directory / "pkg-descr"
    if not path.is_file():
        yield Finding(path, 0, "port-missing", "a port needs a pkg-descr")
        return
    lines = path.read_text(errors="replace").splitlines()
    if len("".join(lines).strip()) < 40:
        yield Finding(path, 0, "port-descr-short", "say in a few lines what the port is for")
    if len(lines) > _LENGTH:
        yield Finding(path, 0, "port-descr-long", f"{_LENGTH} lines are enough")
    for number, line in enumerate(lines, start=1):
        if not line.isascii():
            yield Finding(path, number, "port-ascii", "write plain ASCII")
        if len(line.expandtabs()) > _WIDTH:
            yield Finding(path, number, "port-descr-width", f"the line is wider than {_WIDTH}")
        if line.startswith("WWW:"):
            yield Finding(path, number, "port-descr-www", "WWW belongs into the Makefile")


def distinfo_findings(directory: Path, values: Mapping[str, str]) -> Iterator[Finding]:
    """distinfo: SHA256 and SIZE of every distfile and of nothing else."""
    path = directory / "distinfo"
    wanted = expected_distfiles(values)
    if not wanted:
        if path.exists():
            yield Finding(path, 0, "port-distinfo", "the port has no distfiles; remove this file")
        return
    if not path.is_file():
        yield Finding(path, 0, "port-missing", "the distfiles have no distinfo")
        return
    lines = path.read_text(errors="replace").splitlines()
    stamp = re.fullmatch(r"TIMESTAMP = (\d+)", lines[0]) if lines else None
    if stamp is None:
        yield Finding(path, 1, "port-distinfo", "the first line is to be TIMESTAMP = seconds")
    elif int(stamp[1]) > time.time():
        yield Finding(path, 1, "port-distinfo", "TIMESTAMP is in the future")
    found: dict[tuple[str, str], int] = {}
    for number, line in enumerate(lines[1:], start=2):
        match = _DIGEST.fullmatch(line)
        if match is None:
            yield Finding(path, number, "port-distinfo", "neither SHA256 nor SIZE of a file")
            continue
        kind, name, value = match.groups()
        if (kind, name) in found:
            yield Finding(path, number, "port-distinfo", f"{kind} of {name} is there twice")
        found[kind, name] = number
        if name not in wanted:
            yield Finding(path, number, "port-distinfo", f"{name} is not a distfile of the port")
        if not re.fullmatch(r"[0-9a-f]{64}" if kind == "SHA256" else r"[1-9]\d*", value):
            yield Finding(path, number, "port-distinfo", f"this is not a {kind}")
    for name in wanted:
        for kind in ("SHA256", "SIZE"):
            if (kind, name) not in found:
                yield Finding(path, 0, "port-distinfo", f"{kind} of {name} is missing")


def patch_findings(directory: Path, values: Mapping[str, str]) -> Iterator[Finding]:
    """files/patch-*: named as the framework finds them, not empty, at the right depth."""
    for path in sorted((directory / "files").glob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        if path.name.startswith("patch-") and not data.strip():
            yield Finding(path, 0, "port-patch", "the file is empty")
        elif path.name.startswith("patch-") and not data.endswith(b"\n"):
            yield Finding(path, data.count(b"\n") + 1, "port-newline", "no newline at the end")
        if path.suffix in (".orig", ".rej") or path.name.endswith("~"):
            yield Finding(path, 0, "port-patch", "a left-over of patch(1); remove it")
        elif path.name.startswith("patch-"):
            if not re.search(rb"^--- \S+.*\n\+\+\+ \S+", data, re.MULTILINE):
                yield Finding(path, 0, "port-patch", "there is no unified diff in it")
            deep = re.search(rb"^\+\+\+ b/", data, re.MULTILINE) is not None
            if deep and values.get("PATCH_STRIP") != "-p1":
                yield Finding(path, 0, "port-patch-strip", "paths with a/ and b/: PATCH_STRIP=-p1")


def stray_findings(directory: Path) -> Iterator[Finding]:
    """What does not belong into a port, or has a name that not every tool takes."""
    for path in sorted(directory.rglob("*")):
        name = path.name
        patch = path.parent.name == "files" and name.startswith("patch-")
        if path.is_symlink():
            yield Finding(path, 0, "port-file", "a symbolic link; remove it")
        elif path.is_dir():
            if name == "work" and path.parent == directory:
                yield Finding(path, 0, "port-file", "a working directory; 'make clean' removes it")
            elif not any(path.iterdir()):
                yield Finding(path, 0, "port-file", "an empty directory")
        elif name.startswith("."):
            yield Finding(path, 0, "port-file", "a hidden file")
        elif name in ("README.html", "core") or name.endswith((".core", ".bak")):
            yield Finding(path, 0, "port-file", "a left-over; remove it")
        elif patch and (len(name) > _NAME or not re.fullmatch(r"[\w.+-]+", name)):
            message = f"at most {_NAME} characters, letters, digits and -_.+ alone"
            yield Finding(path, 0, "port-file", message)
        elif not patch and path.stat().st_size == 0:
            yield Finding(path, 0, "port-file", "an empty file")


def expected_distfiles(values: Mapping[str, str]) -> list[str]:
    """Names of the archives that a Makefile fetches, as ``distinfo`` has them."""
    version = values.get("DISTVERSION") or values.get("PORTVERSION") or ""
    full = values.get("DISTVERSIONPREFIX", "") + version + values.get("DISTVERSIONSUFFIX", "")
    uses = values.get("USES", "").split()
    suffix = next((f".tar.{use[4:]}" for use in uses if use.startswith("tar:")), ".tar.gz")
    known = {
        "DISTVERSION": version,
        "PORTVERSION": version,
        "DISTVERSIONFULL": full,
        "DISTNAME": "${PORTNAME}-${DISTVERSIONFULL}",
        "EXTRACT_SUFX": suffix,
        **values,
    }
    options = {name for name in values if name.endswith(("_DISTFILES", "_DISTFILES_OFF"))}
    both_ways = any(f"{name}_OFF" in options for name in options)  # then the default is never used
    default = "" if both_ways else "${DISTNAME}${EXTRACT_SUFX}"
    lists = [values.get("DISTFILES", default), *(values[name] for name in sorted(options))]
    names = [name for each in lists for name in expand(each, known).split()]
    subdirectory = expand(known.get("DIST_SUBDIR", ""), known)
    plain = [re.sub(r":[A-Za-z0-9_,]+$", "", name) for name in names]
    return [f"{subdirectory}/{name}" if subdirectory else name for name in plain]
