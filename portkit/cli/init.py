"""``portkit init``: write a commented portkit.toml."""

from __future__ import annotations

import click

from portkit.cli.context import Project, pass_project
from portkit.errors import EnvironmentProblem, UsageError

_TEMPLATE = """\
# What portkit tracks, carries and produces. docs/manifest.md describes every key.

[upstream.example]
# The release track that is followed: 1.2.3 belongs to 1.2.
track = "1.2"
# The files and directories that the port needs; the mirror keeps just these. Empty: all of them.
subtree = []

# Where releases come from, in order of preference; the first that can be reached serves.
[[upstream.example.source]]
kind = "git"            # tags of a remote or local repository
name = "git"
url = "https://example.org/example.git"
tag = "v{version}"

# [[upstream.example.source]]
# kind = "tarball"      # archives behind a URL or a local path
# name = "tarball"
# url = "https://example.org/example-{version}.tar.xz"
# signature = "https://example.org/example-{version}.tar.xz.sig"
# keyring = "keys/example.gpg"
# [upstream.example.source.sha256]
# "1.2.3" = "64 hexadecimal digits"

# [[upstream.example.source]]
# kind = "debian"       # upstream's part of a Debian source package
# name = "debian"
# package = "example"
# suites = ["trixie", "sid"]

# A quilt series, and the release that its patches apply to exactly.
[series.example]
upstream = "example"
directory = "patches/example/1.2"
pin = "1.2.3"

# A FreeBSD port that 'portkit build-port' writes below ports/.
[port.example]
origin = "devel/example"
series = "example"
"""


@click.command()
@pass_project
def init(project: Project) -> None:
    """Write a commented portkit.toml for a new port into the directory."""
    path = project.directory / "portkit.toml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_TEMPLATE)
    except FileExistsError as error:
        raise UsageError(
            "is there already", where=str(path), hint="edit it, or use -C with another directory"
        ) from error
    except OSError as error:
        raise EnvironmentProblem(error.strerror or str(error), where=str(path)) from error
    project.report(
        {"created": str(path)},
        lambda: click.echo(f"{path}: written; edit it, then run 'portkit sync'"),
    )
