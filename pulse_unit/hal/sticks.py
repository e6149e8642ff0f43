"""What a radio stick wants to be told to send a frame; `shared.wire.sticks` has the protocols.

An `im871a` or `amb8465` adds length field and CRCs itself. To a `hex` stick the whole frame goes in
format A, CRCs included, as one line of hexadecimal digits.
"""

from binascii import hexlify

from shared.wire.sticks import (
    AMBER_SEND,
    AMBER_SET_MODE,
    AMBER_T1_METER,
    BAUDS,
    IMST_HAS_DEVICE_AND_MODE,
    IMST_MANAGEMENT,
    IMST_METER,
    IMST_RADIO,
    IMST_SEND,
    IMST_SET_CONFIGURATION,
    IMST_T1,
    IMST_TEMPORARY,
    amber_message,
    imst_message,
)
from shared.wire.wmbus import unframe

__all__ = ["BAUDS", "KINDS", "opening", "sending"]

KINDS = ("im871a", "amb8465", "hex")


def opening(kind: str) -> bytes:
    """Return what a stick is told once when its port is opened: to be a meter's radio, mode T1."""
    if kind == "im871a":
        choice = bytes([IMST_TEMPORARY, IMST_HAS_DEVICE_AND_MODE, IMST_METER, IMST_T1, 0])
        return imst_message(IMST_MANAGEMENT, IMST_SET_CONFIGURATION, choice)
    if kind == "amb8465":
        return amber_message(AMBER_SET_MODE, bytes([AMBER_T1_METER]))
    return b""


def sending(kind: str, frame: bytes) -> bytes:
    """Return what tells a stick to send a radio ``frame`` of format A, with its CRCs.

    Raises:
        WireError: it is no frame.
    """
    if kind == "hex":
        unframe(frame, "A")
        return hexlify(frame).upper() + b"\n"
    payload = unframe(frame, "A")[1:]
    if kind == "im871a":
        return imst_message(IMST_RADIO, IMST_SEND, payload)
    return amber_message(AMBER_SEND, payload)
