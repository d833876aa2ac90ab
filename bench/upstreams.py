"""What the bench works on: an upstream's releases, Debian's series as commits, as git apply takes
them and as a portkit series, and a checkout for the peers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from portkit.engine.tree import touched_paths
from portkit.gitio import GitRepo
from portkit.manifest.load import load_manifest
from portkit.manifest.version import newest
from portkit.mirror.apt import Apt
from portkit.mirror.debian_source import upstream_version
from portkit.mirror.store import Mirror
from portkit.series.store import load_series

REPOSITORY = Path(__file__).parents[1]
MANIFEST = """\
[upstream.{name}]
track = "{track}"
[[upstream.{name}.source]]
kind = "tarball"
name = "distfiles"
url = "distfiles/{name}_{{version}}.orig.tar.xz"
[[upstream.{name}.source]]
kind = "debian"
name = "debian"
package = "{name}"
components = {components}
suites = [{suites}]

[series.debian]
upstream = "{name}"
directory = "patches"
pin = "{release}"
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


class Peak:
    """The largest memory of a process since it was last set to 0, in KB."""

    kb = 0


def run(
    *args: str | Path, cwd: Path, check: bool = True, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    words = [str(arg) for arg in args]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            words, cwd=cwd, env={**ENV, **(env or {})}, stdin=subprocess.DEVNULL, stdout=out,
            stderr=err,
        )  # fmt: skip
        reap(process)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    done = subprocess.CompletedProcess(words, process.returncode, *texts)
    if check:
        done.check_returncode()
    return done


def reap(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process, and take down how much memory it and its children had."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    Peak.kb = max(Peak.kb, usage.ru_maxrss)


def portkit(*args: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "portkit", *args, cwd=cwd, check=check)


@dataclass(frozen=True)
class Upstream:
    """Debian's series for one release of an upstream, and the release that it is carried to.

    Attributes:
        name: of the upstream and of Debian's source package.
        release: whose series it is; ``onto``: where it goes; a track (``10.0``) means its newest
            release that can be had.
        components: numbers of a version that Debian gives upstream's version in.
        suites: of Debian.
    """

    name: str
    release: str
    onto: str
    components: int
    suites: tuple[str, ...]


LINUX = Upstream(
    "linux", "6.12.107", "7.2.8", 2,
    ("bookworm-backports", "trixie", "trixie-security", "trixie-backports", "forky", "sid"),
)  # fmt: skip
QEMU = Upstream("qemu", "7.2.0", "10.0", 3, ("bookworm", "trixie"))


class Bench:
    """The prepared data of one upstream in a directory, made on the first use."""

    def __init__(self, work: Path, upstream: Upstream) -> None:
        self.work, self.upstream = work, upstream
        (work / "distfiles").mkdir(parents=True, exist_ok=True)
        self.apt = Apt(work / "apt", upstream.suites)
        self.release, self.onto = upstream.release, self._resolved(upstream.onto)
        manifest = work / "portkit.toml"
        if not manifest.exists():
            manifest.write_text(self.manifest())
            (work / "patches").mkdir(exist_ok=True)
            (work / "patches" / "series").touch()
        self.project = load_manifest(manifest)
        self.mirror = Mirror(self.project, upstream.name)
        known = {each.version for each in self.mirror.releases()}
        for version in sorted({self.release, self.onto} - known):
            print(f"mirroring {upstream.name} {version}", file=sys.stderr)
            portkit("sync", upstream.name, "--version", version, cwd=work)
        self.base = self.mirror.release(self.release).commit
        self.target = self.mirror.release(self.onto).commit
        self.chain = GitRepo(self.borrower("chain"))
        if not self.chain.refs("refs/heads/quilt"):
            self._make_chain()
        self.tip = self.chain.refs("refs/heads/quilt")["refs/heads/quilt"]
        self.peers = GitRepo(self.borrower("peers"))
        self.tree = work / "tree"
        if not self.tree.exists():
            self.peers.run("worktree", "prune")
            self.peers.run("worktree", "add", "--detach", str(self.tree), self.base)

    def manifest(self, *, subtree: str = "") -> str:
        """A project of this upstream; its archives are looked for in ``distfiles``."""
        each = self.upstream
        text = MANIFEST.format(
            name=each.name, track=".".join(self.onto.split(".")[:2]), release=self.release,
            components=each.components, suites=", ".join(f'"{suite}"' for suite in each.suites),
        )  # fmt: skip
        text = text.replace("[[upstream", f"{subtree}\n[[upstream", 1)
        return text.replace('"distfiles/', f'"{self.work}/distfiles/')

    def _resolved(self, version: str) -> str:
        if version.count(".") >= 2:
            return version
        packages = self.apt.packages(self.upstream.name)
        known = {upstream_version(each.version, self.upstream.components) for each in packages}
        return newest(filter(None, known), version) or version

    def borrower(self, name: str) -> Path:
        """A repository with git's defaults that reads the mirror's releases."""
        path = self.work / f"{name}.git"
        if not path.exists():
            run("git", "init", "--quiet", "--bare", path, cwd=self.work)
            self.lend(path)
        return path

    def lend(self, path: Path, *others: Path) -> None:
        """Let a repository read the mirror's objects, and those of others."""
        lines = [f"{each}/objects\n" for each in (self.mirror.repo.path, *others)]
        (path / "objects/info/alternates").write_text("".join(lines))

    def archive(self) -> Path:
        """The release's archive, as Debian's source package has it."""
        path = self.work / "distfiles" / f"{self.upstream.name}_{self.release}.orig.tar.xz"
        if not path.exists():
            self._download("--tar-only", path.parent)
        return path

    def _download(self, part: str, directory: Path) -> None:
        """A part of the source package of the release."""
        name = self.upstream.name
        version = [
            each.version for each in self.apt.packages(name)
            if upstream_version(each.version, self.upstream.components) == self.release
        ][-1]  # fmt: skip
        run("apt-get", f"--config-file={self.work / 'apt' / 'apt.conf'}", "source",
            "--download-only", part, f"{name}={version}", cwd=directory)  # fmt: skip

    def _debian_patches(self) -> list[Path]:
        """Debian's patches in order, from the source package of the release."""
        directory = self.work / "debian-source"
        if not directory.exists():
            directory.mkdir()
            self._download("--diff-only", directory)
            (archive,) = directory.glob("*.debian.tar.*")
            subprocess.run(["tar", "-x", "-f", archive, "-C", directory], check=True)
        found = []
        for series in ("patches/series", "patches-rt/series"):
            path = directory / "debian" / series
            for line in path.read_text().splitlines() if path.exists() else []:
                if name := line.partition("#")[0].strip():
                    found.append(path.parent / name)
        return found

    def _make_chain(self) -> None:
        """A commit for each of Debian's patches, and a portkit series of them."""
        self.forget_applied()  # git writes no object that the mirror has
        index = {"GIT_INDEX_FILE": str(self.work / "chain.index")}
        tip = self.base
        for patch in self._debian_patches():
            self.chain.run("read-tree", tip, env=index)
            done = run("git", "apply", "--cached", "--whitespace=nowarn", patch,
                       cwd=self.chain.path, check=False, env=index)  # fmt: skip
            if done.returncode:
                self._patch_by_quilt_s_way(tip, patch, index)
            tree = self.chain.run("write-tree", env=index).decode().strip()
            name = "/".join(patch.parts[patch.parts.index("debian") + 2 :]).replace("/", "-")
            if tree != self.chain.text("rev-parse", f"{tip}^{{tree}}"):
                tip = run("git", "commit-tree", "-p", tip, "-m", name, tree,
                          cwd=self.chain.path).stdout.strip()  # fmt: skip
        portkit("import", "debian", f"{self.base}..{tip}", "--repo", self.chain.path, cwd=self.work)
        self.chain.update_refs({"refs/heads/quilt": tip})

    def _patch_by_quilt_s_way(self, tip: str, patch: Path, index: Mapping[str, str]) -> None:
        """With patch(1), which leaves out what git refuses the whole patch for: binary parts."""
        with tempfile.TemporaryDirectory(dir=self.work) as tree:
            here = {**index, "GIT_WORK_TREE": tree, "GIT_DIR": str(self.chain.path)}
            run("git", "checkout-index", "--all", f"--prefix={tree}/", cwd=self.work, env=here)
            run("patch", "-p1", "-f", "-s", "-F0", "--no-backup-if-mismatch", "-i", patch,
                cwd=Path(tree), check=False)  # fmt: skip
            for reject in (*Path(tree).rglob("*.rej"), *Path(tree).rglob("*.orig")):
                reject.unlink()
            run("git", "add", "--all", "--force", ".", cwd=Path(tree), env=here)

    def patches(self) -> list[Path]:
        names = (self.work / "patches" / "series").read_text().split()
        return [self.work / "patches" / name for name in names]

    def touched(self) -> list[str]:
        """The files that the series touches."""
        series = load_series(self.project.series["debian"])
        return sorted(map(str, touched_paths(series)))

    def subjects(self) -> list[str]:
        """The subjects of the chain's commits, in the order of ``patches``."""
        return self.chain.text("log", "--reverse", "--format=%s", f"{self.base}..{self.tip}"
                               ).splitlines()  # fmt: skip

    # --- a fresh start for everybody ---

    def reset(self, commit: str) -> None:
        """The checkout as it was, whatever a peer left in it, and no objects of earlier runs."""
        for verb in ("rebase", "am"):
            run("git", verb, "--abort", cwd=self.tree, check=False)
        run("git", "checkout", "--quiet", "--force", "--detach", self.base, cwd=self.tree)
        self.peers.update_refs(dict.fromkeys(self.peers.refs("refs/")))
        for path in (self.peers.path / "objects").iterdir():
            if path.name != "info":
                shutil.rmtree(path)
        self.forget_applied()
        self.lend(self.peers.path, *([self.chain.path] if commit != self.base else []))
        run("git", "checkout", "--quiet", "--force", "--detach", commit, cwd=self.tree)
        run("git", "reset", "--quiet", "--hard", commit, cwd=self.tree)
        run("git", "clean", "-dffxq", cwd=self.tree)

    def forget_applied(self) -> None:
        """The mirror as a sync leaves it: nothing but releases."""
        refs = self.mirror.repo.refs("refs/heads/")
        self.mirror.repo.update_refs(dict.fromkeys(refs))
        for pack in (self.mirror.repo.path / "objects/pack").glob("pack-*"):
            if not pack.with_suffix(".keep").exists():
                pack.unlink()

    def forget(self, *names: str) -> None:
        """Remove what portkit keeps below ``.portkit``."""
        for name in names:
            shutil.rmtree(self.work / ".portkit" / name, ignore_errors=True)
