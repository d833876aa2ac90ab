"""portkit's command lines in other files: found, and parsed by the real commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
from click.exceptions import NoArgsIsHelpError

from portkit.cli import main

#: A word of a shell; two blanks end a command line, what follows explains it.
_WORD = r"(?:\"[^\"]*\"|'[^']*'|\$\{\{.*?\}\}|[^\s\"'|;&<>()#`])+"
_COMMAND = re.compile(
    rf"(?:^|(?<=[\s`|'\"(]))(?:\.venv/bin/|python -m )?portkit((?: {_WORD})+)(?![^\s|;&<>()#`'\"])"
)
_PLACEHOLDER = re.compile(r"[A-Z]+(?:\.\.\.)?|.*[$*].*|\.\.\.")


def commands(text: str) -> Iterator[list[str]]:
    """The arguments of every ``portkit COMMAND ...`` of a text, e.g. of a code block."""
    for line in re.sub(r" *\\\n\s*", " ", text).splitlines():
        for match in _COMMAND.finditer(line):
            yield [
                word if word.startswith("${{") else shlex.split(word)[0]
                for word in re.findall(_WORD, match[1])
            ]


def problem(words: list[str], whole: bool = True) -> str | None:
    """What is wrong with a command line, by the parser of the command itself.

    Args:
        words: the arguments. Brackets of a synopsis do not count, and what stands for a value
            ("SERIES", "$TRACK") is not looked at.
        whole: nothing may be missing; a command that a sentence names needs no arguments.
    """
    words = [word.strip("[]") for word in words if word.strip("[].")]
    try:
        context = main.make_context("portkit", words)
        command: click.Command = main
        while isinstance(command, click.Group):
            rest = [*context._protected_args, *context.args]
            if not rest:
                break
            _, found, rest = command.resolve_command(context, rest)
            assert found is not None
            command = found
            context = command.make_context(command.name, rest, parent=context)
    except (click.MissingParameter, click.BadOptionUsage, NoArgsIsHelpError) as error:
        return error.format_message() if whole else None
    except click.BadParameter as error:
        values = any(_PLACEHOLDER.fullmatch(word) for word in words)
        return None if values or "does not exist" in error.message else error.format_message()
    except click.UsageError as error:
        return None if words[-1] == "COMMAND" else error.format_message()
    return None
