from __future__ import annotations

import asyncio
import os
from datetime import datetime, timedelta

from elec_meter.ports import StreamLimits, TcpServer
from tests.elec_meter.loop_clock import LoopClock
from tests.elec_meter.ports.serving import Echo, OneByOne
from tests.elec_meter.ports.test_tcp import connected, served


def test_somebody_else_is_answered_before_a_hundred_requests() -> None:
    """Whoever asks much at once has one answer in a turn, and so has everybody."""
    heard: list[bytes] = []

    async def talk(server: TcpServer) -> None:
        (greedy, asks_much), (modest, asks) = [await connected(server) for _ in range(2)]
        for reader, writer in ((greedy, asks_much), (modest, asks)):
            writer.write(b"h")
            assert b"h" == await reader.readexactly(1)
        heard.clear()
        asks_much.write(b"m" * 200)
        asks.write(b"o")
        assert b"o" == await modest.readexactly(1)
        assert b"m" * 200 == await greedy.readexactly(200)
        assert heard.index(b"o") < 100
        asks_much.close()
        asks.close()

    assert [] == served(talk, lambda _: OneByOne(heard=heard.append))


def test_a_turn_of_the_loop_has_one_answer() -> None:
    """What was asked at once is answered in as many turns, before more is read."""
    turns: list[int] = []
    sessions: list[OneByOne] = []
    turn = 0

    def session(_: datetime) -> OneByOne:
        sessions.append(OneByOne(heard=lambda _: turns.append(turn)))
        return sessions[-1]

    async def talk(server: TcpServer) -> None:
        loop = asyncio.get_running_loop()

        def count() -> None:
            nonlocal turn
            turn += 1
            loop.call_soon(count)

        count()
        reader, writer = await connected(server)
        writer.write(b"m" * 2_000)
        assert b"m" * 2_000 == await reader.readexactly(2_000)
        writer.close()

    assert [] == served(talk, session, StreamLimits(read_bytes=256))
    assert 2_000 == len(turns) == len(set(turns))
    assert 256 == sessions[0].longest


def test_who_does_not_read_is_answered_no_further() -> None:
    """Turns end where no room is left, and go on with the reading: nothing is lost."""

    class Wordy(OneByOne):
        def receive_one(self, data: bytes, now: datetime) -> bytes:
            return super().receive_one(data, now) * 65_536

    heard: list[bytes] = []

    async def talk(server: TcpServer) -> None:
        reader, writer = await connected(server)
        writer.write(b"m" * 250)
        while len(heard) < 2:
            await asyncio.sleep(0)
        for _ in range(1_000):
            await asyncio.sleep(0)
        assert len(heard) < 250
        total = 250 * 65_536
        while total:
            total -= len(await reader.read(total))
        assert 250 == len(heard)
        writer.close()

    assert [] == served(talk, lambda _: Wordy(heard=heard.append))


def test_nobody_is_late_who_spoke_while_the_loop_was_busy() -> None:
    """What is there when the line is looked at again comes before the timer, and in time."""
    told: list[datetime] = []

    class Timed(Echo):
        def receive_data(self, data: bytes, now: datetime) -> bytes:
            told.append(now)
            return self.handle_timer(now) or super().receive_data(data, now)

    async def talk() -> None:
        clock, loop = LoopClock(), asyncio.get_running_loop()
        due = clock.utc() + timedelta(seconds=50)
        server = await TcpServer.start(lambda _: Timed(due=due), "127.0.0.1", 0, now=clock.utc)
        reader, writer = await connected(server)
        client = writer.get_extra_info("socket").fileno()
        while not server.connections:
            await asyncio.sleep(0)
        (connection,) = server.connections
        number = connection._transport.get_extra_info("socket").fileno()

        def speak() -> None:
            os.write(client, b"in time")
            clock.hold_up(200, until_readable=number)

        loop.call_soon(speak)
        assert b"in time" == await reader.readexactly(7)
        loop.call_soon(clock.hold_up, 200)  # nothing comes in all this time
        assert b"late" == await reader.readexactly(4)
        writer.close()
        await server.close()
        assert told[0] < due

    asyncio.run(talk())
