"""A house with a unit in reach of a collector that runs."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector import Bearer, ReceivedFrame
from collector.errors import OrderError
from collector.pairing import PairingSession
from collector.particulars import PairingPlan
from collector.ports.line import ControlLine
from collector.runtime import Runtime
from collector.segments import register_l
from collector.station import Station
from collector.storage.directory import DataDirectory
from shared.timegrid import from_unix_ms
from tests.collector.bench import BEGIN_MS, Bench

SPEED = 20


class LiveUnit(Bearer):
    """A unit in reach of a two-way radio."""

    is_two_way = True

    def __init__(self, bench: Bench) -> None:
        self.name = "live"
        self.bench = bench
        self.replies: list[bytes] = []
        self.is_closed = False

    def receive_until(self, utc_ms: int) -> list[ReceivedFrame]:
        """What it sent up to now."""
        self.bench.now_ms = utc_ms
        return [
            ReceivedFrame(frame, from_unix_ms(at_ms), self.name, 1, -60)
            for at_ms, frame in self.bench.unit.advance(utc_ms)
        ]

    def next_frame_utc_ms(self) -> int | None:
        """Nothing is known."""
        return None

    def reply(self, serial: str, data: bytes) -> None:
        """It hears what is sent at once."""
        self.replies.append(data)
        self.bench.unit.receive(data, self.bench.now_ms)

    def close(self) -> None:
        """Note it."""
        self.is_closed = True


class BrokenBearer(LiveUnit):
    """A bearer with a bug."""

    def receive_until(self, utc_ms: int) -> list[ReceivedFrame]:
        """Fail in a way that nobody foresaw."""
        raise ZeroDivisionError("of all things")


class House:
    """A directory with a paired unit, its bearer, and what a runtime tells."""

    def __init__(self, directory: DataDirectory) -> None:
        self.directory = directory
        self.bench = Bench()
        self.station = Station(directory, self.bench.now)
        self.told: list[dict[str, Any]] = []
        self.now = self.bench.now
        self.running: Runtime | None = None

    def pair(self) -> None:
        """Pair the unit."""
        session = PairingSession(self.station.plan(PairingPlan()))
        self.bench.pair(session)
        self.station.commit(session.outcome(), self.bench.now)
        self.now = self.bench.now

    def runtime(self, *bearers: Bearer) -> Runtime:
        """A runtime by the house's own clock."""
        return Runtime(self.station, bearers, self.told.append, now=lambda: self.now)

    def step(self, runtime: Runtime, seconds: int) -> None:
        """Let time pass, ten seconds at a time."""
        for _ in range(seconds // 10):
            self.now += timedelta(seconds=10)
            runtime.step()

    def events(self, name: str) -> list[dict[str, Any]]:
        """What was told of a kind."""
        return [row for row in self.told if row["event"] == name]

    @property
    def litres(self) -> int:
        """The channel's register."""
        return register_l(self.station.pairings.segments(), self.station.collector.register)


def reach(directory: Path) -> None:
    """Wait until a collector takes orders."""
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        try:
            with ControlLine(directory):
                return
        except OrderError:
            time.sleep(0.05)
    pytest.fail("nothing takes orders")


def beside(house: House, work: Callable[[LiveUnit], Any]) -> tuple[Any, LiveUnit]:
    """Run a collector in this thread, a unit in its reach, and some work in another thread."""
    live = LiveUnit(house.bench)
    begin_s = time.monotonic()

    def now() -> datetime:
        return from_unix_ms(BEGIN_MS + int((time.monotonic() - begin_s) * SPEED * 1000))

    async def both() -> Any:
        runtime = house.running = Runtime(house.station, [live], house.told.append, now=now)
        running = asyncio.ensure_future(runtime.run())
        try:
            await asyncio.to_thread(reach, house.directory.path)
            return await asyncio.to_thread(work, live)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            await running

    return asyncio.run(both()), live
