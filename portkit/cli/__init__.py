"""The command line. Each command lives in a module of its own and is imported when it is used,
so that ``portkit status`` does not pay for the libraries of ``portkit sync``."""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import sys
from pathlib import Path

import click

from portkit import __version__
from portkit.cli.context import Project
from portkit.errors import PortkitError, UsageError, disk_problem

# command name -> (module below portkit.cli, attribute, one-line help)
_COMMANDS = {
    "init": ("init", "init", "Write a commented portkit.toml for a new port."),
    "sync": ("sync", "sync", "Mirror releases of the upstreams."),
    "releases": ("releases", "releases", "List the releases of an upstream."),
    "status": ("status", "status", "Show every series on one screen."),
    "watch": ("watch", "watch", "Mirror what is new and try every series on it."),
    "apply": ("apply", "apply", "Apply a series on a release, one commit per patch."),
    "rebase": ("rebase", "rebase", "Carry a series to another release."),
    "check": ("check", "check", "Does every patch apply on these releases?"),
    "bisect": ("bisect", "bisect", "Which upstream release changed what becomes of a patch?"),
    "new": ("edit", "new", "Make a patch from a worktree or a commit."),
    "edit": ("edit", "edit", "Edit a patch's message."),
    "refresh": ("edit", "refresh", "Take a worktree's changes into a patch."),
    "drop": ("edit", "drop", "Take a patch out of a series."),
    "move": ("edit", "move", "Change the order of a series."),
    "undo": ("undo", "undo", "Take back the last change of a series."),
    "log": ("history", "log", "How a series changed, commit by commit."),
    "range-diff": ("history", "range_diff", "Two states of a series, patch by patch."),
    "import": ("exchange", "import_", "Import mbox, git commits or a quilt directory."),
    "export": ("exchange", "export", "Export a series as quilt, mbox or a git branch."),
    "lint": ("lint", "lint", "Find problems in patches and ports."),
    "build-port": ("build_port", "build_port", "Write FreeBSD ports and build them."),
    "dist": ("dist", "dist", "Make a port's reproducible slim distfile."),
    "vm": ("vm", "vm", "Run commands and modules in a FreeBSD machine."),
}


class _ReaderGone(Exception):
    """Whoever read the output has seen enough."""


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(
            importlib.import_module(f"portkit.cli.{module}"), attribute
        )
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            status: object = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:  # click would make it "no" (1)
            raise _ReaderGone from error
        return status

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in _COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="portkit")
@click.option(
    "-C",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Run as if started in this directory.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON (docs/json.md).")
@click.option("-v", "--verbose", is_flag=True, help="Say more; show the traceback of an error.")
@click.pass_context
def main(ctx: click.Context, directory: Path, as_json: bool, verbose: bool) -> None:
    """Track upstream Linux KVM and QEMU, carry the FreeBSD patch series, write the ports.

    portkit works on the project whose portkit.toml is in the current directory or above it.
    A first round:

    \b
      portkit sync                     mirror the pinned and the newest releases
      portkit status                   what applies, what is new
      portkit rebase SERIES --onto V   carry a series to release V
      portkit build-port --all         write the ports

    Exit codes: 0 done; 1 the answer is no; 2 usage; 3 conflict, waiting for you;
    4 environment (network, missing tool, disk); 70 a bug in portkit.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    try:
        ctx.with_resource(contextlib.chdir(directory))
    except OSError as error:
        raise UsageError(
            f"{directory}: {error.strerror}", hint="give a directory that exists"
        ) from error
    ctx.obj = Project(directory=Path(), as_json=as_json, verbose=verbose)


def entry() -> None:
    """The console script: run ``main`` and turn every outcome into a documented exit code."""
    gc.set_threshold(50_000)  # parsing makes many objects and no cycles: a tenth of 'apply'
    atexit.register(gc.freeze)  # Python would look for cycles once more, in all of them
    verbose = bool({"-v", "--verbose"} & set(sys.argv[1:]))
    try:
        status = main.main(prog_name="portkit", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except PortkitError as error:
        _fail(str(error), error.exit_code, verbose)
    except click.exceptions.Abort:
        _fail("interrupted", 130, verbose)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        command = context.command_path if context else "portkit"
        _fail(f"{error.format_message().rstrip('.')}; see '{command} --help'", 2, verbose)
    except _ReaderGone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        _fail(str(disk_problem(error)), 4, verbose)
    except Exception as error:  # whatever is left is a bug, and says so
        text = " ".join(str(error).split()) or "no message"
        _fail(f"bug: {type(error).__name__}: {text}; run again with -v and report it", 70, verbose)


def _fail(message: str, status: int, verbose: bool) -> None:
    if verbose and sys.exc_info()[0] is not None:
        import traceback  # only here: it takes longer to import than some commands run

        traceback.print_exc()
    click.echo(f"portkit: {' '.join(message.splitlines())}", err=True)
    sys.exit(status)
