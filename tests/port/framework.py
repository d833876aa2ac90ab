"""FreeBSD's ports framework, to run the project's ports through it.

On FreeBSD that takes a ports tree (``PORTSDIR``). On Linux it takes FreeBSD's sources
(``SRC_BASE``) and the programs that their build made for this host (``MAKEOBJDIRPREFIX``) as
well; they are laid over the root directory in a mount namespace of its own, so that the framework
finds its tools where FreeBSD has them and nothing of the host changes.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSION = 1400097  # __FreeBSD_version, on hosts that are not FreeBSD
_LEGACY = "amd64.amd64/tmp/legacy/bin"

# What FreeBSD's programs do and Linux's of the same name do not.
_SCRIPTS = {
    "usr/bin/make": 'exec {built}/make -m {src}/share/mk "$@"',
    "usr/sbin/mtree": 'exec {built}/mtree -N {src}/etc "$@"',
    "usr/bin/install": 'exec {built}/install -N {src}/etc "$@"',
    "usr/bin/sed": 'exec {built}/sed "$@"',
    "usr/bin/awk": 'exec {built}/awk "$@"',
    "usr/bin/xargs": 'exec {built}/xargs "$@"',
    "usr/bin/tar": 'exec bsdtar "$@"',
    "usr/bin/cpio": 'exec bsdcpio "$@"',
    "usr/sbin/chown": 'exec /usr/bin/chown "$@"',
    "usr/sbin/sha256": 'sha256sum "$@" | cut -d " " -f 1',
    "usr/sbin/sysctl": "echo 524288",
    "usr/bin/uname": (
        "case $1 in -r) echo 14.0-CURRENT;; -[mp]) echo amd64;; *) echo FreeBSD;; esac"
    ),
    "usr/bin/cc": 'exec clang --target=x86_64-unknown-freebsd14.0 "$@"',
    "usr/bin/c++": 'exec clang++ --target=x86_64-unknown-freebsd14.0 "$@"',
    "usr/bin/cpp": 'exec clang-cpp --target=x86_64-unknown-freebsd14.0 "$@"',
    "usr/bin/ld": 'exec ld.lld "$@"',
    "usr/bin/nm": 'exec llvm-nm "$@"',
    "usr/bin/objcopy": 'exec llvm-objcopy "$@"',
    "usr/bin/strip": 'exec llvm-strip "$@"',
    "usr/bin/patch": 'exec gnu.patch --fuzz=0 "$@"',
    "usr/bin/mktemp": """\
a=()
while [ $# -gt 0 ]; do
  if [ "$1" = -t ]; then shift; a+=(--tmpdir "$1.XXXXXXXX"); else a+=("$1"); fi
  shift
done
exec gnu.mktemp "${a[@]}" """,
    "usr/bin/stat": """\
[ "$1" = -f ] || exec gnu.stat "$@"
f=$2
shift 2
[[ $f == *%Y* ]] || exec gnu.stat -c "${f//%z/%s}" "$@"
for link; do echo "$link"; readlink "$link"; done""",
    "usr/bin/find": """\
where=() how=() what=() order=cat
while [[ ${1-} =~ ^-[EHLPXdsx]+$ ]]; do
  [[ $1 == *d* ]] && how+=(-depth)
  [[ $1 == *E* ]] && how+=(-regextype posix-extended)
  [[ $1 == *s* ]] && order=sort
  shift
done
while [[ $# -gt 0 && $1 != [-\\(!]* ]]; do where+=("$1"); shift; done
for a; do [[ $a =~ ^\\+[0-7]+$ ]] && a=/${a#+}; what+=("$a"); done
gnu.find "${where[@]}" "${how[@]}" "${what[@]}" | LC_ALL=C $order
exit ${PIPESTATUS[0]}""",
}
_GNU = ("find", "mktemp", "patch", "stat")
_MOUNT = """\
set -e
mount -t overlay overlay -o lowerdir=/,upperdir={top}/up,workdir={top}/work {top}/root
mount --rbind /dev {top}/root/dev
mount -t proc proc {top}/root/proc
mount --bind {shared} {top}/root{shared}
exec chroot {top}/root /bin/bash -c "$1"
"""


class Framework:
    """A copy of the project's ports, and make(1) with the framework to run on it.

    Attributes:
        ports: the copy, an overlay of the tree.
        tree: the ports tree.
        work: where ports are built, below their path.
    """

    def __init__(self, directory: Path) -> None:
        self.tree = _given("PORTSDIR", "Mk/bsd.port.mk", "a ports tree of FreeBSD")
        self.ports = directory / "ports"
        self.work = directory / "work"
        self.distfiles = directory / "distfiles"
        shutil.copytree(ROOT / "ports", self.ports)
        self.distfiles.mkdir()
        self._native = platform.system() == "FreeBSD"
        self._top = directory / "host"
        self._environment = {
            "PORTSDIR": str(self.tree), "OVERLAYS": str(self.ports), "WRKDIRPREFIX": str(self.work),
            "DISTDIR": str(self.distfiles), "PACKAGES": str(directory / "packages"),
            "PORT_DBDIR": str(directory / "options"), "BATCH": "yes", "DEVELOPER": "yes",
            "HOME": str(directory), "LC_ALL": "C",
            "PATH": "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin",
        }  # fmt: skip
        self._shared = directory
        if not self._native:
            self._lay_over()

    def run(self, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a shell command; make there is FreeBSD's."""
        shell = ["/bin/sh", "-c", command]
        if not self._native:
            mount = _MOUNT.format(top=self._top, shared=self._shared)
            user = [] if os.geteuid() == 0 else ["--map-root-user"]
            shell = ["unshare", *user, "--mount", "bash", "-c", mount, "mount", command]
        return subprocess.run(
            shell, env={**self._environment, **environment}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip

    def make(self, origin: str, *words: str, **environment: str) -> str:
        """What make said in a port's directory; the test fails when it does."""
        done = self.run(f"cd {self.ports / origin} && make {' '.join(words)}", **environment)
        said = done.stdout + done.stderr
        assert done.returncode == 0, said[-8000:]
        return said

    def portlint(self, origin: str) -> subprocess.CompletedProcess[str]:
        """Run the tree's portlint on a port."""
        program = self.tree / "ports-mgmt/portlint/src/portlint.pl"
        where = self.ports / origin
        return self.run(f"cd {where} && perl {program} -AC .", PL_GIT_IGNORE=".")

    def variable(self, origin: str, name: str, **environment: str) -> str:
        """Value of a make variable."""
        return self.make(origin, "-V", name, **environment).strip()

    def _lay_over(self) -> None:
        src = _given("SRC_BASE", "share/mk/bsd.kmod.mk", "FreeBSD's sources")
        legacy = f".{src}/{_LEGACY}"
        why = "where 'make toolchain' of FreeBSD's sources built its programs for this host"
        built = _given("MAKEOBJDIRPREFIX", f"{legacy}/mtree", why) / legacy
        up = self._top / "up"
        for name in ("work", "root", "up"):
            (self._top / name).mkdir(parents=True)
        for name, text in _SCRIPTS.items():
            path = up / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = text.replace("{built}", str(built)).replace("{src}", str(src))
            path.write_text(f"#!/bin/bash\n{text}\n")
            path.chmod(0o755)
        for name in _GNU:
            program = shutil.which(name)
            assert program is not None
            shutil.copy(program, up / "usr/bin" / f"gnu.{name}")
        shutil.copy("/bin/bash", up / "usr/bin/sh")  # FreeBSD's knows "set -o pipefail"
        shutil.copytree(src / "etc/mtree", up / "etc/mtree")
        self._environment |= {
            "SRC_BASE": str(src), "OSVERSION": str(VERSION), "MACHINE": "amd64",
            "MACHINE_ARCH": "amd64", "MACHINE_CPUARCH": "amd64",
            "PATH": "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin",
        }  # fmt: skip


def missing() -> str:
    """Why this host cannot run the framework; empty when it can."""
    names = ["PORTSDIR"]
    if platform.system() != "FreeBSD":
        names += ["SRC_BASE", "MAKEOBJDIRPREFIX"]
        tools = ("bsdtar", "bsdcpio", "clang", "ld.lld", "llvm-nm", "unshare")
        if absent := [tool for tool in tools if shutil.which(tool) is None]:
            return f"not installed: {' '.join(absent)}"
    unset = [name for name in names if not os.environ.get(name)]
    return f"not set: {' '.join(unset)} (docs/ports.md)" if unset else ""


def _given(name: str, there: str, what: str) -> Path:
    """A directory that an environment variable names."""
    path = Path(os.environ[name]).resolve()
    if not (path / there).exists():
        pytest.fail(f"{name}={path} does not hold {there}: {what}")
    return path
