"""Packages, on FreeBSD: through the ports framework itself or through poudriere(8)."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from portkit.errors import EnvironmentProblem, Refused

_OVERLAY = "portkit"  # what poudriere knows this project's ports directory as


def package_commands(
    ports: Path, origins: Sequence[str], jails: Sequence[str], has_overlay: bool
) -> list[list[str]]:
    """The commands that make packages of some ports.

    Args:
        ports: the project's ports directory, used as an overlay of the ports tree.
        origins: the ports.
        jails: poudriere's jails; none means the ports framework on this host.
        has_overlay: whether poudriere knows the overlay already.

    Returns:
        Without a jail ``make package`` for each port; with one ``poudriere testport``, which
        checks much more; with several, one per FreeBSD release, ``poudriere bulk`` for each.
    """
    if not jails:
        return [
            [
                "make",
                "-C",
                str(ports / origin),
                f"OVERLAYS={ports}",
                "BATCH=yes",
                "clean",
                "package",
            ]
            for origin in origins
        ]
    commands = []
    if not has_overlay:
        commands.append(
            ["poudriere", "ports", "-c", "-p", _OVERLAY, "-m", "null", "-M", str(ports)]
        )
    if len(jails) == 1:
        base = ["poudriere", "testport", "-j", jails[0], "-O", _OVERLAY]
        return commands + [[*base, "-o", origin] for origin in origins]
    return commands + [
        ["poudriere", "bulk", "-t", "-j", jail, "-O", _OVERLAY, *origins] for jail in jails
    ]


def make_packages(ports: Path, origins: Sequence[str], jails: Sequence[str]) -> None:
    """Make packages, with the output of the tools on the terminal.

    Raises:
        EnvironmentProblem: this is not FreeBSD, or poudriere is not installed.
        Refused: a port does not build, or poudriere's overlay is another project's.
    """
    if platform.system() != "FreeBSD":
        raise EnvironmentProblem(
            "packages are built on FreeBSD", hint="run this there, or leave --package out"
        )
    has_overlay = False
    if jails:
        if shutil.which("poudriere") is None:
            raise EnvironmentProblem(
                "poudriere is not installed", hint="install the package poudriere"
            )
        has_overlay = _has_overlay(ports)
    for command in package_commands(ports, origins, jails, has_overlay):
        if subprocess.run(command, check=False).returncode != 0:
            raise Refused(f"'{' '.join(command)}' failed", hint="see its output above")


def _has_overlay(ports: Path) -> bool:
    """Whether poudriere knows this project's ports directory as the overlay."""
    listing = ["poudriere", "ports", "-l", "-q"]
    said = subprocess.run(listing, capture_output=True, text=True, check=False).stdout
    for line in said.splitlines():  # name, method, perhaps a date, path
        words = line.split()
        if words and words[0] == _OVERLAY:
            if Path(words[-1]) != ports:
                raise Refused(
                    f"poudriere's ports tree {_OVERLAY} is {words[-1]}, not {ports}",
                    hint=f"forget it: poudriere ports -d -k -y -p {_OVERLAY}",
                )
            return True
    return False
