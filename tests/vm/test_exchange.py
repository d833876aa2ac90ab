"""The exchange disk: what goes in is bounded, what comes out is not trusted."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portkit.errors import EnvironmentProblem, UsageError
from portkit.vm.exchange import Exchange
from portkit.vm.unpack import BadArchive

ANSWER_AT = 65536


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    exchange = Exchange(tmp_path / "x.img")
    exchange.write_request(["sh", "-c", "exit 3"], 1 << 20)
    return exchange


def token(exchange: Exchange) -> bytes:
    return exchange.path.read_bytes()[8:24]


def answer(exchange: Exchange, data: bytes) -> None:
    with exchange.path.open("r+b") as disk:
        disk.seek(ANSWER_AT)
        disk.write(data)


def packed(token: bytes, kind: int, status: int, archive: int = 0, message: bytes = b"") -> bytes:
    return struct.pack("<8s16sIIQ256s", b"pkvm-ans", token, kind, status, archive, message)


def test_the_request_is_as_pid_1_reads_it(exchange: Exchange) -> None:
    data = exchange.path.read_bytes()
    assert data[:8] == b"pkvm-req"
    assert struct.unpack_from("<I", data, 24) == (3,)
    assert data[28:].startswith(b"sh\0-c\0exit 3\0\0")
    assert len(data) % (16 * 63 * 512) == 0
    assert len(data) >= ANSWER_AT + 512 + (1 << 20)


def test_two_runs_do_not_share_a_token(tmp_path: Path, exchange: Exchange) -> None:
    other = Exchange(tmp_path / "y.img")
    other.write_request(["true"], 0)
    assert token(other) != token(exchange)


def test_without_an_answer_there_is_none(exchange: Exchange) -> None:
    assert exchange.read_answer() is None


def test_the_answer_has_the_status(exchange: Exchange) -> None:
    answer(exchange, packed(token(exchange), 1, 3, 1024))
    found = exchange.read_answer()
    assert found is not None
    assert (found.status, found.archive) == (3, 1024)


def test_an_answer_with_another_token_is_none(exchange: Exchange) -> None:
    answer(exchange, packed(b"0" * 16, 1, 0))
    assert exchange.read_answer() is None


def test_an_archive_larger_than_the_disk_is_no_answer(exchange: Exchange) -> None:
    answer(exchange, packed(token(exchange), 1, 0, 1 << 40))
    assert exchange.read_answer() is None


def test_what_pid_1_could_not_do_is_an_error_of_one_line(exchange: Exchange) -> None:
    answer(exchange, packed(token(exchange), 2, 0, 0, b"cannot mount\n/t: errno 19\0junk"))
    with pytest.raises(EnvironmentProblem, match="cannot mount /t: errno 19; look at"):
        exchange.read_answer()


@pytest.mark.parametrize("command", [[], [""], ["x" * 65536], ["x"] * 1001])
def test_a_command_that_does_not_fit_is_refused(tmp_path: Path, command: list[str]) -> None:
    with pytest.raises(UsageError):
        Exchange(tmp_path / "x.img").write_request(command, 0)
    assert not (tmp_path / "x.img").exists()


@settings(max_examples=100, deadline=None)
@given(head=st.binary(max_size=300), archive=st.binary(max_size=2000), genuine=st.booleans())
def test_any_disk_is_understood_or_refused(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, archive: bytes, genuine: bool
) -> None:
    top = tmp_path_factory.mktemp("disk")
    (top / "t").mkdir()
    exchange = Exchange(top / "x.img")
    exchange.write_request(["true"], 1 << 16)
    start = b"pkvm-ans" + token(exchange) if genuine else b""
    answer(exchange, (start + head).ljust(512, b"\0")[:512] + archive)
    try:
        if exchange.read_answer() is not None:
            exchange.read_files(top / "t")
    except (EnvironmentProblem, BadArchive):
        pass
    assert sorted(path.name for path in top.iterdir()) == ["t", "x.img"]
