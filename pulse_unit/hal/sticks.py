"""What a radio stick wants to be told to send a frame: the serial protocols of three kinds.

- `im871a`: IMST iM871A-USB, "WMBus HCI Specification": start of frame A5, endpoint, message,
  length, payload; 57,600 baud. The stick adds length field and CRCs.
- `amb8465`: Amber (Wuerth) AMB8465-M, "Manual for the AMBER wireless M-Bus modules", command mode:
  start FF, command, length, payload, exclusive or of all before; 9,600 baud. It adds the same.
- `hex`: the whole frame in format A, CRCs included, as one line of hexadecimal digits; for sticks
  of one's own making and for tests.
"""

from binascii import hexlify

from shared.wire.wmbus import unframe

KINDS = ("im871a", "amb8465", "hex")
BAUDS = {"im871a": 57_600, "amb8465": 9_600, "hex": 38_400}

_IMST_START = 0xA5
_IMST_MANAGEMENT = 0x01
_IMST_SET_CONFIGURATION = 0x03
_IMST_RADIO = 0x02
_IMST_SEND = 0x01
_IMST_TEMPORARY = 0x00  # until its power goes: the stick may be somebody else's tomorrow
_IMST_HAS_DEVICE_AND_MODE = 0x03
_IMST_METER = 0x01
_IMST_T1 = 0x03
_AMBER_START = 0xFF
_AMBER_SEND = 0x00
_AMBER_SET_MODE = 0x04
_AMBER_T1_METER = 0x05


def opening(kind: str) -> bytes:
    """Return what a stick is told once when its port is opened: to be a meter's radio, mode T1."""
    if kind == "im871a":
        choice = bytes([_IMST_TEMPORARY, _IMST_HAS_DEVICE_AND_MODE, _IMST_METER, _IMST_T1, 0])
        return _imst(_IMST_MANAGEMENT, _IMST_SET_CONFIGURATION, choice)
    if kind == "amb8465":
        return _amber(_AMBER_SET_MODE, bytes([_AMBER_T1_METER]))
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
        return _imst(_IMST_RADIO, _IMST_SEND, payload)
    return _amber(_AMBER_SEND, payload)


def _imst(endpoint: int, message: int, payload: bytes) -> bytes:
    return bytes([_IMST_START, endpoint, message, len(payload)]) + payload


def _amber(command: int, payload: bytes) -> bytes:
    told = bytes([_AMBER_START, command, len(payload)]) + payload
    check = 0
    for byte in told:
        check ^= byte
    return told + bytes([check])
