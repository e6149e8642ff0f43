"""A calendar in the parts that COSEM has of it: seasons, weeks and days with names and numbers.

Pure functions between these and the configuration (IEC 62056-6-2, 4.5.4 and 4.5.5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, count
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from elec_meter.config import CalendarConfig, DatePattern
from elec_meter.config.base import NAME
from elec_meter.config.sentences import refusing
from elec_meter.config.tariff import (
    DayConfig,
    Days,
    SeasonConfig,
    Seasons,
    SpecialDayConfig,
    SpecialDays,
    SwitchConfig,
    WeekConfig,
    Weeks,
    numbers_of,
)
from elec_meter.errors import ConfigError

from .calendar import Calendar, Switch

_ALWAYS: Final = DatePattern(None, 1, 1)
_EVERY_WEEK: Final = "all"
_ANY_NAME: Final = "any"
_NAME_FORM: Final = re.compile(NAME)


class SeasonProfile(NamedTuple):
    """From its start of every year on a week is in force."""

    name: str
    start: DatePattern
    week: str


class WeekProfile(NamedTuple):
    """The numbers of the day profiles of a week."""

    name: str
    monday: int
    tuesday: int
    wednesday: int
    thursday: int
    friday: int
    saturday: int
    sunday: int


class DayRates(NamedTuple):
    """A day profile by its number: its switches, by the minute, in order."""

    number: int
    switches: tuple[Switch, ...]


class SpecialDayEntry(NamedTuple):
    """Dates with a day profile of their own; of several that match, the first one counts."""

    number: int
    dates: DatePattern
    day: int


class Timetable(NamedTuple):
    """A calendar, perhaps one of which parts are still to be written.

    Attributes:
        name: what it is called; None where nobody has said it.
        seasons: in order.
        weeks: those that seasons name.
        days: those that weeks and special days name.
    """

    name: str | None = None
    seasons: tuple[SeasonProfile, ...] = ()
    weeks: tuple[WeekProfile, ...] = ()
    days: tuple[DayRates, ...] = ()


def timetable_of(config: CalendarConfig) -> Timetable:
    """The parts of a calendar; what its configuration may leave out is there, too."""
    calendar = Calendar.from_config(config)
    weeks = [week.called for week in config.weeks] or [_EVERY_WEEK]
    seasons = [
        SeasonProfile(
            str(place) if given.label is None else given.label, season.start, weeks[season.week]
        )
        for place, (given, season) in enumerate(
            zip(config.seasons, calendar.seasons, strict=True), start=1
        )
    ]
    numbers = numbers_of(config.days) or [1]
    return Timetable(
        config.label,
        tuple(seasons) or (SeasonProfile("1", _ALWAYS, weeks[0]),),
        tuple(
            WeekProfile(week, *(numbers[day] for day in days))
            for week, days in zip(weeks, calendar.weeks, strict=True)
        ),
        tuple(DayRates(*each) for each in zip(numbers, calendar.days, strict=True)),
    )


def special_days_of(config: CalendarConfig) -> tuple[SpecialDayEntry, ...]:
    """The exceptions of a calendar, by the numbers of its day profiles."""
    numbers = _numbers_by_name(config)
    return tuple(
        SpecialDayEntry(number, each.pattern, numbers[each.day])
        for number, each in zip(numbers_of(config.special_days), config.special_days, strict=True)
    )


def calendar_with(base: CalendarConfig, timetable: Timetable) -> CalendarConfig:
    """A calendar with other seasons, weeks and days, and everything else of another one.

    What is as it was keeps its form, and day profiles keep the names that their numbers have.

    Args:
        base: where time base, rates, special days, blocks and prices are from.
        timetable: its parts.

    Raises:
        ConfigError: a part is missing, or the parts do not fit together.
    """
    _refuse_missing(timetable)
    if timetable[1:] == timetable_of(base)[1:]:
        return replace(base, label=timetable.name)
    days = _day_configs(base, timetable.days)
    day_names = {day.number: config.name for day, config in zip(timetable.days, days, strict=True)}
    weeks = tuple(_week_configs(timetable.weeks, day_names))
    week_names = {week.called: week.name for week in weeks}
    specials = special_days_of(base)
    with _whole():
        return replace(
            base,
            switches=(),
            days=days,
            weeks=weeks,
            seasons=tuple(_season_configs(timetable.seasons, week_names)),
            special_days=tuple(_special_configs(specials, day_names)),
            label=timetable.name,
        )


def calendar_with_special_days(
    base: CalendarConfig, entries: Sequence[SpecialDayEntry]
) -> CalendarConfig:
    """A calendar with other special days.

    Raises:
        ConfigError: an entry names a day profile that is not there, or two are one.
    """
    entries = tuple(entries)
    if entries == special_days_of(base):
        return base
    timetable = timetable_of(base)
    days = base.days or _day_configs(base, timetable.days)
    names = {number: day.name for number, day in zip(numbers_of(days), days, strict=True)}
    specials = tuple(_special_configs(entries, names))
    _convert("the special days", [_plain(each) for each in specials], SpecialDays)
    with _whole():
        return replace(base, switches=(), days=days, special_days=specials)


def check_seasons(seasons: Sequence[SeasonProfile]) -> None:
    """Refuse seasons that no calendar can have.

    Raises:
        ConfigError: the sentence says which and why.
    """
    given = [
        {"start": _start_text(each), "week": _ANY_NAME, "label": each.name} for each in seasons
    ]
    _convert("the seasons", given, Seasons)


def check_weeks(weeks: Sequence[WeekProfile]) -> None:
    """As `check_seasons`, for weeks."""
    given = [{"name": _ANY_NAME, "days": [_ANY_NAME] * 7, "label": each.name} for each in weeks]
    _convert("the week profiles", given, Weeks)


def check_days(days: Sequence[DayRates]) -> None:
    """As `check_seasons`, for days."""
    given = [
        {"name": f"day_{number}", "switches": _switches(switches), "number": number}
        for number, switches in days
    ]
    _convert("the day profiles", given, Days)


def _refuse_missing(timetable: Timetable) -> None:
    parts = {
        "seasons": timetable.seasons,
        "week profiles": timetable.weeks,
        "day profiles": timetable.days,
    }
    missing = [name for name, part in parts.items() if not part]
    if missing:
        raise ConfigError(f"the calendar has no {' and no '.join(missing)} yet")


def _day_configs(base: CalendarConfig, days: Iterable[DayRates]) -> tuple[DayConfig, ...]:
    """Day profiles that keep the names, and where nothing changed the form, of those before."""
    before = dict(zip(numbers_of(base.days), base.days, strict=True))
    same = {day.number: day for day in timetable_of(base).days}
    days = tuple(days)
    taken = {before[day.number].name for day in days if day.number in before}
    found = []
    for place, day in enumerate(days, start=1):
        number = None if day.number == place else day.number
        old = before.get(day.number)
        if old is not None and same[day.number] == day:
            found.append(replace(old, number=number))
            continue
        name = _free(f"day_{day.number}", taken) if old is None else old.name
        taken.add(name)
        with _whole():
            switches = tuple(SwitchConfig(**each) for each in _switches(day.switches))
            found.append(DayConfig(name=name, switches=switches, number=number))
    return tuple(found)


def _week_configs(
    weeks: Iterable[WeekProfile], day_names: Mapping[int, str]
) -> Iterator[WeekConfig]:
    taken: set[str] = set()
    for place, (called, *days) in enumerate(weeks, start=1):
        is_name = _NAME_FORM.match(called) is not None and called not in taken
        name = called if is_name else _free(f"week_{place}", taken)
        taken.add(name)
        named = tuple(_found(day_names, day, f"the week {called!r}", "day profile") for day in days)
        yield WeekConfig(name=name, days=named, label=None if name == called else called)


def _season_configs(
    seasons: Iterable[SeasonProfile], week_names: Mapping[str, str]
) -> Iterator[SeasonConfig]:
    for place, season in enumerate(seasons, start=1):
        week = _found(week_names, season.week, f"the season {season.name!r}", "week profile")
        label = None if season.name == str(place) else season.name
        yield SeasonConfig(start=_start_text(season), week=week, label=label)


def _special_configs(
    entries: Iterable[SpecialDayEntry], day_names: Mapping[int, str]
) -> Iterator[SpecialDayConfig]:
    for place, (number, dates, day) in enumerate(entries, start=1):
        name = _found(day_names, day, f"the special day {dates}", "day profile")
        with _whole():
            config = SpecialDayConfig(
                date=str(dates), day=name, number=None if number == place else number
            )
        yield config


def _found(names: Mapping[Any, str], called: object, owner: str, what: str) -> str:
    if called not in names:
        raise ConfigError(f"{owner} names the {what} {called!r}, and there is none")
    return names[called]


def _free(name: str, taken: set[str]) -> str:
    return next(
        each for each in chain([name], (f"{name}_{n}" for n in count(2))) if each not in taken
    )


def _switches(switches: Iterable[Switch]) -> list[dict[str, Any]]:
    return [
        {"at": f"{minute // 60:02d}:{minute % 60:02d}", "rate": rate} for minute, rate in switches
    ]


def _start_text(season: SeasonProfile) -> str:
    """A season's beginning as the configuration has it: without a year."""
    if season.start.year is not None:
        raise ConfigError(
            f"the season {season.name!r} begins in {season.start.year} alone,"
            " and seasons begin in every year"
        )
    return str(season.start).removeprefix("*-")


def _numbers_by_name(config: CalendarConfig) -> dict[str, int]:
    return {
        day.name: number for number, day in zip(numbers_of(config.days), config.days, strict=True)
    }


def _plain(value: object) -> Any:
    return msgspec.to_builtins(value)


def _convert(source: str, value: Any, kind: Any) -> None:
    """Have the schema look at a part."""
    with refusing(source, "JSON", ConfigError):
        msgspec.convert(value, kind)


@contextmanager
def _whole() -> Iterator[None]:
    """Make a part of the configuration in here: what it is refused for is one sentence."""
    try:
        yield
    except ValueError as error:
        raise ConfigError(str(error)) from None


PART_CHECKS: Final[Mapping[str, Callable[[Any], None]]] = {
    "seasons": check_seasons,
    "weeks": check_weeks,
    "days": check_days,
}
"""What refuses a part of a timetable by itself, by the name of its field."""
