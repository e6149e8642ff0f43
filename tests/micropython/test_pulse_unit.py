from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.micropython.firmware_image import ROOT, write_image

HERE = Path(__file__).parent
SCRIPT = HERE / "pulse_unit_days.py"
MICROPYTHON = Path(sys.executable).with_name("micropython")

# Words of this build have 64 bits, so that this is some 32 kB of a 32-bit board. The code itself
# lies outside, as in a board's flash.
HEAP = "64k"


def printed(command: list[str | Path], **environment: str) -> list[str]:
    """The lines that a command prints."""
    completed = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    if completed.returncode:
        pytest.fail(completed.stdout[-500:] + completed.stderr, pytrace=False)
    return completed.stdout.splitlines()


@pytest.mark.parametrize("days", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_unit_runs_alike_on_both_interpreters(days: int, tmp_path: Path) -> None:
    """MicroPython in a board's heap sends the same frames and leaves the same memory as CPython."""
    image = tmp_path / "image"
    write_image(image, SCRIPT)
    host = printed([sys.executable, SCRIPT, str(days), tmp_path / "host"], PYTHONPATH=str(ROOT))
    board = printed(
        [
            *(MICROPYTHON, "-X", f"heapsize={HEAP}", HERE / "run_in_rom.py"),
            *(image, SCRIPT.stem, str(days), tmp_path / "board"),
        ],
        MICROPYPATH=".frozen",
    )
    assert host == board
    assert (tmp_path / "host").read_bytes() == (tmp_path / "board").read_bytes()
    pulses, counted, flags = next(line.split()[1:] for line in host if line.startswith("pulses"))
    assert (pulses, "0") == (counted, flags)
    assert days * 600 < int(counted)
