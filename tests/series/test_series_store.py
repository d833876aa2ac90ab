"""The ``series`` file and the patch files next to it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from portkit.errors import UsageError
from portkit.manifest.model import SeriesSpec
from portkit.series.model import Patch
from portkit.series.patch import parse_patch
from portkit.series.problem import PatchProblem
from portkit.series.store import load_patches, load_series, render_series
from portkit.transaction import replace_files


def text(name: str) -> str:
    return f"Subject: {name}\n\n--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-a\n+b\n"


def quilt(directory: Path, series: str, *names: str) -> SeriesSpec:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "series").write_text(series)
    for name in names:
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text(name))
    return SeriesSpec("s", "up", directory, "1.0")


def patch(name: str) -> Patch:
    return parse_patch(name, text(name).encode())


def names(directory: Path) -> list[str]:
    return [patch.name for patch in load_patches(directory)]


def test_order_comments_options_and_subdirectories(tmp_path: Path) -> None:
    spec = quilt(
        tmp_path, "# head\nb.patch\n\n  a.patch -p1  # why\nsub/c.diff # x\n",
        "a.patch", "b.patch", "sub/c.diff",
    )  # fmt: skip
    series = load_series(spec)
    assert series.name == "s"
    assert [patch.name for patch in series.patches] == ["b.patch", "a.patch", "sub/c.diff"]
    assert series.patches[0].subject == "b.patch"


@pytest.mark.parametrize(
    ("series", "line", "what"),
    [
        ("a.patch\na.patch\n", 2, "already on line 1"),
        ("a.patch -p0\n", 1, "option '-p0' is not supported"),
        ("a.patch -R\n", 1, "option '-R' is not supported"),
        ("# x\n../a.patch\n", 2, "'..' in a path"),
        ("/etc/passwd\n", 1, "absolute path"),
        ("x/../../a.patch\n", 1, "'..' in a path"),
        ("a\x01b\n", 1, "control character"),
        ("-p1\n", 1, "not a name"),
        ("series\n", 1, "not a name"),
        ("a.patch\nmissing.patch\n", 2, "no such patch: 'missing.patch'"),
        ("link.patch\n", 1, "is a link out of the directory"),
        ("sub\n", 1, "no such patch"),
    ],
)
def test_bad_lines_are_refused_with_their_place(
    tmp_path: Path, series: str, line: int, what: str
) -> None:
    spec = quilt(tmp_path / "p", series, "a.patch")
    (tmp_path / "outside").write_text(text("x"))
    (tmp_path / "p" / "link.patch").symlink_to(tmp_path / "outside")
    (tmp_path / "p" / "sub").mkdir()
    with pytest.raises(UsageError) as caught:
        load_series(spec)
    assert what in caught.value.what
    assert caught.value.where == f"{tmp_path}/p/series:{line}"
    assert caught.value.hint


def test_a_pipe_is_no_patch(tmp_path: Path) -> None:
    spec = quilt(tmp_path, "pipe\n")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="no such patch"):
        load_series(spec)


def test_a_bad_patch_is_named_with_its_path_and_line(tmp_path: Path) -> None:
    spec = quilt(tmp_path, "a.patch\n")
    (tmp_path / "a.patch").write_text(text("x") + "+more\n")
    with pytest.raises(PatchProblem) as caught:
        load_series(spec)
    assert caught.value.where == f"{tmp_path}/a.patch:8"


def test_a_directory_without_series_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="portkit import s"):
        load_series(SeriesSpec("s", "up", tmp_path / "none", "1.0"))
    assert load_patches(tmp_path / "none") == []


def test_render_keeps_bytes_when_nothing_changed(tmp_path: Path) -> None:
    quilt(tmp_path, "# head\n\nb.patch  # why\na.patch -p1\n# end\n", "a.patch", "b.patch")
    changes = render_series(tmp_path, load_patches(tmp_path))
    assert {path: path.read_bytes() for path in changes} == changes


def test_render_moves_lines_with_their_comments_and_loses_none(tmp_path: Path) -> None:
    quilt(tmp_path, "# of a\na\n# of b\nb -p1\n# of c\nc\n# end\n", "a", "b", "c")
    patches = {patch.name: patch for patch in load_patches(tmp_path)}
    changes = render_series(tmp_path, [patches["c"], patches["a"], patch("new")])
    assert changes[tmp_path / "series"] == b"# of b\n# of c\nc\n# of a\na\nnew\n# end\n"
    assert changes[tmp_path / "b"] is None
    replace_files(tmp_path / ".portkit", changes)
    assert names(tmp_path) == ["c", "a", "new"]
    assert not (tmp_path / "b").exists()


def test_render_starts_a_series(tmp_path: Path) -> None:
    changes = render_series(tmp_path / "new", [patch("a"), patch("b")])
    replace_files(tmp_path / ".portkit", changes)
    assert names(tmp_path / "new") == ["a", "b"]
