"""A slow, obvious reference of tariff switching: somebody watching the clock on the wall.

Every minute of UTC they look at the clock and its calendar leaf, throw every switch whose time has
come today and that has not been thrown today, and write down the rate. Which switches a day has
they look up in a diary, which was filled in day by day beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from elec_meter.config import CalendarConfig, SwitchConfig

from .dates import ticked

Switches = Sequence[tuple[int, int]]
"""`(minute of the day, rate)` in order."""

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_WALLS: dict[str, tzinfo] = {"utc": UTC, "local": ZoneInfo("Europe/London")}


def watch(
    time_base: str, switches_of: Callable[[date], Switches], first: date, last: date
) -> Iterator[tuple[int, int]]:
    """Yield `(UNIX second, rate)` of every minute of some UTC days, the last one included.

    The watch begins a day early, to know the rate.
    """
    wall = _WALLS[time_base]
    instant = datetime(first.year, first.month, first.day, tzinfo=UTC) - _DAY
    rate, leaf, thrown = 1, None, 0
    switches: Switches = ()
    while instant.date() <= last:
        shown = instant.astimezone(wall)
        if shown.date() != leaf:
            leaf, thrown = shown.date(), 0
            switches = switches_of(leaf)
        minute = shown.hour * 60 + shown.minute
        while thrown < len(switches) and switches[thrown][0] <= minute:
            rate = switches[thrown][1]
            thrown += 1
        if instant.date() >= first:
            yield int(instant.timestamp()), rate
        instant += _MINUTE


def diary(config: CalendarConfig, first: date, last: date) -> dict[date, Switches]:
    """The switches of every day from some days before `first` to some after `last`.

    The first entry is two years early, to know the season.
    """
    day, end = date(first.year - 2, 1, 1), last + 3 * _DAY
    years = range(day.year - 1, end.year + 1)
    profiles = {each.name: _in_order(each.switches) for each in config.days}
    weeks = {each.name: each.days for each in config.weeks}
    beginnings = [(ticked(f"*-{each.start}", years), each.week) for each in config.seasons]
    exceptions = [(ticked(each.date, years), each.day) for each in config.special_days]
    week = next(iter(weeks), None)
    entries: dict[date, Switches] = {}
    while day <= end:
        for ticks, name in reversed(beginnings):
            if day in ticks:
                week = name
        if not profiles:
            entries[day] = _in_order(config.switches)
        elif week is None:
            entries[day] = next(iter(profiles.values()))
        else:
            entries[day] = profiles[weeks[week][day.weekday()]]
        for ticks, name in reversed(exceptions):
            if day in ticks:
                entries[day] = profiles[name]
        day += _DAY
    return entries


def clock_changes(first_year: int, last_year: int) -> list[date]:
    """The days on which the clock on a London wall is not set for 24 hours."""
    day, days = date(first_year, 1, 1), []
    london = _WALLS["local"]
    while day.year <= last_year:
        here = datetime(day.year, day.month, day.day, tzinfo=london).utcoffset()
        there = datetime(day.year, day.month, day.day, 23, tzinfo=london).utcoffset()
        if here != there:
            days.append(day)
        day += _DAY
    return days


def _in_order(switches: Sequence[SwitchConfig]) -> Switches:
    hours = sorted((each.at, each.rate) for each in switches)
    return [(int(at.split(":")[0]) * 60 + int(at.split(":")[1]), rate) for at, rate in hours]
