"""Series made from file contents, for the engine's tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path, PurePosixPath

from click.testing import CliRunner, Result

from portkit.cli import main
from portkit.engine.tree import Tree
from portkit.errors import PortkitError
from portkit.series.diff import FileChange, diff_text
from portkit.series.model import Entry, Patch
from portkit.series.patch import format_patch, parse_patch

Files = Mapping[str, str | bytes | tuple[str, bytes]]


def entry(content: str | bytes | tuple[str, bytes]) -> Entry:
    mode, data = content if isinstance(content, tuple) else ("100644", content)
    return Entry(mode, data.encode() if isinstance(data, str) else data)


def tree(files: Files) -> Tree:
    entries = {PurePosixPath(path): entry(content) for path, content in files.items()}
    parents = {parent for path in entries for parent in path.parents} - {PurePosixPath()}
    return Tree(entries, frozenset(parents))


def make_patch(name: str, old: Files, new: Files, renames: Mapping[str, str] | None = None) -> str:
    """The text of a patch that makes the files ``new`` of the files ``old``."""
    moved = dict(renames or {})
    changes = [
        FileChange(PurePosixPath(a), entry(old[a]), PurePosixPath(b), entry(new[b]))
        for a, b in moved.items()
    ]
    for path in sorted({*old, *new} - {*moved, *moved.values()}):
        before = entry(old[path]) if path in old else None
        after = entry(new[path]) if path in new else None
        at = PurePosixPath(path)
        changes.append(FileChange(before and at, before, after and at, after))
    patch = format_patch(
        name,
        author="A U Thor <author@example.org>",
        date="Mon, 02 Jan 2023 03:04:05 +0100",
        subject=f"Make {name}",
        body="Because.",
        diff=diff_text(changes),
    )
    return patch.raw.decode("utf-8", "surrogateescape")


def parsed(text: str | bytes, name: str = "p.patch") -> Patch:
    return parse_patch(name, text.encode() if isinstance(text, str) else text)


def chain(first: Files, *steps: Files) -> list[tuple[str, str]]:
    """Patches ``1.patch``, ``2.patch``, ... from one state of the files to the next."""
    states: Sequence[Files] = [first, *steps]
    return [
        (f"{number}.patch", make_patch(f"{number}.patch", old, new))
        for number, (old, new) in enumerate(pairwise(states), start=1)
    ]


def portkit(root: Path, *args: str) -> Result:
    """Run a command; a PortkitError becomes its exit code, its text is in ``result.output``."""
    result = CliRunner().invoke(main, ["-C", str(root), *args], standalone_mode=False)
    if isinstance(result.exception, PortkitError):
        result.exit_code = result.exception.exit_code
    elif result.exception is not None:
        raise result.exception
    elif isinstance(result.return_value, int):
        result.exit_code = result.return_value
    return result


def snapshot(root: Path) -> dict[str, bytes]:
    """The project's own files, without portkit's state."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".portkit" not in path.relative_to(root).parts
    }
