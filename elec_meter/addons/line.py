"""A module's end of its FLAG line, and its voice: all that it has of the meter."""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from elec_meter.addons.asking import ReadoutAsker
from elec_meter.addons.errors import LineSilentError
from elec_meter.addons.readings import Readings

READ_BYTES: Final = 4_096
ANSWER_S: Final = 30.0


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
            LineSilentError: no answer came in time, or the meter has gone.
            LineGarbledError: what came is no readout.
        """
        try:
            async with asyncio.timeout(timeout_s):
                self.writer.write(self._asker.ask())
                while True:
                    data = await self.reader.read(READ_BYTES)
                    if not data:
                        raise LineSilentError("the meter has closed the line")
                    reply, readings = self._asker.receive_data(data)
                    self.writer.write(reply)
                    if readings is not None:
                        return readings
        except TimeoutError:
            raise LineSilentError(f"the meter has not answered for {timeout_s:g} s") from None
        except ConnectionError:
            raise LineSilentError("the meter has closed the line") from None

    def say(self, sentence: str) -> None:
        """Tell the meter's user something: the last sentence stands beside the module's name."""
        print(sentence[:200], flush=True, file=sys.stdout)  # noqa: T201 - a module's own words
