from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest

from tests.contracts.source import ROOT

HEAVY = {"numpy", "numba", "cryptography"}
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]


def modules_loaded_by(*arguments: str) -> tuple[str, set[str]]:
    """What a fresh interpreter prints, and the top-level modules that it imports on the way."""
    completed = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    timed, said = [], []
    for line in completed.stderr.splitlines():
        (timed if line.startswith("import time:") else said).append(line)
    if completed.returncode:
        pytest.fail(f"{' '.join(arguments)}: {said[-1]}", pytrace=False)
    return completed.stdout, {line.rpartition("|")[2].strip().partition(".")[0] for line in timed}


def start(script: str) -> str:
    """A program that starts a console script as its installed wrapper does."""
    module, _, function = SCRIPTS[script].partition(":")
    return f"import sys; sys.argv[0] = {script!r}; from {module} import {function}; {function}()"


@pytest.mark.parametrize("script", ["collector", "elec-meter", "pulse-unit"])
def test_help_starts_without_heavy_imports(script: str) -> None:
    """`--help` explains the command and imports neither numpy, numba nor cryptography."""
    printed, modules = modules_loaded_by("-c", start(script), "--help")
    assert printed.startswith(f"Usage: {script} ")
    assert "click" in modules
    assert set() == modules & HEAVY


@pytest.mark.parametrize("package", ["collector", "elec_meter", "pulse_unit"])
def test_package_runs_as_a_module(package: str) -> None:
    """`python -m` starts the same command as the console script."""
    printed, modules = modules_loaded_by("-m", package, "--help")
    assert printed.startswith(f"Usage: {package.replace('_', '-')} ")
    assert set() == modules & HEAVY


@pytest.mark.parametrize("package", ["shared", "pulse_unit", "collector", "elec_meter"])
def test_importing_a_package_is_light(package: str) -> None:
    """A bare import of any of the packages loads nothing heavy."""
    _, modules = modules_loaded_by("-c", f"import {package}")
    assert package in modules
    assert set() == modules & HEAVY


def test_heavy_imports_are_seen() -> None:
    """The check sees a heavy import when there is one."""
    _, modules = modules_loaded_by("-c", "import numpy.typing")
    assert {"numpy"} == modules & HEAVY
