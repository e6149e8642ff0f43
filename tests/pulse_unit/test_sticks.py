from __future__ import annotations

import pytest

from pulse_unit.hal.sticks import KINDS, opening, sending
from shared.wire.errors import WireError
from shared.wire.wmbus import frame_a

LINK = bytes.fromhex("0C4419210100000001037A0100")  # C field to the end: 12 bytes
FRAME = frame_a(LINK)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("im871a", "A5 02 01 0C" + LINK[1:].hex()),
        ("amb8465", "FF 00 0C" + LINK[1:].hex() + "F7"),
        ("hex", (FRAME.hex().upper() + "\n").encode().hex()),
    ],
)
def test_a_frame_is_sent_as_the_stick_wants_it(kind: str, expected: str) -> None:
    """The stick's own frame around it; length and CRCs are the stick's to add, or are left in."""
    assert bytes.fromhex(expected) == sending(kind, FRAME)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("im871a", "A5 01 03 05 00 03 01 03 00"), ("amb8465", "FF 04 01 05 FF"), ("hex", "")],
)
def test_a_stick_is_told_to_be_a_meter(kind: str, expected: str) -> None:
    """Mode T1, from the meter, until its power goes."""
    assert bytes.fromhex(expected) == opening(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_frame_is_not_sent(kind: str) -> None:
    """A frame whose CRC is wrong would reach nobody."""
    with pytest.raises(WireError):
        sending(kind, FRAME[:-1] + bytes([FRAME[-1] ^ 1]))
