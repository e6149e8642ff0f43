"""A slow, obvious reference of tariff switching: somebody watching the clock on the wall.

Every minute of UTC they look at the clock and its calendar leaf, throw every switch whose time has
come today and that has not been thrown today, and write down the rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

_MINUTE = timedelta(minutes=1)
_WALLS: dict[str, tzinfo] = {"utc": UTC, "local": ZoneInfo("Europe/London")}


def watch(
    time_base: str, switches: Sequence[tuple[int, int]], first: date, last: date
) -> Iterator[tuple[int, int]]:
    """Yield `(UNIX second, rate)` of every minute of some UTC days, the last one included.

    `switches` are `(minute of the day, rate)` in order. The watch begins two days early, to know
    the rate.
    """
    wall = _WALLS[time_base]
    instant = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=2)
    rate, leaf, thrown = 1, None, 0
    while instant.date() <= last:
        shown = instant.astimezone(wall)
        if shown.date() != leaf:
            leaf, thrown = shown.date(), 0
        minute = shown.hour * 60 + shown.minute
        while thrown < len(switches) and switches[thrown][0] <= minute:
            rate = switches[thrown][1]
            thrown += 1
        if instant.date() >= first:
            yield int(instant.timestamp()), rate
        instant += _MINUTE


def clock_changes(first_year: int, last_year: int) -> list[date]:
    """The days on which the clock on a London wall is not set for 24 hours."""
    day, days = date(first_year, 1, 1), []
    london = _WALLS["local"]
    while day.year <= last_year:
        here = datetime(day.year, day.month, day.day, tzinfo=london).utcoffset()
        there = datetime(day.year, day.month, day.day, 23, tzinfo=london).utcoffset()
        if here != there:
            days.append(day)
        day += timedelta(days=1)
    return days
