"""Calendars, special days, register activation and single actions: the configuration, as COSEM."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from elec_meter.config import (
    BillingConfig,
    CalendarConfig,
    DatePattern,
    DayConfig,
    MeterConfig,
    PassiveTariff,
    RelayConfig,
    SeasonConfig,
    SpecialDayConfig,
    SwitchConfig,
    TariffConfig,
    TerminalConfig,
    WeekConfig,
)
from elec_meter.config.presets import ECONOMY_7_UTC
from elec_meter.objects import ActivityCalendar, SpecialDaysTable
from elec_meter.tariff import Calendar, rate_at
from shared.timegrid import unix_s
from tests.elec_meter.objects.fixed_meter import START, FixedMeter

HOUR = timedelta(hours=1)
HOLIDAY = CalendarConfig(
    rates=3,
    days=(
        DayConfig(
            name="work",
            switches=(
                SwitchConfig(at="16:00", rate=3),
                SwitchConfig(at="00:00", rate=1),
                SwitchConfig(at="20:00", rate=1),
            ),
        ),
        DayConfig(name="free", switches=(SwitchConfig(at="00:00", rate=2),)),
    ),
    weeks=(
        WeekConfig(name="winter", days=("work",) * 5 + ("free",) * 2),
        WeekConfig(name="summer", days=("free",) * 7),
    ),
    seasons=(
        SeasonConfig(start="04-01", week="summer"),
        SeasonConfig(start="10-L Sun", week="winter"),
    ),
    special_days=(
        SpecialDayConfig(date="*-12-25", day="free"),
        SpecialDayConfig(date="2012-10-29", day="free"),
    ),
)


def meter_with(calendar: CalendarConfig, **fields: object) -> FixedMeter:
    """A meter whose import follows a calendar."""
    return FixedMeter(config=MeterConfig(tariff=TariffConfig(import_=calendar), **fields))


def rate_by(calendar: ActivityCalendar, special: SpecialDaysTable, at: datetime) -> int:
    """The rate at an instant of UTC, as somebody works it out who reads the objects alone."""
    seasons: Any = calendar[3]
    weeks: Any = {week.name: week[1:] for week in calendar[4]}  # type: ignore[attr-defined]  # a list
    days: Any = {day.id: day.actions for day in calendar[5]}  # type: ignore[attr-defined]  # a list
    begun = max(
        (day, season.week)
        for season in seasons
        for year in (at.year - 1, at.year)
        if (day := day_of(season.start, year)) <= at.date()
    )
    number = weeks[begun[1]][at.weekday()]
    for entry in reversed(special[2]):  # type: ignore[call-overload]  # a list
        if entry.dates.matches(at.date()):
            number = entry.day
    passed = [each for each in days[number] if each.start <= at.time()]
    return int(passed[-1].selector)


def day_of(pattern: DatePattern, year: int) -> date:
    """The one day of a year that a pattern matches."""
    first = date(year, 1, 1)
    return next(day for n in range(366) if pattern.matches(day := first + timedelta(days=n)))


@pytest.mark.parametrize("config", [HOLIDAY, ECONOMY_7_UTC, CalendarConfig()], ids=range(3))
def test_who_reads_the_objects_knows_the_rate(config: CalendarConfig) -> None:
    """Seasons, weeks, days and exceptions say at every hour what the tariff does."""
    directory = meter_with(config).directory
    calendar, special = directory["0-0:13.0.0"], directory["0-0:11.0.0"]
    assert isinstance(calendar, ActivityCalendar)
    assert isinstance(special, SpecialDaysTable)
    resolved = Calendar.from_config(config)
    for hour in range(0, 24 * 120, 5):
        at = datetime(2012, 9, 20, 0, 30, tzinfo=UTC) + hour * HOUR
        assert rate_at(resolved, unix_s(at)) == rate_by(calendar, special, at), at


def test_a_calendar_says_what_comes_next() -> None:
    """The passive one and its instant; without one, nothing."""
    activate = datetime(2027, 4, 1, tzinfo=UTC)
    passive = PassiveTariff(activate=activate, tariff=TariffConfig(import_=HOLIDAY))
    calendar = meter_with(ECONOMY_7_UTC, passive=passive).directory["0-0:13.0.0"]
    assert ("import", "import", activate) == (calendar[2], calendar[6], calendar[10])
    assert [1, 2, 2] == [len(calendar[number]) for number in (3, 7, 8)]  # type: ignore[arg-type]  # they are lists
    calendar = meter_with(ECONOMY_7_UTC).directory["0-0:13.0.0"]
    assert ("", (), (), (), None) == tuple(calendar[number] for number in range(6, 11))


def test_export_and_gas_have_scripts_of_their_own() -> None:
    """Rate 1 of import is script 1, of export 65, of gas 129."""
    directory = FixedMeter(config=MeterConfig()).directory
    selectors = []
    for e in range(3):
        (day,) = directory[f"0-0:13.0.{e}"][5]  # type: ignore[misc]  # a list of one
        selectors.append(day.actions[0].selector)
    assert [1, 65, 129] == selectors


def test_a_relays_calendar_is_an_object() -> None:
    """Of a relay that has one, switching off and on by the scripts of outputs."""
    relay = RelayConfig(control="calendar", calendar=replace(ECONOMY_7_UTC, time_base="local"))
    terminals = (
        TerminalConfig(number=3, relay=relay),
        TerminalConfig(number=4, relay=RelayConfig()),
    )
    directory = meter_with(CalendarConfig(), terminals=terminals).directory
    (day,) = directory["0-0:13.0.13"][5]  # type: ignore[misc]  # a list of one
    assert [("00:00", 6), ("00:30", 7), ("07:30", 6)] == [
        (f"{each.start:%H:%M}", each.selector) for each in day.actions
    ]
    assert "0-0:10.0.103" == str(day.actions[0].table)
    assert "0-0:13.0.14" not in directory


def test_register_activation_names_the_register_that_counts() -> None:
    """By the rate in force; of an unknown time none."""
    meter = meter_with(ECONOMY_7_UTC)
    activation = meter.directory["0-0:14.0.0"]
    assert ["1-0:1.8.1", "1-0:1.8.2"] == [str(each.obis) for each in activation[2]]  # type: ignore[attr-defined]  # a list
    assert (("rate 1", (1,)), ("rate 2", (2,))) == activation[3]
    day, night = START + 12 * HOUR, START + HOUR
    assert ["rate 1", "rate 2"] == [activation.value_at(at) for at in (day, night)]
    meter.clock.valid = False
    assert activation.value is None


def test_billing_ends_by_a_single_action() -> None:
    """On the configured day at midnight of its time base, or never."""
    for day, wanted in ((1, "*-*-01 00:00 local"), (0, "never")):
        directory = meter_with(CalendarConfig(), billing=BillingConfig(day=day)).directory
        action = directory["0-0:15.0.0"]
        assert wanted == action.value
        assert ("0-0:10.0.1", 2) == (str(action[2][0]), action[2][1])  # type: ignore[index]  # a pair
