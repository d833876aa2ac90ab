"""On Linux the series changes nothing: the same configuration, the same text, the same objects."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from portkit.build.archives import cache_directory, fetch, unpack_below
from portkit.build.program_table import ProgramTable
from portkit.errors import EnvironmentProblem
from portkit.manifest.load import load_manifest
from portkit.mirror.sources import debian_archive
from portkit.series.store import load_series
from tests.qemu.linux_build import examine

pytestmark = pytest.mark.hostbuild

ROOT = Path(__file__).parents[2]


def test_a_build_for_linux_is_the_same_with_the_series(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Twice a configuration, and what is around KVM through the preprocessor."""
    if "hostbuild" not in str(request.config.getoption("markexpr")):
        pytest.skip("configures QEMU twice: ask for it with -m hostbuild")
    if shutil.which("gcc") is None or subprocess.run(["pkg-config", "glib-2.0"]).returncode:
        pytest.skip("needs gcc, libglib2.0-dev and libpixman-1-dev")
    manifest = load_manifest(ROOT / "portkit.toml")
    spec = manifest.series["qemu"]
    table = ProgramTable(manifest.ports["qemu-kvm"], spec.pin)
    try:
        archive = fetch(
            table.archive, debian_archive(manifest), cache_directory() / "archives",
            lambda what, done, total: None,
        )  # fmt: skip
    except EnvironmentProblem as problem:
        pytest.skip(str(problem))
    patches = load_series(spec).patches
    touched = {str(file.path) for patch in patches for file in patch.files}
    source = tmp_path / "source"
    unpack_below(archive, source, lambda path: path.partition("/")[0] not in table.unused)
    for name, old, new in table.replaced:
        (source / name).write_text((source / name).read_text().replace(old, new))

    stock = examine(source, touched)
    for patch in patches:
        subprocess.run(["git", "apply", "-"], cwd=source, input=patch.raw, check=True)
    ours = examine(source, touched)

    assert ours.configuration == stock.configuration
    assert ours.sources == stock.sources  # of all units
    assert len(stock.units) > 100
    differing = {
        stock.sources[unit] for unit in stock.units if ours.units[unit] != stock.units[unit]
    }
    assert differing <= touched  # their text differs, by functions that are empty on Linux
    assert {stock.sources[unit] for unit in stock.objects} >= {
        "accel/kvm/kvm-all.c", "target/i386/kvm/kvm.c"
    }  # fmt: skip
    assert ours.objects == stock.objects
