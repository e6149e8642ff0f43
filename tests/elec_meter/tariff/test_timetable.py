"""A calendar in COSEM's parts: there and back, and what no calendar can be made of."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from elec_meter.config import (
    ECONOMY_7_UTC,
    CalendarConfig,
    DatePattern,
    MeterConfig,
    SpecialDayConfig,
    TariffConfig,
    config_from_json,
    config_to_json,
)
from elec_meter.errors import ConfigError
from elec_meter.tariff import (
    PART_CHECKS,
    Calendar,
    DayRates,
    SeasonProfile,
    SpecialDayEntry,
    Switch,
    Timetable,
    WeekProfile,
    calendar_with,
    calendar_with_special_days,
    special_days_of,
    timetable_of,
)
from tests.elec_meter.config.tariff_strategies import EXAMPLES, calendars

NEW_YEAR = DatePattern(None, 1, 1)
WORK, REST = 5, 200
NIGHT = (Switch(0, 2), Switch(430, 1))
TWO_DAYS = Timetable(
    "Winter 26",
    (
        SeasonProfile("S1", NEW_YEAR, "\x01"),
        SeasonProfile("S2", DatePattern(None, 10, 0, 6), "W2"),
    ),
    (WeekProfile("\x01", *(WORK,) * 5, REST, REST), WeekProfile("W2", *(REST,) * 7)),
    (DayRates(WORK, NIGHT), DayRates(REST, (Switch(0, 2),))),
)


def meter_of(calendar: CalendarConfig) -> MeterConfig:
    """A document with it, as its schema sees it."""
    return config_from_json(config_to_json(MeterConfig(tariff=TariffConfig(import_=calendar))))


@settings(max_examples=2 * EXAMPLES)
@given(calendars())
def test_a_calendar_is_itself_by_its_parts(config: CalendarConfig) -> None:
    """On a calendar that is the same, and on one that has nothing but rates, blocks and prices."""
    timetable, special = timetable_of(config), special_days_of(config)
    assert config == calendar_with(config, timetable)
    assert config == calendar_with_special_days(config, special)
    bare = replace(config, switches=(), days=(), weeks=(), seasons=(), special_days=(), label=None)
    written = calendar_with_special_days(calendar_with(bare, timetable), special)
    assert (timetable, special) == (timetable_of(written), special_days_of(written))
    resolved, wanted = Calendar.from_config(written), Calendar.from_config(config)
    assert (wanted.days, wanted.weeks) == (resolved.days, resolved.weeks)
    assert wanted.special_days == resolved.special_days
    assert wanted.seasons in (resolved.seasons, ())
    assert written == meter_of(written).tariff.import_
    everything = (config.time_base, config.rates, config.blocks, config.prices, config.label)
    same = (written.time_base, written.rates, written.blocks, written.prices, written.label)
    assert everything == same


def test_names_of_head_ends_are_kept() -> None:
    """Whatever they call seasons and weeks is read again; the document has names of its own."""
    written = calendar_with(ECONOMY_7_UTC, TWO_DAYS)
    assert TWO_DAYS == timetable_of(written)
    assert ["day_5", "day_200"] == [day.name for day in written.days]
    assert [("week_1", "\x01"), ("week_2", "W2")] == [(w.name, w.label) for w in written.weeks]
    assert written == meter_of(written).tariff.import_


def test_a_day_profile_keeps_the_name_of_its_number() -> None:
    """Also with other switches; its special days stay."""
    named = calendar_with(ECONOMY_7_UTC, TWO_DAYS)
    named = replace(
        named,
        days=tuple(map(lambda day, name: replace(day, name=name), named.days, ("work", "rest"))),
        weeks=tuple(
            replace(week, days=tuple("work" if d == "day_5" else "rest" for d in week.days))
            for week in named.weeks
        ),
        special_days=(SpecialDayConfig(date="*-12-25", day="rest"),),
    )
    other = TWO_DAYS._replace(days=(*TWO_DAYS.days[::-1], DayRates(7, NIGHT)))
    written = calendar_with(named, other)
    assert ["rest", "work", "day_7"] == [day.name for day in written.days]
    assert (SpecialDayEntry(1, DatePattern(None, 12, 25), REST),) == special_days_of(written)


@pytest.mark.parametrize(
    ("timetable", "sentence"),
    [
        (Timetable(), "the calendar has no seasons and no week profiles and no day profiles yet"),
        (TWO_DAYS._replace(seasons=()), "the calendar has no seasons yet"),
        (
            TWO_DAYS._replace(days=TWO_DAYS.days[:1]),
            r"the week '\\x01' names the day profile 200, and there is none",
        ),
        (
            TWO_DAYS._replace(weeks=TWO_DAYS.weeks[:1]),
            "the season 'S2' names the week profile 'W2', and there is none",
        ),
        (
            TWO_DAYS._replace(days=TWO_DAYS.days * 2),
            "the number of a day profile 5 occurs twice",
        ),
        (
            TWO_DAYS._replace(weeks=TWO_DAYS.weeks[1:] * 2, seasons=TWO_DAYS.seasons[1:]),
            "the label of a week profile W2 occurs twice",
        ),
        (
            TWO_DAYS._replace(days=(DayRates(WORK, (Switch(0, 3),)), TWO_DAYS.days[1])),
            "the switch at 00:00 asks for rate 3, and there are 2",
        ),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(timetable: Timetable, sentence: str) -> None:
    """In one sentence that names the one that is amiss."""
    with pytest.raises(ConfigError, match=sentence):
        calendar_with(ECONOMY_7_UTC, timetable)


def test_a_special_day_keeps_its_day_profile() -> None:
    """Another calendar without a profile of its number is refused."""
    base = calendar_with_special_days(
        ECONOMY_7_UTC, [SpecialDayEntry(9, DatePattern(None, 12, 25), 1)]
    )
    assert (SpecialDayEntry(9, DatePattern(None, 12, 25), 1),) == special_days_of(base)
    with pytest.raises(ConfigError, match=r"the special day \*-12-25 names the day profile 1"):
        calendar_with(base, TWO_DAYS)
    with pytest.raises(ConfigError, match=r"the special day \*-12-25 names the day profile 2"):
        calendar_with_special_days(base, [SpecialDayEntry(9, DatePattern(None, 12, 25), 2)])


@pytest.mark.parametrize(
    ("field", "part", "sentence"),
    [
        ("seasons", [SeasonProfile("1", DatePattern(2026, 4, 1), "w")], "begins in 2026 alone"),
        ("seasons", [SeasonProfile("1", DatePattern(None, None, 1), "w")], "no beginning"),
        ("seasons", [SeasonProfile("x" * 33, NEW_YEAR, "w")], "at most 32 characters"),
        (
            "seasons",
            [SeasonProfile("1", DatePattern(None, 4, day), "w") for day in range(1, 14)],
            "the seasons: expected a list of at most 12 elements",
        ),
        ("weeks", [WeekProfile("w", *(1,) * 7)] * 17, "a list of at most 16 elements"),
        ("days", [DayRates(1, (Switch(1, 1),))], "the day profile day_1 has no rate from 00:00"),
        ("days", [DayRates(n, NIGHT) for n in range(17)], "a list of at most 16 elements"),
        (
            "days",
            [DayRates(1, tuple(Switch(minute, 1) for minute in range(49)))],
            r"\[0\].switches: expected a list of at most 48 elements",
        ),
        ("days", [DayRates(1, (*NIGHT, Switch(0, 1)))], "the switch time 00:00 occurs twice"),
    ],
)
def test_a_part_that_no_calendar_has_is_refused(field: str, part: object, sentence: str) -> None:
    """By itself, whatever the other parts will be."""
    with pytest.raises(ConfigError, match=sentence):
        PART_CHECKS[field](part)
