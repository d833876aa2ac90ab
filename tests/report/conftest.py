"""A series with every outcome on its releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from portkit.manifest.model import Manifest
from tests.engine.support import Files, chain
from tests.support import make_project

LINES = "".join(f"{number}\n" for number in range(1, 41))
FIRST = {"a.c": LINES, "b.c": LINES}


def lines(**changes: str) -> str:
    text = LINES
    for name, value in changes.items():
        text = text.replace(f"\n{name[1:]}\n", f"\n{value}\n")
    return text


@pytest.fixture
def project(tmp_path: Path) -> Manifest:
    """On 1.2 patch 1 is upstream; on 1.3 two files of patch 2 collide."""
    fixed = {"a.c": lines(l5="fix"), "b.c": LINES}
    both = {"a.c": lines(l5="fix", l20="x"), "b.c": lines(l20="x\ny")}
    theirs = {"a.c": lines(l20="theirs"), "b.c": lines(l20="theirs")}
    releases: dict[str, Files] = {"1.1": FIRST, "1.2": fixed, "1.3": theirs}
    return make_project(tmp_path, releases, chain(FIRST, fixed, both), track="1")
