"""Bytes from the line to whole messages, one at a time.

A message ends, or is found to be none, at the same byte however the stream was cut; what was
none is given up only as far as the byte that proved it, because that byte may begin a message. Of a
command that a whole sign-on interrupts, what stands before the sign-on is given up.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final, NamedTuple

from elec_meter.flag.framing import (
    ACK,
    CR_LF,
    EOT,
    ETX,
    LF,
    NAK,
    SOH,
    STX,
    block_check,
    without_parity,
)

ADDRESS_LIMIT: Final = 32
"""Characters of a device address (IEC 62056-21, 6.3.1)."""

COMMAND_LIMIT: Final = 192
"""Bytes between SOH and ETX: command, STX, identifier 16, value 128, unit 16, and room."""

_REQUEST: Final = ord("/")
_REQUESTS: Final = (b"/", b"/?")
_OTHER_BEGINNINGS: Final = bytes((ACK, NAK, SOH))
_ADDRESS: Final = frozenset(range(0x20, 0x7F)) - {ord("/"), ord("!")}
_PRINTABLE: Final = frozenset(range(0x20, 0x7F)) | {STX, *CR_LF}
_DIGITS: Final = frozenset(b"0123456789")


class Kind(Enum):
    """What a message is, before anything is known of what it means."""

    REQUEST = "request"
    OPTION_SELECT = "option select"
    ACK = "acknowledgement"
    NAK = "repeat request"
    COMMAND = "command"
    MALFORMED = "malformed"


class Message(NamedTuple):
    """One message; `text` is the address, the three option characters, or the command's body."""

    kind: Kind
    text: str = ""


class _End(NamedTuple):
    """A message was recognised in the first `length` bytes."""

    length: int
    message: Message


class MessageReader:
    """Buffers at most one unfinished message; everything that begins none is dropped."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._received = bytearray()

    @property
    def is_partial(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._buffer)

    @property
    def size(self) -> int:
        """Bytes of it."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take bytes from the line; parity bits are stripped."""
        self._buffer += without_parity(data)
        self._received += data

    def clear(self) -> None:
        """Forget an unfinished message."""
        self._drop(len(self._buffer))

    def take_rest(self) -> bytes:
        """What came behind the last message, eight bits of each byte, and is somebody else's."""
        rest = bytes(self._received)
        self.clear()
        return rest

    def read(self, *, option_awaited: bool) -> Message | None:
        """The next message, or None when more bytes are needed.

        Args:
            option_awaited: an ACK begins an option select message rather than being one character.
        """
        self._drop_noise()
        if not self._buffer:
            return None
        found = self._recognise(option_awaited)
        if found is None:
            return None
        self._drop(found.length)
        return found.message

    def _drop_noise(self) -> None:
        for position, byte in enumerate(self._buffer):
            begins = bytes(self._buffer[position : position + 2]) in _REQUESTS
            if begins or byte in _OTHER_BEGINNINGS:
                self._drop(position)
                return
        self.clear()

    def _drop(self, length: int) -> None:
        del self._buffer[:length]
        del self._received[:length]

    def _recognise(self, option_awaited: bool) -> _End | None:
        first = self._buffer[0]
        if first == NAK:
            return _End(1, Message(Kind.NAK))
        if first == ACK and not option_awaited:
            return _End(1, Message(Kind.ACK))
        recognise: dict[int, Callable[[bytearray], _End | None]] = {
            _REQUEST: _recognise_request,
            ACK: _recognise_option,
            SOH: _recognise_command,
        }
        return recognise[first](self._buffer)


def _malformed(length: int) -> _End:
    return _End(length, Message(Kind.MALFORMED))


def _recognise_request(buffer: bytearray) -> _End | None:
    """`/ ? address ! CR LF`."""
    if len(buffer) > 1 and buffer[1] != ord("?"):
        return _malformed(1)
    end = 2
    while end < len(buffer) and buffer[end] in _ADDRESS:
        end += 1
    if end - 2 > ADDRESS_LIMIT:
        return _malformed(2 + ADDRESS_LIMIT)
    tail = bytes(buffer[end : end + 3])
    agreeing = _agreement(tail, b"!\r\n")
    if agreeing < len(tail):
        return _malformed(end + agreeing)
    if len(tail) < 3:
        return None
    return _End(end + 3, Message(Kind.REQUEST, buffer[2:end].decode("ascii")))


def _recognise_option(buffer: bytearray) -> _End | None:
    """`ACK V Z Y CR LF`."""
    for position in range(1, min(4, len(buffer))):
        if buffer[position] not in _DIGITS:
            return _malformed(position)
    tail = bytes(buffer[4:6])
    agreeing = _agreement(tail, CR_LF)
    if agreeing < len(tail):
        return _malformed(4 + agreeing)
    if len(tail) < 2:
        return None
    return _End(6, Message(Kind.OPTION_SELECT, buffer[1:4].decode("ascii")))


def _recognise_command(buffer: bytearray) -> _End | None:
    """`SOH body ETX BCC`, or with EOT for a partial block."""
    for position in range(1, len(buffer)):
        byte = buffer[position]
        if byte in (ETX, EOT):
            return _checked_command(buffer, position)
        if byte not in _PRINTABLE:
            return _malformed(position)
        if byte == LF or position > COMMAND_LIMIT:
            begun = _begun_request(buffer[: position + 1])
            if begun or position > COMMAND_LIMIT:
                return _malformed(begun or position)
    return None


def _begun_request(buffer: bytearray) -> int:
    """Where in a command a request began that is whole, or may become so; 0 if none did."""
    start = buffer.rfind(_REQUEST)
    if start < 1:
        return 0
    found = _recognise_request(buffer[start:])
    return start if found is None or found.message.kind is Kind.REQUEST else 0


def _checked_command(buffer: bytearray, end: int) -> _End | None:
    if len(buffer) == end + 1:
        return None
    if buffer[end + 1] != block_check(bytes(buffer[1 : end + 1])):
        # The byte in the BCC's place may begin the next message.
        return _malformed(end + 1)
    return _End(end + 2, Message(Kind.COMMAND, buffer[1 : end + 1].decode("ascii")))


def _agreement(data: bytes, expected: bytes) -> int:
    """How many leading bytes agree."""
    for position, (got, wanted) in enumerate(zip(data, expected, strict=False)):
        if got != wanted:
            return position
    return len(data)
