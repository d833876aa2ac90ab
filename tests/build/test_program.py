"""The cross build of programs: the compiler, libraries built once, the packing list."""

from __future__ import annotations

import hashlib
import io
import shlex
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portkit.build import toolchain, zigcc
from portkit.build.archives import Archive, fetch, unpack_below
from portkit.build.command import find_tool, run_logged
from portkit.build.library import Library, build_libraries, libraries
from portkit.build.program import plist_findings, port_options
from portkit.build.program_table import ProgramTable
from portkit.build.toolchain import make_toolchain
from portkit.errors import EnvironmentProblem, Refused, UsageError
from portkit.manifest.load import load_manifest
from portkit.manifest.model import PortSpec
from portkit.mirror.apt import SourcePackage
from portkit.vm.unpack import BadArchive

ROOT = Path(__file__).parents[2]
TARGET = "x86_64-freebsd.14.0"
CONFIGURE = """\
#!/bin/sh
for argument; do case $argument in --prefix=*) prefix=${argument#*=};; esac; done
printf 'PREFIX=%s\\n' "$prefix" > config.mk
"""
MAKEFILE = """\
-include config.mk
install:
	mkdir -p $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/include
	$(CC) -c code.c -o $(DESTDIR)$(PREFIX)/lib/libcode.a
	cp code.h $(DESTDIR)$(PREFIX)/include
"""


def quiet(what: str, done: int, total: int | None) -> None:
    pass


def tar(files: Mapping[str, str], top: str = "code-1.0/") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(top + name)
            member.size, member.mode = len(text), 0o755
            archive.addfile(member, io.BytesIO(text.encode()))
    return out.getvalue()


@pytest.fixture
def zig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiler that writes down its arguments instead of compiling."""
    program = tmp_path / "zig"
    program.write_text(
        '#!/bin/sh\necho "$@" >> "$(dirname "$0")/called"\n'
        'case "$*" in *broken*) echo "x.c:1:1: error: no such thing" >&2; exit 1;; esac\n'
        'while [ $# -gt 1 ]; do [ "$1" = -o ] && echo code > "$2"; shift; done\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(toolchain, "_zig", lambda: (program, "0.1"))
    return program


@pytest.fixture
def source(tmp_path: Path) -> Callable[[Archive], Path]:
    path = tmp_path / "code-1.0.tar.gz"
    path.write_bytes(
        tar({"configure": CONFIGURE, "Makefile": MAKEFILE, "code.c": "", "code.h": "int code;\n"})
    )
    return lambda archive: path


def library(**changes: object) -> Library:
    values: dict[str, object] = {
        "name": "code", "kind": "configure",
        "archive": Archive("code", "code-1.0.tar.gz", "0" * 64),
        "directory": "", "options": (), **changes,
    }  # fmt: skip
    return Library(**values)  # type: ignore[arg-type]


def port(**settings: object) -> PortSpec:
    return PortSpec("p", "emulators/p", None, settings)


# The compiler


def test_the_caller_has_the_last_word() -> None:
    command = zigcc.arguments(TARGET, ["-O2", "-DNDEBUG", "-c", "x.c"])
    assert command[:2] == ["-target", TARGET]
    assert command.index("-UNDEBUG") < command.index("-DNDEBUG")
    assert command[-4:] == ["-O2", "-DNDEBUG", "-c", "x.c"]


def test_response_files_are_expanded_also_inside_of_others(tmp_path: Path) -> None:
    (tmp_path / "inner").write_text("'-Wl,a b'\n-lc\n")
    (tmp_path / "outer").write_text(f"x.o @{tmp_path}/inner\n")
    command = zigcc.arguments(TARGET, [f"@{tmp_path}/outer", "@none", "-o", "x"])
    assert command[-6:] == ["x.o", "-Wl,a b", "-lc", "@none", "-o", "x"]


def test_a_list_of_symbols_to_export_becomes_all_of_them() -> None:
    command = zigcc.arguments(TARGET, ["a.o", "-Xlinker", "--dynamic-list=x", "-Xlinker", "-v"])
    assert command[-4:] == ["a.o", "-rdynamic", "-Xlinker", "-v"]


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_any_other_argument_stays_as_it_is(given_arguments: list[str]) -> None:
    plain = [argument for argument in given_arguments if not argument.startswith("@")]
    command = zigcc.arguments(TARGET, plain)
    assert command[len(command) - len(plain) :] == plain


def test_the_tools_have_the_names_that_build_systems_look_for(tmp_path: Path, zig: Path) -> None:
    chain = make_toolchain(tmp_path / "it's here", [Path("/p/zlib")])
    run_logged(
        [f"{toolchain.TRIPLE}-cc", "-c", "a b.c", "-o", str(tmp_path / "o")], "compiling",
        tmp_path, tmp_path / "log", chain.environment,
    )  # fmt: skip
    called = (tmp_path / "called").read_text()
    assert f"cc -target {TARGET}" in called
    assert "a b.c" in called
    pkg_config = (chain.directory / f"{toolchain.TRIPLE}-pkg-config").read_text()
    assert "/p/zlib/lib/pkgconfig:/p/zlib/libdata/pkgconfig" in pkg_config
    assert "-I/p/zlib/include" in shlex.split(chain.environment["CPPFLAGS"])
    assert "system = 'freebsd'" in chain.cross_file.read_text()


# Libraries


def test_a_library_is_built_once(
    tmp_path: Path, zig: Path, source: Callable[[Archive], Path]
) -> None:
    said: list[str] = []
    first = build_libraries([library()], tmp_path / "cache", 1, source, said.append)
    again = build_libraries([library()], tmp_path / "cache", 1, source, said.append)
    assert first == again
    assert said == ["building code"]
    assert (first[0] / "lib" / "libcode.a").read_text() == "code\n"
    assert (first[0] / "include" / "code.h").is_file()
    assert list((tmp_path / "cache").glob("work-*")) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"options": ("--more",)},
        {"archive": Archive("code", "code-1.0.tar.gz", "1" * 64)},
    ],
)
def test_another_version_or_option_is_another_library(
    tmp_path: Path, zig: Path, source: Callable[[Archive], Path], changed: dict[str, object]
) -> None:
    cache = tmp_path / "cache"
    before = build_libraries([library()], cache, 1, source, lambda text: None)
    after = build_libraries([library(**changed)], cache, 1, source, lambda text: None)
    assert before != after


def test_what_uses_a_library_is_built_again_when_that_one_changes(
    tmp_path: Path, zig: Path, source: Callable[[Archive], Path]
) -> None:
    cache, user = tmp_path / "cache", library(name="user")
    before = build_libraries([library(), user], cache, 1, source, lambda text: None)
    changed = library(options=("--more",))
    after = build_libraries([changed, user], cache, 1, source, lambda text: None)
    assert before[1] != after[1]


def test_portkits_own_library_needs_no_archive(
    tmp_path: Path, zig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def no_fetch(archive: Archive) -> Path:
        raise AssertionError

    own = library(name="libintl", kind="own", archive=None)
    (prefix,) = build_libraries([own], tmp_path / "cache", 1, no_fetch, lambda text: None)
    assert (prefix / "include" / "libintl.h").is_file()


def test_the_first_error_is_told_and_nothing_is_kept(
    tmp_path: Path, zig: Path, source: Callable[[Archive], Path]
) -> None:
    path = source(Archive("", "", ""))
    path.write_bytes(
        tar({"configure": CONFIGURE, "Makefile": MAKEFILE.replace("code.c", "broken")})
    )
    with pytest.raises(
        Refused, match=r"building code failed: x\.c:1:1: error: no such thing"
    ) as caught:
        build_libraries([library()], tmp_path / "cache", 1, source, lambda text: None)
    assert "code.log" in str(caught.value)
    assert [path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()] == []


def test_what_a_killed_build_left_is_removed(
    tmp_path: Path, zig: Path, source: Callable[[Archive], Path]
) -> None:
    stale = tmp_path / "cache" / "work-killed" / "source"
    stale.mkdir(parents=True)
    build_libraries([library()], tmp_path / "cache", 1, source, lambda text: None)
    assert not stale.exists()


def test_a_missing_tool_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(
        EnvironmentProblem, match="autoreconf is not installed; install the package"
    ):
        find_tool("autoreconf")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "cmake"}, "no valid 'kind'"),
        ({"sha256": "ABC"}, "no valid 'sha256'"),
        ({"archive": "../x.tar.gz"}, "no valid 'archive'"),
        ({"directory": "../.."}, "no valid 'directory'"),
        ({"name": "a/b"}, "no valid 'name'"),
        ({"options": "--all"}, "no list of texts as 'options'"),
        ({"colour": "red"}, "unknown key 'colour'"),
    ],
)
def test_a_wrong_key_is_named(change: dict[str, object], message: str) -> None:
    good: dict[str, object] = {
        "name": "code", "kind": "meson", "package": "code",
        "archive": "c.tar.gz", "sha256": "0" * 64,
    }  # fmt: skip
    assert libraries(port(library=[good]))[0].name == "code"
    with pytest.raises(UsageError, match=message):
        libraries(port(library=[{**good, **change}]))


# Archives


class FakeApt:
    """Debian with one package."""

    def __init__(self, data: bytes, digest: str) -> None:
        self.data, self.downloads = data, 0
        self.package = SourcePackage("1.0-1", "code.tar.gz", digest, len(data))

    def packages(self, name: str) -> list[SourcePackage]:
        return [self.package]

    def download(
        self, name: str, package: SourcePackage, directory: Path, progress: object
    ) -> Path:
        self.downloads += 1
        path = directory / package.archive
        path.write_bytes(self.data)
        return path


def test_an_archive_is_fetched_once_and_verified_each_time(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"data").hexdigest()
    apt, archive = FakeApt(b"data", digest), Archive("code", "code.tar.gz", digest)
    path = fetch(archive, apt, tmp_path, quiet)  # type: ignore[arg-type]
    fetch(archive, apt, tmp_path, quiet)  # type: ignore[arg-type]
    assert apt.downloads == 1
    path.write_bytes(b"damaged")
    assert fetch(archive, apt, tmp_path, quiet).read_bytes() == b"data"  # type: ignore[arg-type]
    assert apt.downloads == 2


def test_another_file_than_the_wanted_one_is_refused(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"data").hexdigest()
    archive = Archive("code", "code.tar.gz", digest)
    with pytest.raises(EnvironmentProblem, match="wrong digest"):
        fetch(archive, FakeApt(b"other", digest), tmp_path, quiet)  # type: ignore[arg-type]
    with pytest.raises(EnvironmentProblem, match="in none of the suites"):
        fetch(archive, FakeApt(b"data", "0" * 64), tmp_path, quiet)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_an_archive_is_unpacked_without_its_top_directory(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(tar({"keep/a": "1", "roms/b": "2"}))
    unpack_below(path, tmp_path / "out", lambda name: not name.startswith("roms/"))
    assert [p.name for p in (tmp_path / "out").rglob("*") if p.is_file()] == ["a"]
    path.write_bytes(tar({"x": "evil"}, top="code/../../"))
    with pytest.raises(BadArchive):
        unpack_below(path, tmp_path / "out")


# The port


def test_the_packing_list_is_held_against_what_was_installed(tmp_path: Path) -> None:
    plist = tmp_path / "port" / "pkg-plist"
    plist.parent.mkdir()
    plist.write_text("%%CURL%%bin/curl\n%%SLIRP%%bin/slirp\nbin/both\nbin/gone\n")
    for name in ("both", "slirp", "new"):
        (tmp_path / "root" / "bin").mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / "bin" / name).touch()
    found = plist_findings(plist, tmp_path / "root", ["SLIRP"])
    assert [finding.message for finding in found] == [
        "bin/gone is listed and not installed", "bin/new is installed and not listed",
    ]  # fmt: skip
    assert plist_findings(plist, tmp_path / "root", [])[1:] == found[1:]


def test_the_cross_build_takes_the_ports_own_options() -> None:
    manifest = load_manifest(ROOT / "portkit.toml")
    spec = manifest.ports["qemu-kvm"]
    options = port_options(manifest, spec)
    assert "--enable-kvm" in options
    assert "--target-list=x86_64-softmmu" in options
    assert [option for option in options if "$" in option] == []


def test_the_manifests_own_description_is_valid() -> None:
    manifest = load_manifest(ROOT / "portkit.toml")
    spec = manifest.ports["qemu-kvm"]
    names = [library.name for library in libraries(spec)]
    assert names.index("libintl") < names.index("glib") < names.index("libslirp")
    assert ProgramTable(spec, manifest.series["qemu"].pin).archive.package == "qemu"


def test_missing_firmware_names_the_package() -> None:
    program = {
        "package": "q", "firmware-directory": "share/q", "firmware": [["seabios", "/none/*.bin"]],
    }  # fmt: skip
    distfile = {"name": "q.tar.xz", "sha256": "0" * 64, "size": 1}
    table = ProgramTable(port(program=program, distfile=[distfile]), "1.0")
    with pytest.raises(EnvironmentProblem, match="install the package seabios"):
        table.firmware()


@pytest.mark.parametrize(
    "program",
    [[], {}, {"package": "q"}, {"package": "q", "firmware-directory": "s", "tags": "SLIRP"},
     {"package": "q", "firmware-directory": "s", "replace": [["one", "two"]]},
     {"package": "q", "firmware-directory": "s", "colour": "red"}],
)  # fmt: skip
def test_a_wrong_program_table_is_refused(program: object) -> None:
    distfile = {"name": "q.tar.xz", "sha256": "0" * 64, "size": 1}
    with pytest.raises(UsageError, match=r"port\.p\.program"):
        ProgramTable(port(program=program, distfile=[distfile]), "1.0")
