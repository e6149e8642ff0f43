"""Standard output that is full, or has other letters, and of programs that go on for months."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from shared.standard_output import lasting_output, writable_output

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


def test_letters_that_an_encoding_has_not_are_written_as_in_json(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In ASCII as in the characters of one country: nothing is lost, and JSON stays JSON."""
    written = io.BytesIO()
    with monkeypatch.context() as patched, io.TextIOWrapper(written, encoding="latin-1") as out:
        patched.setattr(sys, "stdout", out)
        with writable_output():
            out.write('"10 \u00b5C \u2264 \U0001f50b"')
        text = written.getvalue().decode("latin-1")
    assert '"10 \u00b5C \\u2264 \\ud83d\\udd0b"' == text
    assert "10 \u00b5C \u2264 \U0001f50b" == json.loads(text)
