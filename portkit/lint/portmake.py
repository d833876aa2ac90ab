"""The lines of a port's Makefile, as far as lint needs to understand make(1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

_ASSIGNMENT = re.compile(r"([A-Za-z0-9_.${}-]+?)([ \t]*)([+?:!]?=)([ \t]*)(.*)", re.DOTALL)
_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_]+)\}")


class Kind(Enum):
    """What a logical line is."""

    BLANK = "blank"
    COMMENT = "comment"
    DIRECTIVE = "directive"
    ASSIGNMENT = "assignment"
    TARGET = "target"
    RECIPE = "recipe"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Line:
    """One logical line: continued lines are joined.

    Attributes:
        number: of its first physical line, from 1.
        kind: what it is.
        raw: the physical lines, without their newlines.
        name: the variable of an assignment; else empty.
        operator: ``=``, ``+=``, ``?=``, ``:=`` or ``!=`` of an assignment; else empty.
        gap: the blanks between operator and value.
        value: words of an assignment joined by one blank, without a comment; else the text.
        depth: how many ``.if`` and ``.for`` are open.
    """

    number: int
    kind: Kind
    raw: tuple[str, ...]
    name: str
    operator: str
    gap: str
    value: str
    depth: int


def parse_makefile(text: str) -> list[Line]:
    """Split a Makefile into logical lines; never fails, what it does not know is OTHER."""
    found: list[Line] = []
    depth = 0
    in_recipes = False
    pending: list[str] = []
    start = 0
    for number, physical in enumerate(text.removesuffix("\n").split("\n"), start=1):
        start = start or number
        pending.append(physical)
        if physical.endswith("\\") and not pending[0].startswith("#"):
            continue
        line = _line(start, tuple(pending), depth, in_recipes)
        word = line.value.split(" ")[0] if line.kind is Kind.DIRECTIVE else ""
        if word in ("endif", "endfor"):
            depth = max(0, depth - 1)
        elif word in ("if", "ifdef", "ifndef", "ifmake", "for"):
            depth += 1
        if line.kind in (Kind.TARGET, Kind.ASSIGNMENT):
            in_recipes = line.kind is Kind.TARGET
        found.append(line)
        pending, start = [], 0
    return found


def variables(lines: list[Line]) -> dict[str, str]:
    """Values of the unconditional assignments, later ones winning, ``+=`` appended."""
    found: dict[str, str] = {}
    for line in lines:
        if line.kind is Kind.ASSIGNMENT and line.depth == 0:
            if line.operator == "+=" and line.name in found:
                found[line.name] = f"{found[line.name]} {line.value}".strip()
            elif line.operator != "?=" or line.name not in found:
                found[line.name] = line.value
    return found


def expand(value: str, known: Mapping[str, str]) -> str:
    """Replace plain ``${NAME}`` references to known variables; others stay."""
    for _ in range(10):
        replaced = _REFERENCE.sub(lambda match: known.get(match[1], match[0]), value)
        if replaced == value:
            break
        value = replaced
    return value


def _line(number: int, raw: tuple[str, ...], depth: int, in_recipes: bool) -> Line:
    joined = " ".join(part.removesuffix("\\").strip() for part in raw).strip()
    first = raw[0]
    kind, name, operator, gap, value = Kind.OTHER, "", "", "", joined
    if not joined:
        kind = Kind.BLANK
    elif first.startswith("\t") and in_recipes:
        kind = Kind.RECIPE
    elif first.lstrip().startswith("#"):
        kind = Kind.COMMENT
    elif first.startswith("."):
        kind, value = Kind.DIRECTIVE, joined[1:].strip()
    elif match := _ASSIGNMENT.fullmatch(first):
        kind, name, operator, gap = Kind.ASSIGNMENT, match[1], match[3], match[4]
        whole = " ".join([match[5].removesuffix("\\").strip(), *_continued(raw)])
        value = re.sub(r"(?:^|(?<=\s))#.*", "", whole).strip()
        value = " ".join(value.split())
    elif re.match(r"[A-Za-z0-9_.${}/ -]+::?", first):
        kind = Kind.TARGET
    return Line(number, kind, raw, name, operator, gap, value, depth)


def _continued(raw: tuple[str, ...]) -> list[str]:
    return [part.removesuffix("\\").strip() for part in raw[1:]]
