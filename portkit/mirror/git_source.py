"""Releases as tags of a git repository: a local one, or a remote fetched shallow and filtered."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from portkit.errors import EnvironmentProblem
from portkit.gitio import GitFailed, GitRepo
from portkit.manifest.model import GitSource
from portkit.manifest.version import is_version
from portkit.mirror.source import PATIENCE, Fetched, Progress, not_there, probe, unreachable
from portkit.mirror.unpack import BadArchive

# A transfer slower than this (bytes a second, for so many seconds) is given up.
_STALL = ["-c", "http.lowSpeedLimit=1000", "-c", f"http.lowSpeedTime={2 * PATIENCE:.0f}"]


class GitClient:
    """A git source.

    Args:
        spec: the source, as the manifest has it.
        subtree: files and directories that are needed; empty means all.
        staging: directory for a bare repository of what is fetched from a remote.
    """

    gap: str | None = None

    def __init__(self, spec: GitSource, subtree: tuple[str, ...], staging: Path) -> None:
        self.name = spec.name
        self._spec = spec
        self._subtree = subtree
        self._remote = "://" in spec.url or re.match(r"[^/]+@[^/]+:", spec.url) is not None
        self._repo = GitRepo(staging if self._remote else Path(spec.url))
        self._tags: dict[str, str] | None = None

    def versions(self) -> list[str]:
        """See ``SourceClient``."""
        return list(self._known())

    @contextmanager
    def fetch(self, version: str, progress: Progress) -> Iterator[Fetched]:
        """See ``SourceClient``."""
        known = self._known()
        if version not in known:
            raise not_there(self.name, version)
        tag = f"refs/tags/{self._spec.tag.format(version=version)}"
        if self._remote:
            self._bring(tag, progress)
        commit = self._repo.text("rev-parse", "--verify", f"{tag}^{{commit}}")
        paths = self._paths(commit)
        with _archive(self._repo, self._slim(commit) if self._remote else commit, paths) as stream:
            name = f"{self._repo.path.name} {self._spec.tag.format(version=version)}"
            yield Fetched(stream, name, f"commit:{commit}", None)

    def _known(self) -> dict[str, str]:
        """The releases, and the object of the tag of each."""
        if self._tags is None:
            before, _, after = self._spec.tag.partition("{version}")
            pattern = re.compile(
                rf"([0-9a-f]{{40,64}})\trefs/tags/{re.escape(before)}(.+){re.escape(after)}"
            )
            matches = map(pattern.fullmatch, self._list_tags().splitlines())
            self._tags = {m[2]: m[1] for m in matches if m and is_version(m[2])}
        return self._tags

    def _list_tags(self) -> str:
        if self._remote:
            probe(self.name, self._spec.url)
        elif not self._repo.path.is_dir():
            raise unreachable(self.name, f"{self._repo.path}: no such directory")
        location = self._spec.url if self._remote else str(self._repo.path)
        limit = 2 * PATIENCE if self._remote else None
        return self._ask("ls-remote", "--tags", "--refs", location, limit=limit)

    def _bring(self, tag: str, progress: Progress) -> None:
        """Fetch one tag's trees, then the blobs of the subtree, in one request each."""
        repo = GitRepo.init_bare(self._repo.path)
        repo.sweep()
        repo.run("config", "remote.origin.url", self._spec.url)
        repo.run("config", "remote.origin.promisor", "true")
        repo.run("config", "remote.origin.partialclonefilter", "blob:none")
        progress("fetch", 0, None)
        fetch = [f"--git-dir={repo.path}", "-c", "fetch.negotiationAlgorithm=noop", "fetch",
                 "--quiet", "--no-tags", "--filter=blob:none"]  # fmt: skip
        self._ask(*fetch, "--depth=1", "origin", f"+{tag}:{tag}")
        here = repo.run("rev-list", "--objects", "--all", "--missing=print")
        absent = {line[1:] for line in here.splitlines() if line.startswith(b"?")}
        fields = (entry.partition(b"\t")[0].split() for entry in self._entries(tag))
        missing = {oid: None for _, kind, oid in fields if kind == b"blob" and oid in absent}
        if missing:
            wanted = repo.path / "wanted.portkit"
            wanted.write_bytes(b"".join(oid + b"\n" for oid in missing))
            with wanted.open("rb") as file:
                self._ask(*fetch, "--no-write-fetch-head", "--stdin", "origin", stdin=file)

    def _ask(self, *args: str, stdin: BinaryIO | None = None, limit: float | None = None) -> str:
        """Run a git command that talks to the remote, with the user's proxies and credentials.

        Raises:
            Unreachable: it failed, or took longer than ``limit`` seconds.
        """
        from git.cmd import Git
        from git.exc import GitCommandError

        runner = Git()
        ssh = os.environ.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")
        runner.update_environment(GIT_TERMINAL_PROMPT="0", GIT_SSH_COMMAND=ssh, LC_ALL="C")
        try:
            return runner.execute(["git", *_STALL, *args], istream=stdin, kill_after_timeout=limit)
        except GitCommandError as error:
            raise unreachable(self.name, _reason(str(error.stderr))) from error

    def _entries(self, commit: str) -> list[bytes]:
        """The subtree's part of ``ls-tree``, and the attributes of the whole tree."""
        everything = self._repo.run("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")
        attributes = (b"/.gitattributes", b"\t.gitattributes")
        wanted = [
            *self._repo.run("ls-tree", "-r", "-z", commit, "--", *self._subtree).split(b"\0"),
            *(entry for entry in everything if entry.endswith(attributes)),
        ]
        return [entry for entry in dict.fromkeys(wanted) if entry]

    def _slim(self, commit: str) -> str:
        """A commit with just the files that were fetched.

        git archive, asked for a part of a commit, fetches what is missing in all of it.
        """
        repo = self._repo
        index = {"GIT_INDEX_FILE": "index.portkit"}
        (repo.path / "index.portkit").unlink(missing_ok=True)
        lines = b"".join(entry + b"\0" for entry in self._entries(commit))
        repo.run("update-index", "-z", "--index-info", stdin=lines, env=index)
        tree = repo.run("write-tree", env=index).decode().strip()
        date = repo.text("log", "-1", "--format=%ct +0000", commit)
        who = {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in {"NAME": "portkit", "EMAIL": "", "DATE": date}.items()
        }
        return repo.run("commit-tree", tree, env=who).decode().strip()

    def _paths(self, commit: str) -> list[str]:
        """The parts of the subtree that the commit has; git archive refuses the others."""
        if not self._subtree:
            return []
        listed = self._repo.run("ls-tree", "-z", "--name-only", commit, "--", *self._subtree)
        found = [path.decode(errors="surrogateescape") for path in listed.split(b"\0") if path]
        if not found:
            raise EnvironmentProblem(
                "has nothing of the files that are wanted",
                where=f"source {self.name}: {commit}",
                hint="correct the subtree in portkit.toml",
            )
        return found


@contextmanager
def _archive(repo: GitRepo, commit: str, paths: list[str]) -> Iterator[IO[bytes]]:
    """``git archive`` of a commit as a stream: it honours .gitattributes, as a tarball does."""
    args = ["archive", "--format=tar", "--prefix=release/", commit, "--", *paths]
    process = repo.popen(*args, env={"GIT_LITERAL_PATHSPECS": "1"})
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        try:
            yield process.stdout
        except BadArchive:
            _check(process, args, repo.path)  # git's own words say more
            raise
        _check(process, args, repo.path)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _check(process: subprocess.Popen[bytes], args: list[str], place: Path) -> None:
    assert process.stderr is not None
    complaint = process.stderr.read()
    if process.wait() > 0:
        raise GitFailed(args, process.returncode, complaint.decode(errors="replace"), place)


def _reason(stderr: str) -> str:
    """The line of git's complaint that says what is wrong."""
    lines = [line.strip(" '\"") for line in stderr.splitlines() if line.strip(" '\"")]
    fatal = [line for line in lines if "fatal: " in line or "error: " in line]
    text = (fatal or lines or ["git gave no reason"])[0]
    return text.removeprefix("stderr: ").strip(" '\"").removeprefix("fatal: ")
