"""Rules for a port's pkg-plist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from portkit.lint.finding import Finding
from portkit.lint.portmake import Kind, Line

_OPTION = re.compile(r"%%([A-Z0-9_]+)%%")
_KEYWORDS = (
    "comment config dir fc fcfontsdir fontsdir glib-schemas group info kld ldconfig ldconfig-linux "
    "mode owner postexec postunexec preexec preunexec rmtry sample shell terminfo"
)
_SHORT = 6  # fewer entries belong into PLIST_FILES
_PLACES = (
    (r"lib/pkgconfig/", "pkg-config looks in libdata/pkgconfig"),
    (r"(share/)?info/.*\.info", "info files are named by INFO in the Makefile"),
    (r"libdata/pkgconfig/?$", "the directory is the system's"),
    (r".*\.core$|(.*/)?a\.out$", "periodic(8) removes files of this name"),
    (r".*\.DS_Store$", "not a file to install"),
)
# What is installed, and what has to be used for it.
_USES = (
    (r"share/applications/.*\.desktop$", "USES", "desktop-file-utils"),
    (r"share/locale/.*\.mo$", "USES", "gettext"),
    (r"share/mime/packages/", "USES", "shared-mime-info"),
    (r"lib/lib[^/]+\.so[.\d]*$", "USE_LDCONFIG", "yes"),
)


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
            yield from (
                Finding(path, number, "port-plist-keyword", what) for what in _keyword(line)
            )
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
        for place, what in _PLACES:
            if re.match(place, bare):
                yield Finding(path, number, "port-plist-place", what)
    yield from _used(path, list(seen), lines)
    if 0 < len(seen) < _SHORT:
        yield Finding(path, 0, "port-plist-short", f"{len(seen)} files: name them in PLIST_FILES")


def _used(path: Path, files: list[str], lines: list[Line]) -> Iterator[Finding]:
    """USES that what is installed needs."""
    for pattern, name, word in _USES:
        words = {
            each.partition(":")[0]
            for line in lines
            if line.name == name or line.name.endswith(f"_{name}")
            for each in line.value.split()
        }
        if word not in words and any(re.match(pattern, file) for file in files):
            first = next(file for file in files if re.match(pattern, file))
            yield Finding(path, 0, "port-uses", f"{first} needs {name}={word} in the Makefile")


def _keyword(line: str) -> Iterator[str]:
    word = line.split()[0].removeprefix("@")
    bare = re.sub(r"\(.*", "", word)
    if bare and bare not in _KEYWORDS.split():
        yield f"@{bare} is no keyword of pkg-plist, or one no more"
    if bare == "sample" and len(line.split()) == 2 and not line.endswith(".sample"):
        yield "the name of an @sample ends in .sample"
