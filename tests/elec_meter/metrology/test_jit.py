from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from .vectors import traces

ROOT = Path(__file__).parents[3]


def test_interpreter_and_compiler_agree() -> None:
    """Without the JIT every integer is the same, and nothing overflows (warnings are errors)."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.elec_meter.metrology.vectors"],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "" == run.stderr
    assert traces() == json.loads(run.stdout)


def test_a_command_fills_the_cache() -> None:
    """`python -m elec_meter.metrology` compiles or loads every kernel and says nothing."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "elec_meter.metrology"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "", "") == (run.returncode, run.stdout, run.stderr)
