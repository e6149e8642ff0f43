from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.wire.address import is_serial, serial_bytes, serial_text
from shared.wire.errors import Malformed


@given(st.from_regex(r"[0-9]{8}", fullmatch=True))
def test_a_serial_leads_back(serial: str) -> None:
    """Eight digits are four bytes, and the four bytes the same digits."""
    assert is_serial(serial)
    assert serial == serial_text(serial_bytes(serial))


@given(
    st.text(max_size=10)
    | st.text("0123456789\n٣߀²", max_size=9)
    | st.from_regex(r"[0-9]{8}\n", fullmatch=True)
)
def test_nothing_else_is_a_serial(text: str) -> None:
    """Other lengths, digits of other scripts and a line's end are refused."""
    assert (re.fullmatch("[0-9]{8}", text) is not None) == is_serial(text)
    if not is_serial(text):
        with pytest.raises(Malformed, match="8 digits"):
            serial_bytes(text)
