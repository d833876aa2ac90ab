"""Reading a release out of an archive that nobody vouches for."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portkit.mirror.archive import ArchiveReader
from portkit.mirror.unpack import BadArchive, Limits
from tests.mirror.archives import COMPRESS, MTIME, link, member, tar

Read = list[tuple[str, str, bytes]]


def read(data: bytes, subtree: tuple[str, ...] = (), limits: Limits | None = None) -> Read:
    reader = ArchiveReader(io.BytesIO(data), "x.tar", subtree, limits or Limits())
    return [(e.path.decode(), e.mode, e.data.read()) for e in reader.entries()]


GOOD = [
    member("x-1.0", type=tarfile.DIRTYPE, mode=0o775),
    member("x-1.0/README", b"read me\n", mtime=MTIME + 5),
    member("x-1.0/run.sh", b"#!/bin/sh\n", mode=0o755),
    member("x-1.0/lib", type=tarfile.DIRTYPE, mode=0o775),
    member("x-1.0/lib/a.c", b"int a;\n" * 50_000, mode=0o640),
    member("x-1.0/lib/" + "long/" * 40 + "name", b"deep\n"),
    member("x-1.0/lib/\u00fc", b""),
    link("x-1.0/lib/up", "../README"),
]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("packing", COMPRESS)
def test_every_form_of_the_same_archive_gives_the_same_files(packing: str, form: int) -> None:
    got = read(COMPRESS[packing](tar(GOOD, form)))
    assert got == [
        ("README", "100644", b"read me\n"),
        ("run.sh", "100755", b"#!/bin/sh\n"),
        ("lib/a.c", "100644", b"int a;\n" * 50_000),
        ("lib/" + "long/" * 40 + "name", "100644", b"deep\n"),
        ("lib/\u00fc", "100644", b""),
        ("lib/up", "120000", b"../README"),
    ]


def test_only_the_subtree_is_kept_and_what_is_missing_is_told() -> None:
    reader = ArchiveReader(io.BytesIO(tar(GOOD)), "x.tar", ("README", "li", "lib/a.c", "none"))
    assert [entry.path for entry in reader.entries()] == [b"README", b"lib/a.c"]
    assert reader.missing == ("li", "none")
    assert reader.date == MTIME + 5
    assert read(tar(GOOD), ("lib/up", "docs")) == [("lib/up", "120000", b"../README")]


def test_a_dot_in_front_of_the_top_directory_is_nothing() -> None:
    members = [member("./", type=tarfile.DIRTYPE), member("./x/f", b"1")]
    assert read(tar(members)) == [("f", "100644", b"1")]


def test_compressed_parts_one_after_the_other_and_padding_are_one_archive() -> None:
    whole = tar(GOOD)
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        assert read(pack(whole[:700]) + pack(whole[700:]) + b"\0" * 512) == read(whole)


def test_a_hard_link_is_a_copy_of_a_file_before_it() -> None:
    members = [
        member("x/a", b"same", mode=0o755),
        link("x/b", "x/a", tarfile.LNKTYPE),
        link("x/c", "./x/a", tarfile.LNKTYPE),
    ]
    entries = list(ArchiveReader(io.BytesIO(tar(members)), "x.tar").entries())
    assert [(e.path, e.copy_of) for e in entries] == [(b"a", None), (b"b", b"a"), (b"c", b"a")]


DEVICE = {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3}
HOSTILE = {
    "absolute path": ([member("/etc/passwd", b"x")], "'/etc/passwd' is an absolute path"),
    "dot dot": ([member("x/../../y", b"x")], "leads out of the archive"),
    "dot dot in front": ([member("../x/y", b"x")], "leads out of the archive"),
    "dot dot as directory": (
        [member("x/..", type=tarfile.DIRTYPE), member("x/y", b"")],
        "leads out of the archive",
    ),
    "two tops": ([member("x/a", b""), member("y/a", b"")], "'y/a' is not below the archive's top"),
    "file as top": ([member("x", b"data")], "is not below the archive's top"),
    "absolute link": ([link("x/l", "/etc/passwd")], "'x/l' links out of the tree"),
    "link out": ([link("x/d/l", "../../y")], "links out of the tree"),
    "link to the top's parent": ([link("x/l", "..")], "links out of the tree"),
    "link through a link": (
        [link("x/d/e/l", "../.."), link("x/m", "d/e/l/../..")],
        "'x/m' links out of the tree",
    ),
    "empty link": ([link("x/l", "")], "links out of the tree"),
    "hard link out": ([link("x/l", "/etc/passwd", tarfile.LNKTYPE)], "hard link to no file"),
    "hard link forward": (
        [link("x/l", "x/later", tarfile.LNKTYPE), member("x/later", b"")],
        "hard link to no file before it",
    ),
    "hard link to a link": (
        [link("x/l", "a"), link("x/m", "x/l", tarfile.LNKTYPE)],
        "hard link to no file",
    ),
    "device": ([member("x/null", **DEVICE)], "'x/null' is a device node"),
    "pipe": ([member("x/p", type=tarfile.FIFOTYPE)], "is a named pipe"),
    "unknown kind": ([member("x/p", type=b"Q")], "of an unknown kind|damaged"),
    "twice": ([member("x/a", b"1"), member("x/a", b"2")], "'x/a' is there twice"),
    "file where a directory is": ([member("x/a/b", b""), member("x/a", b"")], "is there twice"),
    "below a file": ([member("x/a", b""), member("x/a/b", b"")], "is below a file or link"),
    "below a link": ([link("x/a", "b"), member("x/a/c/d", b"")], "is below a file or link"),
    "git": ([member("x/.git/config", b"")], "is git's own directory"),
    "git in other letters": ([member("x/d/.GIT/hooks/x", b"")], "is git's own directory"),
    "long path": ([member("x/" + "a" * 2000, b"")], "longer than 1024 bytes"),
    "empty": ([], "nothing of the files|empty|cut off"),
    "directories only": ([member("x", type=tarfile.DIRTYPE)], "nothing of the files"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_could_harm_is_refused_in_one_line(name: str) -> None:
    members, message = HOSTILE[name]
    with pytest.raises(BadArchive, match=message) as caught:
        read(tar(members))
    assert "\n" not in str(caught.value)
    assert "nothing was imported" in str(caught.value)


def test_a_member_that_is_not_wanted_may_link_anywhere() -> None:
    members = [link("x/tests/l", "/nonexistent"), member("x/f", b"1")]
    assert read(tar(members), ("f",)) == [("f", "100644", b"1")]


BOMB = tar([member("x/zeros", b"\0" * (4 << 20))])


@pytest.mark.parametrize("packing", ["gz", "bz2", "xz"])
def test_a_bomb_is_refused(packing: str) -> None:
    packed = COMPRESS[packing](BOMB)
    with pytest.raises(BadArchive, match="unpacks to more than 20 times its size"):
        read(packed, limits=Limits(ratio=20, free=1 << 20))
    with pytest.raises(BadArchive, match="unpacks to more than 2 MiB"):
        read(packed, limits=Limits(unpacked=2 << 20))


def test_too_many_members_are_refused() -> None:
    with pytest.raises(BadArchive, match="has more than 9 members"):
        read(tar(member(f"x/{number}", b"") for number in range(10)), limits=Limits(members=9))


def test_xz_that_wants_too_much_memory_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 160 << 20, "mode": lzma.MODE_FAST,
                "mf": lzma.MF_HC3, "nice_len": 8}]  # fmt: skip
    with pytest.raises(BadArchive, match=r"damaged archive .*[Mm]emory"):
        read(lzma.compress(tar(GOOD), filters=filters))


@pytest.mark.parametrize("packing", COMPRESS)
def test_an_archive_that_is_cut_off_anywhere_is_refused(packing: str) -> None:
    whole = COMPRESS[packing](tar(GOOD[:6]))
    # tar's end is at least two zero blocks, behind which a plain archive is padded with more.
    end = len(whole) if packing != "plain" else len(whole.rstrip(b"\0"))
    for cut in range(1, 100):
        with pytest.raises(BadArchive):
            read(whole[: end * cut // 100])


def test_a_damaged_header_is_not_taken_for_the_end() -> None:
    whole = bytearray(tar(GOOD, tarfile.USTAR_FORMAT))
    at = whole.index(b"x-1.0/run.sh")
    whole[at] ^= 1
    with pytest.raises(BadArchive, match="damaged archive"):
        read(bytes(whole))


def test_damage_is_seen_by_pythons_that_read_headers_in_the_new_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Security repairs, Debian's of 3.11.2 among them, made tarfile pass frombuf() by."""
    general = tarfile.TarInfo.frombuf.__func__  # type: ignore[attr-defined]

    def _frombuf(
        cls: type[tarfile.TarInfo], buf: bytes, encoding: str, errors: str, *, dircheck: bool = True
    ) -> tarfile.TarInfo:
        header: tarfile.TarInfo = general(cls, buf, encoding, errors)
        return header

    def fromtarfile(cls: Any, archive: Any) -> tarfile.TarInfo:
        buf = archive.fileobj.read(tarfile.BLOCKSIZE)
        header = cls._frombuf(buf, archive.encoding, archive.errors, dircheck=True)
        header.offset = archive.fileobj.tell() - tarfile.BLOCKSIZE
        member: tarfile.TarInfo = header._proc_member(archive)
        return member

    if not hasattr(tarfile.TarInfo, "_frombuf"):
        monkeypatch.setattr(tarfile.TarInfo, "_frombuf", classmethod(_frombuf), raising=False)
        monkeypatch.setattr(tarfile.TarInfo, "fromtarfile", classmethod(fromtarfile))
    whole = bytearray(tar(GOOD, tarfile.USTAR_FORMAT))
    assert read(bytes(whole))
    whole[whole.index(b"x-1.0/run.sh")] ^= 1
    with pytest.raises(BadArchive, match="damaged archive"):
        read(bytes(whole))


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
@pytest.mark.parametrize("size", [-1, -512, -1024, -(1 << 40)])
def test_a_negative_size_is_refused(kind: bytes, size: int) -> None:
    """GNU tar's way to write large numbers has room for a sign; found by atheris."""
    header = member("x/f", type=kind)[0]
    header.size = size
    block = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    assert block[124] == 0xFF
    with pytest.raises(BadArchive, match="negative size"):
        read(bytes(block) + bytes(512) + tar(GOOD))


def test_something_behind_the_compressed_data_is_refused() -> None:
    with pytest.raises(BadArchive, match="something follows"):
        read(gzip.compress(tar(GOOD)) + b"hello")


def test_what_is_no_archive_is_refused() -> None:
    for data in (b"", b"<html>not found</html>" * 100, b"\xfd7zXZ\0nonsense", b"\x1f\x8b\x08"):
        with pytest.raises(BadArchive):
            read(data)


def test_giving_up_in_the_middle_leaves_no_thread() -> None:
    before = threading.active_count()
    entries = ArchiveReader(io.BytesIO(tar(GOOD * 1)), "x.tar").entries()
    next(entries)
    entries.close()
    assert threading.active_count() == before


SMALL = tar(GOOD[:3] + GOOD[5:])
PACKED = {name: pack(SMALL) for name, pack in COMPRESS.items()}


@settings(max_examples=300, deadline=None)
@given(
    packing=st.sampled_from(sorted(PACKED)),
    changes=st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), max_size=8),
    cut=st.integers(0, len(SMALL)),
)
def test_fuzz_a_changed_archive_is_read_or_refused(
    packing: str, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(PACKED[packing])
    for at, value in changes:
        data[at % len(data)] = value
    check(bytes(data[:cut]) if cut < len(data) // 2 else bytes(data))


NAMES = st.text("abx./\0\n\\\u00e9", min_size=1, max_size=12) | st.sampled_from(
    ["x/a", "x/../a", "x/.git", "/x", "x//a", "./x/a", "x/a/b", "."]
)
KINDS = [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE,
         tarfile.FIFOTYPE, tarfile.CONTTYPE, b"Z"]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(NAMES, st.sampled_from(KINDS), NAMES, st.binary(max_size=20)), max_size=6)
)
def test_fuzz_any_member_is_read_or_refused(
    members: list[tuple[str, bytes, str, bytes]],
) -> None:
    made = []
    for name, kind, target, data in members:
        fields = {"type": kind, "linkname": target if kind in b"12" else "", "size": 0}
        regular = kind == tarfile.REGTYPE
        made.append(member(name, data) if regular else member(name, b"", **fields))
    check(tar(made))


def check(data: bytes) -> None:
    """Read or refused, and what was read holds to the rules of a tree."""
    reader = ArchiveReader(io.BytesIO(data), "x.tar")
    paths: set[bytes] = set()
    try:
        for entry in reader.entries():
            assert len(entry.data.read()) == entry.size
            parts = entry.path.split(b"/")
            assert entry.path not in paths
            assert not {b"", b".", b"..", b".git"} & set(parts)
            assert b"\0" not in entry.path
            assert entry.mode in ("100644", "100755", "120000")
            paths.add(entry.path)
    except BadArchive as error:
        assert "\n" not in str(error)  # noqa: PT017 (either outcome is fine)
