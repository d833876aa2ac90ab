"""The ``[port.NAME.program]`` table: what the manifest says about a program's cross build."""

from __future__ import annotations

from pathlib import Path

from portkit.build.archives import Archive
from portkit.errors import EnvironmentProblem, UsageError
from portkit.manifest.model import PortSpec
from portkit.port import settings

_KNOWN = {"package", "options", "tags", "unused", "replace", "firmware", "firmware-directory"}


class ProgramTable:
    """``[port.NAME.program]``, checked.

    Args:
        spec: the port.
        release: the pinned release, which its first distfile is of.

    Attributes:
        archive: the port's first distfile, with the Debian source package that has it.
        options: arguments for ``configure`` beside those of the port's Makefile.
        tags: the port's options that are built.
        unused: directories of the archive that the build does not read.
        replaced: what the Makefile's post-patch target changes: file, old text, new text.
        firmware_directory: where firmware goes, below the prefix.
    """

    def __init__(self, spec: PortSpec, release: str) -> None:
        self._spec = spec
        table = spec.settings["program"]
        if not isinstance(table, dict):
            raise self._bad("is not a table")
        self._table = table
        if unknown := table.keys() - _KNOWN:
            raise self._bad(f"has the unknown key {min(unknown)!r}")
        package, share = table.get("package"), table.get("firmware-directory")
        if not isinstance(package, str) or not isinstance(share, str):
            raise self._bad("has no 'package' or no 'firmware-directory'")
        distfiles = settings.distfiles(spec, release)
        if not distfiles:
            raise self._bad("needs a distfile")
        self.archive = Archive(package, distfiles[0].name, distfiles[0].sha256)
        self.firmware_directory = share
        self.options = self._texts("options")
        self.tags = self._texts("tags")
        self.unused = self._texts("unused")
        self.replaced = self._rows("replace", 3)
        self._firmware = self._rows("firmware", 2)

    def firmware(self) -> list[Path]:
        """The files that ``post-install`` adds, from Debian's packages on this host.

        Raises:
            EnvironmentProblem: a package is not installed.
        """
        found = []
        for package, pattern in self._firmware:
            files = sorted(Path("/").glob(pattern.lstrip("/")))
            if not files:
                raise EnvironmentProblem(
                    f"there is no {pattern}", hint=f"install the package {package}"
                )
            found += files
        return found

    def _texts(self, key: str) -> tuple[str, ...]:
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._bad(f"has no list of texts as {key!r}")
        return tuple(value)

    def _rows(self, key: str, columns: int) -> list[list[str]]:
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(
            isinstance(row, list) and len(row) == columns and all(isinstance(t, str) for t in row)
            for row in value
        ):
            raise self._bad(f"has no list of {columns} texts each as {key!r}")
        return value

    def _bad(self, what: str) -> UsageError:
        return UsageError(
            f"port.{self._spec.name}.program {what}", where="portkit.toml", hint="see docs/qemu.md"
        )
