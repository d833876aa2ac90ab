"""What apt is configured for, read without apt; Debian's versions as upstream's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from portkit.errors import EnvironmentProblem
from portkit.manifest.load import load_manifest
from portkit.mirror.apt import (
    Apt,
    AptSource,
    parse_list,
    parse_sources,
    wanted_sources,
)
from portkit.mirror.debian_source import upstream_version
from portkit.mirror.source import NotThere
from portkit.mirror.sources import open_sources
from portkit.mirror.store import Mirror
from portkit.mirror.sync import sync_upstream

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

ONE_LINE = f"""\
# deb http://commented.example/debian bookworm main
deb http://mirror.example/debian bookworm main contrib # a comment
deb-src [ signed-by={KEYRING} arch=amd64 ] http://mirror.example/debian/ bookworm main

deb http://security.example/debian-security bookworm-security main
deb https://download.docker.example/linux/debian bookworm stable
deb [signed-by=/etc/apt/keyrings/gitlab.gpg] https://packages.gitlab.example/debian bookworm main
deb http://apt.postgresql.example/pub/repos/apt bookworm-pgdg main
rpm http://mirror.example/debian bookworm main
"""

DEB822 = f"""\
# the main archive
Types: deb deb-src
URIs: http://mirror.example/debian
# in between
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: {KEYRING}

Types: deb
URIs: mirror+file:/etc/apt/mirrors/debian-security.list
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""


def test_the_one_line_form() -> None:
    found = list(parse_list(ONE_LINE))
    assert len(found) == 6
    assert found[0] == AptSource(
        "http://mirror.example/debian", "bookworm", ("main", "contrib"), ""
    )
    assert found[1] == AptSource("http://mirror.example/debian/", "bookworm", ("main",), KEYRING)


def test_the_deb822_form() -> None:
    main = "http://mirror.example/debian"
    assert list(parse_sources(DEB822)) == [
        AptSource(main, "bookworm", ("main",), KEYRING),
        AptSource(main, "bookworm-updates", ("main",), KEYRING),
        AptSource(
            "mirror+file:/etc/apt/mirrors/debian-security.list", "bookworm-security", ("main",), ""
        ),
    ]


def test_suites_go_to_the_place_that_serves_them_and_strangers_are_left_out() -> None:
    suites = ["trixie", "trixie-security", "sid"]
    found = {(s.uri, s.suite) for s in wanted_sources(parse_list(ONE_LINE), suites)}
    assert found == {
        ("http://mirror.example/debian", "trixie"),
        ("http://mirror.example/debian/", "trixie"),
        ("http://security.example/debian-security", "trixie-security"),
        ("http://mirror.example/debian", "sid"),
        ("http://mirror.example/debian/", "sid"),
    }
    assert wanted_sources(parse_list("deb http://x.example/ubuntu noble main"), suites) == []


def test_without_a_place_for_fixes_they_are_looked_for_beside_the_main_one() -> None:
    """As debootstrap leaves a system: one line, and no security suite."""
    bare = parse_list("deb http://mirror.example/debian/ bookworm main")
    assert {(s.uri, s.suite) for s in wanted_sources(bare, ["sid", "trixie-security"])} == {
        ("http://mirror.example/debian/", "sid"),
        ("http://mirror.example/debian-security", "trixie-security"),
    }


@pytest.mark.parametrize(
    ("debian", "components", "upstream"),
    [
        ("6.12.107-1", 2, "6.12.107"),
        ("7.3.4-1~bpo13+1", 2, "7.3.4"),
        ("6.13~rc7-1~exp1", 2, "6.13-rc7"),
        ("1:7.2+dfsg-7+deb12u18", 3, "7.2.0"),
        ("1:10.0.13+ds-0+deb13u1", 3, "10.0.13"),
        ("1:11.1.0~rc2+ds-1", 3, "11.1.0-rc2"),
        ("1:5.2+dfsg-11+deb11u3", 3, "5.2.0"),
        ("2.10-3", 2, "2.10"),
        ("1.0+git2024-1", 2, None),
        ("0~git2024-1", 2, None),
        ("r123-1", 2, None),
    ],
)
def test_debian_s_version_is_upstream_s(debian: str, components: int, upstream: str | None) -> None:
    assert upstream_version(debian, components) == upstream


def fake_apt(directory: Path, source: str) -> None:
    """Stands for apt: its programs are shell scripts in a directory of their own."""
    for name in ("apt-get", "apt-cache", "apt-config"):
        path = directory / name
        path.write_text(f"#!/bin/sh\n{source}\n")
        path.chmod(0o755)


def test_no_apt_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="apt-config is not installed"):
        Apt(tmp_path / "apt", ("sid",)).packages("linux")


def test_apt_that_has_no_debian_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_apt(tmp_path, ":")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(EnvironmentProblem, match="no Debian source is configured in apt; add a"):
        Apt(tmp_path / "apt", ("sid",)).packages("linux")


def test_apt_s_own_words_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sources.list").write_text("deb http://host.invalid/debian bookworm main\n")
    fake_apt(
        tmp_path,
        f'[ "$1" = shell ] && echo "LIST=\'{tmp_path}/sources.list\'"\n'
        'echo "W: something" >&2; echo "E: Failed to fetch it" >&2',
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(EnvironmentProblem, match="apt: Failed to fetch it"):
        Apt(tmp_path / "apt", ("sid",)).packages("linux")


def test_a_list_that_cannot_be_had_is_told_though_others_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mirror that stands still has lists that apt takes for expired."""
    (tmp_path / "sources.list").write_text("deb http://host.invalid/debian bookworm main\n")
    expired = "E: Release file for http://host.invalid/debian/dists/sid/InRelease is expired"
    fake_apt(tmp_path, f'[ "$2" = update ] && echo "{expired}" >&2\nBASE={tmp_path}\n{APT}')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    text = PROJECT.replace('package = "hello"', 'package = "linux"')
    (tmp_path / "portkit.toml").write_text(text)
    manifest = load_manifest(tmp_path / "portkit.toml")
    client = open_sources(manifest, manifest.upstreams["hello"])
    assert client.available() == ["1.0"]
    assert client.complaints() == {
        "debian": "reachable only in part (Release file for"
        " http://host.invalid/debian/dists/sid/InRelease is expired)"
    }


APT = """\
case "$*" in
*"shell LIST"*) echo "LIST='$BASE/sources.list'" ;;
*showsrc*) echo "Package: linux\nVersion: 1.0-1"
    echo "Checksums-Sha256:\n 00 4 linux_1.0.orig.tar.xz" ;;
*--print-uris*=1.0-1|*--print-uris*/trixie)
    echo "'http://main/linux_1.0.orig.tar.xz' linux_1.0.orig.tar.xz 4 SHA256:00" ;;
*--print-uris*/sid) echo "'http://main/linux_2.0.orig.tar.xz' linux_2.0.orig.tar.xz 4 SHA256:11" ;;
*--print-uris*-security)
    echo "'http://security/linux_1.0.orig.tar.xz' linux_1.0.orig.tar.xz 4 SHA256:00" ;;
*--tar-only*-security) echo "$*" >>"$BASE/log"; printf good >linux_1.0.orig.tar.xz ;;
*--tar-only*) echo "$*" >>"$BASE/log"; echo "E: Failed to fetch it  404  Not Found" >&2; exit 100 ;;
esac
"""


def test_an_archive_that_vanished_from_one_place_is_taken_from_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each place is asked once, and none that has another archive."""
    (tmp_path / "sources.list").write_text("deb http://host.invalid/debian bookworm main\n")
    fake_apt(tmp_path, f"BASE={tmp_path}\n{APT}")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    apt = Apt(tmp_path / "apt", ("trixie", "sid", "trixie-security"))
    (package,) = apt.packages("linux")
    path = apt.download("linux", package, tmp_path / "d", lambda *_: None)
    assert path.read_text() == "good"
    asked = [line.split()[-1] for line in (tmp_path / "log").read_text().splitlines()]
    assert asked == ["linux=1.0-1", "linux/trixie-security"]
    fake_apt(tmp_path, f"BASE={tmp_path}\n{APT.replace('printf good', 'false')}")
    with pytest.raises(EnvironmentProblem, match="404  Not Found"):
        apt.download("linux", package, tmp_path / "e", lambda *_: None)


PROJECT = """\
[upstream.hello]
track = "2.10"
subtree = ["README", "src", "configure.ac"]
[[upstream.hello.source]]
kind = "debian"
name = "debian"
package = "hello"
suites = ["bookworm", "trixie"]
[[upstream.hello.source]]
kind = "tarball"
name = "file"
url = "hello-{version}.tar"
[series.hello]
upstream = "hello"
directory = "patches"
pin = "2.10"
"""


@pytest.mark.network
def test_a_debian_source_package_gives_the_tree_of_its_archive(tmp_path: Path) -> None:
    """The .orig part through apt, and the same archive unpacked and packed anew, agree."""
    (tmp_path / "portkit.toml").write_text(PROJECT)
    manifest = load_manifest(tmp_path / "portkit.toml")
    seen: list[str] = []

    def sync(source: str) -> str:
        sync_upstream(manifest, "hello", lambda what, *_: seen.append(what), ["2.10"], source)
        return Mirror(manifest, "hello").release("2.10").tree

    tree = sync("debian")
    assert "import hello 2.10" in seen
    apt = Apt(tmp_path / ".portkit" / "apt", ("bookworm", "trixie"))
    package = next(p for p in apt.packages("hello") if p.version.startswith("2.10-"))
    archive = apt.download("hello", package, tmp_path / "again", lambda *_: None)
    subprocess.run(["tar", "-xf", archive, "-C", tmp_path], check=True)
    (top,) = tmp_path.glob("hello-2*")
    subprocess.run(
        ["tar", "-C", tmp_path, "--sort=name", "-cf", tmp_path / "hello-2.10.tar", top.name],
        check=True,
    )
    subprocess.run(["rm", "-rf", tmp_path / ".portkit" / "mirror", tmp_path / "portkit.lock"],
                   check=True)  # fmt: skip
    assert sync("file") == tree
    with pytest.raises(NotThere, match=r"debian: does not have release 2.10.7.*nearest"):
        sync_upstream(manifest, "hello", lambda *_: None, ["2.10.7"], "debian")


@pytest.mark.network
def test_the_system_s_apt_is_not_touched(tmp_path: Path) -> None:
    def state() -> list[tuple[str, float]]:
        places = ("/etc/apt", "/var/lib/apt", "/var/lib/dpkg/status")
        files = [p for place in places for p in [Path(place), *Path(place).rglob("*")]]
        return sorted((str(p), p.lstat().st_mtime) for p in files if p.name != "lock")

    before = state()
    assert Apt(tmp_path / "apt", ("bookworm",)).packages("hello")
    assert state() == before


@pytest.mark.network
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_it_works_without_root(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from portkit.mirror.apt import Apt\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "base = Path(sys.argv[1]); apt = Apt(base / 'apt', ('bookworm',))\n"
        "package = apt.packages('hello')[0]\n"
        "print(apt.download('hello', package, base / 'd', lambda *_: None).stat().st_size\n"
        "      == package.size)\n"
    )
    place = Path("/tmp") / f"portkit-nobody-{os.getpid()}"
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, place], cwd="/", capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": "/"},
            check=False,
        )  # fmt: skip
        assert done.stdout == "True\n", done.stderr
    finally:
        subprocess.run(["rm", "-rf", place], check=True)


@pytest.mark.network
def test_a_binary_package(tmp_path: Path) -> None:
    package = Apt(tmp_path / "apt", ("bookworm",), "deb").binary("hello", tmp_path)
    listing = subprocess.run(["dpkg-deb", "--contents", package], capture_output=True, text=True)
    assert "./usr/bin/hello" in listing.stdout
    with pytest.raises(EnvironmentProblem, match="no-such-package"):
        Apt(tmp_path / "apt", ("bookworm",), "deb").binary("no-such-package", tmp_path)
