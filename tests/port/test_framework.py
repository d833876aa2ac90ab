"""The ports of this project in FreeBSD's ports framework, and before its own checkers.

Skipped without a ports tree; docs/ports.md says how to run it. Building the module takes minutes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from portkit.manifest.load import load_manifest
from portkit.mirror.sources import open_sources
from tests.port.faults import DIES, FAULTS, KMOD, LAYER, QEMU, Fault
from tests.port.framework import ROOT, Framework, missing

if reason := missing():
    pytest.skip(reason, allow_module_level=True)

ORIGINS = (LAYER, KMOD, QEMU)
# What portlint says of these ports on purpose, see docs/ports.md.
_NOISE = re.compile(
    r"patch was not generated using ``make makepatch''|patched multiple times"
    r'|possible use of absolute pathname "/dev/kvm|"IGNORE" has to appear earlier'
    r"|your port is DATADIR-safe|no port directory \S+/devel/linux-kmod-compat found"
)
# portclippy of before 2022 does not know WWW.
_UNKNOWN = {"+WWW", "-WWW"}


@pytest.fixture(scope="module")
def framework(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Framework]:
    directory = tmp_path_factory.mktemp("framework")
    yield Framework(directory)
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def distfile(framework: Framework) -> None:
    """The slim distfile of the module, where the framework looks for it."""
    program = Path(sys.executable).with_name("portkit")
    words = ["-C", ROOT, "dist", "linux-kvm", "--to", framework.distfiles]
    subprocess.run([program, *words], check=True, capture_output=True)


@pytest.mark.parametrize("origin", ORIGINS)
def test_the_framework_takes_the_port(framework: Framework, origin: str) -> None:
    assert framework.variable(origin, "IGNORE") == ""
    assert framework.variable(origin, "_LICENSE_STATUS") == "accepted"
    assert framework.variable(origin, "PKGNAME").startswith(f"{origin.partition('/')[2]}-")
    assert framework.variable(origin, "USES_IGNORE") == ""


@pytest.mark.parametrize("origin", ORIGINS)
def test_every_dependency_is_a_port(framework: Framework, origin: str) -> None:
    for name in ("BUILD_DEPENDS", "LIB_DEPENDS", "RUN_DEPENDS"):
        for word in framework.variable(origin, name).split():
            port = word.split(":")[1].partition("@")[0]
            found = [top / port / "Makefile" for top in (framework.ports, framework.tree)]
            assert any(path.is_file() for path in found), f"{name}: {word}"


@pytest.mark.parametrize("origin", [KMOD, QEMU])
def test_older_systems_are_refused(framework: Framework, origin: str) -> None:
    """Set on make's command line, where the framework does not compare it with the host."""
    said = framework.variable(origin, "IGNORE", MAKEFLAGS="OSVERSION=1302001")
    assert said == "needs FreeBSD 14.0 or later"


@pytest.mark.parametrize("state", ["on", "off"])
def test_every_option_of_qemu_reaches_configure(framework: Framework, state: str) -> None:
    options = framework.variable(QEMU, "OPTIONS_DEFINE").split()
    words = [f"{'WITH' if state == 'on' else 'WITHOUT'}={' '.join(options)!r}"]
    arguments = framework.make(QEMU, "-V", "CONFIGURE_ARGS", *words).split()
    chosen = framework.make(QEMU, "-V", "PORT_OPTIONS", *words).split()
    assert [option in chosen for option in options] == [state == "on"] * len(options)
    verb = {"on": "--enable-", "off": "--disable-"}[state]
    for name in ("curl", "docs", "gnutls", "gtk", "sdl", "slirp", "vnc-jpeg", "vnc-sasl"):
        assert f"{verb}{name}" in arguments


def test_the_layer_is_staged_as_its_plist_says(framework: Framework) -> None:
    said = framework.make(LAYER, "NO_DEPENDS=yes", "stage", "check-plist", "stage-qa")
    assert "No pkg-plist issues found" in said
    assert not re.search(r"^(Error|Warning):", said, re.MULTILINE), said


def test_the_module_is_built_and_staged(framework: Framework, distfile: None) -> None:
    """Natively: by the framework, USES=kmod and bsd.kmod.mk, from the sources in SRC_BASE."""
    layer = f"LOCALBASE={framework.work / 'local'}"
    share = framework.work / "local/share/linux-kmod-compat"
    shutil.copytree(framework.ports / LAYER / "src", share, dirs_exist_ok=True)
    small = "WITHOUT=WHOLE"
    said = framework.make(KMOD, "NO_DEPENDS=yes", "PATCH_DEBUG=yes", small, "checksum", "patch")
    assert "Checksum OK for linux-kvm-" in said
    assert not re.search(r"\bfuzz \d|\boffset -?\d|FAILED|\.rej", said), said
    said = framework.make(
        KMOD, small, layer, "PREFIX=/usr/local", "NO_DEPENDS=yes", "build", "stage", "check-plist",
        "stage-qa",
    )  # fmt: skip
    assert "No pkg-plist issues found" in said
    assert not re.search(r"^(Error|Warning):|warning:", said, re.MULTILINE), said
    stage = Path(framework.variable(KMOD, "STAGEDIR"))
    assert {path.name for path in (stage / "boot/modules").iterdir()} == {"kvm.ko", "kvm_linux.ko"}


def test_either_archive_gives_the_same_files(framework: Framework, distfile: None) -> None:
    """The small distfile, and what is unpacked of the whole release (option WHOLE)."""
    manifest = load_manifest(ROOT / "portkit.toml")
    sources = open_sources(manifest, manifest.upstreams["linux-kvm"], "debian")
    release = manifest.series["linux-kvm"].pin
    with sources.fetch(release, lambda *_: None) as (_, whole):
        (framework.distfiles / whole.name).write_bytes(whole.stream.read())
    trees = []
    for state in ("WITH", "WITHOUT"):
        option = f"{state}=WHOLE"
        said = framework.make(KMOD, "NO_DEPENDS=yes", option, "clean", "checksum", "patch")
        assert "SHA256 Checksum OK" in said
        top = Path(framework.make(KMOD, option, "-V", "WRKSRC").strip())
        files = [path for path in top.rglob("*") if path.is_file() and path.suffix != ".orig"]
        trees.append({path.relative_to(top): path.read_bytes() for path in files})
    framework.make(KMOD, "clean")
    assert len(trees[0]) > 5000
    assert trees[0] == trees[1]


@pytest.mark.parametrize("origin", ORIGINS)
def test_portlint_and_portclippy_find_nothing(framework: Framework, origin: str) -> None:
    assert _complaints(framework, origin) == set()


@pytest.fixture
def faulty(framework: Framework, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fault]:
    """The parameter, while it is in the copy of its port."""
    fault: Fault = request.param
    port = framework.ports / fault.origin
    shutil.copytree(port, tmp_path / "kept")
    try:
        fault.inject(framework.ports)
        yield fault
    finally:
        shutil.rmtree(port)
        shutil.copytree(tmp_path / "kept", port)


def _chosen(*reasons: str) -> pytest.MarkDecorator:
    faults = [fault for fault in FAULTS if fault.alone in reasons]
    return pytest.mark.parametrize("faulty", faults, ids=str, indirect=True)


@_chosen("")
def test_what_is_called_a_fault_is_one(framework: Framework, faulty: Fault) -> None:
    assert _complaints(framework, faulty.origin)


@_chosen(*{fault.alone for fault in FAULTS} - {"", DIES})
def test_what_portkit_lint_alone_finds(framework: Framework, faulty: Fault) -> None:
    """A failure is good news: the reason in faults.py is no longer true, and goes."""
    assert _complaints(framework, faulty.origin) == set(), f"no more true: {faulty.alone}"


@_chosen(DIES)
def test_what_portlint_dies_of_is_refused_by_the_framework(
    framework: Framework, faulty: Fault
) -> None:
    said = framework.run(f"cd {framework.ports / faulty.origin} && make -V PKGNAME")
    assert said.returncode != 0
    assert "bsd.licenses.mk" in said.stdout + said.stderr
    assert "make(1) died" in framework.portlint(faulty.origin).stderr


def _complaints(framework: Framework, origin: str) -> set[str]:
    """What the two programs say of a port, but for what is known."""
    done = framework.portlint(origin)
    assert re.search(r"looks fine|\d+ fatal errors? and \d+ warnings?", done.stdout), done.stderr
    found = {
        line
        for line in done.stdout.splitlines()
        if line.startswith(("WARN:", "FATAL:")) and not _NOISE.search(line)
    }
    if portclippy := shutil.which("portclippy"):
        makefile = framework.ports / origin / "Makefile"
        said = subprocess.run(
            [portclippy, "--strict", makefile], capture_output=True, text=True, check=False
        ).stdout
        found |= {line for line in said.splitlines() if line.startswith(("+", "-"))} - _UNKNOWN
    return found
