"""How simulated time keeps pace with the host's: a host that is simulated too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from elec_meter.demo.controls import Pace
from elec_meter.demo.run import SLICE, Driving

BEGUN = datetime(2026, 3, 30, 22, 0, tzinfo=UTC)
A_LOOK_S = 0.000_01


class Simulated:
    """A host whose clock rises with every look at it, and a house that notes how far it was let.

    Args:
        speed: of the house.
        step_s: how long the host takes to let time pass once.
    """

    def __init__(self, speed: float, step_s: float) -> None:
        self.host_s = 0.0
        self.now = BEGUN
        self.advances = self.rests = 0
        self.stopping = asyncio.Event()
        self.dark_until = None
        self._step_s = step_s
        self.pace = Pace(speed, BEGUN, self.clock_s)

    def clock_s(self) -> float:
        """The host's clock."""
        self.host_s += A_LOOK_S
        return self.host_s

    def advance(self, until: datetime) -> Iterator[datetime]:
        """Let time pass in the house, which takes the host some."""
        self.now, self.advances = until, self.advances + 1
        self.host_s += self._step_s
        yield until

    async def wait(self, seconds: float) -> None:
        """Let the host rest."""
        self.host_s += seconds
        self.rests += 1

    def drive(self, length: timedelta) -> None:
        """The demo's loop."""
        runtime: Any = SimpleNamespace(stopping=self.stopping, wait=self.wait)
        house: Any = self
        asyncio.run(Driving(house, runtime, house, self.pace).drive(BEGUN + length, None))


def test_a_demo_that_keeps_pace_rests_between_its_steps() -> None:
    """At the speed of life a minute is a step in each quarter of a second, not a thousand."""
    host = Simulated(speed=1, step_s=0.002)
    host.drive(timedelta(minutes=1))
    assert BEGUN + timedelta(minutes=1) == host.now
    assert 230 <= host.advances <= 245
    assert 60 == pytest.approx(host.host_s, abs=0.5)


def test_a_demo_that_cannot_keep_pace_never_rests() -> None:
    """A host that needs longer than there is goes from slice to slice."""
    host = Simulated(speed=3_600, step_s=1)
    host.host_s = 1.0
    host.drive(10 * SLICE)
    assert 10 == host.advances
    assert 0 == host.rests


def test_a_demo_without_pace_never_rests() -> None:
    """As fast as it can is one slice behind the other."""
    host = Simulated(speed=0, step_s=0.1)
    host.drive(3 * SLICE)
    assert 3 == host.advances
    assert 0 == host.rests


class Touched(Simulated):
    """A house in which a slice has many steps, and somebody slows time down within the first."""

    def advance(self, until: datetime) -> Iterator[datetime]:
        """A minute and 10 ms of the host's a step."""
        while self.now < until:
            self.now = min(until, self.now + timedelta(minutes=1))
            self.host_s += 0.01
            if self.now == BEGUN + timedelta(minutes=2):
                self.pace.change(2, self.now)
            yield self.now


def test_time_that_is_slowed_down_goes_on_from_where_it_was() -> None:
    """It neither runs ahead to what was due before nor stands still until that is due again."""
    host = Touched(speed=3_600, step_s=0.01)
    host.host_s = 1.0
    host.drive(timedelta(minutes=2, seconds=8))
    slowly_s = host.host_s - 1.02
    assert timedelta(minutes=2, seconds=8) == host.now - BEGUN
    assert 4 == pytest.approx(slowly_s, abs=0.3)
