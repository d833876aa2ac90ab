"""Does the cost of apply and rebase grow with the touched bytes, and with nothing else?

    python bench/scaling.py PROJECT UPSTREAM BASE DONOR ONTO --svg docs/scaling.svg

Series of 10 to 500 patches are made of real changes: each patch is what upstream changed in one
file between BASE and DONOR. They are applied on BASE, and carried from BASE to ONTO ('portkit
check': the merges of a rebase). The three releases are mirrored in PROJECT. Processor time counts,
of the fastest of some runs, because it is the same on a busy machine.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portkit.engine.tree import read_tree, touched_paths
from portkit.manifest.load import load_manifest
from portkit.mirror.store import Mirror
from portkit.series.commits import tree_changes
from portkit.series.diff import diff_text
from portkit.series.model import Patch, Series
from portkit.series.patch import format_patch

REPOSITORY = Path(__file__).parents[1]
SIZES = (10, 25, 50, 100, 150, 200, 300, 400, 500)
TASKS = {"apply": ("apply", "s"), "rebase (merges)": ("check", "s", "--onto")}
COLOURS = {"apply": "#1f77b4", "rebase (merges)": "#d62728"}


@dataclass(frozen=True)
class Point:
    patches: int
    touched: int  # bytes: each patch counts the whole of its file
    seconds: float


@dataclass(frozen=True)
class Fit:
    """The line through the points by least squares, and how much of the variance it explains."""

    slope: float
    start: float
    r2: float

    @classmethod
    def of(cls, points: Sequence[Point]) -> Fit:
        xs, ys = [each.touched for each in points], [each.seconds for each in points]
        mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
        slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / sum(
            (x - mean_x) ** 2 for x in xs
        )
        start = mean_y - slope * mean_x
        rest = sum((y - start - slope * x) ** 2 for x, y in zip(xs, ys, strict=True))
        return cls(slope, start, 1 - rest / sum((y - mean_y) ** 2 for y in ys))


class Scaling:
    def __init__(self, project: Path, upstream: str, base: str, donor: str, onto: str) -> None:
        self.mirror = Mirror(load_manifest(project / "portkit.toml"), upstream)
        self.base, self.onto = self.mirror.release(base), self.mirror.release(onto)
        changes = [
            change for change in tree_changes(
                self.mirror.repo, self.base.tree, self.mirror.release(donor).tree
            )
            if change.old and change.new and b"\0" not in change.old.data + change.new.data
            and change.old.data != change.new.data and change.old_path == change.new_path
        ]  # fmt: skip
        if len(changes) < SIZES[-1]:
            sys.exit(f"only {len(changes)} files differ between {base} and {donor}")
        step = len(changes) / SIZES[-1]
        self.changes = [changes[int(at * step)] for at in range(SIZES[-1])]

    def patches(self, count: int) -> list[Patch]:
        """So many patches, spread over all files."""
        step = len(self.changes) / count
        return [
            format_patch(
                f"{number:04}.patch", author="x <x@example.org>",
                date="Mon, 02 Jan 2023 03:04:05 +0000", subject=f"Change {change.new_path}",
                body="", diff=diff_text([change]),
            )
            for number, change in enumerate(
                (self.changes[int(at * step)] for at in range(count)), start=1
            )
        ]  # fmt: skip

    def measure(self, count: int, work: Path, times: int) -> dict[str, Point]:
        directory = work / "patches"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        patches = self.patches(count)
        for patch in patches:
            (directory / patch.name).write_bytes(patch.raw)
        (directory / "series").write_text("".join(f"{patch.name}\n" for patch in patches))
        (work / "portkit.toml").write_text(
            f'[upstream.{self.mirror.upstream.name}]\ntrack = "0"\n'
            f"subtree = {list(self.mirror.upstream.subtree)!r}\n"
            f"[[upstream.{self.mirror.upstream.name}.source]]\n"
            'kind = "git"\nname = "x"\nurl = "x"\n'
            f'[series.s]\nupstream = "{self.mirror.upstream.name}"\n'
            f'directory = "patches"\npin = "{self.base.version}"\n'
        )
        state = work / ".portkit"
        (state / "mirror").mkdir(parents=True, exist_ok=True)
        link = state / "mirror" / self.mirror.repo.path.name
        if not link.is_symlink():
            link.symlink_to(self.mirror.repo.path.resolve())
        paths = touched_paths(Series("s", tuple(patches)))
        tree = read_tree(self.mirror.repo, self.base.tree, paths)
        touched = sum(len(entry.data) for path in paths if (entry := tree.get(path)))
        found = {}
        for task, words in TASKS.items():
            args = [*words, self.onto.version] if words[-1] == "--onto" else list(words)
            best = float("inf")
            for _ in range(times):
                shutil.rmtree(state / "cache", ignore_errors=True)
                for pack in (self.mirror.repo.path / "objects" / "pack").glob("pack-*"):
                    if not pack.with_suffix(".keep").exists():  # no release: apply wrote it
                        pack.unlink()
                best = min(best, processor_time(work, args))
            found[task] = Point(count, touched, best)
        self.mirror.repo.update_refs({f"refs/heads/s/{self.base.version}": None})
        return found


def processor_time(work: Path, args: Sequence[str]) -> float:
    """Seconds that portkit and its children used; the answer no (1) is an answer."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "portkit", *args], cwd=work, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def plot(title: str, points: dict[str, list[Point]]) -> str:
    """An SVG: time over touched bytes, the points and the lines through them."""
    width, height, left, bottom = 720, 420, 60, 50
    every = [point for line in points.values() for point in line]
    most = max(point.touched for point in every) * 1.05
    longest = max(point.seconds for point in every) * 1.1

    def at(touched: float, seconds: float) -> tuple[float, float]:
        x = left + touched / most * (width - left - 20)
        return round(x, 1), round(height - bottom - seconds / longest * (height - bottom - 40), 1)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12">',
        f"<title>{title}</title>", '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{left}" y="20" font-size="14">{title}</text>',
    ]  # fmt: skip
    for part in range(6):
        x, y = at(most * part / 5, longest * part / 5)
        floor, edge = height - bottom, left
        out += [
            f'<path d="M{edge} {y}H{width - 20}M{x} {floor}V40" stroke="#e3e3e3"/>',
            f'<text x="{edge - 6}" y="{y + 4}" text-anchor="end">{longest * part / 5:.2f}</text>',
            f'<text x="{x}" y="{floor + 18}" text-anchor="middle">{most * part / 5e6:.1f}</text>',
        ]
    out += [
        f'<text x="{width / 2}" y="{height - 12}" text-anchor="middle">touched bytes, MB</text>',
        f'<text x="14" y="{height / 2}" transform="rotate(-90 14 {height / 2})" '
        'text-anchor="middle">processor time, s</text>',
    ]
    for number, (task, line) in enumerate(points.items()):
        fit, colour = Fit.of(line), COLOURS[task]
        (x1, y1), (x2, y2) = at(0, fit.start), at(most, fit.start + fit.slope * most)
        out.append(f'<path d="M{x1} {y1}L{x2} {y2}" stroke="{colour}" fill="none"/>')
        for point in line:
            x, y = at(point.touched, point.seconds)
            out.append(
                f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}">'
                f"<title>{point.patches} patches: {point.seconds:.2f} s</title></circle>"
            )
        text = f"{task}: {fit.start:.2f} s + {fit.slope * 1e9:.0f} ms per MB, R² {fit.r2:.3f}"
        y = 46 + 18 * number
        out.append(f'<circle cx="{left + 16}" cy="{y - 4}" r="4" fill="{colour}"/>')
        out.append(f'<text x="{left + 26}" y="{y}">{text}</text>')
    return "\n".join([*out, "</svg>", ""])


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("project", "upstream", "base", "donor", "onto"):
        parser.add_argument(name)
    parser.add_argument("--svg", type=Path, required=True)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args(argv)
    work = Scaling(
        Path(options.project).resolve(), options.upstream, options.base, options.donor, options.onto
    )
    points: dict[str, list[Point]] = {task: [] for task in TASKS}
    print("| patches | touched MB | " + " | ".join(f"{task}, s" for task in TASKS) + " |")
    print("|---" * (2 + len(TASKS)) + "|")
    with tempfile.TemporaryDirectory() as directory:
        for count in SIZES:
            found = work.measure(count, Path(directory), options.times)
            for task, point in found.items():
                points[task].append(point)
            touched = next(iter(found.values())).touched / 1e6
            times = " | ".join(f"{point.seconds:.2f}" for point in found.values())
            print(f"| {count} | {touched:.1f} | {times} |", flush=True)
    title = f"{options.upstream} {options.base}: apply, and carry to {options.onto}"
    options.svg.write_text(plot(title, points))


if __name__ == "__main__":
    main(sys.argv[1:])
