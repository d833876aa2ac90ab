"""portkit.lock: the same entries are the same bytes, and a damaged file is named by its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portkit.errors import UsageError
from portkit.manifest.lock import Lock, LockEntry

ENTRY = LockEntry(
    upstream="qemu",
    version="10.0.13",
    source="debian",
    digest="sha256:" + "a" * 64,
    subtree="b" * 16,
    tree="c" * 40,
    date=1_700_000_000,
)

ENTRIES = st.builds(
    LockEntry,
    upstream=st.sampled_from(["qemu", "linux-kvm"]),
    version=st.from_regex(r"[0-9]{1,3}\.[0-9]{1,3}(-rc[1-9])?", fullmatch=True),
    source=st.sampled_from(["git", "kernel.org"]),
    digest=st.sampled_from(["commit:" + "d" * 40, "sha256:" + "e" * 64]),
    subtree=st.from_regex(r"[0-9a-f]{16}", fullmatch=True),
    tree=st.from_regex(r"[0-9a-f]{40}", fullmatch=True),
    date=st.integers(0, 1 << 33),
)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "portkit.lock"
    path.write_text(text)
    return path


def test_the_form_of_an_entry(tmp_path: Path) -> None:
    text = Lock([ENTRY]).to_bytes().decode()
    assert text.startswith("# Written by 'portkit sync'")
    assert text.endswith(
        f"""
[[release]]
upstream = "qemu"
version = "10.0.13"
source = "debian"
digest = "sha256:{"a" * 64}"
subtree = "{"b" * 16}"
tree = "{"c" * 40}"
date = "2023-11-14T22:13:20Z"
"""
    )
    assert Lock.read(write(tmp_path, text)).entry("qemu", "10.0.13") == ENTRY
    assert Lock.read(tmp_path / "none").entries() == []


@given(st.lists(ENTRIES, max_size=6, unique_by=lambda e: (e.upstream, e.version)), st.randoms())
def test_what_is_written_is_read_and_order_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, entries: list[LockEntry], random
) -> None:
    path = tmp_path_factory.getbasetemp() / "portkit.lock"
    path.write_bytes(Lock(entries).to_bytes())
    again = Lock.read(path)
    assert sorted(again.entries(), key=str) == sorted(entries, key=str)
    random.shuffle(entries)
    lock = Lock()
    for entry in entries:
        lock = lock.updated(entry)
    assert lock.to_bytes() == path.read_bytes() == again.to_bytes()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sha256:aa", "md5:aa", r"^portkit.lock:8: release\[1\].digest: .* take the entry out"),
        ('"10.0.13"', '"ten"', r"portkit.lock:6: release\[1\].version"),
        ('"2023-11-14', '"2023-31-14', r"portkit.lock:11: release\[1\].date: .* not a date"),
        ('tree = "c', 'tree = "../c', r"portkit.lock:10: release\[1\].tree"),
        ('source = "debian"', "", r"portkit.lock:4: release\[1\]: the key 'source' is missing"),
        ("[[release]]", "<<<<<<< HEAD", r"^portkit.lock:4: not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = Lock([ENTRY]).to_bytes().decode()
    assert old in text
    with pytest.raises(UsageError, match=message):
        Lock.read(write(tmp_path, text.replace(old, new)))
