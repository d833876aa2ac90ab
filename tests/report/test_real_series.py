"""The project's own series on real trees: what watch, check, bisect and a conflict tell of it.

Upstream is a repository with the mirrored releases of Linux, and some made from them by one change.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from portkit.manifest.load import load_manifest
from portkit.mirror.store import Mirror
from tests.engine.support import portkit
from tests.engine.upstream import git

ROOT = Path(__file__).parents[2]
PIN = "6.12.107"
EMULATE = "arch/x86/kvm/emulate.c"
SVM = "arch/x86/kvm/svm/svm.c"
_MANIFEST = f"""\
[upstream.linux-kvm]
track = "6.12"
subtree = ["arch/x86/kvm", "virt/kvm"]
[[upstream.linux-kvm.source]]
kind = "git"
name = "local"
url = "upstream"
[series.linux-kvm]
upstream = "linux-kvm"
directory = "patches/linux-kvm/6.12"
pin = "{PIN}"
"""


class Linux:
    """A project with the series, and an upstream that makes releases."""

    def __init__(self, root: Path, mirror: Mirror) -> None:
        self.root = root
        self._up = root / "upstream"
        self._up.mkdir(parents=True)
        git(self._up, "init", "--quiet")
        git(self._up, "fetch", "--quiet", str(mirror.repo.path), "refs/releases/*:refs/releases/*")
        (root / "portkit.toml").write_text(_MANIFEST)
        shutil.copytree(ROOT / "patches/linux-kvm", root / "patches/linux-kvm")
        self.release(PIN, PIN)

    def release(self, version: str, made_of: str, **texts: str) -> None:
        """Tag a release: the tree of another one, with these files (by name) changed."""
        tree = f"refs/releases/{made_of}"
        git(self._up, "read-tree", tree)
        for name, text in texts.items():
            git(self._up, "rm", "--quiet", "--cached", "--ignore-unmatch", name)
            (self._up / "text").write_text(text)
            blob = git(self._up, "hash-object", "-w", "text")
            git(self._up, "update-index", "--add", "--cacheinfo", f"100644,{blob},{name}")
        made = git(self._up, "commit-tree", "-m", version, git(self._up, "write-tree"))
        git(self._up, "tag", f"v{version}", made)

    def text(self, release: str, name: str) -> str:
        return git(self._up, "show", f"refs/releases/{release}:{name}") + "\n"

    def ask(self, code: int, *args: str) -> Any:
        done = portkit(self.root, "--json", *args)
        assert done.exit_code == code, done.exception
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def mirror() -> Mirror:
    found = Mirror(load_manifest(ROOT / "portkit.toml"), "linux-kvm")
    if PIN not in {each.version for each in found.releases()} or not later(found):
        pytest.skip("Linux is not mirrored here: run 'make ports'")
    return found


def later(mirror: Mirror) -> list[str]:
    """The mirrored releases of Linux 7.2, on which one patch collides."""
    return [each.version for each in mirror.releases() if each.version.startswith("7.2")]


@pytest.fixture
def linux(tmp_path: Path, mirror: Mirror) -> Linux:
    return Linux(tmp_path / "p", mirror)


def test_what_a_release_does_to_it(linux: Linux, mirror: Mirror) -> None:
    """watch, check and bisect agree; the shared resolutions make the difference."""
    linux.release("6.12.108", PIN)
    linux.release("6.12.109", later(mirror)[-1])
    shutil.move(linux.root / "patches/linux-kvm/resolutions", linux.root / "away")
    for version in ("6.12.108", "6.12.109"):
        linux.ask(0, "sync", "linux-kvm", "--version", version)
    (trial,) = linux.ask(1, "watch", "--report", str(linux.root / "watch.md"))["series"]
    assert trial["onto"] == "6.12.109"
    first, *others = trial["patches"]
    assert {each["outcome"] for each in others} == {"applies"}
    assert first["outcome"] == "conflict"
    assert first["conflicts"][0]["path"] == EMULATE
    assert "EM_ASM_1SRC2EX(div, div_ex);" in (linux.root / "watch.md").read_text()

    verdicts = linux.ask(1, "check", "--all", "--html", str(linux.root / "p.html"))["verdicts"]
    assert [(each["release"], each["applies"], each["conflicts"]) for each in verdicts] == [
        (PIN, 7, 0), ("6.12.108", 7, 0), ("6.12.109", 6, 1),
    ]  # fmt: skip
    assert f'title="{EMULATE}"' in (linux.root / "p.html").read_text()
    change = linux.ask(0, "bisect", "linux-kvm", first["name"])["first"]
    assert (change["after"], change["release"]) == ("6.12.108", "6.12.109")

    shutil.move(linux.root / "away", linux.root / "patches/linux-kvm/resolutions")
    (trial,) = linux.ask(0, "watch")["series"]
    assert [each["replayed"] for each in trial["patches"]] == [1, 0, 0, 0, 0, 0, 0]


def test_a_resolution_that_nearly_fits_is_named(linux: Linux, mirror: Mirror) -> None:
    """Upstream's table has one row more than the one that somebody settled."""
    text = linux.text(later(mirror)[-1], EMULATE)
    row = "EM_ASM_1SRC2EX(div, div_ex);\n"
    linux.release(
        "6.12.108", later(mirror)[-1], **{EMULATE: text.replace(row, f"EM_ASM_1(x);\n{row}")}
    )
    linux.ask(0, "sync", "linux-kvm")
    (found,) = linux.ask(3, "rebase", "linux-kvm", "--onto", "6.12.108")["conflicts"]
    (hint,) = [each for each in found["suggestions"] if "other lines" in each["text"]]
    assert hint["kind"] == "resolution"
    assert (
        "FASTOP1SRC2EX(div"
        in (linux.root / "patches/linux-kvm/resolutions" / hint["path"]).read_text()
    )


def test_a_function_that_moved_is_found(linux: Linux) -> None:
    text = linux.text(PIN, SVM)
    start = text.index("static void svm_prepare_switch_to_guest")
    end = text.index("\n}\n", start) + 3
    moved = text[start:end].replace("static void", "void")
    linux.release(
        "6.12.108", PIN, **{SVM: text[:start] + text[end:], "arch/x86/kvm/svm/switch.c": moved}
    )
    linux.ask(0, "sync", "linux-kvm")
    (found,) = linux.ask(3, "rebase", "linux-kvm", "--onto", "6.12.108")["conflicts"]
    assert found["path"] == SVM
    assert [each["text"] for each in found["suggestions"]] == [
        "svm_prepare_switch_to_guest() is in arch/x86/kvm/svm/switch.c:1 now"
    ]
