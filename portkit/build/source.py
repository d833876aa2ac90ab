"""The patched source of a port, as files: what its distfile holds, with the series applied."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from portkit.engine.chain import apply_to, write_chain
from portkit.engine.standin import based
from portkit.errors import EnvironmentProblem
from portkit.gitio import GitRepo
from portkit.manifest.model import Manifest, SeriesSpec
from portkit.mirror.store import Mirror
from portkit.port.dist import TreeFile, tree_files


def patched_source(
    manifest: Manifest,
    spec: SeriesSpec,
    paths: Sequence[str],
    directory: Path,
    *,
    stand_in: bool = False,
) -> Path:
    """Make a directory hold some paths of a series' pinned release, with the series applied.

    Only files whose content changed are written, so that make(1) rebuilds no more than it has to.
    An interruption is noticed by the next call, which starts clean. The project's lock is held.

    Args:
        manifest: the project.
        spec: the series.
        paths: files and directories of the release; files that the series adds come along.
        directory: where the files go.
        stand_in: use the nearest release of the track if the pinned one is not mirrored.

    Returns:
        The directory.

    Raises:
        Refused: a patch does not apply.
        UsageError: the series is not valid, or a path is not in the release.
        EnvironmentProblem: the release is not mirrored, or the disk refuses.
    """
    mirror = Mirror(manifest, spec.upstream)
    base = based(manifest, spec, stand_in=stand_in)
    release = base.release
    steps = list(apply_to(base.tree, base.series))
    commits = write_chain(mirror.repo, release, spec.name, steps, base.tree)
    tree = mirror.repo.text("rev-parse", f"{[release.commit, *commits.values()][-1]}^{{tree}}")
    added = [
        str(path) for step in steps for path, entry in step.changes.items() if entry is not None
    ]
    files = tree_files(mirror.repo, tree, paths)
    files += [file for file in tree_files(mirror.repo, tree, added) if file not in files]
    try:
        _update(mirror.repo, files, directory)
    except OSError as error:
        raise EnvironmentProblem(
            error.strerror or str(error),
            where=str(error.filename or directory),
            hint="make room or fix the permissions and run again",
        ) from error
    return directory


def _update(repo: GitRepo, files: Sequence[TreeFile], directory: Path) -> None:
    note = directory.with_name(f"{directory.name}.files")
    wanted = {file.path: [file.mode, file.oid] for file in files}
    try:
        present: dict[str, list[str]] = json.loads(note.read_text())
    except (OSError, ValueError):
        shutil.rmtree(directory, ignore_errors=True)
        present = {}
    if present == wanted and directory.is_dir():
        return
    directory.mkdir(parents=True, exist_ok=True)
    note.unlink(missing_ok=True)
    for gone in present.keys() - wanted.keys():
        (directory / gone).unlink(missing_ok=True)
    changed = [file for file in files if present.get(file.path) != wanted[file.path]]
    blobs = repo.cat_file(file.oid for file in changed)
    for file, blob in zip(changed, blobs, strict=True):
        if blob is None:
            raise EnvironmentProblem(
                f"the mirror lost {file.path}", where=str(repo.path), hint="sync it again"
            )
        _write(directory / file.path, file.mode, blob.data)
    note.write_text(json.dumps(wanted))


def _write(path: Path, mode: str, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if mode == "120000":
        path.symlink_to(data.decode())
    else:
        path.write_bytes(data)
        path.chmod(0o755 if mode == "100755" else 0o644)
