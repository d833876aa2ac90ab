"""On Linux the series changes nothing: the same configuration, the same object code."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from portkit.build.archives import cache_directory, unpack_below
from portkit.build.command import find_tool
from portkit.build.program_table import ProgramTable
from portkit.build.source import patched_source
from portkit.errors import EnvironmentProblem
from portkit.manifest.load import load_manifest
from portkit.manifest.model import Manifest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
OPTIONS = [
    "--target-list=x86_64-softmmu", "--without-default-features", "--enable-system",
    "--enable-tcg", "--enable-kvm", "--disable-download", "--disable-debug-info",
    "--disable-install-blobs",
]  # fmt: skip
# Beside the sources that the series touches: all of KVM, and what the touched headers are for.
COMPILED = re.compile(
    r"(?:accel/kvm|target/i386/kvm|hw/i386/kvm)/.*\.c|target/i386/machine\.c|util/osdep\.c"
)


@dataclass(frozen=True)
class Configured:
    """What configuring and compiling gave."""

    header: str
    options: object
    targets: object
    objects: dict[str, bytes]


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load_manifest(ROOT / "portkit.toml")


@pytest.fixture(scope="module")
def archive(manifest: Manifest) -> Path:
    name = table(manifest).archive.name
    path = cache_directory() / "archives" / name
    if not path.is_file():
        pytest.skip(f"{name} was not fetched: run 'make qemu' first")
    if subprocess.run(["pkg-config", "--exists", "glib-2.0", "zlib"], check=False).returncode:
        pytest.skip("QEMU needs libglib2.0-dev and zlib1g-dev to be configured on Linux")
    return path


def table(manifest: Manifest) -> ProgramTable:
    return ProgramTable(manifest.ports["qemu-kvm"], manifest.series["qemu"].pin)


def with_the_series(manifest: Manifest, directory: Path) -> Path:
    try:
        return patched_source(manifest, manifest.series["qemu"], (), directory)
    except EnvironmentProblem as error:
        pytest.skip(str(error))


def without_firmware(manifest: Manifest, source: Path) -> None:
    """What the port changes as well, because Debian's archive has no firmware."""
    for name, old, new in table(manifest).replaced:
        text = (source / name).read_text()
        (source / name).write_text(text.replace(old, new))


def run(command: list[str], directory: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": path},
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


def configure(source: Path, build: Path) -> Configured:
    """Both times at the same places, as object code has the names of files."""
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir()
    run([f"{source}/configure", f"--python={sys.executable}", *OPTIONS], build)
    meson = ["meson", "introspect", str(build)]
    described = subprocess.run(
        [find_tool(meson[0]), *meson[1:], "--buildoptions", "--targets", "--force-object-output"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    data = json.loads(described.stdout)
    wanted = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = os.path.relpath(build / entry["file"], source)
        if COMPILED.fullmatch(file):
            wanted[entry["output"]] = shlex.split(entry["command"])
    run([find_tool("ninja"), *wanted], build)  # with it all the headers that are generated
    objects = {}
    for output, command in wanted.items():
        # Line numbers are in assertions; a line that was inserted may move them.
        command += ["-Wno-builtin-macro-redefined", "-D__LINE__=0"]
        run(command, build)
        objects[output] = (build / output).read_bytes()
    return Configured(
        (build / "config-host.h").read_text(), data["buildoptions"], data["targets"], objects
    )


def test_the_series_changes_no_configuration_and_no_object_code(
    manifest: Manifest, archive: Path, tmp_path: Path
) -> None:
    changed = with_the_series(manifest, tmp_path / "patched")
    source, build = tmp_path / "source", tmp_path / "build"
    unpack_below(archive, source, lambda path: path.partition("/")[0] != "roms")
    without_firmware(manifest, source)
    before = configure(source, build)
    assert "#define CONFIG_LINUX" in before.header
    assert any("kvm-all" in name for name in before.objects)
    edited = 0
    for path in changed.rglob("*"):
        if path.is_file():
            target = source / path.relative_to(changed)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            edited += 1
    assert edited > 5
    without_firmware(manifest, source)
    after = configure(source, build)
    assert after.header == before.header
    assert after.options == before.options
    assert after.targets == before.targets
    assert after.objects.keys() == before.objects.keys()
    differing = [name for name in before.objects if before.objects[name] != after.objects[name]]
    assert differing == []
