"""Each rule for ports finds its problem, and says nothing about a port that is in order."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from portkit.lint.port import lint_port
from portkit.lint.portfiles import expected_distfiles
from portkit.lint.portmake import Kind, expand, parse_makefile, variables
from tests.port.faults import FAULTS, Fault

ROOT = Path(__file__).parents[2]

MAKEFILE = """\
PORTNAME=	hello
DISTVERSION=	1.2
CATEGORIES=	misc
MASTER_SITES=	https://example.org/

MAINTAINER=	someone@example.org
COMMENT=	Greets the world
WWW=		https://example.org/hello/

LICENSE=	BSD2CLAUSE GPLv2
LICENSE_COMB=	multi

BUILD_DEPENDS=	bash:shells/bash \\
		gsed:textproc/gsed

USES=		gmake tar:xz

PATCH_STRIP=	-p1
OPTIONS_DEFINE=	DOCS X11
OPTIONS_SUB=	yes

.include <bsd.port.options.mk>

.if ${OSVERSION} < 1400000
IGNORE=		needs FreeBSD 14.0 or later
.endif

post-install:
	@${STRIP_CMD} ${STAGEDIR}${PREFIX}/bin/hello

.include <bsd.port.mk>
"""
FILES = {
    "Makefile": MAKEFILE,
    "distinfo": "TIMESTAMP = 1700000000\n"
    f"SHA256 (hello-1.2.tar.xz) = {'0' * 64}\n"
    "SIZE (hello-1.2.tar.xz) = 123\n",
    "pkg-descr": "Hello prints a greeting on the terminal, in the language\nof the user.\n",
    "pkg-plist": "bin/hello\nbin/hello-all\nbin/hello-you\n%%DOCS%%share/man/man1/hello.1.gz\n"
    "%%X11%%share/pixmaps/hello.png\n%%X11%%share/pixmaps/hello.svg\n",
    "files/patch-main.c": "--- a/main.c\n+++ b/main.c\n@@ -1 +1 @@\n-a\n+b\n",
}


@pytest.fixture
def port(tmp_path: Path) -> Callable[..., Path]:
    """Write the good port with some files replaced (None: left out)."""

    def write(**changes: str | None) -> Path:
        directory = tmp_path / "misc" / "hello"
        (directory / "files").mkdir(parents=True)
        for name, text in {**FILES, **changes}.items():
            if text is not None:
                (directory / name).write_bytes(text.encode())
        return directory

    return write


def test_a_port_in_order_has_no_findings(port: Callable[..., Path]) -> None:
    assert lint_port(port()) == []


def test_a_directory_without_a_makefile_is_one_finding(tmp_path: Path) -> None:
    assert [finding.rule for finding in lint_port(tmp_path)] == ["port-missing"]


@pytest.mark.parametrize(
    ("old", "new", "rule", "line"),
    [
        ("PORTNAME=	hello\n", "", "port-missing", 0),
        ("LICENSE=	BSD2CLAUSE GPLv2\nLICENSE_COMB=	multi\n", "", "port-missing", 0),
        ("DISTVERSION=	1.2\n", "", "port-version", 0),
        ("DISTVERSION=	1.2\n", "DISTVERSION=	1.2\nPORTREVISION=	0\n", "port-revision", 3),
        ("CATEGORIES=	misc", "CATEGORIES=	emulators misc", "port-category", 3),
        ("someone@example.org", "Someone <someone@example.org>", "port-maintainer", 6),
        ("someone@example.org", "someone", "port-maintainer", 6),
        ("Greets the world", "Greets the world.", "port-comment-period", 7),
        ("Greets the world", "greets the world", "port-comment-case", 7),
        ("Greets the world", "A greeting for the world", "port-comment-article", 7),
        ("Greets the world", "Hello greets the world", "port-comment-name", 7),
        ("Greets the world", "Greets " + "the " * 20 + "world", "port-comment-length", 7),
        ("https://example.org/hello/", "example.org", "port-www", 8),
        ("BSD2CLAUSE GPLv2", "BSD2CLAUSE GPL2", "port-license", 10),
        ("LICENSE_COMB=	multi\n", "", "port-license", 10),
        ("CATEGORIES=	misc\nMASTER_SITES=	https://example.org/\n",
         "MASTER_SITES=	https://example.org/\nCATEGORIES=	misc\n", "port-order", 4),
        ("\nMAINTAINER=", "MAINTAINER=", "port-block", 5),
        ("CATEGORIES=	misc", "\nCATEGORIES=	misc", "port-block", 4),
        ("PATCH_STRIP=	-p1\n", "PATCH_STRIP=	-p1\nUSES=		cpe\n", "port-twice", 19),
        ("COMMENT=	", "COMMENT= ", "port-tab", 7),
        ("COMMENT=	", "COMMENT=", "port-tab", 7),
        ("		gsed", "        gsed", "port-tab", 14),
        ("gmake tar:xz", "tar:xz gmake", "port-sort", 16),
        ("OPTIONS_DEFINE=	DOCS X11", "OPTIONS_DEFINE=	X11 DOCS", "port-sort", 19),
        ("\n.include <bsd.port.mk>\n", "\n", "port-include", 29),
        ("post-install:", "post-install", "port-syntax", 28),
        ("org/hello/\n", "org/hello/ \n", "port-whitespace", 8),
        ("PORTNAME=	hello\n", "PORTNAME=	hello\r\n", "port-crlf", 1),
        ("PATCH_STRIP=	-p1\n", "", "port-patch-strip", 0),
    ],
)  # fmt: skip
def test_makefile(port: Callable[..., Path], old: str, new: str, rule: str, line: int) -> None:
    assert old in MAKEFILE
    findings = lint_port(port(Makefile=MAKEFILE.replace(old, new, 1)))
    assert (rule, line) in [(finding.rule, finding.line) for finding in findings]


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("pkg-descr", None, "port-missing"),
        ("pkg-descr", "Hello.\n", "port-descr-short"),
        ("pkg-descr", "word " * 30 + "\n", "port-descr-width"),
        ("pkg-descr", FILES["pkg-descr"] + "WWW: https://example.org/\n", "port-descr-www"),
        ("pkg-descr", FILES["pkg-descr"].rstrip("\n"), "port-newline"),
        ("pkg-plist", None, "port-missing"),
        ("pkg-plist", "sbin/b\nbin/a\n", "port-plist-order"),
        ("pkg-plist", "bin/a\nbin/a\n", "port-plist-twice"),
        ("pkg-plist", "/usr/local/bin/a\n", "port-plist-absolute"),
        ("pkg-plist", "%%GTK%%bin/a\n", "port-plist-tag"),
        ("pkg-plist", "bin/a\n\nbin/b\n", "port-plist-blank"),
        ("pkg-plist", "share/man/man1/a.1\n", "port-plist-man"),
        ("distinfo", None, "port-missing"),
        ("distinfo", FILES["distinfo"].replace("TIMESTAMP", "TIME"), "port-distinfo"),
        ("distinfo", FILES["distinfo"].replace("SIZE (", "SIZES ("), "port-distinfo"),
        ("distinfo", FILES["distinfo"].replace("0" * 64, "0" * 63), "port-distinfo"),
        ("distinfo", FILES["distinfo"].replace("1.2", "1.1"), "port-distinfo"),
        ("distinfo", FILES["distinfo"] + "SIZE (hello-1.2.tar.xz) = 123\n", "port-distinfo"),
        ("files/patch-main.c", "", "port-patch"),
        ("files/patch-main.c", "no diff\n", "port-patch"),
        ("files/patch-main.c.orig", "x\n", "port-patch"),
    ],
)
def test_other_files(port: Callable[..., Path], name: str, text: str | None, rule: str) -> None:
    findings = lint_port(port(**{name: text}))
    assert (rule, name) in [
        (finding.rule, str(finding.file).partition("/misc/hello/")[2]) for finding in findings
    ]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_what_portlint_and_portclippy_find_is_found(fault: Fault, tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "ports" / fault.origin, tmp_path / fault.origin, ignore=shutil.ignore_patterns("src")
    )
    assert lint_port(tmp_path / fault.origin) == []
    fault.inject(tmp_path)
    assert fault.rule in {finding.rule for finding in lint_port(tmp_path / fault.origin)}


def test_on_freebsd_its_own_checkers_are_asked(
    port: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = {"portlint": ["WARN: Makefile: no", "0 fatal errors"], "portclippy": ["+WWW"]}
    for name, lines in says.items():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    directory = port()
    assert lint_port(directory) == []
    monkeypatch.setattr("platform.system", lambda: "FreeBSD")
    found = [(finding.rule, finding.message) for finding in lint_port(directory)]
    assert sorted(found) == [("portclippy", "+WWW"), ("portlint", "WARN: Makefile: no")]


def test_a_finding_says_where_and_which_rule(port: Callable[..., Path]) -> None:
    directory = port(Makefile=MAKEFILE.replace("Greets the world", "Greets the world."))
    assert [str(finding) for finding in lint_port(directory)] == [
        f"{directory}/Makefile:7: COMMENT does not end with a period [port-comment-period]"
    ]


def test_continued_lines_are_one_assignment_and_comments_are_no_value() -> None:
    lines = parse_makefile("A=\tone \\\n\ttwo\t# three\nB=\t${A} # x\n.if 1\nA=\tno\n.endif\n")
    kinds = [Kind.ASSIGNMENT, Kind.ASSIGNMENT, Kind.DIRECTIVE, Kind.ASSIGNMENT, Kind.DIRECTIVE]
    assert [line.kind for line in lines] == kinds
    values = variables(lines)
    assert values == {"A": "one two", "B": "${A}"}
    assert expand("${B} ${C}", values) == "one two ${C}"


def test_a_variable_that_names_itself_does_not_hang() -> None:
    assert expand("${A}", {"A": "${A}x"}).startswith("${A}x")


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"PORTNAME": "a", "DISTVERSION": "1"}, ["a-1.tar.gz"]),
        ({"PORTNAME": "a", "DISTVERSION": "1", "DISTVERSIONPREFIX": "v"}, ["a-v1.tar.gz"]),
        ({"PORTNAME": "a", "PORTVERSION": "1", "USES": "gmake tar:xz"}, ["a-1.tar.xz"]),
        ({"PORTNAME": "a", "DISTVERSION": "1", "DIST_SUBDIR": "${PORTNAME}"}, ["a/a-1.tar.gz"]),
        ({"DISTFILES": "x.tgz:one y.tgz:two,three z"}, ["x.tgz", "y.tgz", "z"]),
        ({"PORTNAME": "a", "DISTVERSION": "1", "DISTFILES": ""}, []),
        ({"PORTNAME": "a", "DISTVERSION": "1", "X_DISTFILES": "x.xz:x"}, ["a-1.tar.gz", "x.xz"]),
        ({"PORTNAME": "a", "X_DISTFILES": "x", "X_DISTFILES_OFF": "y"}, ["x", "y"]),
    ],
)
def test_names_of_the_distfiles(values: dict[str, str], names: list[str]) -> None:
    assert expected_distfiles(values) == names
