"""The wrapper of DLMS over TCP: eight bytes before every APDU (IEC 62056-47)."""

from __future__ import annotations

from typing import Final, NamedTuple

from elec_meter.dlms.errors import EncodingError, MalformedError, TooLargeError

VERSION: Final = 1
HEADER_SIZE: Final = 8
PAYLOAD_MAX: Final = 4_096
"""Bytes of an APDU that a reader takes, unless it is told otherwise."""

_PORT_MAX: Final = 0xFFFF


class Wrapped(NamedTuple):
    """An APDU between two ports: on the meter's side a logical device, on the other a client."""

    source: int
    destination: int
    apdu: bytes

    def to_bytes(self) -> bytes:
        """Header and APDU.

        Raises:
            EncodingError: too long for the header's length.
        """
        if len(self.apdu) > _PORT_MAX:
            raise EncodingError(f"an APDU of {len(self.apdu)} bytes cannot be wrapped")
        fields = (VERSION, self.source, self.destination, len(self.apdu))
        return b"".join(field.to_bytes(2, "big") for field in fields) + self.apdu


class WrapperReader:
    """Bytes from a connection to wrapped APDUs; at most one unfinished one is kept.

    There is nothing by which a stream that is out of step could be found again: after an error the
    connection is of no use.

    Args:
        payload_max: bytes of the longest APDU.
    """

    def __init__(self, payload_max: int = PAYLOAD_MAX) -> None:
        self._payload_max = payload_max
        self._buffer = bytearray()

    @property
    def is_partial(self) -> bool:
        """Whether an APDU has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take bytes from the connection."""
        self._buffer += data

    def read(self) -> Wrapped | None:
        """The next APDU, or None when more bytes are needed.

        Raises:
            MalformedError: what came is no wrapper of version 1; found at the first byte that
                shows it.
            TooLargeError: the APDU is longer than the reader takes, or has no bytes.
        """
        buffer = self._buffer
        version = VERSION.to_bytes(2, "big")
        if not version.startswith(buffer[:2]):
            raise MalformedError(f"{buffer[:2].hex()} begins no wrapper")
        if len(buffer) < HEADER_SIZE:
            return None
        source, destination, length = (
            int.from_bytes(buffer[at : at + 2], "big") for at in (2, 4, 6)
        )
        if not 1 <= length <= self._payload_max:
            raise TooLargeError(f"an APDU has 1 to {self._payload_max} bytes, not {length}")
        end = HEADER_SIZE + length
        if len(buffer) < end:
            return None
        apdu = bytes(buffer[HEADER_SIZE:end])
        del buffer[:end]
        return Wrapped(source, destination, apdu)
