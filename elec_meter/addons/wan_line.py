"""One FLAG line for two: a head end that speaks through it, and the module's own questions.

Whoever has it keeps it until a break, until nothing sensible was said on it for a while, or until
its time is over; then the line is at rest again, and what was left of an answer is thrown away.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from datetime import datetime
from typing import Final, TypeVar

from elec_meter.addons.errors import LineGarbledError, LineSilentError
from elec_meter.addons.limits import USUAL, Limits
from elec_meter.addons.line import ANSWER_S, MeterLine
from elec_meter.addons.readings import Readings
from elec_meter.addons.row_asking import BREAK, Row, RowsAsker
from elec_meter.addons.throttle import Throttle

HOLD_S: Final = 30.0
"""So long a head end keeps the line without an answer of the meter; well below the slot's
patience with a module that asks nothing."""

SESSION_S: Final = 3_600.0
"""So long a head end keeps the line at most: 13 months of rows cross in less by a slow modem."""

SAID_BYTES: Final = 256
"""What is taken from a head end at once."""

_Answer = TypeVar("_Answer")
_TRIES: Final = 3
_QUIET_S: Final = 0.2
_SLOWER: Final = Limits(
    rate_bytes_per_s=USUAL.rate_bytes_per_s * 3 // 4, burst_bytes=USUAL.burst_bytes // 8
)
"""Below what the slot lets a module say: a head end in a hurry waits, and nobody is cut off."""


class SharedLine:
    """A module's line, asked by one at a time.

    Args:
        line: the line.
        hold_s: how long a head end may keep it without an answer.
        session_s: how long it may keep it at all.
    """

    def __init__(
        self, line: MeterLine, hold_s: float = HOLD_S, session_s: float = SESSION_S
    ) -> None:
        self._line = line
        self._hold_s = hold_s
        self._session_s = session_s
        self._lock = asyncio.Lock()
        self._pace = Throttle(_SLOWER, asyncio.get_running_loop().time())

    async def readout(self) -> Readings:
        """The module's readout.

        Raises:
            LineRefusedError: the meter will not say now.
            LineSilentError: no answer came in time, the meter does not come to rest, or has gone.
            LineGarbledError: what came is no readout.
        """
        async with self._lock:
            for _ in range(_TRIES - 1):
                with contextlib.suppress(LineGarbledError):
                    return await self._settled(self._line.readout())
            return await self._settled(self._line.readout())

    async def rows(self, profile: str, first: datetime, last: datetime) -> list[Row]:
        """Rows of a profile that are stamped from `first` to `last`, both included.

        Raises:
            LineRefusedError: the meter will not say.
            LineSilentError: no answer came in time, the meter does not come to rest, or has gone.
            LineGarbledError: what came is no answer.
        """
        async with self._lock:
            return await self._settled(self._line.answer(RowsAsker(profile, first, last)))

    async def lend(
        self, said: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Pass one session of a head end through, which begins with what it said.

        Returns:
            Whether the meter answered.

        Raises:
            ConnectionError: the head end has gone.
            LineSilentError: the meter has, or does not come to rest.
        """
        async with self._lock:
            session = _Session(self, said, reader, writer)
            try:
                return await session.last(self._hold_s, self._session_s)
            finally:
                await self._settle()

    async def pass_on(self, said: bytes) -> None:
        """Say something to the meter, no faster than the slot likes."""
        self._line.writer.write(said)
        await self._line.writer.drain()
        await self._spent(len(said))

    async def answer(self) -> bytes:
        """What the meter says next."""
        answer = await self._line.heard(None)
        assert answer is not None  # it is listened for until it is there
        await self._spent(len(answer))
        return answer

    async def _spent(self, octets: int) -> None:
        loop = asyncio.get_running_loop()
        self._pace.spend(octets, loop.time())
        await asyncio.sleep(self._pace.wait_s(loop.time()))

    async def _settled(self, answer: Awaitable[_Answer]) -> _Answer:
        """An answer; of one that is none nothing is left for whoever has the line next."""
        try:
            return await answer
        except LineGarbledError:
            await self._settle()
            raise

    async def _settle(self) -> None:
        """Back to the sign-on, and nothing left of an answer.

        Raises:
            LineSilentError: the meter never stops talking, or has gone.
        """
        clock, left_s = asyncio.get_running_loop().time, ANSWER_S
        self._line.writer.write(BREAK)
        while left_s > 0:
            began_s = clock()
            if await self._line.heard(_QUIET_S) is None:
                self._line.forget()
                return
            left_s -= min(_QUIET_S, clock() - began_s)  # see `MeterLine.answer`
        raise LineSilentError("the meter does not come to rest")


class _Session:
    """From a head end's first byte to its break, to silence, or to the end of its time."""

    def __init__(
        self,
        line: SharedLine,
        said: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._line = line
        self._said = said
        self._reader = reader
        self._writer = writer
        self._answered_s = asyncio.get_running_loop().time()
        self._is_answered = False

    async def last(self, hold_s: float, session_s: float) -> bool:
        """Whether the meter answered, once it is over."""
        tasks = [
            asyncio.create_task(each)
            for each in (
                self._to_meter(),
                self._from_meter(),
                self._silence(hold_s),
                asyncio.sleep(session_s),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()
        return self._is_answered

    async def _to_meter(self) -> None:
        tail = b""
        said = self._said
        while said:
            await self._line.pass_on(said)
            tail = (tail + said)[-len(BREAK) :]
            if tail == BREAK:
                return
            said = await self._reader.read(SAID_BYTES)
        raise ConnectionResetError("the head end has closed the connection")

    async def _from_meter(self) -> None:
        tail = b""
        while True:
            answer = await self._line.answer()
            self._is_answered = True
            self._answered_s = asyncio.get_running_loop().time()
            self._writer.write(answer)
            await self._writer.drain()
            tail = (tail + answer)[-len(BREAK) :]
            if tail == BREAK:
                return

    async def _silence(self, hold_s: float) -> None:
        loop = asyncio.get_running_loop()
        while (left_s := self._answered_s + hold_s - loop.time()) > 0:
            await asyncio.sleep(left_s)
