from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pulse_unit.cli.firmware import BOARDS
from pulse_unit.cli.main import main

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MICROPYTHON = Path(sys.executable).with_name("micropython")
PAGE = ROOT / "docs" / "boards.md"
TOLERANCE_PERCENT = 5


def told(row: str, board: str) -> int:
    """A number from the page's table of sizes."""
    column = ("stm32wb", "esp32").index(board)
    (line,) = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| {row} |")]
    return int(re.findall(r"\| ([\d,]+)", line)[column].replace(",", ""))


def near(told_bytes: int, measured: int) -> bool:
    """Whether the page is still right enough."""
    return abs(told_bytes - measured) * 100 <= measured * TOLERANCE_PERCENT


@pytest.fixture(scope="module", params=BOARDS)
def board(request: pytest.FixtureRequest) -> str:
    """A board there is firmware for."""
    return str(request.param)


@pytest.fixture(scope="module")
def built(board: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """Where its firmware was built, and the bytes of each module."""
    folder = tmp_path_factory.mktemp(board)
    done = CliRunner().invoke(main, ["firmware", board, "-o", str(folder)])
    assert 0 == done.exit_code, done.output
    lines = re.findall(r"^ +(\d+)  ([\w.]+)$", done.output, re.MULTILINE)
    return folder, {module: int(size) for size, module in lines}


def test_the_page_says_what_a_fresh_build_takes(
    board: str, built: tuple[Path, dict[str, int]], tmp_path: Path
) -> None:
    """Its bytes of flash and of RAM are those of now, within a few per cent."""
    folder, sizes = built
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)  # a unit that runs leaves a file there
    done = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=4m", HERE / "board_memory.py", board, tmp_path],
        env={**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("", 0) == (done.stderr, done.returncode)
    *_, last = done.stdout.splitlines()
    loaded, working = [int(word) for word in last.split()]
    names_before, names_after = map(int, re.findall(r"n_total_bytes=(\d+)", done.stdout))
    measured = {
        "compiled, module by module": sum(sizes.values()),
        "compiled, as one file, without what it does not use": (folder / "firmware.mpy")
        .stat()
        .st_size,
        "RAM once it is loaded, run in place, without its names": loaded
        - (names_after - names_before),
        "RAM of a unit at work, besides": working,
    }
    stale = {row: size for row, size in measured.items() if not near(told(row, board), size)}
    assert {} == stale


def test_a_board_carries_what_it_imports(board: str, built: tuple[Path, dict[str, int]]) -> None:
    """And nothing of the other board, of a PC or of the simulation."""
    folder, modules = built
    other = {"stm32wb": "hal.esp32", "esp32": "hal.stm32wb"}[board]
    assert {f"pulse_unit.hal.{board}", "pulse_unit.unit", "pulse_unit.gatt"} <= modules.keys()
    unwanted = (other, "hal.virtual", "hal.memory", "hal.linux", "cli", "cryptography")
    assert not {name for name in modules for part in unwanted if part in name}
    files = {"firmware.mpy", "firmware.py", "firmware.romfs", "main.py"}
    assert files == {path.name for path in folder.iterdir()}
