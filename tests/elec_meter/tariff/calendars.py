"""Calendars to test with, and what it means that one agrees with the watcher at the wall."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec
from hypothesis import strategies as st

from elec_meter.config import (
    CalendarConfig,
    DayConfig,
    SeasonConfig,
    SpecialDayConfig,
    SwitchConfig,
    TimeBase,
    WeekConfig,
)
from elec_meter.tariff import Calendar, Span, span_at
from shared.timegrid import DAY_S
from tests.naive.rates import clock_changes, diary, watch

CLOCK_CHANGES: Final = clock_changes(2000, 2037)
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def at_s(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """UNIX seconds of a UTC time."""
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


def switches(*pairs: tuple[str, int]) -> tuple[SwitchConfig, ...]:
    """Switches from times of day and rates."""
    return tuple(SwitchConfig(at=at, rate=rate) for at, rate in pairs)


def daily(time_base: TimeBase, *pairs: tuple[str, int]) -> CalendarConfig:
    """The same switches every day."""
    return CalendarConfig(time_base=time_base, rates=48, switches=switches(*pairs))


def in_time_base(config: CalendarConfig, time_base: TimeBase) -> CalendarConfig:
    """The same calendar by another clock."""
    return msgspec.structs.replace(config, time_base=time_base)


EARLY_HOURS: Final = daily(
    "local", ("00:30", 2), ("01:30", 3), ("01:59", 4), ("02:00", 2), ("23:59", 1)
)
"""Switches in the hour that spring skips and autumn repeats, and around it."""

FULL: Final = CalendarConfig(
    time_base="local",
    rates=6,
    days=(
        DayConfig(
            name="work", switches=switches(("00:00", 1), ("01:10", 2), ("01:50", 1), ("16:00", 3))
        ),
        DayConfig(
            name="rest", switches=switches(("00:00", 4), ("00:59", 5), ("01:00", 4), ("02:00", 5))
        ),
        DayConfig(name="feast", switches=switches(("00:00", 6), ("01:30", 1), ("01:31", 6))),
        DayConfig(name="quiet", switches=switches(("00:00", 6))),
    ),
    weeks=(
        WeekConfig(name="winter", days=("work",) * 5 + ("rest",) * 2),
        WeekConfig(name="summer", days=("rest", "work", "quiet", "work", "quiet", "feast", "work")),
        WeekConfig(name="still", days=("quiet",) * 7),
    ),
    seasons=(
        SeasonConfig(start="03-L Sun", week="summer"),
        SeasonConfig(start="10-L Sun", week="winter"),
        SeasonConfig(start="08-01", week="still"),
        SeasonConfig(start="12-31 Mon", week="still"),
        SeasonConfig(start="01-15", week="winter"),
    ),
    special_days=(
        SpecialDayConfig(date="2020-10-L Sun", day="feast"),
        SpecialDayConfig(date="*-03-28", day="feast"),
        SpecialDayConfig(date="*-03-L-1", day="quiet"),
        SpecialDayConfig(date="2021-*-L-1 Sun", day="rest"),
        SpecialDayConfig(date="*-*-29 Sun", day="work"),
    ),
)
"""Seasons that begin when the clocks change or at the turn of the year, and exceptions on top."""


def agree(config: CalendarConfig, ranges: Iterable[tuple[date, date]], offset_s: int = 0) -> None:
    """Demand the watcher's rate at every minute of some days.

    A span has to end where the rate changes, or not before seven days have passed.
    """
    ranges = list(ranges)
    calendar = Calendar.from_config(config, offset_s)
    entries = diary(config, ranges[0][0], ranges[-1][1])
    for first, last in ranges:
        span, asked_s = Span(0, 0), 0
        for instant_s, rate in watch(config.time_base, entries.__getitem__, first, last):
            late_s = instant_s + offset_s
            if late_s >= span.until_s:
                assert rate != span.rate or late_s - asked_s >= 7 * DAY_S, f"ended early: {late_s}"
                span, asked_s = span_at(calendar, late_s), late_s
            assert rate == span.rate, f"at {late_s}"


@st.composite
def day_switches(draw: st.DrawFn, *, from_midnight: bool) -> tuple[SwitchConfig, ...]:
    """Any switches, with a liking for the hours that the clock changes skip and repeat."""
    minutes = draw(
        st.lists(
            st.one_of(st.integers(0, 180), st.integers(0, 1439)),
            min_size=1,
            max_size=6,
            unique=True,
        )
    )
    if from_midnight and 0 not in minutes:
        minutes.append(0)
    rates = draw(st.lists(st.integers(1, 4), min_size=len(minutes), max_size=len(minutes)))
    times = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in minutes]
    return switches(*zip(times, rates, strict=True))


time_bases = st.sampled_from(["utc", "local"])
daily_calendars = st.builds(
    CalendarConfig,
    time_base=time_bases,
    rates=st.just(4),
    switches=day_switches(from_midnight=False),
)


@st.composite
def full_calendars(draw: st.DrawFn) -> CalendarConfig:
    """Any day profiles, weeks, seasons and special days."""
    day_names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    week_names = ["k", "l", "m"][: draw(st.integers(1, 3))]
    in_a_year = st.tuples(
        st.integers(1, 12),
        st.sampled_from(["01", "15", "28", "L", "L-1"]),
        st.sampled_from((*WEEKDAYS, "")),
    ).map(lambda parts: f"{parts[0]:02d}-{parts[1]} {parts[2]}".strip())
    starts = draw(st.lists(in_a_year, unique=True, min_size=len(week_names) > 1, max_size=5))
    dates = draw(
        st.lists(st.one_of(in_a_year.map("*-{}".format), any_dates()), unique=True, max_size=6)
    )
    return CalendarConfig(
        time_base=draw(time_bases),
        rates=4,
        days=tuple(
            DayConfig(name=name, switches=draw(day_switches(from_midnight=True)))
            for name in day_names
        ),
        weeks=tuple(
            WeekConfig(name=name, days=tuple(draw(st.sampled_from(day_names)) for _ in range(7)))
            for name in week_names
        ),
        seasons=tuple(
            SeasonConfig(start=start, week=draw(st.sampled_from(week_names))) for start in starts
        ),
        special_days=tuple(
            SpecialDayConfig(date=each, day=draw(st.sampled_from(day_names))) for each in dates
        ),
    )


def any_dates() -> st.SearchStrategy[str]:
    """Dates with a wildcard for the month, so that they matter often."""
    day = st.one_of(st.sampled_from(["*", "L", "L-1"]), st.integers(1, 31).map("{:02d}".format))
    year = st.one_of(st.just("*"), st.integers(2000, 2037).map(str))
    weekday = st.sampled_from(WEEKDAYS)
    return st.builds("{}-*-{} {}".format, year, day, weekday)


def around(day: date, days: int) -> list[tuple[date, date]]:
    """The days from some before to some after."""
    return [(day - timedelta(days), day + timedelta(days))]
