"""The messages of a FLAG line as a reader sees them, sans I/O (IEC 62056-21, mode C)."""

from __future__ import annotations

from contextlib import suppress
from enum import Enum
from functools import reduce
from operator import xor
from typing import Final, NamedTuple

from elec_meter.addons.errors import LineGarbledError

REQUEST: Final = b"/?!\r\n"
"""The request message, to whatever meter is at the other end."""

_IDENTIFICATION_LIMIT: Final = 64
_SLASH: Final = ord("/")
_SOH: Final = 0x01
_STX: Final = 0x02
_ETX: Final = 0x03
_EOT: Final = 0x04


def block_check(data: bytes | bytearray) -> int:
    """The check character of a command or block.

    Args:
        data: from behind its first character to ETX or EOT, both included.
    """
    return reduce(xor, data, 0)


class MessageKind(Enum):
    """What a message is by its first character."""

    IDENTIFICATION = "/"
    COMMAND = "SOH"
    BLOCK = "STX"


class Message(NamedTuple):
    """One message.

    Attributes:
        kind: what it is.
        text: without CR LF; of a command or block what stands between its first character and its
            check, with ETX or EOT.
    """

    kind: MessageKind
    text: str

    @property
    def is_last(self) -> bool:
        """Whether no further block follows this one, which then ends with ETX."""
        return self.text.endswith(chr(_ETX))


class MessageReader:
    """Cuts a line into messages, however its bytes are cut.

    A line keeps the order of what is said on it, and each request is answered by an identification:
    so they are counted, and whatever comes before that of the last request is passed over. It was
    said to a question that was given up.

    It holds at most one block and what one feed brought, if after each `feed` all is read, or
    passed over where nobody asked.

    Args:
        limit: bytes of a block.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._unanswered = 0

    def asked(self) -> None:
        """A request was made, and what was asked before it is given up."""
        self._unanswered += 1

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._buffer += data

    def clear(self) -> None:
        """Nothing comes any more of what was asked."""
        self._buffer.clear()
        self._unanswered = 0

    def read(self) -> Message | None:
        """The next message that belongs to the last request; None until it is whole.

        Raises:
            LineGarbledError: it is none. Everything that came is forgotten.
        """
        try:
            while (message := self._next()) is not None:
                if message.kind is MessageKind.IDENTIFICATION:
                    self._unanswered = max(0, self._unanswered - 1)
                if not self._unanswered:
                    return message
        except LineGarbledError:
            self.clear()
            raise
        return None

    def pass_over(self) -> None:
        """Drop what nobody asked for; of a message that is not whole, what has come is kept."""
        with suppress(LineGarbledError):
            while self.read() is not None:
                pass

    def _next(self) -> Message | None:
        if not self._buffer:
            return None
        if self._buffer[0] == _SLASH:
            return self._identification()
        if self._buffer[0] in (_SOH, _STX):
            return self._block()
        raise LineGarbledError("what the meter says is neither its identification nor a block")

    def _identification(self) -> Message | None:
        length = self._buffer.find(b"\r\n")
        if (len(self._buffer) if length < 0 else length) > _IDENTIFICATION_LIMIT:
            raise LineGarbledError("the meter does not identify itself")
        return None if length < 0 else Message(MessageKind.IDENTIFICATION, self._taken(length, 2))

    def _block(self) -> Message | None:
        buffer = self._buffer
        ends = [at for at in map(buffer.find, (_ETX, _EOT)) if at >= 0]
        if not ends or len(buffer) < min(ends) + 2:
            if len(buffer) > self._limit:
                raise LineGarbledError(f"a block has at most {self._limit} bytes")
            return None
        end = min(ends) + 1
        kind = MessageKind.COMMAND if buffer[0] == _SOH else MessageKind.BLOCK
        if block_check(buffer[1:end]) != buffer[end]:
            raise LineGarbledError("the block check is wrong")
        return Message(kind, self._taken(end, 1)[1:])

    def _taken(self, length: int, behind: int) -> str:
        """So many bytes from the beginning, without so many behind them that go too."""
        taken = bytes(self._buffer[:length])
        del self._buffer[: length + behind]
        try:
            return taken.decode("ascii")
        except UnicodeDecodeError:
            raise LineGarbledError("the meter sends more than ASCII") from None
