from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from elec_meter.access import Level
from elec_meter.addons import line as line_module
from elec_meter.addons.asking import ReadoutAsker
from elec_meter.addons.errors import LineSilentError
from elec_meter.addons.hearing import heard_within
from elec_meter.addons.line import MeterLine
from elec_meter.addons.module_line import ModuleLine
from elec_meter.addons.row_asking import RowsAsker
from elec_meter.flag import FlagLine, FlagSession, FlagTiming
from tests.elec_meter.addons.reading_out import module_session
from tests.elec_meter.addons.test_asking import with_check
from tests.elec_meter.flag.lines import IDENTIFICATION, SELECT_READOUT, SIGN_ON, busy_meter
from tests.elec_meter.flag.programmer import NOON, Desktop
from tests.elec_meter.loop_clock import LoopClock

HALF_HOUR = timedelta(minutes=30)
IMPORT = "1-0:1.8.0"
START = datetime(1970, 1, 1, tzinfo=UTC)


def readout_block() -> bytes:
    """What a meter that was called says to an option select."""
    meter = busy_meter()
    session = module_session(meter)
    session.receive_data(SIGN_ON, meter.now)
    return session.receive_data(SELECT_READOUT, meter.now)


BLOCK = readout_block()


def talked(meter: Callable[[socket.socket], Awaitable[None]], ask: Callable[..., Any]) -> Any:
    """What comes of asking a meter that behaves so."""

    async def run() -> Any:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=ours)
        answering = asyncio.create_task(meter(theirs))
        try:
            async with asyncio.timeout(140):
                return await ask(MeterLine(reader, writer), theirs)
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
            writer.transport.abort()
            theirs.close()

    return asyncio.run(run())


async def nothing(_: socket.socket) -> None:
    """A meter that says nothing."""


async def told(end: socket.socket, words: bytes) -> None:
    """Wait until the meter has been told this."""
    loop, heard = asyncio.get_running_loop(), b""
    while words not in heard:
        heard += await loop.sock_recv(end, 256)


def test_a_meter_that_falls_silent_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever that was: its late words are passed over, also those that come in two pieces."""
    monkeypatch.setattr(line_module, "REPEAT_S", 0.05)

    async def meter(end: socket.socket) -> None:
        say = partial(asyncio.get_running_loop().sock_sendall, end)
        await told(end, SIGN_ON)
        await told(end, SIGN_ON)
        await say(IDENTIFICATION * 2)
        await told(end, SELECT_READOUT)
        await told(end, SIGN_ON)
        await say(with_check(b"\x02too late\x03") + IDENTIFICATION[:5])
        await told(end, SIGN_ON)
        await say(IDENTIFICATION[5:] + IDENTIFICATION)
        await told(end, SELECT_READOUT)
        await say(BLOCK)

    async def ask(line: MeterLine, _: socket.socket) -> None:
        assert "000123.463" == (await line.readout())[IMPORT].text

    talked(meter, ask)


def test_a_meter_that_stays_silent_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was asked more than once, with growing pauses, and has not been heard for so long."""
    monkeypatch.setattr(line_module, "REPEAT_S", 0.01)

    async def ask(line: MeterLine, end: socket.socket) -> bytes:
        with pytest.raises(LineSilentError, match=r"^the meter has not answered for 0\.1 s$"):
            await line.readout(0.1)
        return end.recv(256)

    assert talked(nothing, ask) in [SIGN_ON * times for times in (2, 3, 4)]


def test_a_meter_that_comes_to_itself_is_heard() -> None:
    """Who gave it up and goes on asking waits for no answer to what it never heard."""
    is_awake = asyncio.Event()

    async def meter(end: socket.socket) -> None:
        say = partial(asyncio.get_running_loop().sock_sendall, end)
        await is_awake.wait()
        await told(end, SIGN_ON * 2)
        await say(IDENTIFICATION)
        await told(end, SELECT_READOUT)
        await say(BLOCK)

    async def ask(line: MeterLine, _: socket.socket) -> None:
        with pytest.raises(LineSilentError):
            await line.readout(0.01)
        is_awake.set()
        assert "000123.463" == (await line.readout())[IMPORT].text

    talked(meter, ask)


def test_a_meter_that_has_gone_is_said() -> None:
    """At once."""

    async def ask(line: MeterLine, end: socket.socket) -> None:
        end.close()
        with pytest.raises(LineSilentError, match=r"^the meter has closed the line$"):
            await line.readout()

    talked(nothing, ask)


def test_a_module_that_was_held_up_takes_what_has_come() -> None:
    """However long it was: the meter answered, and nobody listened."""

    async def ask(line: MeterLine, end: socket.socket) -> str:
        clock, loop = LoopClock(), asyncio.get_running_loop()
        number = line.writer.get_extra_info("socket").fileno()

        def answer_late(words: bytes) -> None:
            end.send(words)
            clock.hold_up(40, until_readable=number)

        asking = asyncio.create_task(line.readout())
        await told(end, SIGN_ON)
        loop.call_soon(answer_late, IDENTIFICATION)
        await told(end, SELECT_READOUT)
        loop.call_soon(answer_late, BLOCK)
        return (await asking)[IMPORT].text

    assert "000123.463" == talked(nothing, ask)


def test_bytes_win_over_a_time_out_of_the_same_turn() -> None:
    """And nothing is lost of what comes after it."""

    async def ask(line: MeterLine, end: socket.socket) -> list[bytes | None]:
        clock, loop = LoopClock(), asyncio.get_running_loop()
        number = line.writer.get_extra_info("socket").fileno()

        def say(words: bytes) -> None:
            end.send(words)
            clock.hold_up(40, until_readable=number)

        heard = []
        for words in (b"one", b"two"):
            loop.call_later(0, say, words)
            heard.append(await heard_within(line.reader, 256, 20))
        heard.append(await heard_within(line.reader, 256, 0.01))
        end.send(b"three")
        heard.append(await heard_within(line.reader, 256, 60))
        end.close()
        return [*heard, await heard_within(line.reader, 256, 60)]

    assert [b"one", b"two", None, b"three", b""] == talked(nothing, ask)


class Slow:
    """A meter and a module that hear each other late, piece by piece, in a random order.

    Args:
        session: the meter's side.
        dice: decides.
    """

    def __init__(self, session: Callable[[datetime], Any], dice: random.Random) -> None:
        self.now = START
        self._meter = ModuleLine(session, lambda: 1, lambda: self.now)
        self._dice = dice
        self._to_meter = self._to_module = b""

    def answer(self, asker: Any, *, repeats: int) -> Any:
        """The answer to a question; it is repeated at random, and at last when all is silent."""
        self._to_meter += asker.ask()
        while True:
            turn = self._dice.random()
            if turn < 0.05 and repeats:
                repeats -= 1
                self._to_meter += asker.ask()
            elif turn < 0.2 and not self._to_meter:  # the meter looks, and finds nothing in time
                self.now += timedelta(seconds=self._meter.left_s)
                self._to_module += self._meter.answer(b"")
            elif turn < 0.6 and self._to_meter:
                piece, self._to_meter = self._cut(self._to_meter)
                self._to_module += self._meter.answer(piece)
            elif self._to_module:
                piece, self._to_module = self._cut(self._to_module)
                reply, answer = asker.receive_data(piece)
                self._to_meter += reply
                if answer is not None:
                    return answer
            elif not self._to_meter and turn > 0.95:
                self._to_meter += asker.ask()

    def _cut(self, data: bytes) -> tuple[bytes, bytes]:
        at = self._dice.choice((1, 5, 40, 400, len(data)))
        return data[:at], data[at:]


@pytest.mark.parametrize("seed", range(40))
def test_readouts_over_a_slow_line_are_whole_and_new(seed: int) -> None:
    """However late, doubled or cut everything comes: none fails, and none is older than asked."""
    meter = busy_meter()
    slow = Slow(lambda now: module_session(meter, now=now), random.Random(seed))
    asker, whole = ReadoutAsker(), codes_of(meter)
    for asked_wh in range(123_464, 123_474):
        meter.book("import", 1)
        readings = slow.answer(asker, repeats=4)
        assert whole == readings.codes
        assert f"{asked_wh / 1000:010.3f}" == readings[IMPORT].text


def codes_of(meter: Any) -> tuple[str, ...]:
    """What a readout over a quick line has."""
    asker, session = ReadoutAsker(), module_session(meter)
    words = asker.ask()
    while True:
        words, readings = asker.receive_data(session.receive_data(words, meter.now))
        if readings is not None:
            return readings.codes


@pytest.mark.parametrize("seed", range(10))
def test_rows_over_a_slow_line_are_those_of_the_meter(seed: int) -> None:
    """All of them, once each, however late, doubled or cut everything comes."""
    desktop = Desktop()
    desktop.now += timedelta(hours=20, seconds=5)
    desktop.durable()

    def session(now: datetime) -> FlagSession:
        timing = FlagTiming(inactivity_ms=10**9)  # a session that is closed refuses by a break
        return desktop.port.session(now, FlagLine(level=Level.READER, timing=timing))

    slow = Slow(session, random.Random(seed))
    for _ in range(3):
        rows = slow.answer(RowsAsker("1-0:99.1.0", NOON, desktop.now), repeats=3)
        assert [NOON + HALF_HOUR * number for number in range(1, 41)] == [row.end for row in rows]
