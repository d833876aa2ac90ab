"""portkit and its peers side by side: Debian's own Linux series on the full Linux tree.

    python bench/run.py WORK [--all] [--release 6.12.107] [--onto 7.2.8]

WORK keeps the mirror and a checkout (2 GB) between runs; the first run downloads two releases
through apt. Peers that are not installed are left out. Without --all it takes some four minutes;
--all adds the peers that take minutes each (git am, git quiltimport, stg, gbp). Only the ratios
mean something, and only on idle cores.

Everybody starts from a repository that has the releases and nothing else: what a run has written
is removed before the next one, so that all of them write all of their objects.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from portkit.gitio import GitRepo
from portkit.manifest.load import load_manifest
from portkit.mirror.apt import Apt
from portkit.mirror.debian_source import upstream_version
from portkit.mirror.store import Mirror

REPOSITORY = Path(__file__).parents[1]
SUITES = ("bookworm-backports", "trixie", "trixie-security", "trixie-backports", "forky", "sid")
MANIFEST = f"""\
[upstream.linux]
track = "{{track}}"
[[upstream.linux.source]]
kind = "tarball"
name = "distfiles"
url = "distfiles/linux_{{{{version}}}}.orig.tar.xz"
[[upstream.linux.source]]
kind = "debian"
name = "debian"
package = "linux"
suites = [{", ".join(f'"{suite}"' for suite in SUITES)}]

[series.debian]
upstream = "linux"
directory = "patches"
pin = "{{release}}"
"""
ENV = {
    **{
        key: value
        for key, value in os.environ.items()
        if not key.startswith("GIT_") and key != "PYTHONDONTWRITEBYTECODE"  # as when installed
    },
    **{
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "x"), ("EMAIL", "x@example.org"))
    },
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_EDITOR": "true",
    "PYTHONPATH": str(REPOSITORY),
}


def run(
    *args: str | Path, cwd: Path, check: bool = True, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(arg) for arg in args], cwd=cwd, env={**ENV, **(env or {})}, check=check,
        capture_output=True, text=True, errors="replace",
    )  # fmt: skip


def portkit(*args: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "portkit", *args, cwd=cwd, check=check)


@dataclass
class Table:
    """Measured lines; the first one is what the others are compared with."""

    title: str
    lines: list[tuple[str, float, str]] = field(default_factory=list)

    def measure(
        self, name: str, action: Callable[[], str], times: int = 1,
        before: Callable[[], object] = lambda: None,
    ) -> None:  # fmt: skip
        """Take the best of some runs; the action returns what it achieved."""
        best, note = float("inf"), ""
        for _ in range(times):
            before()
            start = time.monotonic()
            note = action()
            best = min(best, time.monotonic() - start)
        self.lines.append((name, best, note))
        print(f"  {name}: {best:.2f} s {note}", file=sys.stderr)

    def show(self) -> None:
        print(f"\n{self.title} (load {os.getloadavg()[0]:.1f})\n")
        print("| tool | wall | ratio | result |\n|---|---|---|---|")
        for name, seconds, note in self.lines:
            ratio = seconds / self.lines[0][1]
            print(f"| {name} | {seconds:.2f} s | {ratio:.2f} | {note} |", flush=True)


class Bench:
    """The prepared data in WORK."""

    def __init__(self, work: Path, release: str, onto: str) -> None:
        self.work = work
        self.release, self.onto = release, onto
        work.mkdir(parents=True, exist_ok=True)
        (work / "distfiles").mkdir(exist_ok=True)
        manifest = work / "portkit.toml"
        if not manifest.exists():
            track = ".".join(onto.split(".")[:2])
            manifest.write_text(MANIFEST.format(track=track, release=release))
            (work / "patches").mkdir(exist_ok=True)
            (work / "patches" / "series").touch()
        self.mirror = Mirror(load_manifest(manifest), "linux")
        self.git = self.mirror.repo.path
        known = {each.version for each in self.mirror.releases()}
        for version in {release, onto} - known:
            print(f"mirroring {version}", file=sys.stderr)
            portkit("sync", "linux", "--version", version, cwd=work)
        self.base = self.mirror.release(release).commit
        self.target = self.mirror.release(onto).commit
        self.peers = self.borrower("peers")
        if not GitRepo(self.peers).refs("refs/heads/quilt"):
            self.make_chain()
        self.tree = work / "tree"
        if not self.tree.exists():
            run("git", "worktree", "prune", cwd=self.peers)
            run("git", "worktree", "add", "--detach", self.tree, self.base, cwd=self.peers)

    def borrower(self, name: str) -> Path:
        """A repository for the peers, with git's defaults, that reads the mirror's releases."""
        path = self.work / f"{name}.git"
        if not path.exists():
            run("git", "init", "--quiet", "--bare", path, cwd=self.work)
            (path / "objects/info/alternates").write_text(f"{self.git}/objects\n")
        return path

    def make_chain(self) -> None:
        """Debian's patches as commits, as git apply takes them, and as a portkit series."""
        directory = self.work / "debian-source"
        if not directory.exists():
            apt = Apt(self.work / "apt", SUITES)
            version = next(
                each.version for each in apt.packages("linux")
                if upstream_version(each.version, 2) == self.release
            )  # fmt: skip
            directory.mkdir()
            run("apt-get", f"--config-file={self.work / 'apt' / 'apt.conf'}", "source",
                "--download-only", "--diff-only", f"linux={version}", cwd=directory)  # fmt: skip
            (archive,) = directory.glob("*.debian.tar.*")
            with tarfile.open(archive) as tar:
                tar.extractall(directory, filter="data")
        index = {"GIT_INDEX_FILE": str(self.work / "chain.index")}
        run("git", "read-tree", self.base, cwd=self.peers, env=index)
        tip = self.base
        for series in ("patches/series", "patches-rt/series"):
            path = directory / "debian" / series
            for line in path.read_text().splitlines() if path.exists() else []:
                name = line.partition("#")[0].strip()
                if not name:
                    continue
                run("git", "apply", "--cached", "--whitespace=nowarn", path.parent / name,
                    cwd=self.peers, env=index)  # fmt: skip
                tree = run("git", "write-tree", cwd=self.peers, env=index).stdout.strip()
                tip = run("git", "commit-tree", "-p", tip, "-m", name.replace("/", "-"), tree,
                          cwd=self.peers).stdout.strip()  # fmt: skip
        portkit("import", "debian", f"{self.base}..{tip}", "--repo", self.peers, cwd=self.work)
        run("git", "update-ref", "refs/heads/quilt", tip, cwd=self.peers)

    def patches(self) -> list[Path]:
        names = (self.work / "patches" / "series").read_text().split()
        return [self.work / "patches" / name for name in names]

    def reset(self, commit: str) -> None:
        """The checkout as it was, whatever a peer left in it."""
        if (self.tree / ".git").exists():
            for verb in ("rebase", "am"):
                run("git", verb, "--abort", cwd=self.tree, check=False)
        run("git", "checkout", "--quiet", "--force", "--detach", commit, cwd=self.tree)
        run("git", "reset", "--quiet", "--hard", commit, cwd=self.tree)
        run("git", "clean", "-dffxq", cwd=self.tree)

    def forget_applied(self) -> None:
        """The mirror as a sync leaves it: nothing but releases."""
        refs = self.mirror.repo.refs("refs/heads/")
        self.mirror.repo.update_refs(dict.fromkeys(refs))
        for pack in (self.git / "objects/pack").glob("pack-*"):
            if not pack.with_suffix(".keep").exists():
                pack.unlink()

    # --- what is measured ---

    def git_apply(self) -> str:
        index = {"GIT_INDEX_FILE": str(self.work / "apply.index")}
        run("git", "apply", "--cached", "--whitespace=nowarn", *self.patches(),
            cwd=self.work / "apply.git", env=index)  # fmt: skip
        return f"{len(self.patches())} patches, no commits"

    def prepare_index(self) -> None:
        index = {"GIT_INDEX_FILE": str(self.work / "apply.index")}
        shutil.rmtree(self.work / "apply.git", ignore_errors=True)
        run("git", "read-tree", self.base, cwd=self.borrower("apply"), env=index)

    def portkit_apply(self) -> str:
        return portkit("apply", "debian", cwd=self.work).stdout.strip()

    def quilt(self, *options: str) -> str:
        """Push every patch, leaving those out that do not apply."""
        copy = self.work / "quilt-patches"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.work / "patches", copy)
        env = {"QUILT_PATCHES": str(copy)}
        failed = 0
        while run("quilt", "push", "-a", "-q", *options, cwd=self.tree, env=env, check=False
                  ).returncode == 1:  # fmt: skip
            bad = run("quilt", "next", cwd=self.tree, env=env, check=False).stdout.strip()
            if not bad:
                break
            failed += 1
            run("quilt", "delete", "-n", cwd=self.tree, env=env, check=False)
        return f"{failed} do not apply"

    def git_am(self, *options: str) -> str:
        run("git", "am", "-q", *options, *self.patches(), cwd=self.tree)
        return "one commit a patch"

    def git_rebase(self) -> str:
        state = Path(
            run("git", "rev-parse", "--absolute-git-dir", cwd=self.tree).stdout.strip()
        ) / "rebase-merge"  # fmt: skip
        conflicts = 0
        run("git", "rebase", "--onto", self.target, self.base, cwd=self.tree, check=False)
        while state.is_dir():
            conflicts += 1
            run("git", "rebase", "--skip", cwd=self.tree, check=False)
        log = run("git", "rev-list", "--count", f"{self.target}..HEAD", cwd=self.tree).stdout
        applied = int(log)
        upstream = len(self.patches()) - applied - conflicts
        return f"{applied} apply, {upstream} upstream already, {conflicts} conflict"

    def portkit_check(self) -> str:
        done = portkit("check", "debian", "--onto", self.onto, cwd=self.work, check=False)
        return done.stdout.strip().splitlines()[-1].partition(": ")[2]

    def forget(self, *names: str) -> None:
        for name in names:
            shutil.rmtree(self.work / ".portkit" / name, ignore_errors=True)

    def quiltimport(self) -> str:
        run("git", "checkout", "-q", "-B", "quiltimport", self.base, cwd=self.tree)
        run("git", "quiltimport", "--patches", self.work / "patches", "--keep-non-patch",
            cwd=self.tree)  # fmt: skip
        return "one commit a patch"

    def stg(self) -> str:
        run("git", "checkout", "-q", "-B", "stg", self.base, cwd=self.tree)
        run("stg", "init", cwd=self.tree)
        run("stg", "import", "-s", self.work / "patches" / "series", cwd=self.tree)
        return "one commit a patch"

    def gbp(self) -> str:
        env = {"GIT_AUTHOR_NAME": "x", "GIT_COMMITTER_NAME": "x"}
        run("git", "checkout", "-q", "-B", "gbp", self.base, cwd=self.tree)
        shutil.copytree(self.work / "patches", self.tree / "debian" / "patches")
        for name in ("control", "changelog"):
            shutil.copy(self.work / "debian-source" / "debian" / name, self.tree / "debian")
        run("git", "add", "-f", "debian", cwd=self.tree)
        run("git", "commit", "-qm", "packaging", cwd=self.tree)
        run("gbp", "pq", "import", "--force", cwd=self.tree, env=env)
        return "one commit a patch"


def apply_table(bench: Bench, everything: bool) -> Table:
    table = Table(f"Apply on the full tree of Linux {bench.release}")
    table.measure("git apply --cached (all in one)", bench.git_apply, 5, bench.prepare_index)
    table.measure("portkit apply", bench.portkit_apply, 5, bench.forget_applied)

    def at_base() -> None:
        bench.reset(bench.base)

    if shutil.which("quilt"):
        table.measure("quilt push -a", bench.quilt, before=at_base)
    if everything:
        table.measure("git am", bench.git_am, before=at_base)
        table.measure("git am -3", lambda: bench.git_am("-3"), before=at_base)
        table.measure("git quiltimport", bench.quiltimport, before=at_base)
        if shutil.which("gbp"):
            table.measure("gbp pq import", bench.gbp, before=at_base)
        if shutil.which("stg"):
            table.measure("stg import -s", bench.stg, before=at_base)
    return table


def rebase_table(bench: Bench) -> Table:
    table = Table(f"Rebase to Linux {bench.onto}, leaving out what conflicts")
    table.measure("portkit check", bench.portkit_check, 3, lambda: bench.forget("cache"))
    if shutil.which("quilt"):
        table.measure("quilt push", bench.quilt, before=lambda: bench.reset(bench.target))
    table.measure(
        "git rebase --onto", bench.git_rebase, before=lambda: bench.reset("refs/heads/quilt")
    )
    return table


def status_table(bench: Bench) -> Table:
    table = Table("Status of an unchanged project")
    table.measure("python -c pass", lambda: run(sys.executable, "-c", "", cwd=bench.work).stdout, 3)
    table.measure(
        "portkit status", lambda: portkit("status", cwd=bench.work).stdout.splitlines()[0], 3
    )
    return table


def sync_table(bench: Bench) -> Table | None:
    """Import of the subtree that the kernel module needs, from the archive on disk."""
    archive = bench.work / "distfiles" / f"linux_{bench.release}.orig.tar.xz"
    if not archive.exists():
        return None
    table = Table(f"Mirror the port's subtree of {archive.name}")
    table.measure("xz -dc", lambda: run("sh", "-c", f"xz -dc '{archive}' >/dev/null", cwd=bench.work
                                        ).stdout)  # fmt: skip
    project = bench.work / "sync"
    ours = (REPOSITORY / "portkit.toml").read_text()
    subtree = next(line for line in ours.splitlines() if line.startswith("subtree = "))
    text = MANIFEST.format(track="6.12", release=bench.release)
    text = text.replace("[[upstream", f"{subtree}\n[[upstream", 1)
    text = text.replace("distfiles/", f"{bench.work}/distfiles/")

    def prepare() -> None:
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir()
        (project / "portkit.toml").write_text(text)

    def sync() -> str:
        portkit("sync", "linux", "--version", bench.release, "--source", "distfiles", cwd=project)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        return f"peak of any process so far {peak} MB"

    table.measure("portkit sync", sync, before=prepare)
    return table


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--all", action="store_true", help="also the peers that take minutes")
    parser.add_argument("--release", default="6.12.107")
    parser.add_argument("--onto", default="7.2.8")
    options = parser.parse_args(argv)
    bench = Bench(options.work.absolute(), options.release, options.onto)
    status_table(bench).show()
    apply_table(bench, options.all).show()
    if table := sync_table(bench):
        table.show()
    rebase_table(bench).show()


if __name__ == "__main__":
    main(sys.argv[1:])
