from __future__ import annotations

import ast
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


def test_kernels_stand_alone() -> None:
    """No kernel uses anything from another file, which the compiler's cache would not notice."""
    tree = ast.parse((ROOT / "elec_meter" / "metrology" / "kernels.py").read_text())
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    imported = {getattr(node, "module", None) or node.names[0].name for node in nodes}
    allowed = {"__future__", "collections.abc", "numba", "numpy", "numpy.typing", "typing"}
    assert allowed == imported
