"""The oracle: Debian's own QEMU series, carried by portkit and by ``git rebase``, patch by patch.

Needs the network (Debian source packages through apt), GNU patch, and some minutes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from portkit.engine.carry import Outcome, carry, read_journey
from portkit.engine.chain import Step, apply_series, write_chain
from portkit.manifest.load import load_manifest
from portkit.manifest.version import newest
from portkit.mirror.apt import Apt
from portkit.mirror.debian_source import upstream_version
from portkit.mirror.model import Release
from portkit.mirror.store import Mirror
from portkit.series.model import Series
from portkit.series.patch import parse_patch
from tests.engine.support import portkit

pytestmark = [
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("patch"), reason="needs GNU patch"),
    pytest.mark.skipif(not shutil.which("apt-get"), reason="needs apt"),
]

_SUITES = ("bullseye", "bookworm", "trixie")  # old packages of -security vanish
_MANIFEST = f"""\
[upstream.qemu]
track = "10.0"
[[upstream.qemu.source]]
kind = "debian"
name = "debian"
package = "qemu"
suites = [{", ".join(f'"{suite}"' for suite in _SUITES)}]
components = 3
"""
_WHO = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "x"), ("EMAIL", "x@example.org"), ("DATE", "1700000000 +0000"))
}
_ENOUGH = 6  # patches of each outcome that are bisected
_CVE = "pvrdma-fix-possible-mremap-overflow-in-pvrdma-device-CVE-2021-3582.patch"


@dataclass(frozen=True)
class Qemu:
    """QEMU's releases in a mirror, and a private apt."""

    mirror: Mirror
    apt: Apt
    apt_config: Path


@pytest.fixture(scope="module")
def qemu(tmp_path_factory: pytest.TempPathFactory) -> Qemu:
    root = tmp_path_factory.mktemp("qemu")
    (root / "portkit.toml").write_text(_MANIFEST)
    manifest = load_manifest(root / "portkit.toml")
    apt = Apt(root / "apt", _SUITES)
    known = {upstream_version(package.version, 3) for package in apt.packages("qemu")}
    latest = newest(filter(None, known), "10.0")
    assert latest is not None
    wanted = [arg for each in ("5.2.0", "7.2.0", latest) for arg in ("--version", each)]
    result = portkit(root, "sync", "qemu", *wanted)
    assert result.exit_code == 0, result.exception
    return Qemu(Mirror(manifest, "qemu"), apt, root / "apt" / "apt.conf")


def git(directory: Path, *args: str, check: bool = True) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-C", str(directory), *args],
        env={**clean, **_WHO, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_EDITOR": "true"},
        check=check, capture_output=True, text=True, errors="surrogateescape",
    )  # fmt: skip
    return done.stdout.rstrip("\n")


def quilt_directory(qemu: Qemu, version: str, directory: Path) -> Path:
    """Debian's patches for a release, from its source package."""
    packages = [
        package for package in qemu.apt.packages("qemu")
        if upstream_version(package.version, 3) == version and "+deb" in package.version
    ]  # fmt: skip
    directory.mkdir()
    subprocess.run(
        ["apt-get", f"--config-file={qemu.apt_config}", "source", "--quiet=2", "--download-only",
         "--diff-only", f"qemu={packages[-1].version}"],
        cwd=directory, check=True,
    )  # fmt: skip
    (archive,) = directory.glob("*.debian.tar.*")
    subprocess.run(["tar", "-x", "-f", archive, "-C", directory], check=True)
    return directory / "debian" / "patches"


def commit_quilt(mirror: Mirror, release: Release, patches: Path, work: Path) -> dict[str, str]:
    """A commit for each patch, as patch(1) applies it without fuzz: name to commit, in order."""
    git(mirror.repo.path, "worktree", "add", "--detach", str(work), release.commit)
    commits = {}
    for line in (patches / "series").read_text().splitlines():
        name = line.partition("#")[0].strip()
        if not name:
            continue
        with (patches / name).open("rb") as text:  # it says no to binary parts, quilt ignores that
            subprocess.run(
                ["patch", "-p1", "-f", "-s", "-F0", "--no-backup-if-mismatch", "-d", str(work)],
                stdin=text, check=False, capture_output=True,
            )  # fmt: skip
        for reject in (*work.rglob("*.rej"), *work.rglob("*.orig")):
            reject.unlink()
        git(work, "add", "--all", "--force", ".")
        git(work, "commit", "--quiet", "--allow-empty", "-m", name)
        commits[name] = git(work, "rev-parse", "HEAD")
    return commits


def git_rebase(work: Path, base: Release, onto: Release) -> tuple[set[str], dict[str, str]]:
    """Rebase the checkout, skipping what conflicts: the conflicting names, and name to tree."""
    state = Path(git(work, "rev-parse", "--absolute-git-dir")) / "rebase-merge"
    git(work, "rebase", "--onto", onto.commit, base.commit, check=False)
    conflicts = set()
    while state.is_dir():
        stopped = (state / "stopped-sha").read_text().strip()
        conflicts.add(git(work, "log", "-1", "--format=%s", stopped))
        git(work, "rebase", "--skip", check=False)
    log = git(work, "log", "--format=%T %s", f"{onto.commit}..HEAD")
    return conflicts, {line[41:]: line[:40] for line in log.splitlines()}


def carried(
    mirror: Mirror, base: Release, onto: Release, commits: Mapping[str, str]
) -> tuple[dict[str, Outcome], dict[str, str]]:
    """The same by portkit: outcomes, and name to tree."""
    texts = {
        name: mirror.repo.run("format-patch", "-1", "--stdout", "--find-renames", commit)
        for name, commit in commits.items()
    }
    series = Series("debian", tuple(
        parse_patch(name, text) for name, text in texts.items() if text
    ))  # fmt: skip
    applied = write_chain(mirror.repo, base, "debian", apply_series(mirror.repo, base, series))
    assert tree_of(mirror, list(applied.values())[-1]) == tree_of(
        mirror, list(commits.values())[-1]
    )
    journey = read_journey(mirror.repo, base, onto, series)
    steps = list(carry(journey))
    done = [step for step in steps if step.outcome is Outcome.APPLIES]
    made = write_chain(
        mirror.repo, onto, "debian", [Step(step.patch, step.changes) for step in done]
    )
    trees = {name: tree_of(mirror, commit) for name, commit in made.items()}
    return {step.patch.name: step.outcome for step in steps}, trees


def tree_of(mirror: Mirror, commit: str) -> str:
    return mirror.repo.text("rev-parse", f"{commit}^{{tree}}")


@pytest.mark.parametrize("track", ["5.2 to 7.2", "7.2 to 10.0"])
def test_outcomes_and_trees_are_those_of_git_rebase(qemu: Qemu, track: str, tmp_path: Path) -> None:
    mirror = qemu.mirror
    old, _, new = track.partition(" to ")
    versions = [release.version for release in mirror.releases()]
    base = mirror.release(newest(versions, old) or "")
    onto = mirror.release(newest(versions, new) or "")
    work = tmp_path / "work"
    patches = quilt_directory(qemu, base.version, tmp_path / "debian")
    commits = commit_quilt(mirror, base, patches, work)
    outcomes, trees = carried(mirror, base, onto, commits)
    conflicts, git_trees = git_rebase(work, base, onto)
    git(mirror.repo.path, "worktree", "remove", "--force", str(work))

    assert {name for name, each in outcomes.items() if each is Outcome.CONFLICT} == conflicts
    assert {name: trees[name] for name in git_trees} == git_trees
    assert set(trees) == set(git_trees)
    counts = Counter(outcomes.values())
    assert len(outcomes) > 30
    assert min(counts[each] for each in (Outcome.APPLIES, Outcome.CONFLICT)) > 0
    if old == "5.2":
        assert outcomes[_CVE] is Outcome.UPSTREAMED
        check_bisect(imported(qemu, base, list(commits.values())[-1]))
    else:
        root = imported(qemu, base, list(commits.values())[-1])
        names = (root / "patches" / "series").read_text().split()
        stops = [name for name, each in zip(names, outcomes, strict=True) if each in conflicts]
        assert rebased(root, onto) == stops
        tip = json.loads(portkit(root, "--json", "apply", "debian").stdout)["commit"]
        assert tree_of(mirror, tip) == next(iter(git_trees.values()))


def imported(qemu: Qemu, base: Release, tip: str) -> Path:
    """A project with Debian's patches as its series."""
    root = qemu.mirror.repo.path.parents[2]
    series = '\n[series.debian]\nupstream = "qemu"\ndirectory = "patches"\n'
    (root / "portkit.toml").write_text(f'{_MANIFEST}{series}pin = "{base.version}"\n')
    shutil.rmtree(root / "patches", ignore_errors=True)
    repo = str(qemu.mirror.repo.path)
    done = portkit(root, "import", "debian", f"{base.commit}..{tip}", "--repo", repo)
    assert done.exit_code == 0, done.exception
    return root


def rebased(root: Path, onto: Release) -> list[str]:
    """Carry the series by the command, skipping what conflicts; what was skipped."""
    skipped = []
    done = portkit(root, "--json", "rebase", "debian", "--onto", onto.version)
    while done.exit_code == 3:
        skipped.append(json.loads(done.stdout)["patches"][-1]["name"])
        done = portkit(root, "--json", "rebase", "debian", "--skip")
    assert done.exit_code == 0, done.exception
    return skipped


def check_bisect(root: Path) -> None:
    """Bisect agrees with what check says of every release, and explains what collides."""
    verdicts = json.loads(portkit(root, "--json", "check", "debian").stdout)["verdicts"]
    releases = [verdict["release"] for verdict in verdicts]
    outcomes = {
        name: [
            next(each["outcome"] for each in verdict["patches"] if each["name"] == name)
            for verdict in verdicts
        ]
        for name in (patch["name"] for patch in verdicts[0]["patches"])
    }
    shutil.rmtree(root / ".portkit" / "cache")  # bisect has to find out itself
    seen, explained = Counter[str](), Counter[bool]()
    for name, found in outcomes.items():
        at = next((at for at, outcome in enumerate(found) if outcome != found[0]), None)
        if at is None or seen[found[at]] == _ENOUGH:
            continue
        first = json.loads(portkit(root, "--json", "bisect", "debian", name).stdout)["first"]
        assert (first["release"], first["outcome"]) == (releases[at], found[at])
        seen[first["outcome"]] += 1
        for conflict in first["conflicts"]:
            # None: an earlier patch, on which this one builds, is left out
            assert conflict["changed_in"] in (None, *releases[1 : at + 1])
            explained[conflict["changed_in"] is not None] += 1
            for place in conflict["places"]:
                assert place["upstream"] != place["base"] != place["ours"]
    assert seen == {"upstreamed": _ENOUGH, "conflict": _ENOUGH}
    assert explained[True] > explained[False]
