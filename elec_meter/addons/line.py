"""A module's end of its FLAG line, and its voice: all that it has of the meter."""

from __future__ import annotations

import asyncio
import sys
from typing import Final, Protocol, TypeVar

from elec_meter.addons.asking import ReadoutAsker
from elec_meter.addons.errors import LineSilentError
from elec_meter.addons.hearing import heard_within
from elec_meter.addons.readings import Readings

ANSWER_S: Final = 30.0
"""How long a module waits for a whole answer."""

REPEAT_S: Final = 4.0
"""After so long a silence a module asks again, and then after twice as long."""

_READ_BYTES: Final = 4_096

_Answer = TypeVar("_Answer")
_Answer_co = TypeVar("_Answer_co", covariant=True)


class Asker(Protocol[_Answer_co]):
    """What asks and understands the answer."""

    def ask(self) -> bytes:
        """What begins; whatever was asked before is given up."""

    def receive_data(self, data: bytes) -> tuple[bytes, _Answer_co | None]:
        """Take what the meter sent; what is to be sent, and the answer once it is whole."""


class MeterLine:
    """The line. `readout` is enough for a module that shows values.

    Whatever else FLAG can do is done with `reader` and `writer`.

    Args:
        reader: of bytes from the meter.
        writer: of bytes to it.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._asker = ReadoutAsker()

    async def readout(self, timeout_s: float = ANSWER_S) -> Readings:
        """The readout that the configuration gives this module, all values of one instant.

        Raises:
            LineRefusedError: the meter will not say now, as while its disk is full. Ask again after
                a pause, and show meanwhile that nothing is known.
            LineSilentError: no answer came in time, or the meter has gone.
            LineGarbledError: what came is no readout.
        """
        try:
            return await self.answer(self._asker, timeout_s)
        except LineSilentError:
            self.forget()  # else who goes on asking would wait for what was never said
            raise

    async def answer(self, asker: Asker[_Answer], timeout_s: float = ANSWER_S) -> _Answer:
        """The answer to a question, which is asked again while the meter is silent.

        Args:
            asker: asks it.
            timeout_s: how long to listen for all of it. What waits on the line has come in time.

        Raises:
            LineSilentError: no answer came in time, or the meter has gone.
            AddonError: what came is none.
        """
        clock, left_s, repeat_s = asyncio.get_running_loop().time, timeout_s, REPEAT_S
        said = asker.ask()
        while True:
            self.writer.write(said)
            wait_s, began_s = min(repeat_s, left_s), clock()
            heard = await self.heard(wait_s)
            # What this process overslept is not held against the meter.
            left_s -= min(wait_s, clock() - began_s)
            if heard is not None:
                said, answer = asker.receive_data(heard)
                if answer is not None:
                    self.writer.write(said)
                    return answer
            if left_s <= 0:
                raise LineSilentError(f"the meter has not answered for {timeout_s:g} s")
            if heard is None:
                said, repeat_s = asker.ask(), repeat_s * 2

    async def heard(self, timeout_s: float | None) -> bytes | None:
        """What the meter says next; None when it says nothing for so long.

        Args:
            timeout_s: how long to listen; None until it says something.

        Raises:
            LineSilentError: the meter has gone.
        """
        try:
            heard = await heard_within(self.reader, _READ_BYTES, timeout_s)
        except ConnectionError:
            heard = b""
        if heard == b"":
            raise LineSilentError("the meter has closed the line")
        return heard

    def forget(self) -> None:
        """The line is at rest: of what was asked before nothing comes any more."""
        self._asker.forget()

    def say(self, sentence: str) -> None:
        """Tell the meter's user something: the last sentence stands beside the module's name."""
        print(sentence[:200], flush=True, file=sys.stdout)  # noqa: T201 - a module's own words
