"""Which variables and targets the ports framework has, and the order that ports have them in.

The order is that of the Porter's Handbook, chapter "Order of Variables in Port Makefiles", which
portclippy checks as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from portkit.lint.portmake import Kind, Line

Found = tuple[int, str, str]  # line, rule, message

# One block a line, with a blank line between two; within a block the variables come in this order.
BLOCKS = (
    "PORTNAME PORTVERSION DISTVERSIONPREFIX DISTVERSION DISTVERSIONSUFFIX PORTREVISION PORTEPOCH "
    "CATEGORIES MASTER_SITES MASTER_SITE_SUBDIR PKGNAMEPREFIX PKGNAMESUFFIX DISTNAME EXTRACT_SUFX "
    "DISTFILES DIST_SUBDIR EXTRACT_ONLY",
    "PATCH_SITES PATCHFILES PATCH_DIST_STRIP",
    "MAINTAINER COMMENT WWW",
    "LICENSE LICENSE_COMB LICENSE_GROUPS LICENSE_NAME LICENSE_TEXT LICENSE_FILE LICENSE_PERMS "
    "LICENSE_DISTFILES",
    "DEPRECATED EXPIRATION_DATE FORBIDDEN BROKEN IGNORE ONLY_FOR_ARCHS ONLY_FOR_ARCHS_REASON "
    "NOT_FOR_ARCHS NOT_FOR_ARCHS_REASON",
    "FETCH_DEPENDS EXTRACT_DEPENDS PATCH_DEPENDS BUILD_DEPENDS LIB_DEPENDS RUN_DEPENDS "
    "TEST_DEPENDS",
    "FLAVORS FLAVOR",
    "USES",
)
# After these the order of the blocks counts, in most of them not that of their variables.
_LATER = (
    "CPE_PRODUCT CPE_VENDOR CPE_VERSION DOS2UNIX_FILES FONTNAME GH_ACCOUNT GH_PROJECT GH_TAGNAME "
    "GH_TUPLE GL_ACCOUNT GL_COMMIT GL_PROJECT GL_SITE KMODDIR PATHFIX_MAKEFILEIN",
    "SHEBANG_FILES SHEBANG_GLOB SHEBANG_LANG SHEBANG_REGEX",
    "CARGO_CRATES CMAKE_ARGS CMAKE_BUILD_TYPE CMAKE_OFF CMAKE_ON GO_MODULE GO_TARGET",
    "CONFIGURE_ARGS CONFIGURE_CMD CONFIGURE_ENV CONFIGURE_LOG CONFIGURE_OUTSOURCE CONFIGURE_SCRIPT "
    "CONFIGURE_SHELL CONFIGURE_TARGET GNU_CONFIGURE GNU_CONFIGURE_PREFIX HAS_CONFIGURE",
    "MESON_ARGS MESON_BUILD_DIR",
    "ALL_TARGET DESTDIRNAME INSTALL_TARGET MAKEFILE MAKE_ARGS MAKE_CMD MAKE_ENV MAKE_FLAGS "
    "MAKE_JOBS_UNSAFE TEST_ARGS TEST_ENV TEST_TARGET",
    "CFLAGS CPPFLAGS CXXFLAGS LDFLAGS LIBS LLD_UNSAFE PIE_UNSAFE SSP_UNSAFE WITHOUT_CPU_CFLAGS",
    "CONFLICTS CONFLICTS_BUILD CONFLICTS_INSTALL",
    "AR BINARY_ALIAS BINMODE BUNDLE_LIBS CC CPP CXX DATADIR DESKTOP_ENTRIES DOCSDIR ETCDIR "
    "EXAMPLESDIR EXTRACT_AFTER_ARGS EXTRACT_BEFORE_ARGS EXTRACT_CMD EXTRA_PATCHES FETCH_ARGS LD "
    "MANPREFIX NOT_REPRODUCIBLE NO_ARCH NO_ARCH_IGNORE NO_BUILD NO_INSTALL NO_MTREE NO_TEST "
    "PATCH_ARGS PATCH_STRIP PORTSCOUT REINPLACE_ARGS SHAREMODE SUB_FILES SUB_LIST",
    "BUILD_WRKSRC CONFIGURE_WRKSRC INSTALL_WRKSRC NO_WRKSUBDIR PATCH_WRKSRC TEST_WRKSRC WRKSRC "
    "WRKSRC_SUBDIR",
    "GROUPS USERS",
    "DESCR DISTINFO_FILE INFO PKGDEINSTALL PKGINSTALL PKGMESSAGE PLIST PLIST_DIRS PLIST_FILES "
    "PLIST_SUB PORTDATA PORTDOCS PORTEXAMPLES",
    "NO_OPTIONS_SORT OPTIONS_DEFAULT OPTIONS_DEFINE OPTIONS_EXCLUDE OPTIONS_GROUP OPTIONS_MULTI "
    "OPTIONS_RADIO OPTIONS_SINGLE OPTIONS_SUB",
)
_PLACE = {
    name: (block, place)
    for block, names in enumerate(BLOCKS)
    for place, name in enumerate(names.split())
}
_LATER_PLACE = {name: block for block, names in enumerate(_LATER, 1) for name in names.split()}
# What an option may change, in the order of an option's lines.
_HELPERS = (
    "IMPLIES PREVENTS PREVENTS_MSG CATEGORIES MASTER_SITES DISTFILES EXTRACT_ONLY PATCH_SITES "
    "PATCHFILES BROKEN IGNORE PKG_DEPENDS FETCH_DEPENDS EXTRACT_DEPENDS PATCH_DEPENDS "
    "BUILD_DEPENDS LIB_DEPENDS RUN_DEPENDS TEST_DEPENDS USES USE GH_ACCOUNT GH_PROJECT GH_TAGNAME "
    "GH_TUPLE CMAKE_BOOL CMAKE_ON CMAKE_OFF CONFIGURE_ON CONFIGURE_OFF CONFIGURE_ENABLE "
    "CONFIGURE_WITH CONFIGURE_ENV MESON_ENABLED MESON_DISABLED MESON_ON MESON_OFF MESON_TRUE "
    "MESON_FALSE MESON_YES MESON_NO MAKE_ARGS MAKE_ENV ALL_TARGET INSTALL_TARGET TEST_TARGET "
    "CFLAGS CPPFLAGS CXXFLAGS LDFLAGS LIBS CONFLICTS CONFLICTS_BUILD CONFLICTS_INSTALL "
    "BINARY_ALIAS DESKTOP_ENTRIES EXTRA_PATCHES INFO PLIST_DIRS PLIST_FILES PLIST_SUB PORTDOCS "
    "PORTEXAMPLES SUB_FILES SUB_LIST VARS"
)
HELPERS = _HELPERS.split()
# Further names, most with a suffix: a release, an architecture, a licence, an option.
_FAMILIES = re.compile(
    r"_\w+|USE_\w+|\w+_USES?|WITH_\w+|WITHOUT_\w+|OPTIONS_\w+|(BROKEN|IGNORE|FORBIDDEN|DEPRECATED)_\w+"
    r"|(ONLY|NOT)_FOR_ARCHS_REASON_\w+|LICENSE_(NAME|TEXT|FILE|PERMS|GROUPS|DISTFILES)_[\w.+-]+"
    r"|\w+_DEPENDS|\w+_(DESC|DESCR|PLIST|PKGNAMEPREFIX|PKGNAMESUFFIX|CONFLICTS_INSTALL)"
    r"|(MASTER_SITES|MAKE_ARGS|MAKE_ENV|CFLAGS|CPPFLAGS|CXXFLAGS|LDFLAGS|EXTRA_PATCHES|DISTFILES"
    r"|PLIST_FILES|PLIST_SUB|CONFIGURE_ARGS|CONFIGURE_ENV)_\w+|(CPE|GH|GL|CARGO|GO|PYDISTUTILS)_\w+"
    r"|\w+_(OLD|)_?CMD"
)
# What a port does not set, and why.
OBSOLETE = {
    "NO_CHECKSUM": "the user's, not the port's",
    "MACHINE_ARCH": "the framework's; test ARCH",
    "NO_PACKAGE": "gone; LICENSE_PERMS=no-pkg-mirror says it",
    "PKGNAME": "made of PORTNAME, the version, PKGNAMEPREFIX and PKGNAMESUFFIX",
    "IGNOREFILES": "gone",
    "IS_INTERACTIVE": "no package can be built of such a port",
    "NOPORTDOCS": "gone; use the option DOCS",
    "NOPORTEXAMPLES": "gone; use the option EXAMPLES",
    "PLIST_DIRSTRY": "gone; use PLIST_DIRS",
    "USE_AUTOTOOLS": "gone; use USES=autoreconf",
}  # fmt: skip
_KNOWN = {*_PLACE, *_LATER_PLACE, *OBSOLETE}
_PHASES = ("fetch", "extract", "patch", "configure", "build", "install", "stage", "test", "package")
_OWN = _PHASES[:6]  # a target of the port would replace the framework's
_TARGETS = [f"{when}-{phase}" for phase in _PHASES for when in ("pre", "do", "post")]


def order_findings(lines: list[Line], options: list[str]) -> Iterator[Found]:
    """Variables and targets that are out of order, set twice, or that the framework does not know.

    Args:
        lines: of the Makefile.
        options: that the port defines.
    """
    yield from _first_blocks(lines)
    yield from _later_blocks(lines)
    yield from _helpers(lines, options)
    yield from _unknown(lines, options)
    yield from _targets(lines)


def _first_blocks(lines: list[Line]) -> Iterator[Found]:
    """The known variables in the handbook's order; a blank line between two blocks."""
    last: Line | None = None
    reached = (-1, -1)
    gap = False
    seen: dict[str, int] = {}
    for line in lines:
        if line.kind is Kind.BLANK:
            gap = True
        if line.kind is not Kind.ASSIGNMENT or line.depth:
            continue
        if line.operator == "=" and line.name in seen:
            yield line.number, "port-twice", f"{line.name} is already set on line {seen[line.name]}"
        seen.setdefault(line.name, line.number)
        place = _PLACE.get(line.name)
        if place is None:
            continue
        if place < reached and last is not None:
            yield line.number, "port-order", f"{line.name} comes before {last.name}"
        elif last is not None and (place[0] != reached[0]) != gap:
            what = (
                "starts a block: put a blank line before it"
                if not gap
                else (f"belongs to the block of {last.name}: no blank line between")
            )
            yield line.number, "port-block", f"{line.name} {what}"
        if place >= reached:
            reached, last = place, line
        gap = False


def _later_blocks(lines: list[Line]) -> Iterator[Found]:
    """USES, then what belongs to it, then configure, make, and so on."""
    last, reached = "", -1
    for line in lines:
        if line.kind is not Kind.ASSIGNMENT or line.depth:
            continue
        place = _LATER_PLACE.get(line.name, 1 if line.name.startswith("USE_") else -1)
        if line.name == "USES":
            place = 0
        if -1 < place < reached:
            yield line.number, "port-order", f"{line.name} comes before {last}"
        elif place > reached:
            last, reached = line.name, place


def _helpers(lines: list[Line], options: list[str]) -> Iterator[Found]:
    """Option by option, and for each in the order of ``HELPERS``."""
    last, reached = "", ("", -1)
    for line in lines:
        option, helper = _split(line.name, options) if not line.depth else ("", "")
        if helper:
            place = (option, HELPERS.index(helper.removesuffix("_OFF")))
            if place < reached:
                yield line.number, "port-order", f"{line.name} comes before {last}"
            else:
                last, reached = line.name, place


def _unknown(lines: list[Line], options: list[str]) -> Iterator[Found]:
    text = "\n".join("\n".join(line.raw) for line in lines)
    for line in lines:
        name = line.name
        if line.kind is not Kind.ASSIGNMENT or name in _KNOWN:
            continue
        if _FAMILIES.fullmatch(name) or _split(name, options)[1] or "$" in name:
            continue
        if not re.search(rf"\$[{{(]{re.escape(name)}\b", text):
            message = (
                f"the ports framework is not known to read {name}; begin a name of your own with _"
            )
            yield line.number, "port-unknown", message


def _targets(lines: list[Line]) -> Iterator[Found]:
    last, reached = "", -1
    for line in lines:
        if line.kind is not Kind.TARGET:
            continue
        name, colons = re.split(r"(::?)", line.value, maxsplit=1)[:2]
        if name in _OWN:
            yield (
                line.number,
                "port-target",
                f"{name} is the framework's own target; write do-{name}",
            )
        if name == "pre-everything" and colons == ":":
            yield line.number, "port-target", "write pre-everything:: with two colons"
        bare = re.sub(r"-[A-Z0-9_]+-(on|off)$", "", name)
        place = _TARGETS.index(bare) if bare in _TARGETS else reached
        if place < reached:
            yield line.number, "port-target-order", f"{name} comes before {last}"
        else:
            last, reached = name, place


def _split(name: str, options: list[str]) -> tuple[str, str]:
    """Option and helper of a variable like ``CURL_LIB_DEPENDS``; empty texts of others."""
    for option in sorted(options, key=len, reverse=True):
        helper = name.removeprefix(f"{option}_")
        if helper != name and helper.removesuffix("_OFF") in HELPERS:
            return option, helper
    return "", ""
