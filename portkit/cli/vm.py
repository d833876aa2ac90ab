"""``portkit vm``: FreeBSD in an emulator, to run the module in."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from portkit.cli.context import Project, pass_project
from portkit.errors import UsageError

if TYPE_CHECKING:
    from portkit.vm.cache import Kind
    from portkit.vm.machine import Emulator
    from portkit.vm.run import Result

_PATH = click.Path(path_type=Path)


def _check_tunables(
    context: click.Context, option: click.Parameter, tunables: tuple[str, ...]
) -> tuple[str, ...]:
    for tunable in tunables:
        if not re.fullmatch(r"[A-Za-z0-9_.]+=[ -~]*", tunable):
            raise click.BadParameter(f"{tunable!r} is not NAME=VALUE")
    return tunables


@click.group()
def vm() -> None:
    """Run commands, and kernel modules, in a FreeBSD machine under QEMU or Bochs."""


@vm.command("import")
@click.option("--kernel", type=_PATH, help="kernel.txz, a kernel, or a directory with one.")
@click.option("--debug-kernel", type=_PATH, help="The same, with INVARIANTS and WITNESS.")
@click.option("--base", type=_PATH, help="base.txz, or a root directory.")
@pass_project
def import_(
    project: Project, kernel: Path | None, debug_kernel: Path | None, base: Path | None
) -> None:
    """Take over FreeBSD's kernel and base system.

    They are kept in the user's cache directory (or in PORTKIT_VM_DIR), not in the project.
    """
    from portkit.vm.cache import Cache, default_directory

    if not (kernel or debug_kernel or base):
        raise UsageError("nothing to import", hint="give --kernel, --debug-kernel or --base")
    cache = Cache(default_directory())
    cache.import_parts(kernel=kernel, debug_kernel=debug_kernel, base=base)
    _report_state(project)


@vm.command("list")
@pass_project
def list_(project: Project) -> None:
    """Show what was imported."""
    _report_state(project)


@vm.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--debug-kernel", is_flag=True, help="Boot the kernel with INVARIANTS and WITNESS.")
@click.option("--cpus", type=click.IntRange(1, 16), default=1, show_default=True)
@click.option(
    "--memory", type=click.IntRange(256, 65536), default=1024, show_default=True, metavar="MB"
)
@click.option("--emulator", type=click.Choice(["qemu", "bochs"]), default="qemu", show_default=True)
@click.option("--cpu", metavar="MODEL", help="As the emulator calls it.")
@click.option(
    "--tunable",
    "tunables",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_check_tunables,
    help="For the kernel's environment, as in loader.conf; may be repeated.",
)
@click.option(
    "--timeout", type=click.IntRange(1), default=300, show_default=True, metavar="SECONDS"
)
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@pass_project
def run(
    project: Project,
    debug_kernel: bool,
    cpus: int,
    memory: int,
    emulator: Emulator,
    cpu: str | None,
    tunables: tuple[str, ...],
    timeout: int,
    directory: Path,
    command: tuple[str, ...],
) -> int:
    """Boot, run COMMAND in /t, which has a copy of DIRECTORY, and bring back what it wrote.

    Exits with COMMAND's status, or 98 when the machine stopped without a word (reset, triple
    fault), 99 when the kernel panicked, 124 when the time was up. With -v (before vm) the
    kernel's console is shown.
    """
    from portkit.vm.cache import Cache, default_directory
    from portkit.vm.machine import Machine
    from portkit.vm.run import run as run_machine

    kind: Kind = "debug" if debug_kernel else "plain"
    machine = Machine(kind, cpus, memory, emulator, cpu, tunables=tunables)
    result = run_machine(
        Cache(default_directory()), machine, directory, command, timeout=timeout,
        on_output=_ignore if project.as_json else _to(sys.stdout.buffer),
        on_console=_to(sys.stderr.buffer) if project.verbose else _ignore,
    )  # fmt: skip
    project.report(
        {
            **asdict(result),
            "output": result.output.decode(errors="replace"),
            "command": list(command),
            "machine": asdict(machine),
        },
        lambda: _print_result(result, timeout),
    )
    return result.status


def _ignore(data: bytes) -> None:
    pass


def _to(stream: BinaryIO) -> Callable[[bytes], None]:
    def write(data: bytes) -> None:
        stream.write(data)
        stream.flush()

    return write


def _print_result(result: Result, timeout: int) -> None:
    """The command's output has been shown; say on standard error what is not its business."""
    for report in result.lock_reports:
        click.echo(report.text, err=True)
    if result.lock_reports:
        click.echo(f"portkit: {len(result.lock_reports)} lock reports", err=True)
    if result.panic is not None:
        click.echo(result.panic.text, err=True)
        click.echo(f"portkit: the kernel panicked: {result.panic.message}", err=True)
    elif result.outcome == "timeout":
        click.echo(f"portkit: stopped after {timeout} seconds", err=True)
    elif result.outcome == "stopped":
        click.echo("\n".join(result.console.splitlines()[-20:]), err=True)
        fault = f" ({result.emulator_fault})" if result.emulator_fault else ""
        click.echo(f"portkit: the machine stopped by itself{fault}", err=True)


def _report_state(project: Project) -> None:
    from portkit.vm.cache import Cache, default_directory

    cache = Cache(default_directory())
    state = cache.state

    def text() -> None:
        for kind in ("plain", "debug"):
            kernel = state.kernels.get(kind)
            click.echo(f"{kind:<6} {kernel.version if kernel else 'no kernel imported'}")
        click.echo(f"base   {state.base.source if state.base else 'not imported'}")

    project.report({"directory": str(cache.path), **asdict(state)}, text)
