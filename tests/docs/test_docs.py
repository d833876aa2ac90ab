"""What the documentation says is there: links, anchors, commands, licences."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from portkit.cli import main
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


def blocks(page: Path) -> str:
    """The code blocks of a page; all of a file that is no page."""
    text = page.read_text()
    return text if page.suffix != ".md" else "\n".join(m[0] for m in _FENCE.finditer(text))


@pytest.mark.parametrize("page", [*PAGES, *EXAMPLES], ids=name)
def test_commands_are_what_portkit_takes(page: Path) -> None:
    found = [(words, problem(words)) for words in commands(blocks(page))]
    if page.suffix == ".md":
        for text in re.findall(r"`(portkit [^`]+)`", _FENCE.sub("", page.read_text())):
            found += [(words, problem(words, whole=False)) for words in commands(text)]
    assert [f"{' '.join(words)}: {said}" for words, said in found if said] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_and_targets_of_make_are_there(page: Path) -> None:
    text = page.read_text()
    paths = re.findall(r"(?<![\w./])(?:tests|bench|examples|audits|man)/[\w./-]*\w", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []
    ours = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    freebsd = ["installworld", "makepatch", "package", "toolchain"]
    targets = re.findall(r"`make ([a-z]+)`", text)
    assert [target for target in targets if target not in (*ours, *freebsd)] == []


def test_so_are_those_of_the_help_and_the_manual() -> None:
    page = re.findall(r"^\$ .*", (ROOT / "man/portkit.1").read_text(), re.MULTILINE)
    context = click.Context(main)
    for command in [
        main,
        *(main.get_command(context, name) for name in main.list_commands(context)),
    ]:
        assert command is not None
        page += re.findall(r"^ +portkit .*", inspect.cleandoc(command.help or ""), re.MULTILINE)
    found = list(commands("\n".join(page)))
    assert len(found) > 30
    assert [f"{' '.join(words)}: {said}" for words in found
            if (said := problem(words))] == []  # fmt: skip


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("portkit frobnicate", "No such command 'frobnicate'."),
        ("portkit rebase qemu --frob 1", "No such option '--frob'."),
        ("$ portkit rebase qemu --onto", "Option '--onto' requires an argument."),
        ("portkit drop qemu", "Missing argument 'PATCH'."),
        ("portkit vm run --cpus many d c", "'many' is not a valid integer"),
        ("portkit log qemu HEAD", "Got unexpected extra argument (HEAD)"),
        ("portkit vm run --cpus N d sh -c 'a; b'   run it", None),
        ('x && .venv/bin/portkit new s --worktree d -m "a b" # explained', None),
    ],
)
def test_the_check_itself_sees_what_is_wrong(line: str, said: str | None) -> None:
    (words,) = commands(line)
    found = problem(words)
    assert found == said if said is None else said in str(found)


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


def test_the_architecture_is_that_of_the_code() -> None:
    """Its files and functions are there, and its table has every package."""
    text = _FENCE.sub("", (ROOT / "docs/architecture.md").read_text())
    sources = [path for folder in ("portkit", "ports") for path in (ROOT / folder).rglob("*")]
    names = [path.as_posix() for path in sources if path.is_file()]
    code = "\n".join(path.read_text() for path in sources if path.suffix in (".c", ".h", ".S"))
    for name in re.findall(r"`([\w/-]+\.(?:py|c|h|S|mk))`", text):
        assert any(each.endswith(f"/{name}") for each in names), name
    for function in re.findall(r"`(lkc_\w+|lx_\w+)\(\)`", text):
        assert re.search(rf"\b{function}\b", code), function
    packages = {
        path.name for path in (ROOT / "portkit").iterdir() if (path / "__init__.py").exists()
    }
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == packages


@pytest.mark.parametrize("page", [*ROOT.glob("man/*"), *ROOT.glob("ports/*/*/src/man/*")], ids=name)
@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_manual_pages_are_sound(page: Path) -> None:
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True, check=False
    )
    assert done.stdout + done.stderr == ""
