from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from elec_meter.metrology import folding, kernels

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


KERNEL_FILES = ("folding", "kernels")


@pytest.mark.parametrize("name", KERNEL_FILES)
def test_kernels_stand_alone(name: str) -> None:
    """No kernel uses anything from another file, which the compiler's cache would not notice."""
    tree = ast.parse((ROOT / "elec_meter" / "metrology" / f"{name}.py").read_text())
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    imported = {getattr(node, "module", None) or node.names[0].name for node in nodes}
    allowed = {"__future__", "numba", "numpy", "numpy.typing", "typing"}
    assert allowed | {"elec_meter.metrology.jit"} == imported


def test_columns_stated_twice_are_equal() -> None:
    """What two files of kernels both state of a row of cycles is the same."""
    for name in ["END", "COUNT", "LENGTH", "FLAGS", "SQUARE_V", "SQUARE_I", "ACTIVE", "REACTIVE"]:
        assert getattr(kernels, name) == getattr(folding, name)
    for name in ["NO_SIGNAL", "UNLOCKED", "IDLE"]:
        assert getattr(kernels, name) == getattr(folding, name)


def test_no_directory_for_the_cache() -> None:
    """Where nothing can be kept, as for a program without a file, a warning says so."""
    program = (
        "import warnings\n"
        "with warnings.catch_warnings(record=True) as said:\n"
        "    warnings.simplefilter('always')\n"
        "    from elec_meter.metrology.jit import kernel\n"
        "    from numba import int64\n"
        "    double = kernel(int64(int64))(lambda x: 2 * x)\n"
        "print(double(21), *(w.category.__name__ for w in said))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("42 RuntimeWarning\n", "") == (run.stdout, run.stderr)
