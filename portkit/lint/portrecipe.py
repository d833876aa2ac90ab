"""Rules for what a port's Makefile runs: recipes, paths, make's own language."""

from __future__ import annotations

import re
from collections.abc import Iterator

from portkit.lint.portmake import Kind, Line
from portkit.lint.portorder import Found

_PLAIN = (
    "awk basename cat chmod chown cp cpio dirname egrep expr false file find grep ln md5 mkdir "
    "mv objcopy paste patch perl printf rm rmdir ruby sed sh sort sysctl touch tr which xargs"
)
_COMMANDS = {
    **{name: f"${{{name.upper()}}}" for name in _PLAIN.split()},
    "echo": "${ECHO_CMD} or ${ECHO_MSG}", "env": "${SETENV}", "gmake": "${GMAKE}",
    "gunzip": "${GUNZIP_CMD}", "gzip": "${GZIP_CMD}", "install": "${INSTALL_DATA} and its like",
    "python": "${PYTHON_CMD}", "strip": "${STRIP_CMD}", "tar": "${TAR}", "unzip": "${UNZIP_CMD}",
}  # fmt: skip
_PATTERNS = (
    (r"(^|\s)@\$\{INSTALL_\w+\}", "show what is installed: no @ before an INSTALL command"),
    (r"\$\{MKDIR\} -p\b", "${MKDIR} has its -p already"),
    (r"\$\{CHMOD\}", "say modes in pkg-plist: @(owner,group,mode)"),
    (r"\$\{INSTALL\}.* -[og] ", "say owners in pkg-plist: @(owner,group,mode)"),
    (r"\$\{ENV\}", "${SETENV} is env(1)"),
    (r"\$\{GZIP_CMD\} -\d", "${GZIP_CMD} has its level already"),
)
_TEXTS = re.compile(
    r"COMMENT|WWW|\w+_DESC|(IGNORE|BROKEN|FORBIDDEN|DEPRECATED)\w*|\w+_REASON\w*|LICENSE_NAME\w*"
)
_ALLOWED = ("/dev/null", "/compat/", "/proc", "/etc/fstab", "/etc/inetd.conf", "/boot/loader.conf")
_EDIT = re.compile(
    r"\$\{(?:REINPLACE_CMD|SED)\}(?:\s+-\w+)*(?:\s+(?:-e\s+)?(?:'[^']*'|\"[^\"]*\"))+"
)


def recipe_findings(lines: list[Line]) -> Iterator[Found]:
    """Commands that have a variable, paths that have one, and what make(1) is not to be asked."""
    for line in lines:
        if line.kind is Kind.RECIPE:
            yield from ((line.number, "port-recipe", what) for what in _commands(line.value))
        if line.kind in (Kind.RECIPE, Kind.ASSIGNMENT) and not _TEXTS.fullmatch(line.name):
            yield from ((line.number, "port-path", what) for what in _paths(line.value))
        if line.kind is not Kind.COMMENT:
            yield from ((line.number, "port-make", what) for what in _language(line))


def _commands(text: str) -> Iterator[str]:
    for pattern, what in _PATTERNS:
        if re.search(pattern, text):
            yield what
    for match in re.finditer(
        r"(?:^|&&|\|\|?|;|\(|\b(?:then|do|else)\s)\s*[@-]*([a-z][a-z0-9]*)(?=\s|$)", text
    ):
        if match[1] in _COMMANDS:
            yield f"use {_COMMANDS[match[1]]}, not {match[1]}"


def _paths(text: str) -> Iterator[str]:
    text = _EDIT.sub("", text)
    if "/usr/local" in text:
        yield "use ${PREFIX} or ${LOCALBASE}, not /usr/local"
        return
    for match in re.finditer(r"(?:^|[\s'\"@])(/\w[^\s'\"]*)", text):
        if not match[1].startswith(_ALLOWED):
            yield f"a path that is not below ${{PREFIX}}: {match[1]}"


def _language(line: Line) -> Iterator[str]:
    text = "\n".join(line.raw)
    if re.search(r"(?<!\$)\$\(\w+\)", text):
        yield "write ${VARIABLE}, not $(VARIABLE)"
    if line.kind is Kind.ASSIGNMENT and line.operator == "!=":
        yield "!= runs at every make, even for -V; do it in a target"
    if line.kind is Kind.DIRECTIVE:
        if re.search(r"empty\(\$", text):
            yield "write empty(VARIABLE), not empty(${VARIABLE})"
        if re.match(r"else\s*if\b", line.value):
            yield "write .elif"
        if "MACHINE_ARCH" in text:
            yield "test ARCH, not MACHINE_ARCH"
