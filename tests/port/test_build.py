"""What build-port builds: the patched source, the cross build of a module, packages on FreeBSD."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from portkit.build.cross import Target, build_module, can_build
from portkit.build.package import make_packages, package_commands
from portkit.build.source import patched_source
from portkit.cli import main
from portkit.errors import EnvironmentProblem, Refused, UsageError
from portkit.manifest.load import load_manifest
from portkit.manifest.model import Manifest
from tests.support import Content, add_release, make_project

FILES: dict[str, Content] = {
    "virt/kvm/main.c": "int kvm_answer(void);\nint kvm_answer(void) { return 41; }\n",
    "virt/kvm/other.c": "int other;\n",
    "virt/kvm/run": ("100755", b"#!/bin/sh\n"),
    "virt/kvm/link": ("120000", b"main.c"),
    "fs/not-wanted.c": "no\n",
}
PATCH = """\
From: A Maintainer <a@example.org>
Date: Sun, 1 Nov 2026 12:00:00 +0000
Subject: [PATCH] kvm: answer right

41 is wrong.

Upstream-Status: Pending
---
diff --git a/virt/kvm/main.c b/virt/kvm/main.c
--- a/virt/kvm/main.c
+++ b/virt/kvm/main.c
@@ -1,2 +1,2 @@
 int kvm_answer(void);
-int kvm_answer(void) { return 41; }
+int kvm_answer(void) { return 42; }
diff --git a/new/file.h b/new/file.h
new file mode 100644
--- /dev/null
+++ b/new/file.h
@@ -0,0 +1 @@
+#define NEW 1
"""
PORT = """
[port.linux-kvm-kmod]
origin = "emulators/kvm-kmod"
series = "s"
maintainer = "a@example.org"
comment = "Something of use"
www = "https://example.org/"
sites = "https://example.org/"
dist = ["virt"]
audit = "audit.toml"
"""
MAKEFILE = """\
.if ${LKC_CROSS} != "yes"
.error not a cross build
.endif
CFLAGS= --target=x86_64-unknown-freebsd -ffreestanding
.if defined(SYSDIR)
CFLAGS+= -I${SYSDIR} -include ${KERNBUILDDIR}/opt_global.h
.else
CFLAGS+= -D__FreeBSD_version=${FREEBSD_VERSION} ${FREEBSD_INCS:S,^,-isystem ,}
.endif
kvm.ko: lx_kvm_side.o
	${OBJCOPY} --localize-symbol=kvm_answer lx_kvm_side.o ${.TARGET}
lx_kvm_side.o: lx_main.o
	${LD} -r -o ${.TARGET} lx_main.o
lx_main.o: ${LINUX}/virt/kvm/main.c
	${CC} ${CFLAGS} -c ${LINUX}/virt/kvm/main.c -o ${.TARGET}
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    make_project(tmp_path, {"1.0": FILES}, [("0001-kvm-answer-right.patch", PATCH)])
    path = tmp_path / "portkit.toml"
    path.write_text(path.read_text() + PORT)
    (tmp_path / "audit.toml").write_text("stack_limit = 1024\n")
    source = tmp_path / "ports" / "emulators" / "kvm-kmod" / "src"
    source.mkdir(parents=True)
    (source / "Makefile").write_text(MAKEFILE)
    return load_manifest(path)


def source(manifest: Manifest) -> Path:
    directory = manifest.state_dir / "build" / "linux"
    return patched_source(manifest, manifest.series["s"], ["virt"], directory)


def test_the_source_is_the_distfiles_files_with_the_series_applied(manifest: Manifest) -> None:
    directory = source(manifest)
    found = sorted(
        path.relative_to(directory).as_posix() for path in directory.rglob("*") if not path.is_dir()
    )
    assert found == [
        "new/file.h", "virt/kvm/link", "virt/kvm/main.c", "virt/kvm/other.c", "virt/kvm/run",
    ]  # fmt: skip
    assert "42" in (directory / "virt/kvm/main.c").read_text()
    assert (directory / "virt/kvm/link").readlink() == Path("main.c")
    assert os.access(directory / "virt/kvm/run", os.X_OK)


def test_a_changed_series_touches_only_what_it_changes(manifest: Manifest) -> None:
    directory = source(manifest)
    before = (directory / "virt/kvm/other.c").stat().st_mtime_ns
    patch = manifest.series["s"].directory / "0001-kvm-answer-right.patch"
    patch.write_text(patch.read_text().partition("diff --git a/new")[0].replace("42", "43"))
    source(manifest)
    assert "43" in (directory / "virt/kvm/main.c").read_text()
    assert not (directory / "new/file.h").exists()
    assert (directory / "virt/kvm/other.c").stat().st_mtime_ns == before


def test_an_interrupted_checkout_starts_clean(manifest: Manifest) -> None:
    directory = source(manifest)
    directory.with_name("linux.files").unlink()  # as a crash in the middle leaves it
    (directory / "virt/kvm/main.c").write_text("half\n")
    (directory / "virt/kvm/stale.c").write_text("old\n")
    source(manifest)
    assert "42" in (directory / "virt/kvm/main.c").read_text()
    assert not (directory / "virt/kvm/stale.c").exists()


def test_a_module_is_built_and_audited(manifest: Manifest) -> None:
    spec = manifest.ports["linux-kvm-kmod"]
    assert can_build(manifest, spec)
    built = build_module(manifest, spec, Target(1400097, "clang"), 1)
    assert built.module.read_bytes().startswith(b"\x7fELF")
    assert built.findings == []
    before = built.module.stat().st_mtime_ns
    again = build_module(manifest, spec, Target(1400097, "clang"), 1)
    assert again.module.stat().st_mtime_ns == before


def test_the_module_of_another_series_has_a_directory_of_its_own(manifest: Manifest) -> None:
    """A second release of the upstream, whose distfile has one directory more."""
    add_release(manifest, "2.0", FILES)
    own = manifest.series["s"].directory
    other = own.with_name("later")
    shutil.copytree(own, other)
    (patch,) = other.glob("*.patch")
    patch.write_text(patch.read_text().replace("42", "43"))
    text = manifest.path.read_text().replace(
        'dist = ["virt"]', 'dist = ["virt"]\ndist-more = { "2" = ["fs"], "1" = ["virt/kvm"] }'
    )
    path = other.relative_to(manifest.root)
    text += f'\n[series.later]\nupstream = "up"\ndirectory = "{path}"\npin = "2.0"\n'
    manifest.path.write_text(text)
    command = ["-C", str(manifest.root), "--json", "build-port", "linux-kvm-kmod"]
    done = CliRunner().invoke(main, [*command, "--series", "later", "--osversion", "1400097"])
    (port,) = json.loads(done.stdout)["ports"]
    built = Path(port["built"][0]["module"])
    assert built.parents[1] == manifest.state_dir / "build" / "linux-kvm-kmod+later"
    linux = built.parents[1] / "linux"
    assert "43" in (linux / "virt/kvm/main.c").read_text()
    assert (linux / "fs/not-wanted.c").exists()
    assert "42" in (manifest.root / "ports/emulators/kvm-kmod/files/patch-0001-kvm-answer-right"
                    ).read_text(), "the port keeps its own series"  # fmt: skip

    done = CliRunner().invoke(main, [*command, "--series", "none", "--write-only"])
    assert isinstance(done.exception, UsageError)
    assert "has no series 'none'" in str(done.exception)


def test_an_audit_finding_makes_the_command_say_no(manifest: Manifest) -> None:
    main_c = manifest.series["s"].directory / "0001-kvm-answer-right.patch"
    main_c.write_text(main_c.read_text().replace("return 42;", "return *(int __seg_gs *)8;"))
    done = CliRunner().invoke(
        main,
        ["-C", str(manifest.root), "--json", "build-port", "linux-kvm-kmod", "--osversion",
         "1400097"],
    )  # fmt: skip
    assert isinstance(done.exception, Refused)
    (port,) = json.loads(done.stdout)["ports"]
    (built,) = port["built"]
    assert (built["osversion"], built["size"] > 0) == (1400097, True)
    assert {(item["rule"], item["message"].split(":")[0]) for item in built["findings"]} == {
        ("audit-segment", "kvm_answer")
    }


def test_a_compile_error_is_one_line_and_names_the_log(manifest: Manifest) -> None:
    patch = manifest.series["s"].directory / "0001-kvm-answer-right.patch"
    patch.write_text(patch.read_text().replace("return 42;", "return x42;"))
    with pytest.raises(Refused, match=r"main\.c:2:\d+: error: .*x42.*build\.log"):
        build_module(manifest, manifest.ports["linux-kvm-kmod"], Target(1400097, "clang"), 1)


def test_a_sys_directory_is_looked_at_first(manifest: Manifest, tmp_path: Path) -> None:
    spec = manifest.ports["linux-kvm-kmod"]
    target = Target(1400097, "clang", tmp_path, tmp_path / "kernel")
    with pytest.raises(UsageError, match=r"sys/param\.h"):
        build_module(manifest, spec, target, 1)
    (tmp_path / "sys").mkdir()
    (tmp_path / "sys" / "param.h").touch()
    with pytest.raises(UsageError, match=r"opt_global\.h"):
        build_module(manifest, spec, target, 1)
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "opt_global.h").touch()
    built = build_module(manifest, spec, target, 1)
    assert built.module.parent.name.startswith("1400097-clang-sys-")
    assert built.more == ()


def test_further_modules_are_built_with_a_sys_directory(manifest: Manifest, tmp_path: Path) -> None:
    for name in ("sys/param.h", "kernel/opt_global.h"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    more = manifest.root / "ports/emulators/kvm-kmod/src/kvm_more"
    more.mkdir()
    (more / "Makefile").write_text(
        "kvm_more.ko:\n\tprintf 'void kthread_exit(void); void more(void);"
        " void more(void) { kthread_exit(); }' |"
        " ${CC} --target=x86_64-unknown-freebsd -mcmodel=kernel -x c -c - -o ${.TARGET}\n"
    )
    spec = manifest.ports["linux-kvm-kmod"]
    assert build_module(manifest, spec, Target(1400097, "clang"), 1).more == ()
    target = Target(1400097, "clang", tmp_path, tmp_path / "kernel")
    (built,) = build_module(manifest, spec, target, 1).more
    assert built.module.name == "kvm_more.ko"
    assert {finding.rule for finding in built.findings} == {"audit-undefined", "audit-export"}


def test_a_compiler_that_is_not_there_is_named(manifest: Manifest) -> None:
    with pytest.raises(EnvironmentProblem, match="clang-3 is not installed"):
        build_module(manifest, manifest.ports["linux-kvm-kmod"], Target(1400097, "clang-3"), 1)


PORTS = Path("/p/ports")
OVERLAY = ["poudriere", "ports", "-c", "-p", "portkit", "-m", "null", "-M", "/p/ports"]


def test_packages_without_a_jail_come_from_the_ports_framework() -> None:
    assert package_commands(PORTS, ["a/b"], [], False) == [
        ["make", "-C", "/p/ports/a/b", "OVERLAYS=/p/ports", "BATCH=yes", "clean", "package"]
    ]


def test_one_jail_tests_the_ports_and_several_build_them_all() -> None:
    test = ["poudriere", "testport", "-j", "14", "-O", "portkit", "-o"]
    assert package_commands(PORTS, ["a/b", "c/d"], ["14"], False) == [
        OVERLAY, [*test, "a/b"], [*test, "c/d"],
    ]  # fmt: skip
    bulk = ["poudriere", "bulk", "-t", "-j"]
    assert package_commands(PORTS, ["a/b", "c/d"], ["14", "15"], True) == [
        [*bulk, "14", "-O", "portkit", "a/b", "c/d"],
        [*bulk, "15", "-O", "portkit", "a/b", "c/d"],
    ]


Host = Callable[..., Callable[[], list[str]]]


@pytest.fixture
def freebsd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host that calls itself FreeBSD, whose make and poudriere only write down what they get."""

    def prepare(trees: str = "", fails: str = "nothing") -> Callable[[], list[str]]:
        log = tmp_path / "log"
        for name in ("make", "poudriere"):
            program = tmp_path / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(
                f'#!/bin/sh\n[ "$2" = -l ] && {{ printf "{trees}"; exit 0; }}\n'
                f'echo "{name} $*" >> {log}\ncase "$*" in *{fails}*) exit 1;; esac\n'
            )
            program.chmod(0o755)
        monkeypatch.setattr(platform, "system", lambda: "FreeBSD")
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")
        log.write_text("")
        return lambda: log.read_text().splitlines()

    return prepare


def test_without_a_jail_make_runs_once_for_each_port(freebsd: Host) -> None:
    ran = freebsd()
    make_packages(PORTS, ["a/b", "c/d"], [])
    assert ran() == [
        f"make -C /p/ports/{origin} OVERLAYS=/p/ports BATCH=yes clean package"
        for origin in ("a/b", "c/d")
    ]


def test_poudriere_is_told_of_the_overlay_once(freebsd: Host) -> None:
    ran = freebsd("default git+https 2026-11-01 10:00:00 /usr/local/poudriere/ports/default\\n")
    make_packages(PORTS, ["a/b"], ["14"])
    test = "poudriere testport -j 14 -O portkit -o a/b"
    assert ran() == [" ".join(OVERLAY), test]
    ran = freebsd("portkit null /p/ports\\n")
    make_packages(PORTS, ["a/b"], ["14"])
    assert ran() == [test]


def test_an_overlay_of_another_project_is_not_built(freebsd: Host) -> None:
    ran = freebsd("portkit null 2026-11-01 10:00:00 /q/ports\\n")
    with pytest.raises(Refused, match="portkit is /q/ports, not /p/ports"):
        make_packages(PORTS, ["a/b"], ["14"])
    assert ran() == []


def test_several_jails_are_bulk_builds_and_the_first_failure_ends_it(
    freebsd: Host,
) -> None:
    ran = freebsd("portkit null /p/ports\\n")
    make_packages(PORTS, ["a/b", "c/d"], ["14", "15"])
    assert ran() == [f"poudriere bulk -t -j {jail} -O portkit a/b c/d" for jail in ("14", "15")]
    ran = freebsd("portkit null /p/ports\\n", fails="'-j 14'")
    with pytest.raises(Refused, match="'poudriere bulk -t -j 14 -O portkit a/b c/d' failed"):
        make_packages(PORTS, ["a/b", "c/d"], ["14", "15"])
    assert ran() == ["poudriere bulk -t -j 14 -O portkit a/b c/d"]


def test_poudriere_has_to_be_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "FreeBSD")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="poudriere is not installed"):
        make_packages(PORTS, ["a/b"], ["14"])


@pytest.mark.skipif(platform.system() == "FreeBSD", reason="there packages are built")
def test_packages_need_freebsd() -> None:
    with pytest.raises(EnvironmentProblem, match="on FreeBSD"):
        make_packages(PORTS, ["a/b"], [])
