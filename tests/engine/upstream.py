"""An upstream with a history: one commit after the other, tags for some of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_WHO = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Up"), ("EMAIL", "up@example.org"), ("DATE", "1700000000 +0000"))
}


def git(directory: Path, *args: str) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return subprocess.run(
        ["git", "-C", str(directory), *args],
        env={**clean, **_WHO, "GIT_CONFIG_GLOBAL": os.devnull}, check=True, capture_output=True,
        text=True,
    ).stdout.strip()  # fmt: skip


def commit(root: Path, subject: str, files: Mapping[str, str | None], tag: str = "") -> str:
    """Make a commit that writes (or, None, removes) files; returns its id."""
    for name, text in files.items():
        path = root / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "-m", subject)
    if tag:
        git(root, "tag", tag)
    return git(root, "rev-parse", "HEAD")


def make_upstream(
    root: Path, steps: Sequence[tuple[str, Mapping[str, str | None], str]]
) -> list[str]:
    """A repository of commits (subject, files, tag); returns their ids."""
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    return [commit(root, *step) for step in steps]
