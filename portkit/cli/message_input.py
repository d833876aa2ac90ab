"""Where the message of a patch comes from: options, a file, or the user's editor."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import click

from portkit.errors import EnvironmentProblem, PortkitError, UsageError


@dataclass(frozen=True, slots=True)
class Wording:
    """The editable head of a patch; see ``portkit.series.model.Patch``."""

    author: str
    date: str
    subject: str
    body: str


def wording(before: Wording, messages: Sequence[str], file: Path | None, saved: Path) -> Wording:
    """The new head of a patch.

    Args:
        before: the head to start from.
        messages: ``-m`` options: subject and paragraphs; author and date stay.
        file: ``-F``: a file as the editor would leave it; ``-`` is standard input.
        saved: where the editor's text is kept, for when the command fails later.

    Raises:
        UsageError: no subject, or the editor was left without saving.
        EnvironmentProblem: no editor, or the file cannot be read.
    """
    if messages and file:
        raise UsageError("-m and -F together", hint="give one of them")
    if messages:
        return Wording(before.author, before.date, messages[0].strip(), _body(messages[1:]))
    if file is not None:
        with click.open_file(str(file), "rb") as stream:
            return read_wording(stream.read(), before)
    try:
        text = click.edit(_template(before), extension=".eml", require_save=False)
    except click.ClickException as error:
        raise EnvironmentProblem(
            error.format_message(), hint="set EDITOR, or give the message with -m or -F"
        ) from error
    data = (text or "").encode("utf-8", "surrogateescape")
    saved.parent.mkdir(parents=True, exist_ok=True)
    saved.write_bytes(data)
    return read_wording(data, before)


@contextmanager
def text_kept(saved: Path) -> Iterator[None]:
    """Say in an error where the text of the editor is kept, so that no thought is lost."""
    before = _mtime(saved)
    try:
        yield
    except PortkitError as error:
        if _mtime(saved) != before:
            error.hint = f"{error.hint}; your text is in {saved}, give it with -F"
        raise


def _mtime(path: Path) -> int | None:
    return path.stat().st_mtime_ns if path.exists() else None


def read_wording(data: bytes, before: Wording) -> Wording:
    """Read an edited head: header fields or just a subject, then the body.

    Raises:
        UsageError: there is no subject.
    """
    from portkit.series.message import parse_message

    message = parse_message(data.splitlines(keepends=True))
    subject, body = message.subject, message.body
    if not subject and not message.author:
        subject, _, body = body.partition("\n")
    if not subject.strip():
        raise UsageError("the message has no subject", hint="give one line that says what it does")
    return Wording(
        message.author or before.author, message.date or before.date, subject.strip(), body.strip()
    )


def git_identity() -> tuple[str, str]:
    """Author and date (RFC 5322) of a new patch, as the user's git has them.

    Raises:
        UsageError: git knows no name.
    """
    done = subprocess.run(["git", "var", "GIT_AUTHOR_IDENT"], capture_output=True, check=False)
    if done.returncode:
        raise UsageError(
            "git knows no author", where="git config",
            hint="set user.name and user.email with 'git config --global'",
        )  # fmt: skip
    from portkit.series.commits import author_field

    text = os.fsdecode(done.stdout).strip()
    identity, seconds, zone = text.rsplit(" ", 2)
    name, _, mail = identity.rpartition(" <")
    date = format_datetime(_moment(int(seconds), zone)).replace(", 0", ", ")  # as git writes it
    return author_field(name, mail.rstrip(">")), date


def _moment(seconds: int, zone: str) -> datetime:
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
    return datetime.fromtimestamp(seconds, timezone(-offset if zone[0] == "-" else offset))


def _body(paragraphs: Sequence[str]) -> str:
    return "\n\n".join(part.strip() for part in paragraphs if part.strip())


def _template(before: Wording) -> str:
    return (
        f"From: {before.author}\nDate: {before.date}\nSubject: {before.subject}\n\n{before.body}\n"
    )
