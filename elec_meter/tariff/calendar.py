"""Which rate is in force at an instant: pure functions of a calendar and UNIX seconds (UTC)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple, Self

from elec_meter.config import CalendarConfig
from elec_meter.config.base import TimeBase
from shared.timegrid import DAY_S, LONDON, from_unix_s, unix_s

FOR_EVER_S: Final = 1 << 62
"""Where a span ends that no switch ends."""

_MINUTE: Final = timedelta(minutes=1)


class Switch(NamedTuple):
    """From this minute of the day on, in the calendar's time base, `rate` is in force."""

    minute: int
    rate: int


class Span(NamedTuple):
    """The rate in force, and the UNIX second at which another one follows."""

    rate: int
    until_s: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """The same switches every day.

    Attributes:
        time_base: `utc`, or `local` for British local time.
        switches: in order of `minute`; without any, rate 1 is always in force.
    """

    time_base: TimeBase = "utc"
    switches: tuple[Switch, ...] = ()

    @classmethod
    def from_config(cls, config: CalendarConfig) -> Self:
        """The calendar that a configuration describes."""
        switches = sorted(Switch(switch.minute, switch.rate) for switch in config.switches)
        return cls(config.time_base, tuple(switches))


def rate_at(calendar: Calendar, at_s: int) -> int:
    """The rate, counted from 1, in force at a UNIX second."""
    return span_at(calendar, at_s).rate


def span_at(calendar: Calendar, at_s: int) -> Span:
    """The rate in force at a UNIX second, and until when.

    By local time, a switch in the hour that spring skips happens at the change, and one in the hour
    that autumn repeats happens once, at the first pass.
    """
    rates = {switch.rate for switch in calendar.switches}
    if len(rates) < 2:
        return Span(rates.pop() if rates else 1, FOR_EVER_S)
    # Of switches that a clock change throws at one instant, the last one counts.
    changes = list(dict(_changes_around(calendar, at_s)).items())
    now = bisect_right(changes, at_s, key=lambda change: change[0]) - 1
    rate = changes[now][1]
    until_s = next(change_s for change_s, next_rate in changes[now + 1 :] if next_rate != rate)
    return Span(rate, until_s)


def _changes_around(calendar: Calendar, at_s: int) -> Iterator[tuple[int, int]]:
    """The switches, as (UNIX second, rate) in order, from the day before to the second day after.

    That is enough for one before the instant and one of each rate after it, by either time base.
    """
    if calendar.time_base == "utc":
        today_s = at_s - at_s % DAY_S
        for day_s in range(today_s - DAY_S, today_s + 3 * DAY_S, DAY_S):
            for minute, rate in calendar.switches:
                yield day_s + minute * 60, rate
        return
    today = from_unix_s(at_s).date()
    for days in range(-1, 3):
        for minute, rate in calendar.switches:
            yield _local_minute_s(today + timedelta(days), minute), rate


def _local_minute_s(day: date, minute: int) -> int:
    """When the wall clock first shows this minute of a local day, or passes over it."""
    wall = datetime(day.year, day.month, day.day, tzinfo=LONDON) + minute * _MINUTE
    while wall.astimezone(UTC).astimezone(LONDON).replace(tzinfo=None) != wall.replace(tzinfo=None):
        wall += _MINUTE  # skipped: the change is where the next minute that exists begins
    return unix_s(wall.astimezone(UTC))
