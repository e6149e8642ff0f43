"""A reader's side of a FLAG line: asks for the data readout, sans I/O (IEC 62056-21, mode C)."""

from __future__ import annotations

from enum import Enum
from typing import Final

from elec_meter.addons.errors import LineGarbledError, LineRefusedError
from elec_meter.addons.messages import REQUEST, MessageKind, MessageReader
from elec_meter.addons.readings import Readings, read_lines

READOUT_LIMIT: Final = 65_536
"""Bytes of a readout: 512 lines of 78 characters, and room."""

_SELECT: Final = b"\x06060\r\n"
_END: Final = "!\r\n\x03"


class Step(Enum):
    """What is awaited."""

    NOTHING = "nothing"
    IDENTIFICATION = "identification"
    BLOCK = "block"


class ReadoutAsker:
    """Asks for one readout after another.

    It holds at most one block of `READOUT_LIMIT` and what one feed brought: what nobody asked for
    is dropped.

    Attributes:
        step: what it waits for.
    """

    def __init__(self) -> None:
        self.step = Step.NOTHING
        self._messages = MessageReader(READOUT_LIMIT)
        self._identification = ""

    def ask(self) -> bytes:
        """What begins a readout; one that was under way is given up."""
        self.step = Step.IDENTIFICATION
        self._messages.asked()
        return REQUEST

    def forget(self) -> None:
        """What is left of former answers will not come."""
        self.step = Step.NOTHING
        self._messages.clear()

    def receive_data(self, data: bytes) -> tuple[bytes, Readings | None]:
        """Take what the meter sent.

        Returns:
            What is to be sent, and the readout once it is whole.

        Raises:
            LineRefusedError: the meter will not say, with a break; `ask` asks again.
            LineGarbledError: it is no readout; `ask` begins another.
        """
        self._messages.feed(data)
        try:
            sent, readings = self._taken()
        except (LineGarbledError, LineRefusedError):
            self.forget()
            raise
        if self.step is Step.NOTHING:
            self._messages.pass_over()
        return sent, readings

    def _taken(self) -> tuple[bytes, Readings | None]:
        sent = b""
        while self.step is not Step.NOTHING and (message := self._messages.read()) is not None:
            if self.step is Step.IDENTIFICATION:
                self.step, self._identification = Step.BLOCK, message.text
                sent += _SELECT
            elif message.kind is MessageKind.COMMAND:
                raise LineRefusedError("the meter will not say its values now")
            elif message.kind is MessageKind.IDENTIFICATION:
                raise LineGarbledError("no readout follows the identification")
            else:
                self.step = Step.NOTHING
                return sent, self._readings(message.text)
        return sent, None

    def _readings(self, block: str) -> Readings:
        if not block.endswith(_END):
            raise LineGarbledError("the readout has no end")
        return Readings(self._identification, read_lines(block.removesuffix(_END)))
