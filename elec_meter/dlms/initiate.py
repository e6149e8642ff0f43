"""InitiateRequest and InitiateResponse, and the conformance they agree on (IEC 62056-5-3, 7.2)."""

from __future__ import annotations

from enum import IntFlag
from typing import Final, NamedTuple

from elec_meter.dlms.cursor import Cursor, encode_octets
from elec_meter.dlms.errors import MalformedError

REQUEST: Final = 0x01
RESPONSE: Final = 0x08
VERSION: Final = 6
"""Of DLMS: a client may propose a later one."""

PDU_MIN: Final = 64
PDU_MAX: Final = 0xFFFF

_CONFORMANCE: Final = bytes.fromhex("5f1f0400")
_VAA_LOGICAL_NAMES: Final = 0x0007
_DEDICATED_KEY_MAX: Final = 32


class Conformance(IntFlag):
    """Services that both sides know; bit 0 of the standard's bit-string is the highest of 24."""

    GENERAL_PROTECTION = 1 << 22
    GENERAL_BLOCK_TRANSFER = 1 << 21
    ATTRIBUTE_0_WITH_SET = 1 << 15
    PRIORITY = 1 << 14
    ATTRIBUTE_0_WITH_GET = 1 << 13
    BLOCKS_WITH_GET = 1 << 12
    BLOCKS_WITH_SET = 1 << 11
    BLOCKS_WITH_ACTION = 1 << 10
    MULTIPLE_REFERENCES = 1 << 9
    DATA_NOTIFICATION = 1 << 7
    ACCESS = 1 << 6
    GET = 1 << 4
    SET = 1 << 3
    SELECTIVE_ACCESS = 1 << 2
    EVENT_NOTIFICATION = 1 << 1
    ACTION = 1 << 0


class InitiateRequest(NamedTuple):
    """What a client proposes.

    Attributes:
        conformance: what it knows, as the number that it sent: unknown bits may be set.
        receive_max: bytes of an APDU that it can take; 0 is no limit.
        dedicated_key: a key for this association alone; empty for none.
        version: of DLMS.
        response_allowed: whether it wants an answer.
        quality: of service, never used.
    """

    conformance: int
    receive_max: int
    dedicated_key: bytes = b""
    version: int = VERSION
    response_allowed: bool = True
    quality: int | None = None

    def to_bytes(self) -> bytes:
        """The APDU."""
        key = b"\x01" + encode_octets(self.dedicated_key) if self.dedicated_key else b"\x00"
        allowed = b"\x00" if self.response_allowed else b"\x01\x00"
        quality = b"\x00" if self.quality is None else b"\x01" + _signed_byte(self.quality)
        return b"".join(
            (
                bytes((REQUEST,)),
                key,
                allowed,
                quality,
                bytes((self.version,)),
                _CONFORMANCE,
                self.conformance.to_bytes(3, "big"),
                self.receive_max.to_bytes(2, "big"),
            )
        )


class InitiateResponse(NamedTuple):
    """What was agreed.

    Attributes:
        conformance: what both know.
        receive_max: bytes of an APDU that the server can take.
        version: of DLMS.
        quality: of service, never used.
    """

    conformance: int
    receive_max: int
    version: int = VERSION
    quality: int | None = None

    def to_bytes(self) -> bytes:
        """The APDU."""
        quality = b"\x00" if self.quality is None else b"\x01" + _signed_byte(self.quality)
        return b"".join(
            (
                bytes((RESPONSE,)),
                quality,
                bytes((self.version,)),
                _CONFORMANCE,
                self.conformance.to_bytes(3, "big"),
                self.receive_max.to_bytes(2, "big"),
                _VAA_LOGICAL_NAMES.to_bytes(2, "big"),
            )
        )


def initiate_request_at(cursor: Cursor) -> InitiateRequest:
    """A request behind its tag.

    Raises:
        MalformedError: it is none.
    """
    key = cursor.octets(_DEDICATED_KEY_MAX) if cursor.is_present() else b""
    allowed = cursor.byte() != 0 if cursor.is_present() else True
    quality = cursor.signed(1) if cursor.is_present() else None
    version = cursor.byte()
    cursor.expect(_CONFORMANCE, "what precedes the conformance")
    conformance, receive_max = cursor.unsigned(3), cursor.unsigned(2)
    return InitiateRequest(conformance, receive_max, key, version, allowed, quality)


def initiate_response_at(cursor: Cursor) -> InitiateResponse:
    """A response behind its tag.

    Raises:
        MalformedError: it is none, or refers to short names.
    """
    quality = cursor.signed(1) if cursor.is_present() else None
    version = cursor.byte()
    cursor.expect(_CONFORMANCE, "what precedes the conformance")
    conformance, receive_max = cursor.unsigned(3), cursor.unsigned(2)
    if cursor.unsigned(2) != _VAA_LOGICAL_NAMES:
        raise MalformedError("the response does not refer to logical names")
    return InitiateResponse(conformance, receive_max, version, quality)


def _signed_byte(number: int) -> bytes:
    return number.to_bytes(1, "big", signed=True)
