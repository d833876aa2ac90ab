"""The edge to git: processes on one bare repository, and nothing that knows of series.

Releases are written by one ``git fast-import``, commits of a series as one pack (``packfile``), all
moves of refs go through one ``git update-ref --stdin`` transaction, so an interruption leaves the
old state whole.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import IO, NamedTuple

from portkit.errors import EnvironmentProblem

_NAMES_AT_ONCE = 16  # so that git has something to do early

# The user's configuration must not change what portkit computes (renames, signing, hooks, ...).
_ENV = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class GitFailed(EnvironmentProblem):
    """A git process ended with an error.

    Attributes:
        status: its exit status.
        stderr: what it wrote to standard error.
    """

    def __init__(self, args: Sequence[str], status: int, stderr: str, place: Path) -> None:
        lines = [line for line in stderr.splitlines() if line.strip()]
        fatal = [line for line in lines if line.startswith(("fatal: ", "error: "))]
        super().__init__(
            next(iter(fatal + lines[-1:]), f"ended with status {status}"),
            where=f"git {args[0]}" if args else "git",
            hint=_hint(stderr, place),
        )
        self.status = status
        self.stderr = stderr


class Blob(NamedTuple):
    """An object as ``cat-file --batch`` gives it: its id, its kind (``blob``, ...), its bytes."""

    oid: str
    kind: str
    data: bytes


class GitRepo:
    """One git repository, used through git's own commands.

    Args:
        path: the git directory (bare) or the work tree's top.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def init_bare(cls, path: Path) -> GitRepo:
        """Create a bare repository, or open the one that is there.

        Raises:
            EnvironmentProblem: git is missing or the disk refuses.
        """
        repo = cls(path)
        if not (path / "HEAD").exists():
            path.mkdir(parents=True, exist_ok=True)
            repo._remove_locks()
            repo.run("init", "--quiet", "--bare", "--template=", "--initial-branch=main", ".")
            repo.run("config", "gc.auto", "0")
        return repo

    @cached_property
    def objects(self) -> Path:
        """The directory of its objects.

        Raises:
            GitFailed: this is no repository.
        """
        if all((self.path / name).exists() for name in ("HEAD", "objects", "refs")):  # bare
            return self.path / "objects"
        return Path(self.text("rev-parse", "--path-format=absolute", "--git-path", "objects"))

    def popen(
        self, *args: str, env: Mapping[str, str] | None = None, stdout: int = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        """Start git with pipes on its standard streams, or with another file to write to.

        Raises:
            EnvironmentProblem: git is not installed.
        """
        try:
            return subprocess.Popen(
                ["git", "-C", str(self.path), *args],
                stdin=subprocess.PIPE,
                stdout=stdout,
                stderr=subprocess.PIPE,
                env={**_clean_environ(), **_ENV, **(env or {})},
            )
        except FileNotFoundError as error:
            raise EnvironmentProblem(
                "git is not installed", hint="install the package git"
            ) from error

    def run(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """Run git to its end and return its standard output.

        Raises:
            GitFailed: git ended with a status other than 0.
        """
        process = self.popen(*args, env=env)
        out, err = process.communicate(stdin)
        if process.returncode != 0:
            raise GitFailed(args, process.returncode, err.decode(errors="replace"), self.path)
        return out

    def text(self, *args: str, stdin: bytes = b"") -> str:
        """Like ``run``, decoded and without the last newline."""
        return self.run(*args, stdin=stdin).decode(errors="surrogateescape").rstrip("\n")

    def cat_file(self, names: Iterable[str]) -> list[Blob | None]:
        """Read objects in one ``cat-file --batch``, which reads while ``names`` are worked out.

        Args:
            names: object names git understands, e.g. ``<tree>:path``; none may hold a newline.

        Returns:
            One entry a name, None where there is no such object.
        """
        out, count = self._batch(names)
        found: list[Blob | None] = []
        at = 0
        for _ in range(count):
            end = out.index(b"\n", at)
            header = out[at:end].rsplit(b" ", 2)
            at = end + 1
            if len(header) != 3 or not header[2].isdigit():  # "<name> missing"
                found.append(None)
                continue
            size = int(header[2])
            found.append(Blob(header[0].decode(), header[1].decode(), out[at : at + size]))
            at += size + 1
        return found

    def _batch(self, names: Iterable[str]) -> tuple[bytes, int]:
        """What ``cat-file --batch`` says, and how many names it was asked for.

        It writes to memory, not into a pipe, so that it never waits for this process.
        """
        args, count = ("cat-file", "--batch", "--buffer"), 0
        with open(os.memfd_create("objects"), "rb") as out:  # noqa: PTH123 (a descriptor)
            process = self.popen(*args, stdout=out.fileno())
            assert process.stdin is not None
            assert process.stderr is not None
            try:
                for name in names:
                    process.stdin.write(os.fsencode(name) + b"\n")
                    count += 1
                    if count % _NAMES_AT_ONCE == 0:
                        process.stdin.flush()
            except BrokenPipeError:
                pass  # its own message is read below
            except BaseException:
                process.kill()
                raise
            finally:
                with suppress(BrokenPipeError):
                    process.stdin.close()
                err = process.stderr.read()
                process.stderr.close()
                process.wait()
            if process.returncode != 0:
                raise GitFailed(args, process.returncode, err.decode(errors="replace"), self.path)
            out.seek(0)  # git and this process share the place in the file
            return out.read(), count

    @contextmanager
    def fast_import(self, *options: str) -> Iterator[IO[bytes]]:
        """A stream into one ``git fast-import``; leaving the block finishes it, as one pack.

        An exception inside the block ends the process before ``done``, so nothing it wrote
        becomes reachable, and the pack that it left half written is removed.

        Args:
            options: of fast-import.

        Yields:
            The writable stream of fast-import commands; ``feature done`` is already sent.

        Raises:
            GitFailed: fast-import refused the stream or the disk is full.
        """
        args = ("fast-import", "--quiet", "--done", *options)
        before = set(self._unfinished())
        process = self.popen("-c", "fastimport.unpackLimit=1", *args)
        assert process.stdin is not None
        try:
            yield process.stdin
            process.stdin.write(b"done\n")
        except BrokenPipeError:
            pass  # its own message is read below
        except BaseException:
            process.kill()
            process.communicate()
            self._remove_unfinished(before)
            raise
        _, err = process.communicate()
        if process.returncode != 0:
            self._remove_unfinished(before)  # it may be what fills the disk
            raise GitFailed(args, process.returncode, err.decode(errors="replace"), self.path)

    def sweep(self) -> None:
        """Remove what git processes that were killed have left; none may be at work here.

        Only branches may be somebody's: people commit in checkouts.

        Raises:
            OSError: the disk refuses.
        """
        self._remove_unfinished(set())
        self._remove_locks()

    def _remove_locks(self) -> None:
        locks = [*self.path.glob("*.lock"), *self.path.glob("refs/**/*.lock")]
        for lock in locks:
            if not lock.is_relative_to(self.path / "refs" / "heads"):
                lock.unlink(missing_ok=True)

    def _unfinished(self) -> list[Path]:
        packs = self.objects / "pack"
        found = [
            path
            for place, pattern in (
                (self.objects, "tmp_*"),
                (packs, "tmp_*"),
                (packs, ".tmp-*"),
                (self.path, "fast_import_crash_*"),
            )
            for path in place.glob(pattern)
        ]
        return found + [
            pack for pack in packs.glob("pack-*.pack") if not pack.with_suffix(".idx").exists()
        ]

    def _remove_unfinished(self, others: Container[Path]) -> None:
        for path in self._unfinished():
            if path not in others:
                path.unlink(missing_ok=True)

    def refs(self, prefix: str) -> dict[str, str]:
        """Refs below a prefix: full name to object id."""
        out = self.text("for-each-ref", "--format=%(refname) %(objectname)", prefix)
        return {name: oid for name, _, oid in (line.partition(" ") for line in out.splitlines())}

    def update_refs(self, changes: Mapping[str, str | None]) -> None:
        """Move, create or (None) delete refs in one transaction: all of them or none."""
        lines = ["start\n"]
        for name, oid in changes.items():
            lines.append(f"delete {name}\n" if oid is None else f"update {name} {oid}\n")
        lines += ["prepare\n", "commit\n"]
        self.run("update-ref", "--stdin", stdin="".join(lines).encode())


def _hint(stderr: str, place: Path) -> str:
    """What to do about a failure of git."""
    if re.search(r"No space left|Out of diskspace|quota exceeded|File too large", stderr):
        return "make room and run again"
    if lock := re.search(r"Unable to create '(.*\.lock)': File exists", stderr):
        return f"if no git is at work there, remove {lock[1]} and run again"
    if re.search(r"Permission denied|Read-only file system", stderr):
        return f"make {place} writable and run again"
    return f"look at {place} with 'git fsck'; a mirror can be removed and synced again"


def _clean_environ() -> dict[str, str]:
    """The environment without GIT_* variables, which would point git at another repository."""
    return {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
