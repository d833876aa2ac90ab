"""The order of releases and the track that they belong to."""

from __future__ import annotations

import pytest

from portkit.errors import UsageError
from portkit.manifest.version import (
    in_track,
    is_version,
    nearest,
    newest,
    normalise,
    version_key,
)


def test_order() -> None:
    ordered = ["6.1.2", "6.12-rc1", "6.12-rc10", "6.12", "6.12.9", "6.12.10", "7.0", "10.0.0"]
    assert sorted(sorted(ordered), key=version_key) == ordered
    assert version_key("7.2") == version_key("7.2.0")


@pytest.mark.parametrize("text", ["", "v6.12", "6.12.", "6..1", "6.12-rc", "6.12+dfsg", "1.2\n"])
def test_what_is_not_a_version(text: str) -> None:
    assert not is_version(text)
    with pytest.raises(UsageError, match="is not a version"):
        version_key(text)


def test_track() -> None:
    assert in_track("6.12.107", "6.12")
    assert in_track("6.12", "6.12")
    assert in_track("7-rc1", "7.0")
    assert not in_track("6.1.2", "6.12")
    assert not in_track("6.120.1", "6.12")


def test_normalise() -> None:
    assert normalise("7.2", 3) == "7.2.0"
    assert normalise("7.2.1", 3) == "7.2.1"
    assert normalise("7.2-rc1", 3) == "7.2.0-rc1"
    assert normalise("6.12", 2) == "6.12"


def test_newest_of_a_track_is_no_candidate() -> None:
    known = ["6.12", "6.12.9", "6.12.10", "6.12.11-rc1", "6.13"]
    assert newest(known, "6.12") == "6.12.10"
    assert newest(known, "5.10") is None


def test_nearest_of_a_track() -> None:
    known = ["6.12.90", "6.12.105", "6.12.110", "6.13.107", "6.12.107-rc1"]
    assert nearest("6.12.107", known, "6.12") == "6.12.105"
    assert nearest("6.12.100", ["6.12.99", "6.12.101"], "6.12") == "6.12.101"
    assert nearest("6.12.107", ["7.0"], "6.12") is None
    assert nearest("7.0.1", ["6.12.9", "7.0.5", "7.1"], "6.12") == "7.0.5"
    assert nearest("8.0", ["6.12.9"], "6.12") is None
