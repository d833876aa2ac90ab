"""portkit and its peers side by side: Debian's own series for Linux and QEMU, in one run.

    python bench/run.py WORK [--all] [--only linux|qemu]

WORK keeps the mirrors and checkouts (4 GB) between runs; the first run downloads the releases
through apt. Peers that are not installed are left out. Without --all it takes some four minutes;
--all adds the peers that take minutes each. Only the ratios mean something, and only on idle
cores: each table says the load average at its start and end.

Everybody starts from a repository that has the releases and nothing else: what a run has written
is removed before the next one, so that all of them write all of their objects.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import peers
from peers import Outcomes
from upstreams import LINUX, QEMU, REPOSITORY, Bench, Peak, portkit, run


class Table:
    """Measured lines; times are compared with the first line's."""

    def __init__(self, title: str, *columns: str) -> None:
        self.title = title
        self.columns = columns
        self.lines: list[tuple[str, float, int, tuple[str, ...]]] = []
        self.load = os.getloadavg()[0]

    def measure(
        self, name: str, action: Callable[[], object], times: int = 1,
        before: Callable[[], object] = lambda: None,
    ) -> object:  # fmt: skip
        """Take the best of some runs; returns what the action has returned."""
        best, result, Peak.kb = float("inf"), None, 0
        for _ in range(times):
            before()
            Peak.kb = 0
            start = time.monotonic()
            result = action()
            best = min(best, time.monotonic() - start)
        self.lines.append((name, best, Peak.kb, ()))
        print(f"  {name}: {best:.2f} s, {Peak.kb // 1024} MB", file=sys.stderr)
        return result

    def note(self, *cells: object) -> None:
        """What the last line's extra columns say."""
        name, seconds, peak, _ = self.lines[-1]
        self.lines[-1] = name, seconds, peak, tuple(map(str, cells))

    def show(self) -> None:
        print(f"\n{self.title}, load {self.load:.1f} to {os.getloadavg()[0]:.1f}\n")
        head = ["tool", "wall", "ratio", "memory", *self.columns]
        print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
        for name, seconds, peak, cells in self.lines:
            filled = [*cells, *([""] * (len(self.columns) - len(cells)))]
            memory = f"{peak // 1024} MB" if peak else ""
            row = [name, f"{seconds:.2f} s", f"{seconds / self.lines[0][1]:.2f}", memory, *filled]
            print(f"| {' | '.join(row)} |", flush=True)


def measure_floor(table: Table, bench: Bench, commits: list[str]) -> None:
    """In a process of its own: what this one ever had is the least memory that others show."""
    touched = bench.touched()
    with ProcessPoolExecutor(1) as pool:
        pool.submit(int).result()
        table.measure("floor: read and hash the touched files", lambda: pool.submit(
            peers.floor, bench.mirror.repo.path, commits, touched
        ).result(), 5)  # fmt: skip


def apply_table(bench: Bench, everything: bool) -> Table:
    title = f"{len(bench.patches())} patches on {bench.upstream.name} {bench.release}"
    table = Table(f"Apply {title}", "result")
    table.measure("one `git apply --cached` of all", lambda: peers.git_apply(bench), 5,
                  lambda: peers.prepare_git_apply(bench))  # fmt: skip
    table.note("no commits")
    table.measure("`portkit apply`", lambda: peers.portkit_apply(bench), 5, bench.forget_applied)
    table.note("a commit a patch")
    measure_floor(table, bench, [bench.base])

    def measure(tool: str, name: str, action: Callable[[Bench], object], result: str) -> None:
        if shutil.which(tool):
            found = table.measure(
                name, lambda: action(bench), before=lambda: bench.reset(bench.base)
            )
            failed = sum(each != peers.CLEAN for each in found) if isinstance(found, list) else 0
            table.note(f"{result}, {failed} do not apply" if failed else result)

    measure("quilt", "`quilt push -a`", peers.quilt, "files, no commits")
    if everything:
        measure("git", "`git am -3`", peers.git_am, "a commit a patch")
        measure("git", "`git quiltimport`", peers.quiltimport, "a commit a patch")
        measure("gbp", "`gbp pq import`", peers.gbp, "a commit a patch")
        measure("stg", "`stg import -s`", peers.stg, "a commit a patch")
    return table


def rebase_table(bench: Bench, everything: bool) -> Table:
    """Quilt, am and rebase carry what they can; what conflicts is left out."""
    upstream = bench.upstream.name
    table = Table(f"Carry {len(bench.patches())} patches of {upstream} {bench.release} to "
                  f"{bench.onto}", "clean", "conflict", "upstream", "applied twice")  # fmt: skip
    truth: Outcomes = []

    def note(outcomes: object) -> None:
        assert isinstance(outcomes, list)
        table.note(*peers.counted(outcomes, truth or outcomes).values())

    def measure(name: str, action: Callable[[Bench], Outcomes], start: str) -> None:
        note(table.measure(name, lambda: action(bench), before=lambda: bench.reset(start)))

    bench.forget_applied()
    found = table.measure("`portkit check`", lambda: peers.portkit_check(bench), 5,
                          lambda: bench.forget("cache"))  # fmt: skip
    assert isinstance(found, list)
    truth = found
    note(found)
    measure_floor(table, bench, [bench.base, bench.target])
    if shutil.which("quilt"):
        measure("`quilt push`, fuzz 2", peers.quilt, bench.target)
    measure("`git rebase --onto`", peers.git_rebase, bench.tip)
    if everything:
        measure("`git am -3`, full index", peers.git_am_onto, bench.target)
        if peers.has_merge_tree_stdin(bench):
            measure("`git merge-tree --stdin`", peers.git_merge_tree, bench.target)
        else:
            print("this git has no merge-tree --stdin", file=sys.stderr)
    return table


def status_table(bench: Bench) -> Table:
    table = Table("Status of an unchanged project")
    table.measure("`python -c pass`", lambda: run(sys.executable, "-c", "", cwd=bench.work), 5)
    table.measure("`portkit status`", lambda: portkit("status", cwd=bench.work), 5)
    return table


def sync_table(bench: Bench) -> Table:
    """Import of the subtree that the kernel module needs, from the archive on disk."""
    archive = bench.archive()
    table = Table(f"Mirror the module's subtree of {archive.name}")
    table.measure("`xz -dc`", lambda: run("sh", "-c", f"xz -dc '{archive}' >/dev/null",
                                          cwd=bench.work))  # fmt: skip
    project = bench.work / "sync"
    ours = (REPOSITORY / "portkit.toml").read_text()
    subtree = next(line for line in ours.splitlines() if line.startswith("subtree = "))

    def prepare() -> None:
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir()
        (project / "portkit.toml").write_text(bench.manifest(subtree=subtree))

    table.measure("`portkit sync`", lambda: portkit(
        "sync", "linux", "--version", bench.release, "--source", "distfiles", cwd=project
    ), before=prepare)  # fmt: skip
    return table


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--all", action="store_true", help="also the peers that take minutes")
    parser.add_argument("--only", choices=["linux", "qemu"], help="one upstream")
    options = parser.parse_args(argv)
    chosen = [each for each in (LINUX, QEMU) if options.only in (None, each.name)]
    benches = [Bench(options.work.absolute() / each.name, each) for each in chosen]
    for bench in benches:
        if bench.upstream is LINUX:
            status_table(bench).show()
            sync_table(bench).show()
        apply_table(bench, options.all).show()
        rebase_table(bench, options.all).show()


if __name__ == "__main__":
    main(sys.argv[1:])
