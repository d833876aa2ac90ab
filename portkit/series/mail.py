"""Patches as mails: read any mbox, write one that gives the same patches back.

Mail comes from outside: it may be encoded for transport (quoted-printable, base64, MIME parts,
CRLF). That is undone here, and what comes out goes through the strict parser.
Format: mbox(5) as ``git format-patch --stdout`` and ``git mailsplit`` have it.
"""

from __future__ import annotations

import email
import io
import re
from collections.abc import Sequence
from contextlib import suppress
from email.message import Message

from portkit.errors import UsageError
from portkit.series.message import MBOX_LINE, decode, encode, message_end
from portkit.series.model import Patch
from portkit.series.patch import canonical, free_name, parse_patch
from portkit.series.paths import BadPath, printable
from portkit.series.store import check_name

# what git mailsplit takes for a separator: "From ", a time and a year
_SEPARATOR = re.compile(rb"From \S.*\d\d:\d\d(?::\d\d)? .*(?:19|20)\d\d")
_ESCAPED = re.compile(rb">+From \S.*\d\d:\d\d(?::\d\d)? .*(?:19|20)\d\d")
_HEADER = re.compile(rb"([A-Za-z][A-Za-z0-9-]*):")
_NAME_FIELD = b"X-Patch-Name"
#: A mail with no other field was never in transport, and its bytes are the patch.
_PLAIN_FIELDS = frozenset({b"from", b"date", b"subject", _NAME_FIELD.lower()})
_DIFF = re.compile(rb"^(?:diff --git |--- .*\n\+\+\+ )", re.MULTILINE)
_PATCH_TYPES = ("text/plain", "text/x-patch", "text/x-diff", "application/octet-stream")


def write_mbox(patches: Sequence[Patch]) -> bytes:
    """One mail per patch, its name in a header field; ``read_mbox`` gives the patches back.

    A patch that is no mail (DEP-3 or plain text before the diff) is brought into that form.

    Raises:
        UsageError: a patch without author or subject.
    """
    return b"".join(_write_mail(patch) for patch in patches)


def read_mbox(data: bytes, taken: Sequence[str]) -> tuple[list[Patch], list[str]]:
    """The patches of an mbox, in its order.

    Args:
        data: the file; a single mail without the ``From`` line is one, too.
        taken: patch names that are in use.

    Returns:
        The patches, and the subjects of mails without a diff (cover letters, replies).

    Raises:
        UsageError: there is no patch in it, or one is not clean.
    """
    patches: list[Patch] = []
    skipped: list[str] = []
    for number, mail in enumerate(_split(data), start=1):
        names = [*taken, *(patch.name for patch in patches)]
        patch = _read_mail(mail, f"mail {number}", names)
        if patch is None:
            skipped.append(printable(decode(_fields(mail).get(b"subject", b"(no subject)"))))
        else:
            patches.append(patch)
    if not patches:
        raise UsageError("no patch in this mbox", hint="give a file of mails with diffs")
    return patches, skipped


def _write_mail(patch: Patch) -> bytes:
    if not patch.author or not patch.subject:
        raise UsageError(
            "a mail needs an author and a subject", where=patch.name,
            hint=f"add them with 'portkit edit ... {patch.name}'",
        )  # fmt: skip
    raw = patch.raw
    if not _SEPARATOR.match(raw):
        is_mail = re.match(rb"(?:From|Date|Subject):", raw)
        raw = encode(MBOX_LINE) + raw if is_mail else canonical(patch).raw
    first, _, rest = raw.partition(b"\n")
    field = b"%s: %s\n" % (_NAME_FIELD, encode(patch.name))
    lines = [
        b">" + line if _SEPARATOR.match(line) or _ESCAPED.match(line) else line
        for line in io.BytesIO(rest)
    ]
    return first + b"\n" + field + b"".join(lines) + b"\n"


def _split(data: bytes) -> list[bytes]:
    mails: list[list[bytes]] = [[]]
    for line in io.BytesIO(data):
        if _SEPARATOR.match(line):
            mails.append([])
        mails[-1].append(line[1:] if _ESCAPED.match(line) else line)
    joined = (b"".join(lines) for lines in mails)
    return [mail for mail in joined if mail.strip()]


def _read_mail(mail: bytes, where: str, taken: Sequence[str]) -> Patch | None:
    """The patch of one mail; None when there is no diff in it."""
    fields = _fields(mail)
    plain = fields.keys() <= _PLAIN_FIELDS and not _in_transport_form(mail)
    raw = _without_name(mail) if plain else _undo_transport(mail, fields, where)
    if not _DIFF.search(raw):
        return None
    patch = parse_patch(where, raw)
    patch = parse_patch(_name(fields, patch, taken), raw)
    return patch if plain else canonical(patch)


def _without_name(mail: bytes) -> bytes:
    """The mail without what ``_write_mail`` put in: the name, and a line that ends it."""
    head, blank, body = mail.partition(b"\n\n")
    lines = (head + blank).splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(_NAME_FIELD + b":")]
    return b"".join(kept) + (body[:-1] if body.endswith(b"\n\n") else body)


def _fields(mail: bytes) -> dict[bytes, bytes]:
    """Header fields by lower-case name, each unfolded."""
    found: dict[bytes, bytes] = {}
    key = b""
    for line in mail.splitlines():
        if _SEPARATOR.match(line):
            continue
        match = _HEADER.match(line)
        if match:
            key = match[1].lower()
            found[key] = line[match.end() :].strip()
        elif line[:1] in (b" ", b"\t") and key:
            found[key] += b" " + line.strip()
        else:
            break
    return found


def _name(fields: dict[bytes, bytes], patch: Patch, taken: Sequence[str]) -> str:
    """The name that the mail asks for, if it can have it, else one made from the subject."""
    wanted = decode(fields.get(_NAME_FIELD.lower(), b""))
    try:
        return wanted if wanted and check_name(wanted) not in taken else _made(patch, taken)
    except BadPath:
        return _made(patch, taken)


def _made(patch: Patch, taken: Sequence[str]) -> str:
    return free_name(patch.subject, taken)


def _undo_transport(mail: bytes, fields: dict[bytes, bytes], where: str) -> bytes:
    """A patch file from a mail: three header fields, the text parts decoded, no CR at line ends."""
    head = b"".join(
        b"%s: %s\n" % (key.title(), fields[key])
        for key in (b"from", b"date", b"subject") if key in fields
    )  # fmt: skip
    try:
        message = email.message_from_bytes(mail)
        parts = [_part_text(part) for part in message.walk() if not part.is_multipart()]
    except RecursionError as error:
        raise UsageError(
            "mail with too many nested parts", where=where, hint="save the patch itself to a file"
        ) from error
    return head + b"\n" + b"\n".join(part for part in parts if part)


def _in_transport_form(data: bytes) -> bool:
    """Does every line end with CRLF? If just some do, they are lines of a file with CRLF."""
    return b"\r\n" in data and data.count(b"\n") == data.count(b"\r\n")


def _part_text(part: Message) -> bytes:
    if part.get_content_type() not in _PATCH_TYPES:
        return b""
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    if _in_transport_form(data):
        data = data.replace(b"\r\n", b"\n")
    lines = io.BytesIO(data).readlines()
    # the message is text in the mail's charset, the diff is bytes of the file
    first = next((at for at, line in enumerate(lines) if _DIFF.match(line)), len(lines))
    end = message_end(lines, first)
    text = b"".join(lines[:end])
    with suppress(LookupError, ValueError):  # an unknown or wrong charset: keep the bytes
        text = text.decode(str(part.get_content_charset("utf-8"))).encode()
    return text + b"".join(lines[end:])
