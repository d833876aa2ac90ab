"""Rules for the values of a port's variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from portkit.lint.portmake import Kind, Line
from portkit.lint.portorder import HELPERS, OBSOLETE, Found

_LICENSES = (
    "AGPLv3 APACHE20 ART10 ART20 BSD0CLAUSE BSD2CLAUSE BSD3CLAUSE BSD4CLAUSE BSL CC0-1.0 CDDL "
    "EPL GFDL GPLv1 GPLv1+ GPLv2 GPLv2+ GPLv3 GPLv3+ ISCL LGPL20 LGPL20+ LGPL21 LGPL21+ LGPL3 "
    "LGPL3+ MIT MPL10 MPL11 MPL20 NONE OFL11 OpenSSL PD PSFL PostgreSQL UNLICENSE WTFPL ZLIB"
)
LICENSES = frozenset(_LICENSES.split(" "))
_MANDATORY = ("PORTNAME", "CATEGORIES", "MAINTAINER", "COMMENT", "LICENSE")
_SORTED = ("USES", "OPTIONS_DEFINE", "OPTIONS_DEFAULT", "ONLY_FOR_ARCHS", "NOT_FOR_ARCHS")
_COMMENT_LENGTH = 70
# Options that the framework describes; not all of them.
_DESCRIBED = (
    "AALIB ALSA ASM AVAHI BASH BDB BROTLI BZIP2 CAIRO CARES CUPS CURL DBUS DEBUG DOCS DOXYGEN "
    "DTRACE EXAMPLES EXPAT FFMPEG FFTW FONTCONFIG FREETYPE FTP FUSE GCRYPT GEOIP GIF GIT GNOME "
    "GNUTLS GSSAPI GSTREAMER GTK2 GTK3 GUI HTTP2 ICONS ICONV ICU IDN IPV6 JACK JAVA JPEG JSON "
    "KDE4 KERBEROS LAME LCMS2 LDAP LIBEDIT LIBWRAP LIBXML2 LUA LZ4 LZMA LZO MANPAGES MBEDTLS "
    "MONO MOTIF MP3 MPI MYSQL NATIVE NCURSES NETCDF NLS NSS ODBC OGG OPENAL OPENCL OPENGL "
    "OPENMP OPENSSL OPUS OSS PAM PANGO PCRE PDF PERL PGSQL PIPEWIRE PLUGINS PNG PORTAUDIO "
    "PROFILE PULSEAUDIO PYTHON QT5 QT6 READLINE REDIS RUBY SASL SDL SIMD SMB SNAPPY SNDFILE "
    "SNDIO SNMP SOUND SPEEX SQLITE SQLITE3 SSE SSH SSL STATIC STRIP SVG SYSLOG TCL TEST THREADS "
    "TIFF TK TLS UNICODE UPNP VAAPI VDPAU VORBIS WAYLAND WEBP X11 X264 X265 XFT XINERAMA XML "
    "XPM YAML ZLIB ZSH ZSTD "
)
_REASONS = re.compile(r"(IGNORE|BROKEN|FORBIDDEN|DEPRECATED)(?!_SSL)(_\w+)?")
_INSTEAD = {
    "gmake": "gmake", "pkgconf": "pkgconfig", "pkg-config": "pkgconfig", "ninja": "ninja",
    "perl": "perl5", "perl5": "perl5", "cmake": "cmake", "bison": "bison",
    "msgfmt": "gettext-tools", "libiconv.so": "iconv", "libintl.so": "gettext",
    "libjpeg.so": "jpeg", "libncurses.so": "ncurses", "libssl.so": "ssl",
    "libreadline.so": "readline", "libsqlite3.so": "sqlite",
}  # fmt: skip


def word_findings(lines: list[Line], values: Mapping[str, str], directory: Path) -> Iterator[Found]:
    """What is missing in a Makefile, and values that the ports framework would not take.

    Args:
        lines: of the Makefile.
        values: of its variables.
        directory: of the port.
    """
    at = {line.name: line.number for line in reversed(lines) if line.kind is Kind.ASSIGNMENT}
    for name in _MANDATORY:
        if not values.get(name):
            yield 0, "port-missing", f"{name} is not set"
    if ("PORTVERSION" in values) == ("DISTVERSION" in values):
        yield at.get("PORTVERSION", 0), "port-version", "set one of DISTVERSION and PORTVERSION"
    if values.get("PORTREVISION", "1") == "0" or not values.get("PORTREVISION", "1").isdigit():
        yield at["PORTREVISION"], "port-revision", "PORTREVISION is a number above 0, or not set"
    categories = values.get("CATEGORIES", "").split()
    if categories and categories[0] != directory.parent.name:
        yield at["CATEGORIES"], "port-category", f"the first is to be {directory.parent.name}"
    if len(set(categories)) < len(categories):
        yield at["CATEGORIES"], "port-category", "a category is there twice"
    maintainer = values.get("MAINTAINER", "")
    if maintainer and not re.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", maintainer):
        yield at["MAINTAINER"], "port-maintainer", "MAINTAINER is one mail address, nothing else"
    yield from ((at["COMMENT"], *rest) for rest in _comment(values))
    if not re.fullmatch(r"https?://[^\s]+\.[^\s]+", values.get("WWW", "")):
        yield at.get("WWW", 0), "port-www", "WWW is the project's URL, with http:// or https://"
    yield from ((at["LICENSE"], *rest) for rest in _license(values))
    for name in _SORTED:
        words = values.get(name, "").split()
        if words != sorted(words, key=str.lower):
            yield at[name], "port-sort", f"sort the words of {name}"
    for line in lines:
        if line.kind is Kind.ASSIGNMENT:
            yield from ((line.number, *rest) for rest in _one(line))
    yield from _unneeded(values, at)


def option_findings(lines: list[Line], options: list[str], plist: str) -> Iterator[Found]:
    """Options without a description, and options that change nothing."""
    text = "\n".join("\n".join(line.raw) for line in lines)
    number = next((line.number for line in lines if line.name.startswith("OPTIONS_")), 0)
    for option in options:
        if option not in _DESCRIBED.split() and not re.search(rf"^{option}_DESC[+?]?=", text, re.M):
            yield (
                number,
                "port-option",
                f"set {option}_DESC: the framework is not known to have one",
            )
        used = (
            rf"^{option}_({'|'.join(HELPERS)})(_OFF)?[+?]?="
            rf"|PORT_OPTIONS:M{option}\b|-{option}-o(n|ff):"
        )
        by_files = {"DOCS": "PORTDOCS", "EXAMPLES": "PORTEXAMPLES"}.get(option, "\0") in text
        if not by_files and not re.search(used, text, re.M) and f"{option}%%" not in plist:
            yield number, "port-option", f"the option {option} changes nothing"


def _comment(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    comment = values.get("COMMENT", "")
    if len(comment) > _COMMENT_LENGTH:
        yield "port-comment-length", f"COMMENT has {len(comment)} characters, {_COMMENT_LENGTH} fit"
    if comment.endswith("."):
        yield "port-comment-period", "COMMENT does not end with a period"
    if comment[:1].islower():
        yield "port-comment-case", "COMMENT starts with a capital letter"
    if re.match(r"(An?|The) ", comment):
        yield "port-comment-article", "COMMENT does not start with an article"
    name = values.get("PORTNAME", "")
    if name and comment.lower().startswith(f"{name.lower()} "):
        yield "port-comment-name", "COMMENT does not start with the port's name"


def _license(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    names = values.get("LICENSE", "").split()
    if not names:
        return
    for name in names:
        if name not in LICENSES and f"LICENSE_NAME_{name}" not in values:
            yield "port-license", f"{name} is not a licence that the ports framework knows"
    combination = values.get("LICENSE_COMB", "single")
    if combination not in ("single", "multi", "dual"):
        yield "port-license", "LICENSE_COMB is single, dual or multi"
    if len(names) > 1 and combination == "single":
        yield "port-license", "several licences need LICENSE_COMB=dual or multi"
    for name in values:
        if (
            name.startswith("LICENSE_FILE_")
            and name.removeprefix("LICENSE_FILE_").strip() not in names
        ):
            yield "port-license", f"{name} is of no licence of the port"


def _one(line: Line) -> Iterator[tuple[str, str]]:
    """What one assignment says by itself."""
    name, value = line.name, line.value
    if name in OBSOLETE:
        yield "port-obsolete", f"{name} is {OBSOLETE[name]}"
    # "FreeBSD" and the like may come first
    bad = re.match(r"[A-Z][a-z]+(?![A-Za-z])|.*\.$|[\"']", value)
    if bad and _REASONS.fullmatch(name):
        yield "port-reason", f"{name}: no quotes, a small letter first, no period"
    if re.fullmatch(r"(\w+_)?MASTER_SITES", name):
        for word in value.split():
            if re.match(r"\w+://", word) and not re.search(r"/(:[\w,]+)?$", word):
                yield "port-sites", f"{word} is to end with a slash"
    if re.fullmatch(r"(\w+_)?CONFLICTS(_\w+)?", name) and re.search(r"-\[0-9\]\*(\s|$)", value):
        yield "port-conflicts", "a conflict is with any version; leave -[0-9]* out"
    if name.endswith("_DEPENDS"):
        for word in value.split():
            yield from (("port-depends", what) for what in _dependency(name, word))


def _dependency(name: str, word: str) -> Iterator[str]:
    if re.fullmatch(r"\$\{\w+\}", word):
        if (name, word) == ("RUN_DEPENDS", "${BUILD_DEPENDS}"):
            yield f"write out what {word} has: the framework adds to it"
        return
    parts = re.sub(r"\$\{[^}]*\}", "X", word).split(":")
    if len(parts) not in (2, 3):
        yield f"{word}: a dependency is what:category/port"
        return
    what, origin = word.rsplit(":", len(parts) - 1)[:2]
    if "${PREFIX}" in what:
        yield f"{word}: what others install is below ${{LOCALBASE}}"
    if not re.fullmatch(r"[\w-]+/[\w.+-]+(@[\w${}.-]+)?", origin):
        yield f"{word}: the port is category/port"
    if name.endswith("LIB_DEPENDS") and not re.fullmatch(r"lib[^:]+\.so", what):
        yield f"{word}: a library is libNAME.so, without a version"
    program = re.split(r"[<>=]", what)[0]
    if program in _INSTEAD:
        yield f"{word}: use USES={_INSTEAD[program]}"
    if "/py-" in origin and "@" not in origin:
        yield f"{word}: a port of Python's has a flavour, @${{PY_FLAVOR}}"


def _unneeded(values: Mapping[str, str], at: Mapping[str, int]) -> Iterator[Found]:
    default = re.sub(r"PORTVERSION|DISTVERSION(FULL)?", "V", values.get("DISTNAME", ""))
    if default == "${PORTNAME}-${V}":
        yield at["DISTNAME"], "port-unneeded", "DISTNAME is this without saying so"
    suffix = values.get("EXTRACT_SUFX", "")
    if suffix == ".tar.gz":
        yield at["EXTRACT_SUFX"], "port-unneeded", "EXTRACT_SUFX is this without saying so"
    elif suffix.startswith((".tar.", ".tgz", ".tbz", ".txz", ".zip")):
        use = "zip" if suffix == ".zip" else f"tar:{suffix.removeprefix('.tar').lstrip('.')}"
        yield at["EXTRACT_SUFX"], "port-unneeded", f"USES={use} sets EXTRACT_SUFX"
