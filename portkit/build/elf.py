"""What the audits need to know of relocatable object files, by pyelftools and llvm-objdump."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

from portkit.build.command import find_tool
from portkit.errors import EnvironmentProblem, UsageError

_SHF_ALLOC = 0x2
_FUNCTION = re.compile(r"^(?:[0-9a-f]+ )?<(.+)>:$")
_INSTRUCTION = re.compile(r"^\s+[0-9a-f]+:\s+(\S.*)$")


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol: its name, binding, section (empty when undefined), offset and size in bytes."""

    name: str
    binding: str
    section: str
    value: int
    size: int


@dataclass(frozen=True, slots=True)
class Relocation:
    """A relocation: the section and offset it changes, its type's number and what it names."""

    section: str
    offset: int
    kind: int
    target: str


@dataclass(frozen=True, slots=True)
class ElfObject:
    """One relocatable object.

    Attributes:
        path: the file.
        sections: size in bytes of every section that is loaded.
        symbols: all named symbols.
        relocations: those of loaded sections.
    """

    path: Path
    sections: dict[str, int]
    symbols: tuple[Symbol, ...]
    relocations: tuple[Relocation, ...]

    def function_at(self, section: str, offset: int) -> str:
        """The function or object that covers a place; the section's name when none does."""
        for symbol in self.symbols:
            if symbol.section == section and symbol.value <= offset < symbol.value + symbol.size:
                return symbol.name
        return section


@dataclass(frozen=True, slots=True)
class Instruction:
    """One disassembled instruction (AT&T syntax) and the function it is in."""

    function: str
    text: str


def read_object(path: Path) -> ElfObject:
    """Read a relocatable amd64 object or kernel module.

    Raises:
        UsageError: it is not one.
    """
    try:
        with path.open("rb") as file:
            return _read(path, ELFFile(file))
    except (ELFError, ValueError, KeyError, IndexError) as error:
        raise UsageError(
            f"not an ELF object that can be audited ({error})",
            where=str(path),
            hint="build the port again",
        ) from error


def disassemble(path: Path) -> Iterator[Instruction]:
    """All instructions of an object, function by function.

    Raises:
        EnvironmentProblem: llvm-objdump is missing or refuses the file.
    """
    program = find_tool("llvm-objdump")
    command = [program, "--disassemble", "--no-show-raw-insn", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        assert process.stdout is not None
        function = ""
        for line in process.stdout:
            if match := _FUNCTION.match(line):
                function = match[1]
            elif match := _INSTRUCTION.match(line):
                text = match[1].partition("#")[0].replace("\t", " ").strip()
                yield Instruction(function, text)
    if process.returncode != 0:
        raise EnvironmentProblem(
            "llvm-objdump could not read the object", where=str(path), hint="build the port again"
        )


def _read(path: Path, elf: ELFFile) -> ElfObject:
    if elf["e_machine"] != "EM_X86_64" or elf["e_type"] not in ("ET_REL", "ET_DYN"):
        raise ValueError(f"machine {elf['e_machine']}, type {elf['e_type']}")
    names = [section.name for section in elf.iter_sections()]
    loaded = {
        section.name: section["sh_size"]
        for section in elf.iter_sections()
        if section["sh_flags"] & _SHF_ALLOC
    }
    symbols: list[Symbol] = []
    relocations: list[Relocation] = []
    for section in elf.iter_sections():
        if isinstance(section, SymbolTableSection) and section.name == ".symtab":
            for symbol in section.iter_symbols():
                index = symbol["st_shndx"]
                place = names[index] if isinstance(index, int) else ""
                if symbol.name and (place or index in ("SHN_UNDEF", "SHN_COMMON")):
                    binding = symbol["st_info"]["bind"].removeprefix("STB_")
                    symbols.append(
                        Symbol(symbol.name, binding, place, symbol["st_value"], symbol["st_size"])
                    )
        if isinstance(section, RelocationSection):
            target = names[section["sh_info"]]
            if target not in loaded:
                continue
            table = elf.get_section(section["sh_link"])
            if not isinstance(table, SymbolTableSection):
                raise ValueError(f"{section.name} has no symbol table")
            for entry in section.iter_relocations():
                symbol = table.get_symbol(entry["r_info_sym"])
                index = symbol["st_shndx"]
                name = symbol.name or (names[index] if isinstance(index, int) else "")
                relocations.append(
                    Relocation(target, entry["r_offset"], entry["r_info_type"], name)
                )
    return ElfObject(path, loaded, tuple(symbols), tuple(relocations))
