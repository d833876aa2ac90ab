"""What the documentation says is there: links, anchors, commands, licences."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.commands import commands, problem

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("examples/**/*.md")])
EXAMPLES = sorted(path for path in (ROOT / "examples" / "ci").iterdir() if path.is_file())
_LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
_FENCE = re.compile(r"^(```+).*?^\1$", re.MULTILINE | re.DOTALL)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", _FENCE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in _LINK.findall(_FENCE.sub("", page.read_text())):
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), f"{target}#{anchor}"


@pytest.mark.parametrize("page", [*PAGES, *EXAMPLES], ids=name)
def test_commands_exist_with_their_options(page: Path) -> None:
    text = page.read_text()
    if page.suffix == ".md":
        blocks = [match[0] for match in _FENCE.finditer(text)]
        text = "\n".join([*blocks, *re.findall(r"`(portkit [^`]+)`", _FENCE.sub("", text))])
    wrong = [f"{' '.join(words)}: {said}" for words in commands(text) if (said := problem(words))]
    assert wrong == []


def test_the_check_itself_sees_what_is_wrong() -> None:
    assert problem(["frobnicate"]) == "no such command: frobnicate"
    assert problem(["rebase", "qemu", "--frob", "1"]) == "no such option of rebase: --frob"
    assert problem(["vm", "run", "--cpus", "2", "d", "c"]) is None
    assert list(commands("x\n  portkit rebase qemu --onto 1   carry it")) == [
        ["rebase", "qemu", "--onto", "1"]
    ]


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        seen.add(page)
        links = (page.parent / target for target, _ in _LINK.findall(page.read_text()) if target)
        todo += [link.resolve() for link in links
                 if link.suffix == ".md" and link.resolve() not in seen]  # fmt: skip
    assert [name(page) for page in PAGES if page not in seen] == []


@pytest.mark.parametrize("page", [*ROOT.glob("man/*"), *ROOT.glob("ports/*/*/src/man/*")], ids=name)
@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_manual_pages_are_sound(page: Path) -> None:
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True, check=False
    )
    assert done.stdout + done.stderr == ""
