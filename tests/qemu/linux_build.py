"""QEMU configured for this Linux host, and what its compiler is given: for comparison."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from portkit.build.command import find_tool

# Where the files are that see what the series touches; every file of QEMU sees osdep.h.
_LOOKED_AT = ("accel/", "hw/i386/", "migration/", "system/", "target/i386/kvm/")
# KVM's files as objects: without what tells only where in a file a statement stands.
_OBJECT = ("-g0", "-Wno-builtin-macro-redefined", "-D__LINE__=0")
# Words of a command that are left out, and how many words each of them is.
_DROPPED = {"-MD": 1, "-MQ": 2, "-MF": 2, "-o": 2, "-c": 1}


@dataclass(frozen=True)
class LinuxBuild:
    """What would be compiled, and how.

    Attributes:
        configuration: digests of ``build.ninja`` and of the headers that configuring writes.
        units: digest of the preprocessed text, by the unit's object.
        sources: the file of each unit, by its object.
        objects: digest of the object code, by the unit's object; of the chosen files only.
    """

    configuration: Mapping[str, str]
    units: Mapping[str, str]
    sources: Mapping[str, str]
    objects: Mapping[str, str]


def examine(source: Path, chosen: Collection[str]) -> LinuxBuild:
    """Configure QEMU with what this host has, preprocess the files around KVM, compile a few.

    Args:
        source: QEMU's tree; ``build`` inside of it is made anew, so that two trees that stand
            there in turn see the same paths.
        chosen: files of the tree whose units are compiled too.
    """
    build = source / "build"
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir()
    _run(
        [
            str(source / "configure"), "--target-list=x86_64-softmmu", "--enable-kvm",
            "--disable-docs", "--disable-download", "--disable-install-blobs",
            f"--python={sys.executable}", f"--ninja={find_tool('ninja')}",
        ],
        build,
    )  # fmt: skip
    program = [find_tool("ninja"), "-t", "inputs", "qemu-system-x86_64"]
    used = set(_run(program, build).decode().splitlines())
    _run([find_tool("ninja"), *used.intersection(_generated(build))], build)
    commands = json.loads((build / "compile_commands.json").read_text())
    sources = {c["output"]: os.path.relpath(build / c["file"], source) for c in commands}
    commands = [c for c in commands if c["output"] in used
                and sources[c["output"]].startswith(_LOOKED_AT)]  # fmt: skip
    some = [c for c in commands if sources[c["output"]] in chosen]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        units = dict(pool.map(lambda c: (c["output"], _preprocessed(c)), commands))
        objects = dict(pool.map(lambda c: (c["output"], _object(c)), some))
    written = [build / "build.ninja", *sorted(build.glob("*config-*.h"))]
    return LinuxBuild(
        {path.name: _digest(path.read_bytes()) for path in written}, units, sources, objects
    )


def _generated(build: Path) -> Iterator[str]:
    """Headers and sources that commands of the build write."""
    shown = _run([find_tool("ninja"), "-t", "targets", "all"], build).decode()
    for line in shown.splitlines():
        target, _, rule = line.rpartition(": ")
        if rule.startswith("CUSTOM_COMMAND") and target.endswith((".h", ".c", ".inc", ".def")):
            yield target


def _preprocessed(command: Mapping[str, str]) -> str:
    text = _compiled(command, "-E", "-P")
    return _digest(b"\n".join(line for line in text.splitlines() if line.strip()))


def _object(command: Mapping[str, str]) -> str:
    return _digest(_compiled(command, "-c", *_OBJECT))


def _compiled(command: Mapping[str, str], *options: str) -> bytes:
    """What the compiler writes when a unit's command has these options instead of ``-c``."""
    words = shlex.split(command["command"])
    kept, skip = [], 0
    for word in words:
        if skip := max(skip - 1, 0) or _DROPPED.get(word, 0):
            continue
        kept.append(word)
    out = Path(command["directory"], command["output"] + ".compared")
    out.parent.mkdir(parents=True, exist_ok=True)
    _run([*kept, *options, "-o", str(out)], Path(command["directory"]))
    written = out.read_bytes()
    out.unlink()
    return written


def _run(command: Sequence[str], directory: Path) -> bytes:
    done = subprocess.run(
        command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    said = (done.stderr + done.stdout[-2000:]).decode(errors="replace")
    assert done.returncode == 0, f"{shlex.join(command)}: {said}"
    return done.stdout


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
