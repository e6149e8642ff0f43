"""What sticks say: one frame as each kind of stick puts it."""

from __future__ import annotations

from shared.wire.sticks import (
    AMBER_RECEIVED,
    IMST_HAS_CRC,
    IMST_HAS_RSSI,
    IMST_HAS_TIME,
    IMST_RADIO,
    IMST_RECEIVED,
    IMST_START,
    amber_message,
    imst_crc,
)
from shared.wire.wmbus import frame_a

RSSI_DBM = -80


def link(number: int, length: int = 12) -> bytes:
    """A link frame that is unlike others."""
    head = bytes([length - 1, 0x44]) + bytes.fromhex("1921") + number.to_bytes(4, "little")
    return head + bytes.fromhex("01037A") + bytes((number + i) % 256 for i in range(length - 11))


def imst(frame: bytes, *, crc: bool = True, time: bool = False, rssi: bool = True) -> bytes:
    """As an iM871A says it."""
    flags = IMST_HAS_CRC * crc | IMST_HAS_TIME * time | IMST_HAS_RSSI * rssi
    told = bytes([flags | IMST_RADIO, IMST_RECEIVED, len(frame) - 1]) + frame[1:]
    told += bytes(4) * time + bytes([round((RSSI_DBM + 380 / 3) * 15 / 8)]) * rssi
    return bytes([IMST_START]) + told + imst_crc(told) * crc


def amber(frame: bytes) -> bytes:
    """As an AMB8465 says it."""
    return amber_message(AMBER_RECEIVED, frame[1:] + bytes([(RSSI_DBM + 74) * 2 % 256]))


def cul(frame: bytes) -> bytes:
    """As a CUL says it: format A, link quality, signal strength."""
    return b"b" + (frame_a(frame) + bytes([5, (RSSI_DBM + 74) * 2 % 256])).hex().encode() + b"\r\n"


def plain(frame: bytes) -> bytes:
    """As a line, CRCs included."""
    return frame_a(frame).hex().upper().encode() + b"\n"


SAYS = {"im871a": imst, "amb8465": amber, "cul": cul, "hex": plain}
