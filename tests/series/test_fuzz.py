"""Whatever bytes come in, the parser answers with a patch or with one clear refusal."""

from __future__ import annotations

import io
import subprocess
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portkit.errors import UsageError
from portkit.series.model import FileDiff, Patch
from portkit.series.patch import canonical, parse_patch
from portkit.series.problem import PatchProblem
from portkit.series.store import load_patches, render_series

_LINES = rb"""diff --git a/f b/f|diff --git "a/f\303" b/g|diff --git a b|diff --git|--- a/f|+++ b/f|
--- /dev/null|+++ /dev/null|--- a/../f|+++ "b/f|@@ -1 +1 @@|@@ -1,2 +1,2 @@|@@ -0,0 +1 @@|
@@ -1 +0,0 @@|@@ -999999999,9 +1 @@|@@ -1,a +1 @@|-old|+new| same||\ No newline at end of file|
new file mode 100755|deleted file mode 100644|old mode 100644|new mode 120000|rename from f|
rename to g|copy from f|copy to g|similarity index 100%|index 12..34 160000|index 12..34 100644|
GIT binary patch|Binary files a/f and b/f differ|Submodule s 12...34:|From: =?utf-8?b?!?= <a@b>|
Subject: [PATCH] =?x?q?y?=|Description: x|Content-Transfer-Encoding: base64|---|-- |*** a/f|
***************|diff --cc f| long|Index: f"""
_MORE = [b"--- x/f\t1970-01-01 00:00:00 +0000", b"text\r", b"\0", b"\xff\xfe"]
PIECES = st.sampled_from([*_LINES.replace(b"|\n", b"|").split(b"|"), *_MORE]).map(
    lambda line: line + b"\n"
)
VALID = [
    b"""Subject: [PATCH] x

why
---
diff --git a/f b/f
index 12..34 100644
--- a/f
+++ b/f
@@ -1,3 +1,3 @@
 a
-b
+c
 d
@@ -9,0 +10 @@
+e
--
2.1
""",
    b"""diff --git a/f b/g
similarity index 90%
rename from f
rename to g
--- a/f
+++ b/g
@@ -1 +1 @@
-a
\\ No newline at end of file
+b
diff --git a/n b/n
new file mode 100644
--- /dev/null
+++ b/n
@@ -0,0 +1 @@
+x
diff --git a/m b/m
old mode 100644
new mode 100755
""",
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good patch with a few lines lost, doubled, moved or put in."""
    lines = io.BytesIO(draw(st.sampled_from(VALID))).readlines()
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        new = draw(st.one_of(PIECES, st.sampled_from(lines)))
        lines[at : at + draw(st.integers(0, 1))] = [new] * draw(st.integers(0, 2))
        if not lines:
            break
    return b"".join(lines)


FILES = st.one_of(st.binary(max_size=200), damaged(), st.lists(PIECES, max_size=14).map(b"".join))


def read(raw: bytes) -> Patch | PatchProblem:
    try:
        return parse_patch("p.patch", raw)
    except PatchProblem as problem:
        return problem


def consistent(patch: Patch) -> None:
    lines = io.BytesIO(patch.raw).readlines()
    for file in patch.files:
        for path in (file.old_path, file.new_path):
            assert path is None or _inside(path)
        for hunk in file.hunks:
            assert lines[hunk.line - 1].startswith(b"@@ -")
            assert (len(hunk.old), len(hunk.new)) == (hunk.old_count, hunk.new_count)
            body = lines[hunk.line :]
            for line in (*hunk.old, *hunk.new):  # nothing that the file does not say
                assert any(part[1:].rstrip(b"\n") == line.rstrip(b"\n") for part in body)


def round_trip(patch: Patch) -> None:
    """Written in one form or refused, it says the same; written again, byte for byte."""
    try:
        written = canonical(patch)
    except UsageError:
        return
    assert [changes(file) for file in written.files] == [changes(file) for file in patch.files]
    assert canonical(written).raw == written.raw


def changes(file: FileDiff) -> FileDiff:
    """Without the lines where the patch says so."""
    return file._replace(line=0, hunks=tuple(hunk._replace(line=0) for hunk in file.hunks))


def _inside(path: PurePosixPath) -> bool:
    return not path.is_absolute() and not {"..", ".git", ""} & set(path.parts)


@settings(max_examples=1500, deadline=None)
@given(FILES)
@example(b"diff --git a/f b/f\nold mode 100644\nnew mode 100755\n")
@example(b"--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@ cut o")  # found by atheris
def test_a_patch_or_one_refusal(raw: bytes) -> None:
    answer = read(raw)
    if isinstance(answer, PatchProblem):
        assert answer.hint
        assert "\n" not in str(answer)
        assert 1 <= answer.line <= raw.count(b"\n") + 1
        assert answer.rule.startswith("patch-")
    else:
        assert answer.files
        assert answer.raw == raw
        consistent(answer)
        round_trip(answer)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=20), st.sampled_from(
    [b"a.patch", b" -p1", b"\n", b"# x", b"../", b"/", b" -p0", b"a" * 300, b"\r\n", b"series"]
)), max_size=6).map(b"".join))  # fmt: skip
def test_any_series_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    directory = tmp_path_factory.mktemp("s")
    (directory / "series").write_bytes(data)
    (directory / "a.patch").write_bytes(VALID[0])
    refusal = ""
    try:
        patches = load_patches(directory)
    except UsageError as error:
        refusal = str(error)
    else:
        text = render_series(directory, patches)[directory / "series"]
        assert text is not None
        assert text.removesuffix(b"\n") == data.removesuffix(b"\n")
    assert refusal.isprintable()


@settings(max_examples=300, deadline=None, derandomize=True)  # the same in every run
@given(damaged())
def test_what_is_taken_is_what_git_takes(raw: bytes) -> None:
    """Where we read a patch, ``git apply`` reads the same files (it takes more than we do)."""
    patch = read(raw)
    if isinstance(patch, PatchProblem) or patch.unapplied:
        return  # git lists stubs, and knows nothing of submodules
    done = subprocess.run(
        ["git", "apply", "--numstat", "-z", "-"], input=raw, capture_output=True, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"\t") == 2 * len(patch.files)
