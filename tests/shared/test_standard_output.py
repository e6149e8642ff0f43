"""Output of a program that goes on for months."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shared.standard_output import lasting_output

FULL = Path("/dev/full")


def test_lines_go_out_while_somebody_takes_them(capsys: pytest.CaptureFixture[str]) -> None:
    """One after the other, and nothing is said of them."""
    tell = lasting_output("the meter")
    tell("one")
    tell("two")
    assert ("one\ntwo\n", "") == capsys.readouterr()


def test_that_nobody_takes_lines_is_said_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And does not end who tells."""
    tell = lasting_output("the meter")
    with monkeypatch.context() as patched, FULL.open("w") as full:
        patched.setattr(sys, "stdout", full)
        tell("one")
        tell("two")
    said = "what is told cannot be written: No space left on device; the meter goes on.\n"
    assert said == capsys.readouterr().err
