"""portkit.toml: what is read from it, and where a mistake in it is."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portkit.errors import EnvironmentProblem, UsageError
from portkit.manifest.load import load_manifest, set_pin
from portkit.manifest.model import DebianSource, GitSource, TarballSource

GOOD = """\
# a comment

[upstream.qemu]
track = "10.0"
subtree = [
    "VERSION",  # [not a table]
    "hw",
]

[[upstream.qemu.source]]
kind = "git"
name = "local"
url = "../qemu"

[[upstream.qemu.source]]
kind = "tarball"
name = "cdn"
url = "https://example.org/v{major}/qemu-{version}.tar.xz"
signature = "https://example.org/v{major}/qemu-{version}.tar.xz.sig"
keyring = "keys/qemu.gpg"
[upstream.qemu.source.sha256]
"10.0.1" = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

[[upstream.qemu.source]]
kind = "debian"
name = "debian"
package = "qemu"
suites = ["trixie", "sid"]
components = 3

[series.qemu]
upstream = "qemu"
directory = "patches/qemu"
pin = "10.0.1"  # the pin = "10.0.0" was before

[port.qemu]
origin = "emulators/qemu-kvm"
series = "qemu"
maintainer = "someone@example.org"
"""


@pytest.fixture
def load(tmp_path: Path):
    def read(text: str):
        (tmp_path / "portkit.toml").write_text(text)
        return load_manifest(tmp_path / "portkit.toml")

    return read


def test_everything_is_read(load, tmp_path: Path) -> None:
    manifest = load(GOOD)
    assert manifest.root == tmp_path
    upstream = manifest.upstreams["qemu"]
    assert (upstream.track, upstream.subtree) == ("10.0", ("VERSION", "hw"))
    assert upstream.sources == (
        GitSource("local", str(tmp_path / "../qemu")),
        TarballSource(
            "cdn",
            "https://example.org/v{major}/qemu-{version}.tar.xz",
            {"10.0.1": "a" * 64},
            "https://example.org/v{major}/qemu-{version}.tar.xz.sig",
            tmp_path / "keys/qemu.gpg",
        ),
        DebianSource("debian", "qemu", ("trixie", "sid"), 3),
    )
    assert manifest.series["qemu"].directory == tmp_path / "patches/qemu"
    assert manifest.ports["qemu"].settings == {"maintainer": "someone@example.org"}


def test_the_project_s_own_manifest_is_valid() -> None:
    manifest = load_manifest(Path(__file__).parents[2] / "portkit.toml")
    assert set(manifest.series) == {"linux-kvm", "linux-kvm-7.2", "qemu"}


# (text to replace, replacement, what the message must have)
MISTAKES = [
    ('track = "10.0"', 'trakc = "10.0"', r"^portkit.toml:3: upstream.qemu: .*'track' is missing"),
    ('track = "10.0"', "track = 10.0", r"^portkit.toml:4: upstream.qemu.track: must be a string"),
    ('track = "10.0"', 'track = "ten"', r"toml:4: upstream.qemu.track: 'ten' is not a release"),
    ('"hw",', '"../hw",', r"toml:5: upstream.qemu.subtree: '../hw' is not a path inside"),
    ('"hw",', '"/hw",', r"toml:5: upstream.qemu.subtree"),
    ('"hw",', '"hw/",', r"toml:5: upstream.qemu.subtree"),
    ('"hw",', '"hw/.git/x",', r"toml:5: upstream.qemu.subtree"),
    ('"hw",', '"hw", "hw",', r"toml:5: upstream.qemu.subtree: 'hw' is there twice"),
    ('"hw",', '"hw", "hw/kvm",', r"toml:5: .*'hw/kvm' is part of 'hw'; take it out"),
    ('"hw",', "1,", r"toml:5: upstream.qemu.subtree: 1 is not a string"),
    ('url = "../qemu"', 'url = "ext::sh -c x://"', r"toml:13: .*url: the scheme is not known"),
    ('kind = "debian"', 'kind = "rpm"', r"toml:25: .*source\[3\].kind: unknown kind 'rpm'.*debian"),
    ('kind = "debian"', "", r"toml:24: upstream.qemu.source\[3\]: the key 'kind' is missing"),
    ('name = "cdn"', 'name = "local"', r"toml:17: .*source\[2\].name: .*'local' is there twice"),
    ('name = "cdn"', 'name = "../x"', r"toml:17: .*bad name '../x'"),
    ('v{major}/qemu-{version}.tar.xz"\ns', 'x"\ns', r"toml:18: .*url: it does not depend"),
    ('v{major}/qemu-{version}.tar.xz"\ns', '{0}"\ns', r"toml:18: .*unknown placeholder; .*{minor}"),
    ('v{major}/qemu-{version}.tar.xz"\ns', '{"\ns', r"toml:18: .*braces"),
    ('url = "https://', 'url = "ftp://', r"toml:18: .*url: the scheme is not known"),
    ('url = "https://example.org', 'url = "https://x:99999', r"toml:18: .*url: .* is not a URL"),
    ('url = "https://example.org', 'url = "https://[x', r"toml:18: .*url: .* is not a URL"),
    ('keyring = "keys/qemu.gpg"', "", r"toml:15: .*source\[2\]: the key 'keyring' is missing"),
    ('"aaaa', '"AAAA', r"toml:22: .*source\[2\].sha256.10.0.1: not a SHA-256"),
    ('"10.0.1" = "a', '"ten" = "a', r"toml:22: .*not a version"),
    ('package = "qemu"', 'package = "Qemu x"', r"toml:27: .*cannot name a source package"),
    ('suites = ["trixie", "sid"]', "suites = []", r"toml:24: .*there are no suites"),
    ('"sid"', '"../sid"', r"toml:28: .*cannot name a suite"),
    ("components = 3", "components = true", r"toml:29: .*a number from 1 to 6, not True"),
    ("components = 3", "component = 3", r"toml:29: .*unknown key; did you mean 'components'"),
    ('upstream = "qemu"', 'upstream = "xen"', r"toml:32: series.qemu.upstream: .*known are: qemu"),
    ('"patches/qemu"', '"../patches"', r"toml:33: series.qemu.directory: .* inside the project"),
    ('"patches/qemu"', '"/etc"', r"toml:33: series.qemu.directory"),
    ('"patches/qemu"', '"."', r"toml:33: series.qemu.directory"),
    ('"patches/qemu"', '".portkit/x"', r"toml:33: series.qemu.directory"),
    ('pin = "10.0.1"  #', 'pin = "v10"  #', r"toml:34: series.qemu.pin: 'v10' is not a version"),
    ("[series.qemu]", "[series.Qemu]", r"toml:31: series.Qemu: bad name"),
    ("[series.qemu]", '[series."a.lock"]', r"toml:31: series.a.lock: bad name"),
    ("emulators/qemu-kvm", "qemu-kvm", r"toml:37: port.qemu.origin: .*category/name"),
    ("emulators/qemu-kvm", "../qemu-kvm", r"toml:37: port.qemu.origin"),
    ('series = "qemu"', 'series = "xen"', r"toml:38: port.qemu.series: .*known are: qemu"),
    ("[port.qemu]", "[ports.qemu]", r"toml:36: ports: unknown key; did you mean 'port'"),
    ("[port.qemu]", "[port.qemu", r"^portkit.toml:36: not valid TOML: .*; correct this line"),
]


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES)
def test_a_mistake_is_named_with_its_line_and_key(load, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(UsageError, match=message) as caught:
        load(GOOD.replace(old, new, 1))
    assert "\n" not in str(caught.value)


def test_two_series_cannot_share_a_directory(load) -> None:
    more = (
        '[series.two]\nupstream = "qemu"\ndirectory = "patches/../patches/qemu"\npin = "10.0.1"\n'
    )
    with pytest.raises(UsageError, match=r"toml:42: series.two.directory: series qemu has it"):
        load(GOOD + more)


def test_a_link_does_not_lead_a_series_out_of_the_project(load, tmp_path: Path) -> None:
    (tmp_path / "patches").symlink_to("/etc")
    with pytest.raises(UsageError, match="inside the project"):
        load(GOOD)


def test_inline_tables_have_lines_too(load) -> None:
    text = '[upstream]\nx = { track = "1.0", source = [{ kind = "git", name = "g", urn = "x" }] }\n'
    with pytest.raises(UsageError, match=r"toml:2: upstream.x.source\[1\]: the key 'url'"):
        load(text)


def test_bytes_that_are_no_text_and_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "portkit.toml").write_bytes(b"# fine\nx = '\xff'\n")
    with pytest.raises(UsageError, match=r"portkit.toml:2: not UTF-8"):
        load_manifest(tmp_path / "portkit.toml")
    with pytest.raises(EnvironmentProblem, match="No such file"):
        load_manifest(tmp_path / "other" / "portkit.toml")


@given(st.text(max_size=200))
def test_no_text_makes_the_loader_fall_over(tmp_path_factory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "portkit.toml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    with contextlib.suppress(UsageError):
        load_manifest(path)


def test_a_pin_is_changed_and_nothing_else() -> None:
    changed = set_pin(GOOD.encode(), "qemu", "10.0.13")
    assert changed.decode() == GOOD.replace('pin = "10.0.1"  #', 'pin = "10.0.13"  #')


@pytest.mark.parametrize(
    "text",
    [
        'series.s.pin = "1.0"\n',
        "[series]\ns = {pin='1.0'}\n",
        '[series]\na = { pin = "1.0" }\ns = { note = "pin = \'1.0\'", pin = "1.0" }\n',
        'series = { a = { pin = "1.0" }, s = { "pin" = "1.0" } }\n',
        '[series.s]\r\npin="1.0"\r\nx = """\r\npin = "1.0"\r\n"""\r\n',
    ],
)
def test_a_pin_is_found_however_it_is_written(text: str) -> None:
    import tomllib

    before, after = tomllib.loads(text), tomllib.loads(set_pin(text.encode(), "s", "1.2").decode())
    assert after["series"]["s"]["pin"] == "1.2"
    before["series"]["s"]["pin"] = "1.2"
    assert after == before


def test_a_pin_that_is_not_there_is_not_changed() -> None:
    with pytest.raises(UsageError, match="there is no pin"):
        set_pin(GOOD.encode(), "xen", "1.0")
    with pytest.raises(UsageError, match="is not a version"):
        set_pin(GOOD.encode(), "qemu", '1.0"\nx = "')
