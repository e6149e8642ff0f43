"""What SNRM and UA agree on: lengths of fields, and windows (IEC 62056-46, 6.4.4.4.3)."""

from __future__ import annotations

from typing import Final, NamedTuple

from elec_meter.dlms.cursor import Cursor
from elec_meter.dlms.errors import MalformedError
from elec_meter.dlms.hdlc.frames import INFORMATION_MAX, MODULUS

DEFAULT_LENGTH: Final = 128
DEFAULT_WINDOW: Final = 1

_FORMAT: Final = b"\x81\x80"
_LENGTH_SENT, _LENGTH_RECEIVED, _WINDOW_SENT, _WINDOW_RECEIVED = 5, 6, 7, 8
_LENGTH_MIN: Final = 32
_NUMBER_SIZE_MAX: Final = 4


class LinkParameters(NamedTuple):
    """As one side sees them.

    Attributes:
        length_sent: bytes of the longest information field that it sends.
        length_received: and that it takes.
        window_sent: frames that it sends without an acknowledgement.
        window_received: and that it takes.
    """

    length_sent: int = DEFAULT_LENGTH
    length_received: int = DEFAULT_LENGTH
    window_sent: int = DEFAULT_WINDOW
    window_received: int = DEFAULT_WINDOW

    def to_bytes(self) -> bytes:
        """The information field of SNRM or UA."""
        content = b"".join(
            (
                _length(_LENGTH_SENT, self.length_sent),
                _length(_LENGTH_RECEIVED, self.length_received),
                _window(_WINDOW_SENT, self.window_sent),
                _window(_WINDOW_RECEIVED, self.window_received),
            )
        )
        return _FORMAT + bytes((len(content),)) + content

    @classmethod
    def from_bytes(cls, information: bytes) -> LinkParameters:
        """Read the information field of SNRM or UA; what it does not say has its default.

        Raises:
            MalformedError: it is none.
        """
        if not information:
            return cls()
        cursor = Cursor(information)
        cursor.expect(_FORMAT, "what precedes the parameters")
        content = Cursor(cursor.take(cursor.byte()))
        cursor.finish()
        numbers: dict[int, int] = {}
        while content.remaining:
            number, size = content.byte(), content.byte()
            if not 1 <= size <= _NUMBER_SIZE_MAX:
                raise MalformedError(f"a parameter has no {size} bytes")
            numbers[number] = content.unsigned(size)
        return cls(
            _within(numbers.get(_LENGTH_SENT, DEFAULT_LENGTH), _LENGTH_MIN, INFORMATION_MAX),
            _within(numbers.get(_LENGTH_RECEIVED, DEFAULT_LENGTH), _LENGTH_MIN, INFORMATION_MAX),
            _within(numbers.get(_WINDOW_SENT, DEFAULT_WINDOW), 1, MODULUS - 1),
            _within(numbers.get(_WINDOW_RECEIVED, DEFAULT_WINDOW), 1, MODULUS - 1),
        )

    def agreed_with(self, theirs: LinkParameters) -> LinkParameters:
        """Ours, reduced to what the other side can do."""
        return LinkParameters(
            min(self.length_sent, theirs.length_received),
            min(self.length_received, theirs.length_sent),
            min(self.window_sent, theirs.window_received),
            min(self.window_received, theirs.window_sent),
        )


def _length(number: int, length: int) -> bytes:
    size = 1 if length < 256 else 2
    return bytes((number, size)) + length.to_bytes(size, "big")


def _window(number: int, window: int) -> bytes:
    return bytes((number, 4)) + window.to_bytes(4, "big")


def _within(number: int, low: int, high: int) -> int:
    return max(low, min(high, number))
