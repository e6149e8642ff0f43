"""What a meter says on a FLAG line, as whole messages, sans I/O (IEC 62056-21, mode C)."""

from __future__ import annotations

from enum import Enum
from functools import reduce
from operator import xor
from typing import Final, NamedTuple

from elec_meter.addons.errors import LineGarbledError

ETX: Final = "\x03"
"""Ends the last block of an answer."""

_IDENTIFICATION_LIMIT: Final = 64
_SLASH: Final = ord("/")
_SOH: Final = 0x01
_STX: Final = 0x02
_ENDS: Final = (0x03, 0x04)


class Kind(Enum):
    """What a message is by its first character."""

    IDENTIFICATION = "/"
    COMMAND = "SOH"
    BLOCK = "STX"


class Answer(NamedTuple):
    """One message.

    Attributes:
        kind: what it is.
        text: without CR LF; of a command or block what stands between its first character and its
            check, with ETX or EOT.
    """

    kind: Kind
    text: str


class AnswerReader:
    """Cuts a line into messages, however its bytes are cut.

    A line keeps the order of what is said on it, and each request is answered by an identification:
    so they are counted, and whatever comes before that of the last request is passed over. It was
    said to a question that was given up.

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

    def read(self) -> Answer | None:
        """The next message that belongs to the last request; None until it is whole.

        Raises:
            LineGarbledError: it is none. Everything that came is forgotten.
        """
        try:
            while (answer := self._next()) is not None:
                if answer.kind is Kind.IDENTIFICATION:
                    self._unanswered = max(0, self._unanswered - 1)
                if not self._unanswered:
                    return answer
        except LineGarbledError:
            self.clear()
            raise
        return None

    def _next(self) -> Answer | None:
        if not self._buffer:
            return None
        if self._buffer[0] == _SLASH:
            return self._identification()
        if self._buffer[0] in (_SOH, _STX):
            return self._block()
        raise LineGarbledError("what the meter says is neither its identification nor a block")

    def _identification(self) -> Answer | None:
        length = self._buffer.find(b"\r\n")
        if (len(self._buffer) if length < 0 else length) > _IDENTIFICATION_LIMIT:
            raise LineGarbledError("the meter does not identify itself")
        return None if length < 0 else Answer(Kind.IDENTIFICATION, self._taken(length, 2))

    def _block(self) -> Answer | None:
        buffer = self._buffer
        ends = [at for at in map(buffer.find, _ENDS) if at >= 0]
        if not ends or len(buffer) < min(ends) + 2:
            if len(buffer) > self._limit:
                raise LineGarbledError(f"a block has at most {self._limit} bytes")
            return None
        end = min(ends) + 1
        kind = Kind.COMMAND if buffer[0] == _SOH else Kind.BLOCK
        if reduce(xor, buffer[1:end], 0) != buffer[end]:
            raise LineGarbledError("the block check is wrong")
        return Answer(kind, self._taken(end, 1)[1:])

    def _taken(self, length: int, behind: int) -> str:
        """So many bytes from the beginning, without so many behind them that go too."""
        taken = bytes(self._buffer[:length])
        del self._buffer[: length + behind]
        try:
            return taken.decode("ascii")
        except UnicodeDecodeError:
            raise LineGarbledError("the meter sends more than ASCII") from None
