"""What a received frame says of its sender before it is opened, over radio or wire."""

from __future__ import annotations

from typing import Final

from shared.wire.errors import Malformed
from shared.wire.header import Header, parse_header, parse_wired_header
from shared.wire.mbus import decode_frame
from shared.wire.wmbus import unframe

_LONG_START: Final = 0x68
_WIRED_AROUND: Final = 6  # bytes of a long frame that its length does not count
_RADIO_LENGTHS: Final = (105, 119)  # of a radio frame with L = 68 hex: format B or none, and A


def header_of(data: bytes) -> Header:
    """The header of a whole frame: radio (format A, B or with its CRCs taken off) or wired (long).

    Raises:
        WireError: it is damaged, meaningless or of a kind not spoken here.
    """
    if not is_wired(data):
        return parse_header(unframe(data))
    frame = decode_frame(data)
    if frame.control is None:
        raise Malformed("an acknowledgement says nothing")
    return parse_wired_header(frame.control, frame.user_data)


def is_wired(data: bytes) -> bool:
    """Tell whether a frame is a wired long frame: `68 L L 68`, and no radio frame.

    A radio frame begins so if its maker's code ends in 68 and begins with the C field. It is then
    105 or 119 bytes long, and a wired frame of these lengths has L = 63 or 71, which no meter sends
    as a C field.
    """
    if len(data) < 4 or not data[0] == data[3] == _LONG_START or data[1] != data[2]:
        return False
    return len(data) == data[1] + _WIRED_AROUND or len(data) not in _RADIO_LENGTHS
