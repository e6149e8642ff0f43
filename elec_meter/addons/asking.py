"""A reader's side of a FLAG line: asks for the data readout, sans I/O (IEC 62056-21, mode C)."""

from __future__ import annotations

from enum import Enum
from functools import reduce
from operator import xor
from typing import Final

from elec_meter.addons.errors import LineGarbledError
from elec_meter.addons.readings import Readings, read_lines

REQUEST: Final = b"/?!\r\n"
READOUT_LIMIT: Final = 65_536
"""Bytes of a readout: 512 lines of 78 characters, and room."""

_SELECT: Final = b"\x06060\r\n"
_SOH: Final = 0x01
_ETX: Final = 0x03
_STX: Final = 0x02
_IDENTIFICATION_LIMIT: Final = 64
_END: Final = b"!\r\n\x03"


class Step(Enum):
    """What is awaited."""

    NOTHING = "nothing"
    IDENTIFICATION = "identification"
    BLOCK = "block"
    CHECK = "block check"


class ReadoutAsker:
    """Asks for one readout after another.

    Attributes:
        step: what it waits for.
    """

    def __init__(self) -> None:
        self.step = Step.NOTHING
        self._buffer = bytearray()
        self._identification = ""

    def ask(self) -> bytes:
        """What begins a readout, whatever was under way."""
        self.step = Step.IDENTIFICATION
        self._buffer.clear()
        return REQUEST

    def receive_data(self, data: bytes) -> tuple[bytes, Readings | None]:
        """Take what the meter sent.

        Returns:
            What is to be sent, and the readout once it is whole.

        Raises:
            LineGarbledError: it is no readout; `ask` begins another.
        """
        if self.step is Step.NOTHING:
            return b"", None
        self._buffer += data
        try:
            return self._taken()
        except LineGarbledError:
            self.step = Step.NOTHING
            self._buffer.clear()
            raise

    def _taken(self) -> tuple[bytes, Readings | None]:
        sent = b""
        if self.step is Step.IDENTIFICATION and self._has_identification():
            self.step = Step.BLOCK
            sent = _SELECT
        if self.step is Step.BLOCK:
            self._require_block()
            if _ETX in self._buffer:
                self.step = Step.CHECK
        if self.step is Step.CHECK and len(self._buffer) > self._buffer.index(_ETX) + 1:
            self.step = Step.NOTHING
            return sent, self._readings()
        return sent, None

    def _has_identification(self) -> bool:
        line, end, rest = self._buffer.partition(b"\r\n")
        if len(line) > _IDENTIFICATION_LIMIT or (line and not line.startswith(b"/")):
            raise LineGarbledError("the meter does not identify itself")
        if not end:
            return False
        self._identification = _ascii(bytes(line))
        self._buffer[:] = rest
        return True

    def _require_block(self) -> None:
        if self._buffer and self._buffer[0] == _SOH:
            raise LineGarbledError("the meter refused the readout with a break")
        if self._buffer and self._buffer[0] != _STX:
            raise LineGarbledError("no readout follows the identification")
        if len(self._buffer) > READOUT_LIMIT:
            raise LineGarbledError(f"a readout has at most {READOUT_LIMIT} bytes")

    def _readings(self) -> Readings:
        end = self._buffer.index(_ETX) + 1
        checked, check = bytes(self._buffer[1:end]), self._buffer[end]
        self._buffer.clear()
        if reduce(xor, checked, 0) != check:
            raise LineGarbledError("the readout's block check is wrong")
        if not checked.endswith(_END):
            raise LineGarbledError("the readout has no end")
        return Readings(self._identification, read_lines(_ascii(checked[: -len(_END)])))


def _ascii(data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise LineGarbledError("the meter sends more than ASCII") from None
