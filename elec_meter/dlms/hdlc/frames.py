"""HDLC frames of format type 3: addresses, checks, control fields (IEC 62056-46)."""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from elec_meter.dlms.errors import EncodingError, MalformedError

FLAG: Final = 0x7E
INFORMATION_MAX: Final = 2_030
"""Bytes of an information field (IEC 62056-46, 6.4.4.4.3.2)."""

FRAME_MAX: Final = 0x7FF
"""What the eleven bits of a length can say: bytes between the flags."""

FRAME_MIN: Final = 7
"""Format, two addresses, control, one check."""

MODULUS: Final = 8
"""Of sequence numbers."""

_TYPE: Final = 0xA0
_TYPE_MASK: Final = 0xF0
_SEGMENT: Final = 0x08
_POLYNOMIAL: Final = 0x8408
_CHECKED: Final = 0xF0B8
_POLL: Final = 0x10
_ONE_BYTE_MAX, _TWO_BYTES_MAX = 0x7F, 0x3FFF


class Kind(Enum):
    """What a control field says; the value is that of the field, without numbers and poll bit."""

    INFORMATION = 0x00
    RECEIVE_READY = 0x01
    RECEIVE_NOT_READY = 0x05
    SET_NORMAL_MODE = 0x83
    DISCONNECT = 0x43
    ACKNOWLEDGE = 0x63
    DISCONNECTED_MODE = 0x0F
    FRAME_REJECT = 0x87
    UNNUMBERED_INFORMATION = 0x03
    UNKNOWN = 0xFF


_UNNUMBERED: Final = {
    kind.value: kind
    for kind in (
        Kind.SET_NORMAL_MODE,
        Kind.DISCONNECT,
        Kind.ACKNOWLEDGE,
        Kind.DISCONNECTED_MODE,
        Kind.FRAME_REJECT,
        Kind.UNNUMBERED_INFORMATION,
    )
}
_SUPERVISORY: Final = {each.value: each for each in (Kind.RECEIVE_READY, Kind.RECEIVE_NOT_READY)}


class Address(NamedTuple):
    """Upper part (logical device or client) and lower part (physical device).

    One byte has an upper part alone; two bytes have parts below 128, four bytes below 16384.

    Attributes:
        upper: the logical device, or the client.
        lower: the physical device; None in one byte.
        size: bytes: 1, 2 or 4.
    """

    upper: int
    lower: int | None = None
    size: int = 1

    def to_bytes(self) -> bytes:
        """Low bits are extension bits, set in the last byte alone.

        Raises:
            EncodingError: the parts do not fit the size.
        """
        if self.size == 1 and self.lower is None and 0 <= self.upper <= _ONE_BYTE_MAX:
            return bytes((self.upper << 1 | 1,))
        lower = -1 if self.lower is None else self.lower
        parts = (self.upper, lower)
        if self.size == 2 and all(0 <= part <= _ONE_BYTE_MAX for part in parts):
            return bytes((self.upper << 1, lower << 1 | 1))
        if self.size == 4 and all(0 <= part <= _TWO_BYTES_MAX for part in parts):
            return bytes(
                (
                    self.upper >> 7 << 1,
                    (self.upper & _ONE_BYTE_MAX) << 1,
                    lower >> 7 << 1,
                    (lower & _ONE_BYTE_MAX) << 1 | 1,
                )
            )
        raise EncodingError(f"{self} is no address")


class Control(NamedTuple):
    """A control field.

    Attributes:
        kind: what it says.
        poll: the poll bit of a command, the final bit of a response.
        receive: N(R), the number expected next; 0 where the kind has none.
        send: N(S), the number of an information frame; 0 elsewhere.
        raw: the byte as it came; what `UNKNOWN` was.
    """

    kind: Kind
    poll: bool = True
    receive: int = 0
    send: int = 0
    raw: int = 0

    def to_byte(self) -> int:
        """The field."""
        byte = self.kind.value | (_POLL if self.poll else 0)
        if self.kind is Kind.INFORMATION:
            return byte | self.receive << 5 | self.send << 1
        return byte | self.receive << 5 if self.kind in _SUPERVISORY.values() else byte

    @classmethod
    def of(cls, byte: int) -> Control:
        """Read a field; whatever it is."""
        poll = bool(byte & _POLL)
        if not byte & 1:
            return cls(Kind.INFORMATION, poll, byte >> 5, byte >> 1 & 7, byte)
        supervisory = _SUPERVISORY.get(byte & 0x0F)
        if supervisory is not None:
            return cls(supervisory, poll, byte >> 5, 0, byte)
        return cls(_UNNUMBERED.get(byte & ~_POLL, Kind.UNKNOWN), poll, 0, 0, byte)


class Frame(NamedTuple):
    """One frame, without flags and checks."""

    destination: Address
    source: Address
    control: Control
    information: bytes = b""
    is_segment: bool = False
    """Whether what it carries goes on in the next one."""

    def to_bytes(self) -> bytes:
        """The frame with its flags.

        Raises:
            EncodingError: it is too long.
        """
        head = self.destination.to_bytes() + self.source.to_bytes()
        head += bytes((self.control.to_byte(),))
        checks = 4 if self.information else 2
        length = 2 + len(head) + len(self.information) + checks
        if length > FRAME_MAX:
            raise EncodingError(f"a frame has at most {FRAME_MAX} bytes, not {length}")
        first = _TYPE | (_SEGMENT if self.is_segment else 0) | length >> 8
        content = bytes((first, length & 0xFF)) + head
        if self.information:
            content += check(content) + self.information
        return b"\x7e" + content + check(content) + b"\x7e"


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        remainder = byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (_POLYNOMIAL if remainder & 1 else 0)
        table.append(remainder)
    return tuple(table)


_TABLE: Final = _table()


def check(data: bytes) -> bytes:
    """The check sequence of ISO/IEC 13239 (CRC-16/X-25), low byte first."""
    return (_remainder(data) ^ 0xFFFF).to_bytes(2, "little")


def frame_length(first: int, second: int) -> int:
    """Bytes between the flags, as the format field says.

    Raises:
        MalformedError: it is none of type 3, or no frame has such a length.
    """
    length = (first & 0x07) << 8 | second
    if first & _TYPE_MASK != _TYPE or length < FRAME_MIN:
        raise MalformedError(f"{first:02X}{second:02X} is no format of a frame")
    return length


def decode_frame(content: bytes) -> Frame:
    """The frame that these bytes between two flags are.

    Raises:
        MalformedError: a check does not fit, or there is no such frame.
    """
    if len(content) < FRAME_MIN or frame_length(content[0], content[1]) != len(content):
        raise MalformedError("a frame is not as long as it says")
    if _remainder(content) != _CHECKED:
        raise MalformedError("the frame check does not fit")
    body = content[:-2]
    destination = _address(body, 2)
    source = _address(body, 2 + destination.size)
    at = 2 + destination.size + source.size
    if at >= len(body):
        raise MalformedError("a frame ends within its addresses")
    control, rest = Control.of(body[at]), body[at + 1 :]
    if rest:
        if _remainder(body[: at + 3]) != _CHECKED:
            raise MalformedError("the header check does not fit")
        rest = rest[2:]
    return Frame(destination, source, control, rest, bool(content[0] & _SEGMENT))


def _remainder(data: bytes) -> int:
    remainder = 0xFFFF
    for byte in data:
        remainder = remainder >> 8 ^ _TABLE[(remainder ^ byte) & 0xFF]
    return remainder


def _address(body: bytes, at: int) -> Address:
    """The address that begins there: it ends with the first byte whose low bit is set."""
    parts: list[int] = []
    for byte in body[at : at + 4]:
        parts.append(byte >> 1)
        if byte & 1:
            break
    else:
        raise MalformedError("an address does not end")
    match parts:
        case [upper]:
            return Address(upper)
        case [upper, lower]:
            return Address(upper, lower, 2)
        case [a, b, c, d]:
            return Address(a << 7 | b, c << 7 | d, 4)
    raise MalformedError("an address has 1, 2 or 4 bytes")
