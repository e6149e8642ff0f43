"""Somebody else's project: a folder of tests, run by a pytest of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "testing.md"
PLUGIN = ("-p", "elec_meter.testing")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language on the page about testing."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def announce(folder: Path) -> None:
    """Have there what tells pytest of the plug-in once the product is installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [f"{name} = {module}" for name, module in project["entry-points"]["pytest11"].items()]
    installed = folder / "announced-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: announced\nVersion: 1\n")
    (installed / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines, ""]))


def run_pytest(
    folder: Path, *arguments: str, plugin: tuple[str, ...] = PLUGIN, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run pytest there with the plug-in alone, every warning an error.

    Other plug-ins are loaded where the environment says ``PYTEST_DISABLE_PLUGIN_AUTOLOAD=""``.
    """
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    paths = [str(ROOT), str(folder), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-W", "error", *plugin, *arguments],
        cwd=folder,
        env=os.environ | alone | {"PYTHONPATH": os.pathsep.join(filter(None, paths))} | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def outcomes(completed: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """How many tests ended how, by the summary's last line."""
    last = completed.stdout.strip().splitlines()[-1]
    return {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|error)", last)}
