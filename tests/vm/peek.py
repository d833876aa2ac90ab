"""A script in the machine, with the module under test and the one that reads registers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from portkit.vm.cache import Cache
from portkit.vm.machine import Machine
from portkit.vm.run import Result, run

BOOT_SECONDS = 3600  # a million exits under Bochs on a busy host


def script(
    cache: Cache, machine: Machine, directory: Path, text: str,
    on_output: Callable[[bytes], object] = lambda data: None,
) -> Result:  # fmt: skip
    """Run shell commands beside ``peek.ko``."""
    command = ["sh", "-c", f"kldload ./peek.ko; {text}"]
    result = run(cache, machine, directory, command, timeout=BOOT_SECONDS, on_output=on_output)
    assert result.panic is None, result.panic.text
    assert result.lock_reports == ()
    assert result.outcome == "exited", result.console
    return result


def script_with_kvm(
    cache: Cache, machine: Machine, directory: Path, text: str,
    on_output: Callable[[bytes], object] = lambda data: None,
) -> Result:  # fmt: skip
    """The same with ``kvm.ko`` loaded."""
    return script(cache, machine, directory, f"kldload ./kvm.ko; {text}", on_output)
