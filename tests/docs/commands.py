"""portkit's command lines in other files: found, and held against the real commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click

from portkit.cli import main

_COMMAND = re.compile(
    r"(?:^|(?<=[\s`|'\"(]))(?:\.venv/bin/|python -m )?portkit((?: +[^\s`|;&<>()#]+)+)"
)


def commands(text: str) -> Iterator[list[str]]:
    """The arguments of every ``portkit COMMAND ...`` of a text, e.g. of a code block."""
    for line in text.replace("\\\n", " ").splitlines():
        for match in _COMMAND.finditer(line):
            rest = re.split(r" {2,}|'|\"(?= |$)", match[1].strip())[0] if "  " in line else match[1]
            try:
                words = shlex.split(rest)
            except ValueError:
                words = [word.strip("'\"") for word in rest.split()]
            yield words


def problem(words: list[str]) -> str | None:
    """What is wrong with a command line; options have to exist, values are not looked at."""
    globals_ = [word for word in words if word in ("--json", "-v", "--verbose")]
    rest = [word for word in words if word not in globals_]
    if rest[:1] == ["-C"]:
        rest = rest[2:]
    context = click.Context(main)
    command: click.Command = main
    while isinstance(command, click.Group) and rest and not rest[0].isupper():
        found = command.get_command(context, rest[0])
        if found is None:
            return f"no such command: {rest[0]}"
        command, rest = found, rest[1:]
    known = {name for param in command.params for name in param.opts} | {"--help", "-h"}
    for word in rest:
        if word in ("--", "sh"):  # what follows is another command's
            break
        if word.startswith("-") and word not in ("-", "--") and word.split("=")[0] not in known:
            return f"no such option of {command.name}: {word}"
    return None
