"""Dates of patches as git stores them: the quick way and the mail library agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime, parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portkit.engine.chain import _git_date, _parse_date


@given(
    st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
)
def test_git_s_dates_are_read_as_the_mail_library_reads_them(when: datetime, zone: int) -> None:
    aware = when.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=zone)))
    text = format_datetime(aware)
    assert _parse_date(text) == aware == parsedate_to_datetime(text)
    sign, minutes = "-" if zone < 0 else "+", abs(zone)
    shown = f"{sign}{minutes // 60:02}{minutes % 60:02}"
    assert _git_date(text).decode() == f"{int(aware.timestamp())} {shown}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", b"0 +0000"),
        ("yesterday", b"0 +0000"),
        ("Sun, 31 Feb 2026 12:00:00 +0000", b"0 +0000"),
        ("Sun, 1 Nov 2026 25:00:00 +0000", b"0 +0000"),
        ("Sun, 1 Nov 2026 12:00:00 -0000", b"1793534400 +0000"),
        ("1 Nov 2026 12:00:00 GMT", b"1793534400 +0000"),
        ("Sun, 1 Nov 2026 12:00:00 +2300", b"1793451600 +0000"),
    ],
)
def test_what_git_would_refuse_is_given_a_date_that_it_takes(text: str, expected: bytes) -> None:
    assert datetime.fromtimestamp(1793534400, UTC) == datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert _git_date(text) == expected
