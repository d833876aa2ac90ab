"""Faults of ports, each put into a copy of a port of this project.

``tests/port/test_lint_port.py`` asks ``portkit lint`` for each, ``tests/port/test_framework.py``
portlint and portclippy themselves, where they are. They report all but those that say why not.
"""

# One fault a line.
# ruff: noqa: E501
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LAYER, KMOD, QEMU = "devel/linux-kmod-compat", "emulators/linux-kvm-kmod", "emulators/qemu-kvm"


@dataclass(frozen=True, slots=True)
class Fault:
    """One text of one file of a port, replaced.

    Attributes:
        rule: what ``portkit lint`` calls it.
        origin: the port.
        file: below the port's directory; written when it is not there.
        old: what is replaced, once; empty: the whole file.
        new: by what; None removes the file.
        alone: why neither portlint nor portclippy reports it; empty when one does.
    """

    rule: str
    origin: str
    file: str
    old: str
    new: str | None
    alone: str = ""

    def __str__(self) -> str:
        text = repr(self.new if self.new is None else self.new[:24])
        return f"{self.rule}:{self.file}:{self.old[:12]!r}->{text}"

    def inject(self, ports: Path) -> None:
        """Put the fault into a copy of the ports."""
        path = ports / self.origin / self.file
        text = path.read_text() if path.exists() else ""
        assert self.old in text, f"{path} has no {self.old!r}"
        path.unlink(missing_ok=True)
        if self.new is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace(self.old, self.new, 1) if self.old else self.new)


_WWW = "WWW=		https://linux-kvm.org/\n"
_COMMENT = "Kernel-based Virtual Machine of Linux as a kernel module"
_LAST = "\n.include <bsd.port.mk>\n"


# Why portlint 2.20.0 is silent. portclippy looks at names and order of variables, at no values.
_MERGED = "portlint joins the words of all USES"
_UNSORTED = "portlint wants the words of ONLY_FOR_ARCHS and NOT_FOR_ARCHS sorted, of no others"
_STRIPPED = "portlint takes every ${VARIABLE} out of a dependency before it looks for ${PREFIX}"
_SHADOWED = (
    "portlint tests for @exec by a pattern that any keyword matches; what follows is not reached"
)
_TAGGED = "portlint counts the entries of a pkg-plist without any % or @ alone"
DIES = "portlint dies, as the framework stops with an error on this"


def _makefile(rule: str, old: str, new: str, origin: str = KMOD, alone: str = "") -> Fault:
    return Fault(rule, origin, "Makefile", old, new, alone)


def _target(rule: str, recipe: str, origin: str = KMOD) -> Fault:
    return _makefile(rule, _LAST, f"\npost-stage:\n{recipe}\n{_LAST}", origin)


FAULTS = (
    # the order of variables, blocks and targets
    _makefile("port-order", "DISTVERSION=	6.12.107\nCATEGORIES=	emulators\n",
              "CATEGORIES=	emulators\nDISTVERSION=	6.12.107\n"),
    _makefile("port-order", f"{_WWW}\nLICENSE=	GPLv2\nLICENSE_FILE=	${{WRKSRC}}/COPYING\n\n",
              f"{_WWW}\nLICENSE_FILE=	${{WRKSRC}}/COPYING\nLICENSE=	GPLv2\n\n"),
    _makefile("port-order", "\nUSES=		kmod tar:xz\n\nMAKE_ARGS", "\nUSE_GCC=	yes\nUSES=		kmod tar:xz\n\nMAKE_ARGS"),
    _makefile("port-order", "MAKE_ARGS+=", "PATCH_ARGS=	-s\nMAKE_ARGS+="),
    _makefile("port-order", "SHEBANG_FILES=", "OPTIONS_SUB=	yes\nSHEBANG_FILES=", QEMU),
    _makefile("port-order", "CURL_CONFIGURE_ENABLE=	curl\n", "CURL_CONFIGURE_ENABLE=	curl\nCURL_RUN_DEPENDS=	x:x/x\n", QEMU),
    _makefile("port-order", "SLIRP_CONFIGURE_ENABLE=", "CURL_CFLAGS=	-O\nSLIRP_CONFIGURE_ENABLE=", QEMU),
    _makefile("port-target-order", "post-build:", "post-stage:"),
    _makefile("port-block", "\nMAINTAINER=", "MAINTAINER="),
    _makefile("port-block", "\nUSES=		kmod", "USES=		kmod"),
    # what has to be there, and what must not
    _makefile("port-www", _WWW, ""),
    _makefile("port-www", "https://linux-kvm.org/", "linux-kvm.org"),
    _makefile("port-missing", f"COMMENT=	{_COMMENT}\n", ""),
    _makefile("port-missing", "LICENSE=	GPLv2\n", ""),
    _makefile("port-missing", "PORTNAME=	linux-kvm\n", ""),
    _makefile("port-version", "DISTVERSION=	6.12.107\n", ""),
    _makefile("port-version", "DISTVERSION=	6.12.107\n",
              "PORTVERSION=	6.12.107\nDISTVERSION=	6.12.107\n"),
    _makefile("port-revision", "CATEGORIES=", "PORTREVISION=	0\nCATEGORIES="),
    _makefile("port-twice", "USES=		kmod", "USES=		tar:xz\nUSES=		kmod", alone=_MERGED),
    _makefile("port-category", "CATEGORIES=	emulators", "CATEGORIES=	emulators emulators"),
    _makefile("port-include", _LAST, "\n"),
    _makefile("port-unneeded", "PKGNAMESUFFIX=	-kmod\n",
              "PKGNAMESUFFIX=	-kmod\nDISTNAME=	${PORTNAME}-${PORTVERSION}\n"),
    _makefile("port-unneeded", "PKGNAMESUFFIX=	-kmod\n", "PKGNAMESUFFIX=	-kmod\nEXTRACT_SUFX=	.tar.xz\n"),
    _makefile("port-obsolete", _LAST, f"\nNO_CHECKSUM=	yes\n{_LAST}"),
    _makefile("port-obsolete", _LAST, f"\nNO_PACKAGE=	no\n{_LAST}"),
    _makefile("port-obsolete", _LAST, f"\nPKGNAME=	x-1\n{_LAST}"),
    _makefile("port-unknown", "PATCH_STRIP=	-p1", "PATCH_STRPI=	-p1"),
    # texts
    _makefile("port-comment-period", _COMMENT, f"{_COMMENT}."),
    _makefile("port-comment-case", _COMMENT, "virtual machines"),
    _makefile("port-comment-article", _COMMENT, "The virtual machine of Linux"),
    _makefile("port-comment-length", _COMMENT, f"{_COMMENT}, for hosts with VT-x or AMD-V"),
    _makefile("port-maintainer", "MAINTAINER=	", "MAINTAINER=	Somebody "),
    _makefile("port-maintainer", "@users", "at users"),
    _makefile("port-license", "LICENSE=	GPLv2\n", "LICENSE=	GPL2\n"),
    _makefile("port-license", "LICENSE=	GPLv2\n", "LICENSE=	GPLv2 MIT\n"),
    _makefile("port-license", "LICENSE_COMB=	multi\n", "LICENSE_COMB=	both\n", LAYER, DIES),
    _makefile("port-license", "LICENSE_COMB=	multi\n", "", LAYER),
    _makefile("port-license", "LICENSE_FILE=	", "LICENSE_FILE_MIT=	"),
    _makefile("port-reason", "IGNORE=		needs FreeBSD 14.0 or later", "IGNORE=		Needs FreeBSD 14.0."),
    _makefile("port-reason", "IGNORE=		needs FreeBSD 14.0 or later", 'BROKEN=		"does not build"'),
    # blanks
    _makefile("port-tab", "LICENSE=	GPLv2", "LICENSE= GPLv2"),
    _makefile("port-tab", "		${WRKSRC}/arch/x86/include/uapi/asm/kvm_para.h",
              "        ${WRKSRC}/arch/x86/include/uapi/asm/kvm_para.h"),
    _makefile("port-whitespace", "LICENSE=	GPLv2\n", "LICENSE=	GPLv2 \n"),
    _makefile("port-blank", "\nLICENSE=", "\n\nLICENSE="),
    _makefile("port-blank", _LAST, f"{_LAST}\n"),
    _makefile("port-newline", _LAST, _LAST.removesuffix("\n")),
    # words of variables
    _makefile("port-sort", "ONLY_FOR_ARCHS=	amd64", "ONLY_FOR_ARCHS=	i386 amd64"),
    _makefile("port-sort", "kmod tar:xz", "tar:xz kmod", alone=_UNSORTED),
    _makefile("port-depends", "linux-kmod-compat>0:devel/linux-kmod-compat", "linux-kmod-compat>0"),
    _makefile("port-depends", "linux-kmod-compat>0:", "linux-kmod-compat>0:../../"),
    _makefile("port-depends", "linux-kmod-compat>0:", "${PREFIX}/share/linux-kmod-compat:", alone=_STRIPPED),
    _makefile("port-depends", "libzstd.so:", "libzstd.so.1:", QEMU),
    _makefile("port-depends", "libzstd.so:", "zstd:", QEMU),
    _makefile("port-depends", "py-setuptools@${PY_FLAVOR}", "py-setuptools", QEMU),
    _makefile("port-depends", "bash:shells/bash", "gmake:devel/gmake", QEMU),
    _makefile("port-depends", "RUN_DEPENDS=	edk2-qemu-x64>0:sysutils/edk2@qemu_x64",
              "RUN_DEPENDS=	${BUILD_DEPENDS}", QEMU),
    _makefile("port-sites", "PKGNAMESUFFIX=", "MASTER_SITES=	https://example.org/kvm\nPKGNAMESUFFIX="),
    _makefile("port-conflicts", "qemu-tools\n", "qemu-tools-[0-9]*\n", QEMU),
    _makefile("port-uses", "USES=		cpe desktop-file-utils", "USES=		cpe", QEMU),
    _makefile("port-uses", "GTK3_USES=		gettext", "GTK3_USES=		gmake", QEMU),
    _makefile("port-option", "USBREDIR_DESC=	USB device redirection over a network\n", "", QEMU),
    _makefile("port-option", "GNUTLS GTK3", "GNUTLS GNUZZZ GTK3", QEMU),
    # the language of make
    _makefile("port-make", "LINUX=${WRKSRC}", "LINUX=$(WRKSRC)"),
    _makefile("port-make", "${OSVERSION} < 1400000", "empty(${OSVERSION})"),
    _makefile("port-make", "PATCH_STRIP=	-p1", "PATCH_STRIP!=	echo -p1"),
    _makefile("port-make", ".if ${OSVERSION} < 1400000", ".if 0\n.elseif ${OSVERSION} < 1400000"),
    _makefile("port-make", ".if ${OSVERSION} < 1400000", '.if ${MACHINE_ARCH} == "amd64"'),
    _makefile("port-target", "post-build:", "build:"),
    _makefile("port-target", "post-build:", "pre-everything:"),
    _target("port-recipe", "	@${INSTALL_DATA} ${WRKSRC}/COPYING ${STAGEDIR}${DATADIR}"),
    _target("port-recipe", "	${MKDIR} -p ${STAGEDIR}${DATADIR}"),
    _target("port-recipe", "	cp ${WRKSRC}/COPYING ${STAGEDIR}${DATADIR}"),
    _target("port-recipe", "	@sed -i '' s/a/b/ ${WRKSRC}/COPYING"),
    _target("port-recipe", "	${CHMOD} 644 ${STAGEDIR}${DATADIR}/x"),
    _target("port-recipe", "	${INSTALL} -o root ${WRKSRC}/COPYING ${STAGEDIR}${DATADIR}"),
    _target("port-recipe", "	${ENV} A=b true"),
    _target("port-path", "	${RM} ${STAGEDIR}/usr/local/share/x"),
    _target("port-path", "	${LN} /opt/x ${STAGEDIR}${DATADIR}/x"),
    # the other files
    Fault("port-missing", KMOD, "pkg-descr", "", None),
    Fault("port-descr-short", KMOD, "pkg-descr", "", "A kernel module.\n"),
    Fault("port-descr-width", KMOD, "pkg-descr", "", f"{'Virtual machines ' * 6}\nof Linux.\n"),
    Fault("port-descr-www", KMOD, "pkg-descr", "", "A module.\nFor virtual machines.\n\nWWW: https://x.org/\n"),
    Fault("port-descr-long", KMOD, "pkg-descr", "", "Virtual machines, and a lot more.\n" * 101),
    Fault("port-ascii", KMOD, "pkg-descr", "", "Virtual machines for everybody,\nà la carte of Linux.\n"),
    Fault("port-whitespace", KMOD, "pkg-descr", "", "Virtual machines for everybody, \nfrom Linux to FreeBSD.\n"),
    Fault("port-crlf", KMOD, "pkg-descr", "", "Virtual machines for everybody,\r\nfrom Linux.\r\n"),
    Fault("port-plist-blank", KMOD, "pkg-plist", "include/linux-kvm/asm/kvm.h", "\ninclude/linux-kvm/asm/kvm.h"),
    Fault("port-plist-man", KMOD, "pkg-plist", "kvm.4.gz", "kvm.4"),
    Fault("port-plist-keyword", KMOD, "pkg-plist", "share/man", "@dirrm share/kvm\nshare/man"),
    Fault("port-plist-keyword", KMOD, "pkg-plist", "share/man", "@unexec rm -f %D/x\nshare/man"),
    Fault("port-plist-keyword", KMOD, "pkg-plist", "share/man", "@cwd /boot\nshare/man"),
    Fault("port-plist-keyword", KMOD, "pkg-plist", "share/man", "@nosuch x\nshare/man", _SHADOWED),
    Fault("port-plist-keyword", KMOD, "pkg-plist", "share/man", "@sample etc/kvm.conf\nshare/man", _SHADOWED),
    Fault("port-plist-place", KMOD, "pkg-plist", "share/man", "lib/pkgconfig/kvm.pc\nshare/man"),
    Fault("port-plist-place", KMOD, "pkg-plist", "share/man", "info/kvm.info\nshare/man"),
    Fault("port-uses", KMOD, "pkg-plist", "share/man", "lib/libkvmx.so.1\nshare/man"),
    Fault("port-plist-short", KMOD, "pkg-plist", "", "/%%KMODDIR%%/kvm.ko\nshare/man/man4/kvm.4.gz\n", _TAGGED),
    Fault("port-missing", KMOD, "distinfo", "", None),
    Fault("port-distinfo", KMOD, "distinfo", "SHA256 (", "\nSHA256 ("),
    Fault("port-distinfo", KMOD, "distinfo", "SHA256 (", "MD5 ("),
    Fault("port-distinfo", KMOD, "distinfo", "TIMESTAMP = 1", "TIMESTAMP = 9"),
    Fault("port-distinfo", KMOD, "distinfo", "SIZE (linux-kvm-6.12.107.tar.xz) = ", "SIZE = "),
    Fault("port-patch", KMOD, "files/patch-x", "", ""),
    Fault("port-patch", KMOD, "files/patch-x.orig", "", "x\n"),
    Fault("port-newline", KMOD, "files/patch-x", "", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b"),
    Fault("port-file", KMOD, "files/patch-x,y", "", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"),
    Fault("port-file", KMOD, f"files/patch-{'x' * 96}", "", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"),
    Fault("port-file", KMOD, "files/.hidden", "", "x\n"),
    Fault("port-file", KMOD, "files/notes", "", ""),
    Fault("port-file", KMOD, "work/x", "", "x\n"),
)  # fmt: skip
