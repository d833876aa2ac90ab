"""TOML tables read with the file, line and key of every complaint.

``tomllib`` gives no positions. They are only needed for an error message (or to change one
value in place), so they are found then, by giving tomllib the file statement by statement.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from portkit.errors import EnvironmentProblem, UsageError

#: Where a value is: table names, keys, and indexes into arrays.
KeyPath = tuple[str | int, ...]


class Document:
    """A TOML file: its text, its data, and the line of each key.

    Args:
        path: the file, for messages.
        raw: its content.

    Raises:
        UsageError: it is not UTF-8 or not TOML; the message has the line.
    """

    def __init__(self, path: Path, raw: bytes) -> None:
        self.path = path
        try:
            self.text = raw.decode()
            self.data = tomllib.loads(self.text)
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            raise UsageError(
                "not UTF-8", where=f"{path.name}:{line}", hint="save the file as UTF-8"
            ) from error
        except tomllib.TOMLDecodeError as error:
            what, _, position = str(error).removesuffix(")").rpartition(" (at ")
            line_text = position.removeprefix("line ").partition(",")[0]
            where = f"{path.name}:{line_text}" if line_text.isdigit() else path.name
            raise UsageError(
                f"not valid TOML: {what or error}", where=where, hint="correct this line"
            ) from error

    @classmethod
    def read(cls, path: Path) -> Document:
        """Read a file.

        Raises:
            EnvironmentProblem: it cannot be read.
            UsageError: it is not valid TOML.
        """
        try:
            return cls(path, path.read_bytes())
        except OSError as error:
            raise EnvironmentProblem(error.strerror or str(error), where=str(path)) from error

    @cached_property
    def lines(self) -> dict[KeyPath, int]:
        """The line (from 1) of every table and key."""
        found: dict[KeyPath, int] = {}
        last_index: dict[KeyPath, int] = {}
        table: KeyPath = ()
        lines = self.text.splitlines(keepends=True)
        at = 0
        while at < len(lines):
            start, statement = at, ""
            while True:  # the shortest run of lines that is a statement: arrays, long strings
                statement += lines[at]
                at += 1
                try:
                    value = tomllib.loads(statement)
                    break
                except tomllib.TOMLDecodeError:
                    if at == len(lines):
                        return found
            stripped = statement.lstrip()
            if stripped.startswith("["):
                table = _header(value, stripped.startswith("[["), last_index)
                for depth in range(1, len(table) + 1):
                    found.setdefault(table[:depth], start + 1)
            else:
                _note(value, table, start + 1, found)
        return found

    def fail(self, path: KeyPath, what: str, hint: str) -> NoReturn:
        """Complain about a key.

        Raises:
            UsageError: always, with the line of the key or of the nearest table around it.
        """
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        line = f":{self.lines[known]}" if known else ""
        raise UsageError(what, where=f"{self.path.name}{line}: {dotted(path)}", hint=hint)


class Table:
    """One table, read key by key; ``close`` then complains about what nobody asked for.

    Args:
        document: the file it is from.
        path: where it is.
        data: its content.
    """

    def __init__(self, document: Document, path: KeyPath, data: Mapping[str, object]) -> None:
        self._document = document
        self._data = data
        self._asked: set[str] = set()
        self.path = path

    def fail(self, key: str | None, what: str, hint: str) -> NoReturn:
        """Complain about a key of this table, or (None) about the table itself."""
        self._document.fail(self.path if key is None else (*self.path, key), what, hint)

    def text(self, key: str) -> str:
        """A string that must be there and not be empty."""
        value = self.optional_text(key)
        if value is None:
            self.fail(None, f"the key {key!r} is missing", f'add {key} = "..."')
        return value

    def optional_text(self, key: str) -> str | None:
        """A string, or None when the key is not there."""
        self._asked.add(key)
        value = self._data.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value or not value.isprintable():
            self.fail(key, f"must be a string of printable text, not {value!r}", "correct it")
        return value

    def number(self, key: str, default: int, low: int, high: int) -> int:
        """An integer between two bounds."""
        self._asked.add(key)
        value = self._data.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.fail(key, f"must be a number from {low} to {high}, not {value!r}", "correct it")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """An array of strings, all different; empty when the key is not there."""
        self._asked.add(key)
        value = self._data.get(key, [])
        if not isinstance(value, list):
            self.fail(key, "must be an array of strings", 'write it as ["one", "two"]')
        seen: list[str] = []
        for item in value:
            if not isinstance(item, str) or not item or not item.isprintable():
                self.fail(key, f"{item!r} is not a string of printable text", "correct it")
            if item in seen:
                self.fail(key, f"{item!r} is there twice", "take one of them out")
            seen.append(item)
        return tuple(seen)

    def tables(self, key: str) -> dict[str, Table]:
        """A table of tables by name, e.g. ``[series.x]``; empty when the key is not there."""
        self._asked.add(key)
        value = self._data.get(key, {})
        if not isinstance(value, dict):
            self.fail(key, "must be a table", f"write it as [{key}.NAME]")
        found = {}
        for name, data in value.items():
            if not isinstance(data, dict):
                self._document.fail(
                    (*self.path, key, name), "must be a table", f"write it as [{key}.{name}]"
                )
            found[name] = Table(self._document, (*self.path, key, name), data)
        return found

    def array(self, key: str) -> list[Table]:
        """An array of tables, e.g. ``[[upstream.x.source]]``."""
        self._asked.add(key)
        value = self._data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fail(
                key, "must be an array of tables", f"write it as [[{dotted(self.path)}.{key}]]"
            )
        return [
            Table(self._document, (*self.path, key, number), item)
            for number, item in enumerate(value)
        ]

    def table(self, key: str) -> Table:
        """A table below this one, empty when the key is not there."""
        self._asked.add(key)
        value = self._data.get(key, {})
        if not isinstance(value, dict):
            self.fail(key, "must be a table", f"write it as [{dotted((*self.path, key))}]")
        return Table(self._document, (*self.path, key), value)

    def __iter__(self) -> Iterator[str]:
        """Its keys."""
        return iter(self._data)

    def rest(self) -> dict[str, object]:
        """What was not asked for yet."""
        found = {key: value for key, value in self._data.items() if key not in self._asked}
        self._asked.update(found)
        return found

    def close(self) -> None:
        """Complain about a key that was never asked for.

        Raises:
            UsageError: there is one; the hint has the closest key that is known.
        """
        for key in self._data:
            if key not in self._asked:
                import difflib  # only for a message

                near = difflib.get_close_matches(key, self._asked, n=1)
                hint = f"did you mean {near[0]!r}?" if near else "take it out"
                self.fail(key, "unknown key", hint)


def dotted(path: KeyPath) -> str:
    """A key path as people write it: ``upstream.qemu.source[2].url``, counted from 1."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += ("." if text else "") + part
    return text


def _header(value: dict[str, object], is_array: bool, last_index: dict[KeyPath, int]) -> KeyPath:
    """The path of ``[a.b]`` or ``[[a.b]]``, with the indexes of the arrays on the way."""
    path: KeyPath = ()
    node: object = value
    while isinstance(node, dict) and node:
        key, node = next(iter(node.items()))
        path += (key,)
        if isinstance(node, list) and is_array:
            last_index[path] = last_index.get(path, -1) + 1
        if path in last_index:
            path += (last_index[path],)
    return path


def _note(value: object, path: KeyPath, line: int, found: dict[KeyPath, int]) -> None:
    """Record the line of every key inside one statement."""
    if isinstance(value, dict):
        for key, inner in value.items():
            found.setdefault((*path, key), line)
            _note(inner, (*path, key), line, found)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found.setdefault((*path, number), line)
            _note(inner, (*path, number), line, found)
