"""An installer is asked nothing where nothing can be heard."""

from __future__ import annotations

import os
import pty
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from collector import cli_line
from collector.cli import main


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take its time."""
    monkeypatch.setattr(cli_line, "_DEVICE_POLLS", 1_000)


@pytest.fixture
def port() -> Iterator[str]:
    """The serial port of a stick that says nothing."""
    ours, theirs = pty.openpty()
    tty.setraw(ours)
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def pair(tmp_path: Path, *ports: str) -> Result:
    """Pair with sticks; nobody answers."""
    sticks = [word for each in ports for word in ("--stick", f"hex:{each}")]
    words = ["pair", "--data", str(tmp_path / "home"), *sticks]
    return CliRunner().invoke(main, words, catch_exceptions=False, input="")


def test_a_stick_that_is_missing_ends_it(tmp_path: Path) -> None:
    """With what is wrong and before the first question."""
    result = pair(tmp_path, str(tmp_path / "missing"))
    assert (1, "") == (result.exit_code, result.stdout)
    wrong, end = result.stderr.splitlines()
    assert wrong.startswith("stick 1")
    assert "Error: no receiver works, so nothing can be heard." == end


def test_one_stick_that_works_is_enough(tmp_path: Path, port: str) -> None:
    """The label is asked for."""
    result = pair(tmp_path, str(tmp_path / "missing"), port)
    assert result.stdout.startswith("Scan the label")
    assert "no receiver works" not in result.stderr
