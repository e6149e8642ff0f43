"""Tests' programs as a board would carry them: one file of bytecode in a ROMFS image."""

from __future__ import annotations

from pathlib import Path

from pulse_unit.cli.firmware import compiled, program
from pulse_unit.cli.program import modules_of
from pulse_unit.cli.romfs import romfs_image

ROOT = Path(__file__).parents[2]


def write_image(path: Path, script: Path, *others: str) -> None:
    """Write the image of a script, of all that it imports and of other modules."""
    entry = script.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    text = program(modules_of([*others, entry], ROOT))
    path.write_bytes(romfs_image({f"{script.stem}.mpy": compiled(text, script.stem)}))
