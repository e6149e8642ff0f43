from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("pulse_unit_days.py")
MICROPYTHON = Path(sys.executable).with_name("micropython")

# Words of this build have 64 bits: on a 32-bit board half of it does.
HEAP = "128k"  # holds the unit's code too, compiled on the spot
SPARE = 16_384  # what is left for state and work: on a board the code lies in flash


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
    arguments: list[str | Path] = [SCRIPT, str(days)]
    host = printed([sys.executable, *arguments, tmp_path / "host"], PYTHONPATH=str(ROOT))
    board = printed(
        [MICROPYTHON, "-X", f"heapsize={HEAP}", *arguments, tmp_path / "board", str(SPARE)],
        MICROPYPATH=f"{ROOT}:.frozen",
    )
    assert host == board
    assert (tmp_path / "host").read_bytes() == (tmp_path / "board").read_bytes()
    pulses, counted, flags = next(line.split()[1:] for line in host if line.startswith("pulses"))
    assert (pulses, "0") == (counted, flags)
    assert days * 600 < int(counted)
