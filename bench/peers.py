"""What each tool does with a series: apply it on its release, carry it to another one.

A rebase leaves out what conflicts; it returns what became of each patch, so that tools can be
compared patch by patch.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from upstreams import ENV, Bench, portkit, reap, run

from portkit.gitio import GitRepo

CLEAN, CONFLICT, UPSTREAM = "applies", "conflict", "upstreamed"

#: What became of each patch, in the order of the series.
Outcomes = Sequence[str]


def floor(repository: Path, commits: Sequence[str], paths: Sequence[str]) -> None:
    """Read files of some commits and hash them."""
    names = [f"{commit}:{path}" for commit in commits for path in paths]
    for blob in GitRepo(repository).cat_file(names):
        if blob is not None:
            digest = hashlib.sha1(b"blob %d\0" % len(blob.data), usedforsecurity=False)
            digest.update(blob.data)
            assert digest.hexdigest() == blob.oid


# --- apply ---


def git_apply(bench: Bench) -> None:
    index = {"GIT_INDEX_FILE": str(bench.work / "apply.index")}
    run("git", "apply", "--cached", "--whitespace=nowarn", *bench.patches(),
        cwd=bench.work / "apply.git", env=index)  # fmt: skip


def prepare_git_apply(bench: Bench) -> None:
    bench.forget_applied()
    shutil.rmtree(bench.work / "apply.git", ignore_errors=True)
    run("git", "read-tree", bench.base, cwd=bench.borrower("apply"),
        env={"GIT_INDEX_FILE": str(bench.work / "apply.index")})  # fmt: skip


def portkit_apply(bench: Bench) -> None:
    portkit("apply", "debian", cwd=bench.work)


def git_am(bench: Bench) -> None:
    run("git", "am", "-q", "-3", *bench.patches(), cwd=bench.tree)


def quiltimport(bench: Bench) -> None:
    run("git", "checkout", "-q", "-B", "quiltimport", bench.base, cwd=bench.tree)
    run("git", "quiltimport", "--patches", bench.work / "patches", "--keep-non-patch",
        cwd=bench.tree)  # fmt: skip


def stg(bench: Bench) -> None:
    run("git", "checkout", "-q", "-B", "stg", bench.base, cwd=bench.tree)
    run("stg", "init", cwd=bench.tree)
    run("stg", "import", "-s", bench.work / "patches" / "series", cwd=bench.tree)


def gbp(bench: Bench) -> None:
    run("git", "checkout", "-q", "-B", "gbp", bench.base, cwd=bench.tree)
    shutil.rmtree(bench.tree / "debian", ignore_errors=True)
    shutil.copytree(bench.work / "patches", bench.tree / "debian" / "patches")
    for name in ("control", "changelog"):
        shutil.copy(bench.work / "debian-source" / "debian" / name, bench.tree / "debian")
    run("git", "add", "-f", "debian", cwd=bench.tree)
    run("git", "commit", "-qm", "packaging", cwd=bench.tree)
    run("gbp", "pq", "import", "--force", cwd=bench.tree)


# --- rebase ---


def portkit_check(bench: Bench) -> Outcomes:
    done = portkit("--json", "check", "debian", "--onto", bench.onto, cwd=bench.work, check=False)
    (verdict,) = json.loads(done.stdout)["verdicts"]
    return [patch["outcome"] for patch in verdict["patches"]]


def quilt(bench: Bench) -> Outcomes:
    """Push every patch, leaving those out that do not apply; for apply, too."""
    copy = bench.work / "quilt-patches"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(bench.work / "patches", copy)
    env = {"QUILT_PATCHES": str(copy)}
    found = {path.name: CLEAN for path in bench.patches()}
    while True:
        done = run("quilt", "push", "-a", "-q", cwd=bench.tree, env=env, check=False)
        bad = run("quilt", "next", cwd=bench.tree, env=env, check=False).stdout.strip()
        if done.returncode != 1 or not bad:
            return list(found.values())
        reverse = "can be reverse-applied" in done.stdout + done.stderr
        found[Path(bad).name] = UPSTREAM if reverse else CONFLICT
        run("quilt", "delete", "-n", cwd=bench.tree, env=env, check=False)


def git_rebase(bench: Bench) -> Outcomes:
    state = _state(bench, "rebase-merge")
    conflicts = set()
    run("git", "rebase", "--onto", bench.target, bench.base, cwd=bench.tree, check=False)
    while state.is_dir():
        conflicts.add(_subject(bench, (state / "stopped-sha").read_text().strip()))
        run("git", "rebase", "--skip", cwd=bench.tree, check=False)
    return _outcomes(bench, conflicts)


def git_am_onto(bench: Bench) -> Outcomes:
    """The chain as mails with full ids of their blobs, which the three-way merge needs."""
    mails = bench.work / "chain.mbox"
    mails.write_bytes(bench.chain.run(
        "format-patch", "--stdout", "--full-index", "-k", "--binary", f"{bench.base}..{bench.tip}"
    ))  # fmt: skip
    state = _state(bench, "rebase-apply")
    subjects, conflicts = bench.subjects(), set()
    run("git", "am", "-q", "-3", "-k", mails, cwd=bench.tree, check=False)
    while state.is_dir():
        conflicts.add(subjects[int((state / "next").read_text()) - 1])
        run("git", "am", "--skip", cwd=bench.tree, check=False)
    return _outcomes(bench, conflicts)


def git_merge_tree(bench: Bench) -> Outcomes:
    """One process merges all; for each patch it is given the tree so far as a commit on the chain.

    stdbuf, because git keeps an answer in its buffer while it waits for the next question.
    """
    chain = bench.chain.text("rev-list", "--reverse", f"{bench.base}..{bench.tip}").splitlines()
    tree = run("git", "rev-parse", f"{bench.target}^{{tree}}", cwd=bench.peers.path).stdout.strip()
    process = subprocess.Popen(
        ["stdbuf", "-o0", "git", "merge-tree", "--write-tree", "--stdin", "--name-only",
         "--no-messages"],
        cwd=bench.peers.path, env=ENV, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    found, before = [], bench.base
    for commit in chain:
        ours = run("git", "commit-tree", "-p", before, "-m", "x", tree, cwd=bench.peers.path).stdout
        process.stdin.write(f"{ours.strip()} {commit}\n".encode())
        process.stdin.flush()
        answer = b""
        while not answer.endswith(b"\0\0"):
            piece = os.read(process.stdout.fileno(), 1 << 16)
            if not piece:
                raise RuntimeError(f"git merge-tree ended at {commit}")
            answer += piece
        clean, merged, *_ = answer.decode(errors="replace").split("\0")
        unchanged = merged == tree
        found.append(CONFLICT if clean != "1" else UPSTREAM if unchanged else CLEAN)
        tree = merged if clean == "1" else tree
        before = commit
    process.stdin.close()
    process.stdout.close()
    reap(process)
    return found


def has_merge_tree_stdin(bench: Bench) -> bool:
    """Whether the installed git can do many merges in one process (2.39 and later)."""
    return "--stdin" in run("git", "merge-tree", "-h", cwd=bench.work, check=False).stdout


def _state(bench: Bench, name: str) -> Path:
    done = run("git", "rev-parse", "--absolute-git-dir", cwd=bench.tree)
    return Path(done.stdout.strip()) / name


def _subject(bench: Bench, commit: str) -> str:
    return bench.chain.text("log", "-1", "--format=%s", commit)


def _outcomes(bench: Bench, conflicts: set[str]) -> Outcomes:
    """What the checkout's history says: what is neither in it nor a conflict was upstream."""
    log = run("git", "log", "--format=%s", f"{bench.target}..HEAD", cwd=bench.tree).stdout
    applied = set(log.splitlines())
    return [
        CONFLICT if subject in conflicts else CLEAN if subject in applied else UPSTREAM
        for subject in bench.subjects()
    ]


def counted(outcomes: Outcomes, truth: Outcomes) -> Mapping[str, int]:
    """Numbers for a table; ``truth`` is what a three-way merge of whole files finds."""
    pairs = list(zip(outcomes, truth, strict=True))
    return {
        "clean": outcomes.count(CLEAN),
        "conflict": outcomes.count(CONFLICT),
        "upstream": outcomes.count(UPSTREAM),
        "twice": pairs.count((CLEAN, UPSTREAM)),
    }
