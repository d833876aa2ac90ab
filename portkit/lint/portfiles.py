"""Rules for the files beside a port's Makefile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from portkit.lint.finding import Finding
from portkit.lint.portmake import Kind, Line, expand

_WIDTH = 80
_DIGEST = re.compile(r"(SHA256|SIZE) \(([^()]+)\) = (\S+)")
_OPTION = re.compile(r"%%([A-Z0-9_]+)%%")


def descr_findings(directory: Path) -> Iterator[Finding]:
    """pkg-descr: there, of some use, and no wider than a terminal."""
    path = directory / "pkg-descr"
    if not path.is_file():
        yield Finding(path, 0, "port-missing", "a port needs a pkg-descr")
        return
    lines = path.read_text(errors="replace").splitlines()
    if len("".join(lines).strip()) < 40:
        yield Finding(path, 0, "port-descr-short", "say in a few lines what the port is for")
    for number, line in enumerate(lines, start=1):
        if len(line.expandtabs()) > _WIDTH:
            yield Finding(path, number, "port-descr-width", f"the line is wider than {_WIDTH}")
        if line.startswith("WWW:"):
            yield Finding(path, number, "port-descr-www", "WWW belongs into the Makefile")


def plist_findings(
    directory: Path, lines: list[Line], values: Mapping[str, str]
) -> Iterator[Finding]:
    """pkg-plist: sorted, nothing twice, no absolute path, every option tag known."""
    path = directory / "pkg-plist"
    if not path.is_file():
        if not any(line.name in ("PLIST_FILES", "NO_PLIST") for line in lines):
            yield Finding(path, 0, "port-missing", "a port needs a pkg-plist or PLIST_FILES")
        return
    options = {
        word
        for line in lines
        if line.kind is Kind.ASSIGNMENT and line.name.startswith("OPTIONS_")
        for word in line.value.split()
    }
    known = {"DATADIR", "DOCSDIR", "ETCDIR", "EXAMPLESDIR", "KMODDIR", "PREFIX", "PORTVERSION"}
    known |= set(re.findall(r"([A-Z0-9_]+)=", values.get("PLIST_SUB", "")))
    known |= options if values.get("OPTIONS_SUB") == "yes" else set()
    seen: dict[str, int] = {}
    last = ""
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
        bare = re.sub(r"^(%%(?!DATADIR|KMODDIR)[A-Z0-9_]+%%)+", "", line)
        for tag in _OPTION.findall(line):
            if tag.removeprefix("NO_") not in known:
                yield Finding(path, number, "port-plist-tag", f"nothing replaces %%{tag}%%")
        if line.startswith("@"):
            continue
        if not line.strip():
            yield Finding(path, number, "port-plist-blank", "no blank lines here")
            continue
        if bare in seen:
            yield Finding(path, number, "port-plist-twice", f"already on line {seen[bare]}")
        seen.setdefault(bare, number)
        if bare < last:
            yield Finding(path, number, "port-plist-order", f"sort it before {last}")
        last = max(last, bare)
        if bare.startswith("/") and not bare.startswith("/%%"):
            yield Finding(path, number, "port-plist-absolute", "give the path below PREFIX")
        if re.search(r"/man/man\d/[^/]+\.\d$", bare):
            yield Finding(path, number, "port-plist-man", "manual pages are installed as .gz")


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
    if not lines or not re.fullmatch(r"TIMESTAMP = \d+", lines[0]):
        yield Finding(path, 1, "port-distinfo", "the first line is to be TIMESTAMP = seconds")
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
        if not data.strip():
            yield Finding(path, 0, "port-patch", "the file is empty")
        if path.suffix in (".orig", ".rej") or path.name.endswith("~"):
            yield Finding(path, 0, "port-patch", "a left-over of patch(1); remove it")
        elif path.name.startswith("patch-"):
            if not re.search(rb"^--- \S+.*\n\+\+\+ \S+", data, re.MULTILINE):
                yield Finding(path, 0, "port-patch", "there is no unified diff in it")
            deep = re.search(rb"^\+\+\+ b/", data, re.MULTILINE) is not None
            if deep and values.get("PATCH_STRIP") != "-p1":
                yield Finding(path, 0, "port-patch-strip", "paths with a/ and b/: PATCH_STRIP=-p1")


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
    names = expand(known.get("DISTFILES", "${DISTNAME}${EXTRACT_SUFX}"), known).split()
    subdirectory = expand(known.get("DIST_SUBDIR", ""), known)
    plain = [re.sub(r":[A-Za-z0-9_,]+$", "", name) for name in names]
    return [f"{subdirectory}/{name}" if subdirectory else name for name in plain]
