"""What portlint and portclippy would say about a port, on any host.

The order of variables is that of the Porter's Handbook, chapter "Order of Variables in Port
Makefiles". On FreeBSD the two programs themselves are asked as well, when they are installed.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from portkit.lint.finding import Finding
from portkit.lint.portfiles import descr_findings, distinfo_findings, patch_findings, plist_findings
from portkit.lint.portmake import Kind, Line, parse_makefile, variables

# One block a line; within a block the variables come in this order.
BLOCKS = (
    "PORTNAME PORTVERSION DISTVERSIONPREFIX DISTVERSION DISTVERSIONSUFFIX PORTREVISION PORTEPOCH "
    "CATEGORIES MASTER_SITES MASTER_SITE_SUBDIR PKGNAMEPREFIX PKGNAMESUFFIX DISTNAME EXTRACT_SUFX "
    "DISTFILES DIST_SUBDIR EXTRACT_ONLY",
    "PATCH_SITES PATCHFILES PATCH_DIST_STRIP",
    "MAINTAINER COMMENT WWW",
    "LICENSE LICENSE_COMB LICENSE_GROUPS LICENSE_NAME LICENSE_TEXT LICENSE_FILE LICENSE_PERMS "
    "LICENSE_DISTFILES",
    "DEPRECATED EXPIRATION_DATE FORBIDDEN BROKEN IGNORE ONLY_FOR_ARCHS ONLY_FOR_ARCHS_REASON "
    "NOT_FOR_ARCHS NOT_FOR_ARCHS_REASON",
    "FETCH_DEPENDS EXTRACT_DEPENDS PATCH_DEPENDS BUILD_DEPENDS LIB_DEPENDS RUN_DEPENDS "
    "TEST_DEPENDS",
    "FLAVORS FLAVOR",
    "USES",
)
_PLACE = {
    name: (block, place)
    for block, names in enumerate(BLOCKS)
    for place, name in enumerate(names.split())
}
_LICENSES = (
    "AGPLv3 APACHE20 ART10 ART20 BSD0CLAUSE BSD2CLAUSE BSD3CLAUSE BSD4CLAUSE BSL CC0-1.0 CDDL "
    "EPL GFDL GPLv1 GPLv1+ GPLv2 GPLv2+ GPLv3 GPLv3+ ISCL LGPL20 LGPL20+ LGPL21 LGPL21+ LGPL3 "
    "LGPL3+ MIT MPL10 MPL11 MPL20 NONE OFL11 OpenSSL PD PSFL PostgreSQL UNLICENSE WTFPL ZLIB"
)
LICENSES = frozenset(_LICENSES.split(" "))
_MANDATORY = ("PORTNAME", "CATEGORIES", "MAINTAINER", "COMMENT", "LICENSE")
_SORTED = ("USES", "OPTIONS_DEFINE", "OPTIONS_DEFAULT", "ONLY_FOR_ARCHS")
_COMMENT_LENGTH = 70


def lint_port(directory: Path) -> list[Finding]:
    """Findings in one port, sorted by file and line.

    Args:
        directory: of the port; its parent's name is its category.
    """
    makefile = directory / "Makefile"
    if not makefile.is_file():
        return [Finding(makefile, 0, "port-missing", "a port needs a Makefile")]
    lines = parse_makefile(makefile.read_text(errors="replace"))
    values = variables(lines)
    found: list[Finding] = []
    for path in sorted(directory.glob("*")):
        if path.is_file():
            found += _whitespace(path)
    for line, rule, message in _makefile(lines, values, directory):
        found.append(Finding(makefile, line, rule, message))
    found += descr_findings(directory)
    found += plist_findings(directory, lines, values)
    found += distinfo_findings(directory, values)
    found += patch_findings(directory, values)
    found += _native(directory)
    return sorted(set(found))


def _whitespace(path: Path) -> Iterator[Finding]:
    data = path.read_bytes()
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.endswith(b"\r"):
            yield Finding(path, number, "port-crlf", "the line ends with CR LF; use LF")
        elif line != line.rstrip(b" \t"):
            yield Finding(path, number, "port-whitespace", "blanks at the end of the line")
    if data and not data.endswith(b"\n"):
        yield Finding(path, data.count(b"\n") + 1, "port-newline", "no newline at the end")


def _makefile(
    lines: list[Line], values: dict[str, str], directory: Path
) -> Iterator[tuple[int, str, str]]:
    yield from _order(lines)
    yield from _style(lines)
    at = {line.name: line.number for line in reversed(lines) if line.kind is Kind.ASSIGNMENT}
    for name in _MANDATORY:
        if not values.get(name):
            yield 0, "port-missing", f"{name} is not set"
    if ("PORTVERSION" in values) == ("DISTVERSION" in values):
        yield at.get("PORTVERSION", 0), "port-version", "set one of DISTVERSION and PORTVERSION"
    if values.get("PORTREVISION", "1") == "0" or not values.get("PORTREVISION", "1").isdigit():
        yield at["PORTREVISION"], "port-revision", "PORTREVISION is a number above 0, or not set"
    category = values.get("CATEGORIES", "").split(" ")[0]
    if category and category != directory.parent.name:
        yield at["CATEGORIES"], "port-category", f"the first is to be {directory.parent.name}"
    maintainer = values.get("MAINTAINER", "")
    if maintainer and not re.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", maintainer):
        yield at["MAINTAINER"], "port-maintainer", "MAINTAINER is one mail address, nothing else"
    yield from ((at["COMMENT"], *rest) for rest in _comment(values))
    www = values.get("WWW", "")
    if not re.fullmatch(r"https?://[^\s]+\.[^\s]+", www):
        yield at.get("WWW", 0), "port-www", "WWW is the project's URL, with http:// or https://"
    yield from ((at["LICENSE"], *rest) for rest in _license(values))
    for name in _SORTED:
        words = values.get(name, "").split()
        if words != sorted(words, key=str.lower):
            yield at[name], "port-sort", f"sort the words of {name}"
    text = [line for line in lines if line.kind is not Kind.BLANK]
    if not text or text[-1].value not in ("include <bsd.port.mk>", "include <bsd.port.post.mk>"):
        number = text[-1].number if text else 0
        yield number, "port-include", "the last line is to be .include <bsd.port.mk>"


def _comment(values: dict[str, str]) -> Iterator[tuple[str, str]]:
    comment = values.get("COMMENT", "")
    if len(comment) > _COMMENT_LENGTH:
        yield "port-comment-length", f"COMMENT has {len(comment)} characters, {_COMMENT_LENGTH} fit"
    if comment.endswith("."):
        yield "port-comment-period", "COMMENT does not end with a period"
    if comment[:1].islower():
        yield "port-comment-case", "COMMENT starts with a capital letter"
    if re.match(r"(An?|The) ", comment):
        yield "port-comment-article", "COMMENT does not start with an article"
    name = values.get("PORTNAME", "")
    if name and comment.lower().startswith(f"{name.lower()} "):
        yield "port-comment-name", "COMMENT does not start with the port's name"


def _license(values: dict[str, str]) -> Iterator[tuple[str, str]]:
    names = values.get("LICENSE", "").split()
    for name in names:
        if name not in LICENSES and f"LICENSE_NAME_{name}" not in values:
            yield "port-license", f"{name} is not a licence that the ports framework knows"
    if len(names) > 1 and values.get("LICENSE_COMB") not in ("multi", "dual"):
        yield "port-license", "several licences need LICENSE_COMB=dual or multi"


def _order(lines: list[Line]) -> Iterator[tuple[int, str, str]]:
    """The known variables in the handbook's order; a blank line between two blocks."""
    last: Line | None = None
    reached = (-1, -1)
    gap = False
    seen: dict[str, int] = {}
    for line in lines:
        if line.kind is Kind.BLANK:
            gap = True
        if line.kind is not Kind.ASSIGNMENT or line.depth:
            continue
        if line.operator == "=" and line.name in seen:
            yield line.number, "port-twice", f"{line.name} is already set on line {seen[line.name]}"
        seen.setdefault(line.name, line.number)
        place = _PLACE.get(line.name)
        if place is None:
            continue
        if place < reached and last is not None:
            yield line.number, "port-order", f"{line.name} comes before {last.name}"
        elif last is not None and (place[0] != reached[0]) != gap:
            what = (
                "starts a block: put a blank line before it"
                if not gap
                else (f"belongs to the block of {last.name}: no blank line between")
            )
            yield line.number, "port-block", f"{line.name} {what}"
        if place >= reached:
            reached, last = place, line
        gap = False


def _style(lines: list[Line]) -> Iterator[tuple[int, str, str]]:
    for line in lines:
        if line.kind is Kind.OTHER:
            yield line.number, "port-syntax", "neither an assignment, a target nor a directive"
        if line.kind is not Kind.ASSIGNMENT:
            continue
        if line.raw[0].rstrip("\\").strip().endswith("=") and len(line.raw) == 1:
            continue
        if not line.gap or line.gap.strip("\t"):
            yield line.number, "port-tab", f"put tabs, not blanks, after {line.name}{line.operator}"
        for offset, physical in enumerate(line.raw[1:], start=1):
            if not physical.startswith("\t"):
                yield line.number + offset, "port-tab", "a continued line starts with a tab"


def _native(directory: Path) -> Iterator[Finding]:
    """What FreeBSD's own checkers say, where they are installed."""
    if platform.system() != "FreeBSD":
        return
    for command in (["portlint", "-A", "."], ["portclippy", "Makefile"]):
        program = shutil.which(command[0])
        if program is None:
            continue
        done = subprocess.run(
            [program, *command[1:]], cwd=directory, capture_output=True, text=True, check=False
        )
        for text in done.stdout.splitlines():
            if command[0] == "portclippy" or text.startswith(("WARN:", "FATAL:")):
                yield Finding(directory / "Makefile", 0, command[0], " ".join(text.split()))
