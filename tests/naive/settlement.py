"""A slow, obvious reference of British settlement names: a walk along the local clock.

It steps through UTC minute by minute, asks `zoneinfo` what a clock on a London wall shows, and
counts. No arithmetic on offsets, no knowledge of when clocks change.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_LONDON = ZoneInfo("Europe/London")
_MINUTE = timedelta(minutes=1)


def walk_minutes(first: date, last: date) -> Iterator[tuple[datetime, date, int]]:
    """Yield `(instant in UTC, settlement date, settlement period)` of every minute of some days.

    A settlement day begins when the wall clock's date changes; a period begins with it and with
    every thirtieth minute after, whatever the clock shows by then.
    """
    instant = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(hours=3)
    day = None
    minutes_of_day = 0
    while True:
        wall_date = instant.astimezone(_LONDON).date()
        if wall_date == day:
            minutes_of_day += 1
        else:
            day, minutes_of_day = wall_date, 0
        if wall_date > last:
            return
        if wall_date >= first:
            yield instant, wall_date, minutes_of_day // 30 + 1
        instant += _MINUTE


def settlement_day(day: date) -> list[tuple[datetime, int]]:
    """The starts in UTC of one day's settlement periods, with their numbers."""
    starts: list[tuple[datetime, int]] = []
    for instant, _, period in walk_minutes(day, day):
        if not starts or starts[-1][1] != period:
            starts.append((instant, period))
    return starts


def gas_day(instant: datetime) -> date:
    """The gas day of an instant: walk back to the last minute at which one began."""
    minute = instant.astimezone(UTC).replace(second=0, microsecond=0)
    while True:
        wall = minute.astimezone(_LONDON)
        hour = 6 if wall.date() <= date(2015, 9, 30) else 5
        if (wall.hour, wall.minute) == (hour, 0):
            return wall.date()
        minute -= _MINUTE
