"""Which rate is in force at an instant: pure functions of a calendar and UNIX seconds (UTC)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple, Self

from elec_meter.config import CalendarConfig, DatePattern
from elec_meter.config.base import TimeBase
from shared.errors import TimegridError
from shared.timegrid import DAY_S, LONDON, from_unix_s, unix_s

FOR_EVER_S: Final = 1 << 62
"""Where a span ends that no switch ends."""

_LOOK_AHEAD_DAYS: Final = 7
_CACHED_DAYS: Final = 512
_CACHED_YEARS: Final = 64
_MINUTE: Final = timedelta(minutes=1)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_LAST_DAY: Final = date.max.toordinal() - 1  # the last midnight that has another one after it


class Switch(NamedTuple):
    """From this minute of the day on, in the calendar's time base, `rate` is in force."""

    minute: int
    rate: int


class Season(NamedTuple):
    """From the pattern's day of every year on, a week profile, counted from 0, is in force."""

    start: DatePattern
    week: int


class SpecialDay(NamedTuple):
    """Dates that have a day profile, counted from 0, of their own."""

    dates: DatePattern
    day: int


class Span(NamedTuple):
    """The rate in force, and the UNIX second up to which it surely is."""

    rate: int
    until_s: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """An activity calendar, resolved from names to numbers: a value to hand to `span_at`.

    Attributes:
        time_base: `utc`, or `local` for British local time.
        days: day profiles: switches in order of `minute`, the first one at 00:00.
        weeks: week profiles: seven numbers of day profiles from 0, Monday first.
        seasons: seasons; without any, the first week is always in force. Of two that begin on one
            day, the first in the list counts.
        special_days: exceptions, the first that matches counts.
        offset_s: the seconds by which every switch and every beginning of a day is late.
    """

    time_base: TimeBase = "utc"
    days: tuple[tuple[Switch, ...], ...] = ((Switch(0, 1),),)
    weeks: tuple[tuple[int, ...], ...] = ((0,) * 7,)
    seasons: tuple[Season, ...] = ()
    special_days: tuple[SpecialDay, ...] = ()
    offset_s: int = 0

    @classmethod
    def from_config(cls, config: CalendarConfig, offset_s: int = 0) -> Self:
        """The calendar that a configuration describes, its switches `offset_s` seconds late."""
        day_of = {day.name: number for number, day in enumerate(config.days)}
        week_of = {week.name: number for number, week in enumerate(config.weeks)}
        days = [
            tuple(sorted(Switch(switch.minute, switch.rate) for switch in day.switches))
            for day in config.days
        ]
        daily = sorted(Switch(switch.minute, switch.rate) for switch in config.switches)
        if daily and daily[0].minute:
            # The last switch of a day lasts into the next one, which is the same.
            daily.insert(0, Switch(0, daily[-1].rate))
        weeks = [tuple(day_of[name] for name in week.days) for week in config.weeks]
        return cls(
            config.time_base,
            tuple(days) or (tuple(daily) or (Switch(0, 1),),),
            tuple(weeks) or ((0,) * 7,),
            tuple(Season(season.pattern, week_of[season.week]) for season in config.seasons),
            tuple(SpecialDay(each.pattern, day_of[each.day]) for each in config.special_days),
            offset_s,
        )

    def __hash__(self) -> int:
        # Days are looked up often, and only a few calendars are in use at once.
        return hash((self.offset_s, len(self.special_days), self.days[0][-1]))


def rate_at(calendar: Calendar, at_s: int) -> int:
    """The rate, counted from 1, in force at a UNIX second.

    Raises:
        TimegridError: the calendar's years, 1 to 9999, have no such day.
    """
    begins_s, rates, _ = _rates_of_day(calendar, _day_at(calendar, at_s - calendar.offset_s))
    return rates[bisect_right(begins_s, at_s - calendar.offset_s) - 1]


def span_at(calendar: Calendar, at_s: int) -> Span:
    """The rate in force at a UNIX second, and until when.

    `until_s` is never later than the next change of rate. It is that change, if the rate changes
    today or within the next seven days; else it is the midnight that ends them. A calendar whose
    day profiles in use all have one rate gives `FOR_EVER_S`.

    The date, by the calendar's time base, decides on the day profile: a special day, else the day
    of the season's week (IEC 62056-6-2, activity calendar and special days table). By local time, a
    switch in the hour that spring skips happens at the change, and one in the hour that autumn
    repeats happens once, at the first pass.

    Raises:
        TimegridError: the calendar's years, 1 to 9999, have no such day.
    """
    only_rate = _only_rate(calendar)
    if only_rate is not None:
        return Span(only_rate, FOR_EVER_S)
    offset_s = calendar.offset_s
    day = _day_at(calendar, at_s - offset_s)
    begins_s, rates, end_s = _rates_of_day(calendar, day)
    now = bisect_right(begins_s, at_s - offset_s) - 1
    rate = rates[now]
    if now + 1 < len(rates):
        return Span(rate, begins_s[now + 1] + offset_s)
    for later_day in range(day + 1, min(day + _LOOK_AHEAD_DAYS, _LAST_DAY) + 1):
        begins_s, rates, end_s = _rates_of_day(calendar, later_day)
        if rates[0] != rate:
            return Span(rate, begins_s[0] + offset_s)
        if len(rates) > 1:
            return Span(rate, begins_s[1] + offset_s)
    return Span(rate, end_s + offset_s)


class _DayRates(NamedTuple):
    """The rates of one day: where each begins, in UNIX seconds without the offset."""

    begins_s: tuple[int, ...]
    rates: tuple[int, ...]
    end_s: int


def _day_at(calendar: Calendar, at_s: int) -> int:
    """The day, counted from 1 January of the year 1, to which a UNIX second belongs."""
    if calendar.time_base == "utc":
        day = at_s // DAY_S + _EPOCH_DAY
    else:
        day = from_unix_s(at_s).astimezone(LONDON).toordinal()
    if not 1 < day <= _LAST_DAY:
        raise TimegridError(f"{at_s} is beyond the calendar's years 1 to 9999")
    return day


@lru_cache(maxsize=_CACHED_DAYS)
def _rates_of_day(calendar: Calendar, day: int) -> _DayRates:
    today = date.fromordinal(day)
    switches = calendar.days[_day_profile(calendar, today)]
    start_s, end_s = _midnight_s(calendar, today), _midnight_s(calendar, today + timedelta(1))
    if end_s - start_s == DAY_S:
        changes = {start_s + minute * 60: rate for minute, rate in switches}
    else:
        # Of switches that a clock change throws at one instant, the last one counts.
        changes = {_local_minute_s(today, minute): rate for minute, rate in switches}
    begins_s: list[int] = []
    rates: list[int] = []
    for change_s, rate in changes.items():
        if not rates or rate != rates[-1]:
            begins_s.append(change_s)
            rates.append(rate)
    return _DayRates(tuple(begins_s), tuple(rates), end_s)


def _day_profile(calendar: Calendar, today: date) -> int:
    for dates, profile in calendar.special_days:
        if dates.matches(today):
            return profile
    week = 0
    if calendar.seasons:
        beginnings, weeks = _beginnings(calendar, today.year)
        week = weeks[bisect_right(beginnings, today) - 1]
    return calendar.weeks[week][today.weekday()]


@lru_cache(maxsize=_CACHED_YEARS)
def _beginnings(calendar: Calendar, year: int) -> tuple[tuple[date, ...], tuple[int, ...]]:
    """The days, in order, on which seasons begin that matter in a year, and their weeks.

    The season in which the year begins began in the year before; a beginning such as the first
    Monday on or after 31 December may fall into the year after its own, hence one more.
    (Before the first beginning of the year 1, the season is that which begins last.)
    """
    dated = sorted(
        (beginning, -place, season.week)
        for place, season in enumerate(calendar.seasons)
        for each_year in range(year - 2, year + 1)
        if (beginning := season.start.day_in(each_year)) is not None
    )
    return tuple(each[0] for each in dated), tuple(each[2] for each in dated)


@lru_cache(maxsize=_CACHED_YEARS)
def _only_rate(calendar: Calendar) -> int | None:
    """The rate of a calendar that never changes it."""
    weeks = [calendar.weeks[season.week] for season in calendar.seasons] or calendar.weeks[:1]
    used = {day for week in weeks for day in week}
    used.update(special.day for special in calendar.special_days)
    rates = {switch.rate for day in used for switch in calendar.days[day]}
    return rates.pop() if len(rates) == 1 else None


def _midnight_s(calendar: Calendar, day: date) -> int:
    if calendar.time_base == "utc":
        return (day.toordinal() - _EPOCH_DAY) * DAY_S
    return _local_minute_s(day, 0)


def _local_minute_s(day: date, minute: int) -> int:
    """When the wall clock first shows this minute of a local day, or passes over it."""
    wall = datetime(day.year, day.month, day.day, tzinfo=LONDON) + minute * _MINUTE
    while wall.astimezone(UTC).astimezone(LONDON).replace(tzinfo=None) != wall.replace(tzinfo=None):
        wall += _MINUTE  # skipped: the change is where the next minute that exists begins
    return unix_s(wall.astimezone(UTC))
