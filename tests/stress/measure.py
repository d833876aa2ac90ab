"""What a run leaves behind: the module's memory, wired pages, open files, vnodes."""

from __future__ import annotations

import re
from pathlib import Path

#: Shell commands that write ``{name}.measured``; frees go through threads of the module, so wait.
SCRIPT = (
    "sleep 2; {{ vmstat -m; sysctl kern.openfiles vfs.numvnodes"
    " vm.stats.vm.v_wire_count vm.stats.vm.v_user_wire_count; }} > {name}.measured"
)

#: How much more may be there afterwards. Kernel memory that FreeBSD's own zones keep for the next
#: user is wired, so pages are given room: a leak of a page for each machine would still show.
SLACK = {
    "allocations": 8,  # blocks of threads that have ended and wait for their reuse
    "openfiles": 0,
    "numvnodes": 64,
    "v_wire_count": 4096,
    "v_user_wire_count": 0,
}


def read(path: Path) -> dict[str, int]:
    """The numbers of a file that SCRIPT wrote."""
    numbers: dict[str, int] = {}
    for line in path.read_text().splitlines():
        if match := re.match(r"\s*lkc\s+(\d+)", line):
            numbers["allocations"] = int(match[1])
        elif match := re.fullmatch(r"[\w.]+\.(\w+): (\d+)", line):
            numbers[match[1]] = int(match[2])
    return numbers


def difference(directory: Path) -> str:
    """What has grown between ``before`` and ``after`` by more than SLACK; empty when nothing."""
    before, after = (read(directory / f"{name}.measured") for name in ("before", "after"))
    grown = [
        f"{name} {before[name]} -> {after[name]}"
        for name, slack in SLACK.items()
        if after[name] > before[name] + slack
    ]
    return ", ".join(grown)
