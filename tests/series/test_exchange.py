"""Mails and commits as patches, and the way back: nothing gets lost between them."""

from __future__ import annotations

import base64
import quopri
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portkit.errors import PortkitError, UsageError
from portkit.gitio import GitRepo
from portkit.series.commits import named_body, read_range
from portkit.series.mail import read_mbox, write_mbox
from portkit.series.model import Patch
from portkit.series.patch import canonical, free_name, parse_patch

DIFF = "diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-alt\n+ne\u00fc \u00e9\n"
HEAD = "From: J\u00f6rg <j@x.org>\nDate: Sun, 1 Mar 2026 10:00:00 +0100\n"


def patch(name: str, text: str) -> Patch:
    return parse_patch(name, text.encode())


MAIL_LIKE = [
    patch("0001-odd-name.patch", HEAD + "Subject: [PATCH] one\n\nwhy\n---\n" + DIFF),
    patch(
        "two.diff",
        "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n" + HEAD +
        "Subject: [PATCH 2/9] two:\n folded\n\nFrom me Mon Sep 17 00:00:00 2001\n"
        ">From me Mon Sep 17 00:00:00 2001\nX-Patch-Name: no field\n\nForwarded: no\n---\n"
        " f | 2 +-\n\n" + DIFF + "-- \n2.39.2\n\n",
    ),
    patch("sub/three.patch", HEAD + "Subject: same\n\n---\n" + DIFF),
    patch("same.patch", HEAD + "Subject: same\n\n---\n" + DIFF + "\n\n\n"),
]  # fmt: skip


def test_mbox_gives_the_same_bytes_back() -> None:
    patches, skipped = read_mbox(write_mbox(MAIL_LIKE), [])
    assert [p.name for p in patches] == [p.name for p in MAIL_LIKE]
    assert skipped == []
    for before, after in zip(MAIL_LIKE, patches, strict=True):
        start = b"" if before.raw.startswith(b"From ") else after.raw[: after.raw.index(b"\n") + 1]
        assert after.raw == start + before.raw
    again, _ = read_mbox(write_mbox(patches), [])
    assert again == patches


def test_git_reads_the_mbox(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(write_mbox(MAIL_LIKE))
    (tmp_path / "out").mkdir()
    done = subprocess.run(
        ["git", "mailsplit", "--mboxrd", f"-o{tmp_path}/out", tmp_path / "in"],
        capture_output=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) == len(MAIL_LIKE)


def test_dep3_headers_become_trailers_in_a_mail() -> None:
    dep3 = patch(
        "d.patch", "Description: short\n long\nAuthor: A <a@b>\nForwarded: not-needed\n---\n" + DIFF
    )
    (mail,), _ = read_mbox(write_mbox([dep3]), [])
    assert (mail.subject, mail.author) == ("short", "A <a@b>")
    assert mail.body == "long\n\nForwarded: not-needed"
    assert mail.trailers == dep3.trailers
    assert mail.files[0].hunks[0].new == dep3.files[0].hunks[0].new


@pytest.mark.parametrize("head", ["Subject: x\n\n", "From: A <a@b>\n\nwords\n"])
def test_a_mail_needs_author_and_subject(head: str) -> None:
    with pytest.raises(UsageError, match="portkit edit"):
        write_mbox([patch("p", head + DIFF)])


BODY = f"W\u00e4r' es so \u2026\n\n---\n{DIFF}-- \n2.39.2\n"


def mail(headers: str, body: bytes) -> bytes:
    return (
        b"From a@b Sun Mar  1 10:00:00 2026\nReceived: by x\nMessage-Id: <1@x>\nFrom: J <j@x>\n"
        b"Date: Sun, 1 Mar 2026 10:00:00 +0100\nSubject: =?utf-8?q?=5BPATCH_v3_1/2=5D_caf=C3=A9?=\n"
        + headers.encode() + b"\n" + body
    )  # fmt: skip


def multipart(body: str) -> bytes:
    kind = "Content-Type: {}; charset=utf-8\nContent-Transfer-Encoding: {}\n\n"
    diff = base64.encodebytes(DIFF.encode()).decode()
    return (
        "--sep\n" + kind.format("text/plain", "8bit") + body + "\n--sep\n"
        + kind.format("text/html", "8bit") + "<p>x</p>\n--sep\n"
        + kind.format("text/x-patch", "base64") + diff + "\n--sep--\n"
    ).encode()  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Content-Type: text/plain; charset=utf-8\n", BODY.encode()),
        ("Content-Transfer-Encoding: quoted-printable\n", quopri.encodestring(BODY.encode())),
        ("Content-Transfer-Encoding: base64\n", base64.encodebytes(BODY.encode())),
        ("", BODY.replace("\n", "\r\n").encode()),
        ("Content-Type: multipart/mixed; boundary=sep\n", multipart("W\u00e4r' es so \u2026\n")),
    ],
)
def test_transport_is_undone(headers: str, body: bytes) -> None:
    (got,), _ = read_mbox(mail(headers, body), [])
    assert (got.name, got.subject, got.author) == ("cafe.patch", "caf\u00e9", "J <j@x>")
    assert got.body == "W\u00e4r' es so \u2026"
    assert got.files[0].hunks[0].new == ("ne\u00fc \u00e9\n".encode(),)
    assert got == canonical(got)
    assert b"\r" not in got.raw


def test_crlf_of_a_file_is_no_transport() -> None:
    diff = DIFF.replace("alt\n", "alt\r\n").replace("\u00e9\n", "\u00e9\r\n")
    for data in (mail("", f"why\n---\n{diff}".encode()), (HEAD + "Subject: x\n\n" + diff).encode()):
        (got,), _ = read_mbox(data, [])
        assert got.files[0].hunks[0].old == (b"alt\r\n",)


def test_message_is_decoded_and_the_diff_is_not() -> None:
    body = f"\u00fc\n---\n{DIFF}".encode("latin-1")
    (got,), _ = read_mbox(mail("Content-Type: text/plain; charset=latin-1\n", body), [])
    assert got.body == "\u00fc"
    assert got.files[0].hunks[0].new == (b"ne\xfc \xe9\n",)


def test_cover_letters_are_skipped_and_told() -> None:
    cover = mail("", b"Hello\n").replace(b"1/2", b"0/2")
    patches, skipped = read_mbox(cover + mail("", BODY.encode()), [])
    assert len(patches) == 1
    assert skipped == ["=?utf-8?q?=5BPATCH_v3_0/2=5D_caf=C3=A9?="]
    with pytest.raises(UsageError, match="no patch in this mbox"):
        read_mbox(cover, [])


def test_subjects_of_skipped_mails_cannot_drive_a_terminal() -> None:
    cover = mail("", b"Hello\n").replace(b"=?utf-8?q?", b"\x1b[2J\xff")
    _, (skipped,) = read_mbox(cover + mail("", BODY.encode()), [])
    assert skipped.startswith(r"\x1b[2J\udcff")


def test_a_bad_patch_is_named_by_its_mail() -> None:
    bad = mail("", BODY.replace("@@ -1 +1 @@", "@@ -1 +1,2 @@").encode())
    with pytest.raises(UsageError, match=r"^mail 2:\d+: hunk.s lines"):
        read_mbox(mail("", BODY.encode()) + bad, [])


def test_names_are_unique_and_stay_in_the_directory() -> None:
    text = (HEAD + "Subject: x\nX-Patch-Name: ../../evil\n\n---\n" + DIFF).encode()
    mails = b"".join(b"From a Sun Mar  1 10:00:00 2026\n" + text + b"\n" for _ in range(2))
    patches, _ = read_mbox(mails, ["x.patch"])
    assert [p.name for p in patches] == ["x-2.patch", "x-3.patch"]


def test_deeply_nested_mail_is_refused_or_read() -> None:
    text = b"From: a\nSubject: x\n"
    for level in range(3000):
        text += b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level)
    with pytest.raises(PortkitError):
        read_mbox(text, [])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([
    b"From a@b Sun Mar  1 10:00:00 2026\n", b"Content-Transfer-Encoding: base64\n", b"\n",
    b"Content-Transfer-Encoding: quoted-printable\n", b"Subject: =?utf-8?q?=\n", b"\r\n",
    b"Content-Type: multipart/mixed; boundary=x\n", b"--x\n", DIFF.encode(),
    b"Content-Type: text/plain; charset=idna\n", b"X-Patch-Name: /etc\n", b"From: a\n",
])), max_size=12).map(b"".join))  # fmt: skip
def test_any_bytes_give_patches_or_one_refusal(data: bytes) -> None:
    refusal = ""
    try:
        patches, _ = read_mbox(data, [])
    except UsageError as error:
        patches, refusal = [], str(error)
    assert "\n" not in refusal
    assert bool(patches) != bool(refusal)
    assert all(p.files for p in patches)


# --- commits ---


def patches_of(repo: Path, commits: str) -> list[Patch]:
    return [patch for patch, _ in read_range(GitRepo(repo), commits, [])]


def git(directory: Path, *args: str) -> str:
    who = {"GIT_AUTHOR_NAME": "A, U Thor", "GIT_AUTHOR_EMAIL": "a@b", "HOME": str(directory),
           "GIT_AUTHOR_DATE": "1700000000 +0200", "GIT_COMMITTER_NAME": "C",
           "GIT_COMMITTER_EMAIL": "c@d", "PATH": "/usr/bin:/bin"}  # fmt: skip
    done = subprocess.run(
        ["git", "-C", directory, *args], env=who, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main", ".")
    (tmp_path / "f").write_text("alt\n")
    (tmp_path / "gone").write_text("".join(f"{n}\n" for n in range(20)))
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "base")
    (tmp_path / "f").write_text("neu\n")
    git(tmp_path, "commit", "-qam", "net: first\nline two\n\nwhy\n\nForwarded: no\n")
    git(tmp_path, "mv", "gone", "moved")
    (tmp_path / "run").write_text("#!/bin/sh\n")
    (tmp_path / "run").chmod(0o755)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "second\n\nPatch-Name: 0002-x.patch\n")
    return tmp_path


def test_commits_become_patches(repo: Path) -> None:
    first, second = patches_of(repo, "HEAD~2..HEAD")
    assert (first.name, first.subject) == ("net-first-line-two.patch", "net: first line two")
    assert (first.author, first.date) == ('"A, U Thor" <a@b>', "Wed, 15 Nov 2023 00:13:20 +0200")
    assert first.body == "why\n\nForwarded: no"
    assert first.trailers == (("Forwarded", "no"),)
    assert (second.name, second.body) == ("0002-x.patch", "")
    assert [(f.change.value, str(f.path), f.new_mode) for f in second.files] == [
        ("rename", "moved", None), ("add", "run", "100755"),
    ]  # fmt: skip
    assert [patch.name for patch in patches_of(repo, "HEAD")] == ["0002-x.patch"]


def test_patches_made_from_commits_apply_to_the_same_tree(repo: Path) -> None:
    patches = patches_of(repo, "HEAD~2..HEAD")
    tree = git(repo, "rev-parse", "HEAD^{tree}")
    git(repo, "checkout", "-q", "HEAD~2")
    for patch in patches:
        subprocess.run(["git", "-C", repo, "apply", "--index", "-"], input=patch.raw, check=True)
    assert git(repo, "write-tree") == tree


@pytest.mark.parametrize(
    ("commits", "what"),
    [("nope..HEAD", "git does not know"), ("HEAD..HEAD", "no commit in"),
     ("--all", "git does not know"), ("HEAD~2", "a root commit")],
)  # fmt: skip
def test_commits_that_give_no_patch(repo: Path, commits: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        patches_of(repo, commits)


def test_merges_and_binary_files_are_refused(repo: Path) -> None:
    git(repo, "checkout", "-qb", "side", "HEAD~1")
    (repo / "b").write_bytes(b"\0\1")
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "binary")
    with pytest.raises(UsageError, match="b: binary file"):
        patches_of(repo, "HEAD")
    git(repo, "merge", "-q", "-m", "merge", "main")
    with pytest.raises(UsageError, match="a merge"):
        patches_of(repo, "HEAD")


def test_a_commit_message_carries_a_name_only_where_the_subject_does_not_give_it() -> None:
    text = HEAD + "Subject: a b\n\nwhy\n\nForwarded: no\n---\n" + DIFF
    assert named_body(patch("a-b.patch", text)) == "why\n\nForwarded: no"
    assert named_body(patch("9.patch", text)) == "why\n\nForwarded: no\nPatch-Name: 9.patch"
    assert free_name("a b", ["a-b.patch", "a-b-2.patch"]) == "a-b-3.patch"
