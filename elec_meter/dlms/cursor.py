"""Reading bytes from front to back within bounds, and the lengths of A-XDR (IEC 61334-6)."""

from __future__ import annotations

from typing import Final

from elec_meter.dlms.errors import MalformedError, TooLargeError, TruncatedError

LENGTH_MAX: Final = 1 << 20
"""No length or count may exceed it, whatever follows."""

_LONG_FORM: Final = 0x80
_LENGTH_BYTES_MAX: Final = 4


class Cursor:
    """A place in some bytes.

    Every method raises `TruncatedError` where the bytes end too early, and moves on otherwise.
    """

    __slots__ = ("_data", "at")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    @property
    def remaining(self) -> int:
        """Bytes that are left."""
        return len(self._data) - self.at

    def take(self, count: int) -> bytes:
        """The next bytes."""
        end = self.at + count
        if end > len(self._data):
            raise TruncatedError(f"{end - len(self._data)} bytes are missing")
        taken = self._data[self.at : end]
        self.at = end
        return taken

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.take(self.remaining)

    def byte(self) -> int:
        """The next byte."""
        if self.at >= len(self._data):
            raise TruncatedError("a byte is missing")
        self.at += 1
        return self._data[self.at - 1]

    def unsigned(self, size: int) -> int:
        """An unsigned number of `size` bytes, high byte first."""
        return int.from_bytes(self.take(size), "big")

    def signed(self, size: int) -> int:
        """A signed number of `size` bytes, high byte first."""
        return int.from_bytes(self.take(size), "big", signed=True)

    def length(self, limit: int = LENGTH_MAX) -> int:
        """A length or count: one byte below 128, otherwise the number of its bytes, and them.

        Raises:
            TooLargeError: it exceeds `limit`.
            MalformedError: it is none.
        """
        first = self.byte()
        length = first
        if first >= _LONG_FORM:
            size = first - _LONG_FORM
            if not 1 <= size <= _LENGTH_BYTES_MAX:
                raise MalformedError(f"{first:02X} begins no length")
            length = self.unsigned(size)
        if length > limit:
            raise TooLargeError(f"a length of {length} exceeds {limit}")
        return length

    def octets(self, limit: int = LENGTH_MAX) -> bytes:
        """Bytes behind their length."""
        return self.take(self.length(limit))

    def is_present(self) -> bool:
        """The flag before an optional or default element.

        Raises:
            MalformedError: it is neither 0 nor 1.
        """
        flag = self.byte()
        if flag > 1:
            raise MalformedError(f"{flag:02X} is no presence flag")
        return bool(flag)

    def expect(self, expected: bytes, what: str) -> None:
        """Go past bytes that must be there.

        Raises:
            MalformedError: others are.
        """
        found = self.take(len(expected))
        if found != expected:
            raise MalformedError(f"{what} is {found.hex()}, not {expected.hex()}")

    def finish(self) -> None:
        """Nothing may follow.

        Raises:
            MalformedError: something does.
        """
        if self.remaining:
            raise MalformedError(f"{self.remaining} bytes too many")


def encode_length(length: int) -> bytes:
    """A length or count in its shortest form."""
    if length < _LONG_FORM:
        return bytes((length,))
    size = (length.bit_length() + 7) // 8
    return bytes((_LONG_FORM | size,)) + length.to_bytes(size, "big")


def encode_octets(data: bytes) -> bytes:
    """Bytes behind their length."""
    return encode_length(len(data)) + data
