"""``portkit.lock``: what every mirrored release was made of, so that it can be made again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from portkit.manifest.toml import Document, Table
from portkit.manifest.version import is_version, version_key

_HEADER = """\
# Written by 'portkit sync'; keep it under version control.
# A release that is mirrored again must give the tree (and, from the same source, the digest) here.
"""

_DATE = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class LockEntry:
    """A mirrored release.

    Attributes:
        upstream: name of the upstream.
        version: of the release.
        source: name of the source that served it.
        digest: ``sha256:<hex>`` of the archive, or ``commit:<id>`` of a git source.
        subtree: digest of the subtree that the tree was made for.
        tree: id of the tree in the mirror.
        date: of the release, in seconds since 1970.
    """

    upstream: str
    version: str
    source: str
    digest: str
    subtree: str
    tree: str
    date: int


class Lock:
    """The lock file's entries.

    Args:
        entries: at most one a release.
    """

    def __init__(self, entries: Iterable[LockEntry] = ()) -> None:
        self._entries: Mapping[tuple[str, str], LockEntry] = {
            (entry.upstream, entry.version): entry for entry in entries
        }

    @classmethod
    def read(cls, path: Path) -> Lock:
        """Read ``portkit.lock``; one that is not there has no entries.

        Raises:
            UsageError: it is not valid; the message has the line and the key.
        """
        if not path.exists():
            return cls()
        document = Document.read(path)
        top = Table(document, (), document.data)
        entries = [_entry(table) for table in top.array("release")]
        top.close()
        return cls(entries)

    def entry(self, upstream: str, version: str) -> LockEntry | None:
        """What is recorded for a release, or None."""
        return self._entries.get((upstream, version))

    def entries(self) -> list[LockEntry]:
        """All of them, by upstream and version."""
        return sorted(self._entries.values(), key=lambda e: (e.upstream, version_key(e.version)))

    def updated(self, entry: LockEntry) -> Lock:
        """A lock with this entry, in the place of an older one for the release."""
        return Lock([*self._entries.values(), entry])

    def to_bytes(self) -> bytes:
        """The file's content: a function of the entries alone."""
        text = _HEADER
        for entry in self.entries():
            text += (
                "\n[[release]]\n"
                f'upstream = "{entry.upstream}"\n'
                f'version = "{entry.version}"\n'
                f'source = "{entry.source}"\n'
                f'digest = "{entry.digest}"\n'
                f'subtree = "{entry.subtree}"\n'
                f'tree = "{entry.tree}"\n'
                f'date = "{_iso(entry.date)}"\n'
            )
        return text.encode()


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(_DATE)


def _entry(table: Table) -> LockEntry:
    patterns = {
        "upstream": r"[a-z0-9][a-z0-9._+-]*",
        "source": r"[a-z0-9][a-z0-9._+-]*",
        "digest": r"sha256:[0-9a-f]{64}|commit:[0-9a-f]{40,64}",
        "subtree": r"[0-9a-f]{16}",
        "tree": r"[0-9a-f]{40,64}",
    }
    fields = {key: table.text(key) for key in patterns}
    for key, pattern in patterns.items():
        if not re.fullmatch(pattern, fields[key]):
            table.fail(key, f"{fields[key]!r} is not valid", "take the entry out and sync again")
    version = table.text("version")
    if not is_version(version):
        table.fail("version", f"{version!r} is not a version", "take the entry out")
    text = table.text("date")
    try:
        date = int(datetime.strptime(text, _DATE).replace(tzinfo=UTC).timestamp())
    except ValueError:
        table.fail("date", f"{text!r} is not a date", "take the entry out and sync again")
    table.close()
    return LockEntry(version=version, date=date, **fields)
