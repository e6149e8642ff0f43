"""What a refusal advises is installed from a clone."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest

from shared.extras import installing

ROOT = Path(__file__).parents[2]
PACKAGES = ("shared", "pulse_unit", "collector", "elec_meter")


def test_an_extra_is_installed_for_the_interpreter_that_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever its path holds, a shell takes it as one word; it needs no pip of its own."""
    monkeypatch.setattr(sys, "executable", "/a home/.venv/bin/python")
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    python = "'/a home/.venv/bin/python'"
    wanted = f"/usr/bin/python3 -m pip --python {python} install -e '.[plot]'"
    assert wanted == installing("plot")


def test_every_extra_that_is_advised_is_there() -> None:
    """No refusal names an extra that the project does not have."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    advised = {
        extra
        for package in PACKAGES
        for source in (ROOT / package).rglob("*.py")
        for extra in re.findall(r"installing\(\"(\w+)\"\)", source.read_text("utf-8"))
    }
    assert {"ble", "parquet", "plot"} <= advised
    assert set() == advised - set(project["optional-dependencies"])


def test_nothing_sends_anybody_to_an_index() -> None:
    """The package is on none: what is advised works from a clone."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    sources = [each for package in PACKAGES for each in (ROOT / package).rglob("*.py")]
    index = re.compile(r"install '?halfhourly")
    assert [] == [each.name for each in [*pages, *sources] if index.search(each.read_text("utf-8"))]
