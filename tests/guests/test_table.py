"""The page about modes says what its data does."""

from __future__ import annotations

import json

import pytest

from tests.guests import table

COLUMNS: table.Columns = {
    "vmx": {
        "plain-1": {"io.string": "ok", "smp.ipi": "skip: why | not", "machine": "ok"},
        "debug-2": {"io.string": "not ok: line 1", "smp.ipi": "skip: why | not"},
    },
    "vmx-ept=0": {"debug-2": {"smp.ipi": "skip: why | not", "machine": "not ok: does not unload"}},
}


def test_the_page_is_that_of_the_data() -> None:
    assert table.PAGE.read_text() == table.render(json.loads(table.DATA.read_text()))


def test_a_cell_counts_cases() -> None:
    column = COLUMNS["vmx"]["plain-1"]
    assert table.cell(column) == "1/2 (1)"
    assert table.cell(column, "io") == "1/1"
    assert table.cell({}) == "-"


def test_what_differs_between_machines_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table.suite, "names", lambda: ["io.string", "smp.ipi"])
    assert table.differing(COLUMNS) == [("vmx", "io.string", "ok", "-", "-", "not ok")]


def test_what_is_not_ok_is_listed_once() -> None:
    assert table.not_ok(COLUMNS) == [
        ("io.string", "not ok", "line 1", "vmx on debug-2"),
        ("machine", "not ok", "does not unload", "vmx-ept=0"),
        ("smp.ipi", "skip", "why \\| not", "vmx, vmx-ept=0"),
    ]


def test_an_argument_names_mode_machine_and_subjects() -> None:
    assert table.parse("vmx-ept=0") == ("vmx-ept=0", "", [])
    assert table.parse("vmx@debug-2:io,smp") == ("vmx", "debug-2", ["io", "smp"])
