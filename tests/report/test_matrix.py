"""``portkit check --all`` and its page: patches x releases."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from portkit.engine.check import PatchVerdict, Verdict
from portkit.manifest.model import Manifest
from portkit.report.matrix import Matrix, Row, changed_lines
from portkit.report.page import page
from tests.engine.support import Files, make_patch, parsed, portkit
from tests.report.conftest import LINES, lines
from tests.support import make_project


class Cells(HTMLParser):
    """The text of the table cells of a page, row by row, and every address in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.addresses: list[str] = []
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self._in_cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data


def write(manifest: Manifest, *args: str) -> str:
    path = manifest.root / "health.html"
    result = portkit(manifest.root, "check", *args, "--html", str(path))
    assert result.exit_code == 1, result.exception
    assert f"written: {path}" in result.stdout
    return path.read_text()


def test_the_terminal_shows_patches_times_releases(project: Manifest) -> None:
    result = portkit(project.root, "check", "--all")
    assert result.exit_code == 1
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["patch", "lines", "1.1", "1.2", "1.3"] in rows
    assert ["1.patch", "2", "ok", "up", "ok"] in rows
    assert ["2.patch", "5", "ok", "ok", "2"] in rows
    assert ["no", "work", "needed", "100%", "100%", "29%"] in rows


def test_releases_that_do_not_fit_side_by_side_go_below(
    project: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "36")
    lines = portkit(project.root, "check", "--all").stdout.splitlines()
    assert "\N{HORIZONTAL ELLIPSIS}" not in next(line for line in lines if "lines" in line)
    assert all(len(line) <= 36 for line in lines[1:-1])
    heads = [line.split()[2:] for line in lines if line.startswith("patch")]
    assert [release for head in heads for release in head] == ["1.1", "1.2", "1.3"]
    assert len(heads) > 1


def test_all_is_all(project: Manifest) -> None:
    assert portkit(project.root, "check", "s", "--all").exit_code == 2
    assert portkit(project.root, "check", "--all", "--onto", "1.2").exit_code == 2


def test_the_page_holds_the_same_and_needs_nothing_else(project: Manifest) -> None:
    text = write(project, "--all")
    cells = Cells(text)
    assert cells.rows[0][2:] == ["1.1", "1.2", "1.3"]
    assert cells.rows[1] == ["no work needed, of all changed lines", "7", "100%", "100%", "29%"]
    assert cells.rows[2] == ["conflicting files", "", "0", "0", "2"]
    assert cells.rows[3] == ["1.patch", "2", "ok", "up", "ok"]
    assert cells.rows[4] == ["2.patch", "5", "ok", "ok", "2"]
    assert 'title="a.c, b.c"' in text
    assert cells.addresses == []
    assert not re.search(r"https?://|@import|url\(", text)
    assert "default-src 'none'" in text


def test_one_series_and_some_releases_make_a_page_too(project: Manifest) -> None:
    cells = Cells(write(project, "s", "--onto", "1.3"))
    assert cells.rows[0][2:] == ["1.3"]


def test_names_are_text_not_markup(tmp_path: Path) -> None:
    first: Files = {"<script>.c": LINES}
    theirs: Files = {"<script>.c": lines(l5="theirs")}
    name = "1<img&onerror=x>.patch"
    patch = make_patch(name, first, {"<script>.c": lines(l5="ours")})
    manifest = make_project(tmp_path, {"1.1": first, "1.2": theirs}, [(name, patch)])
    text = write(manifest, "--all")
    assert "<img" not in text
    assert "<script>.c" not in text
    assert Cells(text).rows[3][0] == name


def test_a_name_with_any_byte_can_be_written() -> None:
    verdict = PatchVerdict("caf\udce9.patch", "conflict", ("caf\udce9.c",))
    matrix = Matrix(
        "s", "up", "1.1", ("1.2",), (Row("caf\udce9.patch", 1, (verdict,)),),
        (Verdict("s", "1.2", (verdict,)),),
    )  # fmt: skip
    assert page("t", "now", [matrix]).encode().count("caf\ufffd".encode()) == 3


def test_changed_lines_are_those_of_the_diff() -> None:
    old, new = {"a": LINES}, {"a": lines(l5="x", l30="y\nz") + "no newline"}
    assert changed_lines(parsed(make_patch("p", old, new))) == 6
    assert changed_lines(parsed(make_patch("p", {}, {"a": LINES}))) == 40
    assert changed_lines(parsed(make_patch("p", {"a": "-- \n++\n"}, {"a": "++\n"}))) == 1
    assert changed_lines(parsed(make_patch("p", {"a": "1"}, {"a": "2"}))) == 2


def test_a_series_whose_release_is_not_mirrored_does_not_hold_up_the_others(
    project: Manifest,
) -> None:
    path = project.root / "portkit.toml"
    later = '[series.later]\nupstream = "up"\ndirectory = "patches/later"\npin = "9.9"\n'
    path.write_text(path.read_text() + later)
    done = portkit(project.root, "check", "--all")
    assert done.exit_code == 1  # of the series that can be checked
    assert "not checked: later: release 9.9 of up is not mirrored" in done.stdout
    data = json.loads(portkit(project.root, "--json", "check", "--all").stdout)
    assert {each["series"] for each in data["verdicts"]} == {"s"}
    assert len(data["unchecked"]) == 1
    assert portkit(project.root, "check", "later").exit_code == 4
