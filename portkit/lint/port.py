"""What portlint and portclippy would say about a port, on any host.

docs/ports.md has the table of what was compared with them. On FreeBSD the two programs themselves
are asked as well, when they are installed.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from portkit.lint.finding import Finding
from portkit.lint.portfiles import (
    descr_findings,
    distinfo_findings,
    patch_findings,
    stray_findings,
)
from portkit.lint.portmake import Kind, Line, parse_makefile, variables
from portkit.lint.portorder import Found, order_findings
from portkit.lint.portplist import plist_findings
from portkit.lint.portrecipe import recipe_findings
from portkit.lint.portwords import option_findings, word_findings


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
    plist = directory / "pkg-plist"
    text = plist.read_text(errors="replace") if plist.is_file() else ""
    for line, rule, message in _makefile(lines, values, directory, text):
        found.append(Finding(makefile, line, rule, message))
    found += descr_findings(directory)
    found += plist_findings(directory, lines, values)
    found += distinfo_findings(directory, values)
    found += patch_findings(directory, values)
    found += stray_findings(directory)
    found += _native(directory)
    return sorted(set(found))


def _whitespace(path: Path) -> Iterator[Finding]:
    data = path.read_bytes()
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.endswith(b"\r"):
            yield Finding(path, number, "port-crlf", "the line ends with CR LF; use LF")
        elif line != line.rstrip(b" \t"):
            yield Finding(path, number, "port-whitespace", "blanks at the end of the line")
    if data.endswith(b"\n\n"):
        yield Finding(path, data.count(b"\n"), "port-blank", "no blank line at the end")
    if data and not data.endswith(b"\n"):
        yield Finding(path, data.count(b"\n") + 1, "port-newline", "no newline at the end")


def _makefile(
    lines: list[Line], values: dict[str, str], directory: Path, plist: str
) -> Iterator[Found]:
    options = [
        word
        for name, value in values.items()
        if re.fullmatch(r"OPTIONS_(DEFINE|(GROUP|MULTI|RADIO|SINGLE)_\w+)", name)
        for word in value.split()
    ]
    yield from order_findings(lines, options)
    yield from word_findings(lines, values, directory)
    yield from option_findings(lines, options, plist)
    yield from recipe_findings(lines)
    yield from _style(lines)
    text = [line for line in lines if line.kind is not Kind.BLANK]
    if not text or text[-1].value not in ("include <bsd.port.mk>", "include <bsd.port.post.mk>"):
        number = text[-1].number if text else 0
        yield number, "port-include", "the last line is to be .include <bsd.port.mk>"


def _style(lines: list[Line]) -> Iterator[Found]:
    blank = False
    for line in lines:
        if line.kind is Kind.BLANK and blank:
            yield line.number, "port-blank", "one blank line is enough"
        blank = line.kind is Kind.BLANK
        if line.kind is Kind.OTHER:
            yield line.number, "port-syntax", "neither an assignment, a target nor a directive"
        if line.kind in (Kind.ASSIGNMENT, Kind.RECIPE):
            for offset, physical in enumerate(line.raw[1:], start=1):
                if not physical.startswith("\t"):
                    yield line.number + offset, "port-tab", "a continued line starts with a tab"
        if line.kind is not Kind.ASSIGNMENT:
            continue
        if line.raw[0].rstrip("\\").strip().endswith("=") and len(line.raw) == 1:
            continue
        if not line.gap or line.gap.strip("\t"):
            yield line.number, "port-tab", f"put tabs, not blanks, after {line.name}{line.operator}"


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
