"""The 3-way merge of one file."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portkit.engine.merge import FileConflict, Kind, Labels, merge_entries, unresolved_line
from portkit.series.model import Entry

LABELS = Labels("upstream 2.0", "before p.patch", "p.patch")


def file(data: str | bytes, mode: str = "100644") -> Entry:
    return Entry(mode, data.encode() if isinstance(data, str) else data)


def conflict(base: Entry | None, upstream: Entry | None, ours: Entry | None) -> FileConflict:
    result = merge_entries(base, upstream, ours, LABELS)
    assert isinstance(result, FileConflict)
    return result


def test_changes_at_different_places_merge() -> None:
    merged = merge_entries(file("1\n2\n3\n"), file("one\n2\n3\n"), file("1\n2\n\xff"), LABELS)
    assert merged == file("one\n2\n\xff")


def test_the_same_change_is_already_upstream() -> None:
    same = file("1\nx\n3\n")
    assert merge_entries(file("1\n2\n3\n"), same, same, LABELS) == same
    assert merge_entries(file("1\n"), None, None, LABELS) is None


def test_bytes_that_are_no_text_in_any_encoding_survive() -> None:
    merged = merge_entries(file(b"1\n\n\xff\xfe\n"), file(b"0\n\n\xff\xfe\n"),
                           file(b"1\n\n\xff\xfe\xfd"), LABELS)  # fmt: skip
    assert merged == file(b"0\n\n\xff\xfe\xfd")


def test_a_conflict_shows_three_sides_with_their_names() -> None:
    found = conflict(file("a\n1\nb\n"), file("a\n2\nb\n"), file("a\n3\nb\n"))
    assert found.kind is Kind.CONTENT
    assert found.text == (
        b"a\n<<<<<<< upstream 2.0\n2\n||||||| before p.patch\n1\n=======\n3\n>>>>>>> p.patch\nb\n"
    )


def test_markers_grow_when_a_file_has_lines_that_look_like_one() -> None:
    title = "Title\n=========\n"
    found = conflict(file(title + "1\n"), file(title + "2\n"), file(title + "3\n"))
    assert found.marker_size == 10
    assert unresolved_line(found.text, found.marker_size) == 3
    assert unresolved_line(title.encode(), found.marker_size) is None


@pytest.mark.parametrize(
    ("base", "upstream", "ours", "kind"),
    [
        (file("1\n"), None, file("2\n"), Kind.GONE_UPSTREAM),
        (file("1\n"), file("2\n"), None, Kind.GONE_OURS),
        (None, file("1\n"), file("2\n"), Kind.ADD_ADD),
        (file("\0a"), file("\0b"), file("\0c"), Kind.BINARY),
        (file("a", "120000"), file("b", "120000"), file("c", "120000"), Kind.LINK),
        (file("1\n"), file("x", "120000"), file("2\n"), Kind.TYPE),
        (None, file("1\n", "100755"), file("1\n"), Kind.TYPE),
    ],
)
def test_what_a_person_has_to_decide(
    base: Entry | None, upstream: Entry | None, ours: Entry | None, kind: Kind
) -> None:
    found = conflict(base, upstream, ours)
    assert found.kind is kind
    assert unresolved_line(found.text, found.marker_size) == 1


def test_a_mode_and_a_content_change_merge() -> None:
    merged = merge_entries(file("1\n"), file("1\n", "100755"), file("2\n"), LABELS)
    assert merged == file("2\n", "100755")


text = st.lists(st.sampled_from(["a", "b", "c", "d", "", "}"]), max_size=12).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)


@settings(deadline=None)
@given(base=text, ours=text)
def test_an_unchanged_side_gives_the_other(base: str, ours: str) -> None:
    assert merge_entries(file(base), file(base), file(ours), LABELS) == file(ours)
    assert merge_entries(file(base), file(ours), file(base), LABELS) == file(ours)
    assert merge_entries(file(base), file(ours), file(ours), LABELS) == file(ours)


@settings(deadline=None)
@given(base=text, upstream=text, ours=text)
def test_a_merge_is_clean_both_ways_or_none(base: str, upstream: str, ours: str) -> None:
    one = merge_entries(file(base), file(upstream), file(ours), LABELS)
    other = merge_entries(file(base), file(ours), file(upstream), LABELS)
    assert isinstance(one, FileConflict) == isinstance(other, FileConflict)
    if not isinstance(one, FileConflict):
        assert one == other


@settings(deadline=None)
@given(base=text, upstream=text, ours=text)
def test_the_merge_is_git_s_own(
    tmp_path_factory: pytest.TempPathFactory, base: str, upstream: str, ours: str
) -> None:
    directory: Path = tmp_path_factory.getbasetemp()
    for name, data in (("base", base), ("upstream", upstream), ("ours", ours)):
        (directory / name).write_text(data)
    names = ("-L", LABELS.upstream, "-L", LABELS.base, "-L", LABELS.ours)
    git = subprocess.run(
        ["git", "merge-file", "--diff3", "-p", *names, "upstream", "base", "ours"],
        cwd=directory, capture_output=True, check=False,
    )  # fmt: skip
    result = merge_entries(file(base), file(upstream), file(ours), LABELS)
    assert result is not None
    assert (git.returncode == 0) == isinstance(result, Entry)
    assert git.stdout == (result.data if isinstance(result, Entry) else result.text)
