"""A second, slow set of books of a whole meter: what flowed, by minutes, and where it must be.

Nothing of the ledger is used. The meter's time is only read, as anybody may read it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

MJ_PER_WH = 3_600_000
SLOT_S = 300
"""Every row of every length begins on one of these."""

MeterTime = Callable[[int], int | None]
"""The meter's time in microseconds at a host's instant in microseconds; None while unknown."""

_LONDON = ZoneInfo("Europe/London")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DayPlan(NamedTuple):
    """A calendar as a wall planner has it: for each part of the year the switches of its days.

    Attributes:
        local: whether the planner's clock is the one on a London wall.
        parts: `(month, day)` from which on `(minute of the day, rate)` hold, in order.
    """

    local: bool
    parts: tuple[tuple[tuple[int, int], tuple[tuple[int, int], ...]], ...]

    def rate(self, at_s: int) -> int:
        """The rate of a UNIX second."""
        wall = _EPOCH + timedelta(seconds=at_s)
        if self.local:
            wall = wall.astimezone(_LONDON)
        switches = self.parts[-1][1]
        for since, each in self.parts:
            if (wall.month, wall.day) >= since:
                switches = each
        rate = switches[-1][1]
        for minute, each_rate in switches:
            if minute <= wall.hour * 60 + wall.minute:
                rate = each_rate
        return rate


class Account:
    """What one channel must have."""

    def __init__(self) -> None:
        self.seen_mj = 0
        self.total = 0
        self.unallocated = 0
        self.aged = 0
        self.rates: Counter[int] = Counter()
        self.slots: Counter[int] = Counter()

    def copy(self) -> Account:
        """Another one, the same."""
        other = Account()
        other.seen_mj, other.total = self.seen_mj, self.total
        other.unallocated, other.aged = self.unallocated, self.aged
        other.rates, other.slots = Counter(self.rates), Counter(self.slots)
        return other

    def complete(self, energy_mj: int) -> int:
        """The Wh that this energy completes."""
        before = self.seen_mj // MJ_PER_WH
        self.seen_mj += energy_mj
        done = self.seen_mj // MJ_PER_WH - before
        self.total += done
        return done

    def date(self, wh: int, at_s: int, rate: int) -> None:
        """These Wh belong to an instant of the meter's time."""
        self.rates[rate] += wh
        if wh:
            self.slots[at_s // SLOT_S * SLOT_S] += wh

    def leave_undated(self, wh: int, rate: int) -> None:
        """These Wh belong to no time."""
        self.rates[rate] += wh
        self.unallocated += wh

    def in_rows(self, spans: list[tuple[int, int]]) -> list[int]:
        """What each of these rows must hold; what was in no row of them has left."""
        starts_s = [start_s for start_s, _ in spans]
        held = [0] * len(spans)
        for at_s, wh in list(self.slots.items()):
            number = bisect_right(starts_s, at_s) - 1
            if number >= 0 and at_s < spans[number][1]:
                held[number] += wh
            else:
                self.aged += self.slots.pop(at_s)
        return held


def by_minutes(
    meter_us: MeterTime, flowed_mj: Callable[[int], int], start_us: int, end_us: int
) -> Iterator[tuple[int, int]]:
    """Divide what has flowed by a host's instant: (meter's second, energy), minute by minute.

    The time must be known all along, and not be set in between.
    """
    first_us, last_us = meter_us(start_us), meter_us(end_us - 1)
    assert first_us is not None
    assert last_us is not None
    at_s, reached_mj = first_us // 1_000_000, 0
    minute_s = at_s // 60 * 60 + 60
    while minute_s * 1_000_000 <= last_us:
        now_mj = flowed_mj(_first_host_us(meter_us, minute_s * 1_000_000, start_us))
        yield at_s, now_mj - reached_mj
        at_s, reached_mj, minute_s = minute_s, now_mj, minute_s + 60
    yield at_s, flowed_mj(end_us) - reached_mj


def _first_host_us(meter_us: MeterTime, wanted_us: int, from_us: int) -> int:
    """The first instant of the host's at which the meter's time is not before `wanted_us`."""

    def behind_us(host_us: int) -> int:
        read = meter_us(host_us)
        assert read is not None
        return wanted_us - read

    host_us = from_us + behind_us(from_us)
    while abs(step := behind_us(host_us)) > 1:
        host_us += step
    while behind_us(host_us) > 0:
        host_us += 1
    while host_us > from_us and behind_us(host_us - 1) <= 0:
        host_us -= 1
    return host_us


def greatest_w(power_w: int, period_s: int, ppm: int) -> Fraction:
    """The highest demand that a greatest power can make, by a clock that gains and is adjusted."""
    gain = Fraction(5, 1800) + Fraction(ppm, 1_000_000)
    return power_w * (1 + 2 * gain + Fraction(2, period_s)) + 1
