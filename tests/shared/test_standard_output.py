"""Standard output that is full, or has other letters."""

from __future__ import annotations

import io
import json
import sys

import pytest

from shared.standard_output import writable_output


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
