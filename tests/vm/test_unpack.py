"""Archives are not trusted: nothing lands outside the target, whatever they hold."""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portkit.vm.unpack import BadArchive, unpack

Member = tuple[str, bytes | None, dict[str, object]]


def archive(*members: Member, mode: str = "w:") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as tar:  # type: ignore[call-overload]
        for name, content, attributes in members:
            info = tarfile.TarInfo(name)
            info.mode = 0o644
            for key, value in attributes.items():
                setattr(info, key, value)
            info.size = len(content or b"")
            tar.addfile(info, io.BytesIO(content or b""))
    return out.getvalue()


def file(name: str, content: bytes = b"x", **attributes: object) -> Member:
    return name, content, attributes


def directory(name: str) -> Member:
    return name, None, {"type": tarfile.DIRTYPE, "mode": 0o755}


def symlink(name: str, target: str) -> Member:
    return name, None, {"type": tarfile.SYMTYPE, "linkname": target}


def hardlink(name: str, target: str) -> Member:
    return name, None, {"type": tarfile.LNKTYPE, "linkname": target}


def put(
    data: bytes,
    into: Path,
    wanted: Callable[[str], str | None] = lambda path: path,
    limit: int = 1 << 20,
) -> list[str]:
    return unpack(io.BytesIO(data), "x.txz", into, wanted, limit=limit)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    (tmp_path / "into").mkdir()
    (tmp_path / "secret").write_text("mine")
    return tmp_path / "into"


@pytest.mark.parametrize("mode", ["w:", "w:gz", "w:bz2", "w:xz"])
def test_files_directories_and_links_are_unpacked(into: Path, mode: str) -> None:
    data = archive(
        directory("./bin"), file("./bin/sh", b"#!", mode=0o4555), symlink("./bin/-sh", "sh"),
        hardlink("./bin/test", "./bin/sh"), mode=mode,
    )  # fmt: skip
    assert put(data, into) == ["bin/sh", "bin/-sh", "bin/test"]
    assert (into / "bin/sh").read_bytes() == b"#!"
    assert os.readlink(into / "bin/-sh") == "sh"  # noqa: PTH115
    assert (into / "bin/test").samefile(into / "bin/sh")
    assert (into / "bin/sh").stat().st_mode & 0o7777 == 0o755  # no set-user-id, and writable


def test_a_file_without_a_directory_of_its_own_is_unpacked(into: Path) -> None:
    assert put(archive(file("a/b/c")), into) == ["a/b/c"]


def test_what_is_not_wanted_is_left_out(into: Path) -> None:
    data = archive(file("boot/kernel/kernel", b"k"), file("etc/passwd"))
    assert put(data, into, lambda path: "k" if path.startswith("boot") else None) == ["k"]
    assert [path.name for path in into.iterdir()] == ["k"]


def test_a_file_is_replaced_and_one_that_stays_the_same_is_not_touched(into: Path) -> None:
    (into / "old").write_bytes(b"x")
    (into / "same").write_bytes(b"x")
    (into / "same").chmod(0o644)
    os.utime(into / "same", (1, 1))
    assert put(archive(file("old", b"new"), file("same", b"x")), into) == ["old"]
    assert (into / "old").read_bytes() == b"new"
    assert (into / "same").stat().st_mtime == 1


def test_a_link_in_the_target_is_replaced_and_not_followed(into: Path) -> None:
    (into / "out").symlink_to("../secret")
    assert put(archive(file("out", b"theirs")), into) == ["out"]
    assert (into.parent / "secret").read_text() == "mine"
    assert (into / "out").read_bytes() == b"theirs"


HOSTILE = {
    "absolute": [file("/tmp/x")],
    "dotdot": [file("a/../../secret")],
    "dotdot alone": [file("..")],
    "below its own link": [symlink("d", ".."), file("d/secret")],
    "below an absolute link": [symlink("d", "/"), file("d/tmp/x")],
    "below a file": [file("f"), file("f/x")],
    "over a directory": [directory("d"), file("d")],
    "link over a directory": [directory("d"), symlink("d", "..")],
    "hard link out": [hardlink("h", "../secret")],
    "hard link to what is not in it": [hardlink("h", "secret")],
    "hard link to a link": [symlink("l", "../secret"), hardlink("h", "l")],
    "character device": [("null", None, {"type": tarfile.CHRTYPE, "devmajor": 1})],
    "block device": [("sda", None, {"type": tarfile.BLKTYPE})],
    "pipe": [("p", None, {"type": tarfile.FIFOTYPE})],
}


@pytest.mark.parametrize("members", HOSTILE.values(), ids=HOSTILE)
def test_what_could_harm_is_refused(into: Path, members: list[Member]) -> None:
    with pytest.raises(BadArchive) as caught:
        put(archive(*members), into)
    assert "\n" not in str(caught.value)
    assert "x.txz" in str(caught.value)
    assert (into.parent / "secret").read_text() == "mine"
    assert {path.name for path in into.parent.iterdir()} == {"into", "secret"}


def test_a_link_of_the_target_is_no_way_out(into: Path) -> None:
    (into / "d").symlink_to("..")
    with pytest.raises(BadArchive, match="is not a directory"):
        put(archive(file("d/secret", b"theirs")), into)
    assert (into.parent / "secret").read_text() == "mine"


def test_more_than_the_limit_is_refused(into: Path) -> None:
    with pytest.raises(BadArchive, match="more than is allowed"):
        put(archive(file("a", b"x" * 600), file("b", b"x" * 600)), into, limit=1000)


def test_a_huge_extended_header_is_refused_before_it_is_read(into: Path) -> None:
    data = bytearray(archive(("x", b"", {"type": tarfile.XHDTYPE})))
    info = tarfile.TarInfo("x")
    info.type = tarfile.XHDTYPE
    info.size = 1 << 40
    data[:512] = info.tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(BadArchive, match="impossible size"):
        put(bytes(data), into)


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_cut_off_archive_is_damaged(into: Path, mode: str) -> None:
    data = archive(file("a", os.urandom(5000)), mode=mode)
    with pytest.raises(BadArchive, match="damaged"):
        put(data[: len(data) // 2], into)


def test_a_damaged_header_is_not_taken_for_the_end(into: Path) -> None:
    data = bytearray(archive(file("a"), file("b")))
    data[1024 + 10] ^= 1  # in the second header
    with pytest.raises(BadArchive, match="damaged"):
        put(bytes(data), into)


@settings(max_examples=200, deadline=None)
@given(
    flips=st.lists(st.tuples(st.integers(0, 5119), st.integers(0, 255)), max_size=8),
    cut=st.integers(0, 10240),
)
def test_any_damage_is_an_error_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]], cut: int
) -> None:
    top = tmp_path_factory.mktemp("fuzz")
    (top / "into").mkdir()
    data = bytearray(
        archive(
            directory("d"), file("d/f", b"y" * 700), symlink("l", "d/f"),
            hardlink("h", "d/f"), file("é" * 90),
        )
    )  # fmt: skip
    for at, value in flips:
        data[at] = value
    with contextlib.suppress(BadArchive):  # and nothing else
        put(bytes(data[:cut]), top / "into")
    assert [path.name for path in top.iterdir()] == ["into"]
