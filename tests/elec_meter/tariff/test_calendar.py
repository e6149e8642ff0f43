from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.config import (
    ECONOMY_7_LOCAL,
    ECONOMY_7_UTC,
    SINGLE_RATE,
    CalendarConfig,
    SeasonConfig,
    SpecialDayConfig,
    TimeBase,
)
from elec_meter.tariff import FOR_EVER_S, Calendar, Span, rate_at, span_at
from shared.errors import TimegridError
from shared.timegrid import DAY_S

from .calendars import (
    CLOCK_CHANGES,
    EARLY_HOURS,
    FULL,
    agree,
    around,
    at_s,
    daily,
    daily_calendars,
    full_calendars,
    in_time_base,
)

E7_UTC = Calendar.from_config(ECONOMY_7_UTC)
E7_LOCAL = Calendar.from_config(ECONOMY_7_LOCAL)
any_calendars = st.one_of(daily_calendars, full_calendars())
any_instants_s = st.integers(at_s(2000, 1, 1), at_s(2037, 12, 31))
HALF_HOURLY = daily("utc", *((f"{n // 2:02d}:{n % 2 * 30:02d}", n + 1) for n in range(48)))


def test_has_two_clock_changes_a_year() -> None:
    """The days that matter most are all in the reference."""
    assert 76 == len(CLOCK_CHANGES)


def test_single_rate_never_ends() -> None:
    """Without switches rate 1 is in force for ever."""
    calendar = Calendar.from_config(SINGLE_RATE)
    assert (1, FOR_EVER_S) == span_at(calendar, at_s(2020, 1, 1))
    assert 1 == rate_at(calendar, at_s(2020, 1, 1))


def test_switches_to_the_same_rate_are_no_switches() -> None:
    """A calendar whose switches all name one rate never changes it."""
    calendar = Calendar.from_config(daily("local", ("01:00", 3), ("02:00", 3)))
    assert (3, FOR_EVER_S) == span_at(calendar, at_s(2020, 3, 29, 1, 30))


def test_profile_that_no_date_has_changes_nothing() -> None:
    """A day profile that neither a week in use nor a special day names is never in force."""
    config = msgspec.structs.replace(
        FULL, seasons=(SeasonConfig(start="08-01", week="still"),), special_days=()
    )
    assert (6, FOR_EVER_S) == span_at(Calendar.from_config(config), at_s(2020, 3, 29))


def test_economy_7_follows_utc_all_the_year() -> None:
    """Rate 2 runs from 00:30 to 07:30 UTC, by seconds, in summer too."""
    assert 1 == rate_at(E7_UTC, at_s(2012, 7, 1, 0, 29, 59))
    assert (2, at_s(2012, 7, 1, 7, 30)) == span_at(E7_UTC, at_s(2012, 7, 1, 0, 30))
    assert 2 == rate_at(E7_UTC, at_s(2012, 7, 1, 7, 29, 59))
    assert (1, at_s(2012, 7, 2, 0, 30)) == span_at(E7_UTC, at_s(2012, 7, 1, 7, 30))


def test_local_economy_7_is_an_hour_earlier_in_summer() -> None:
    """00:30 British Summer Time is 23:30 UTC of the day before."""
    assert (2, at_s(2012, 7, 1, 6, 30)) == span_at(E7_LOCAL, at_s(2012, 6, 30, 23, 30))


@pytest.mark.parametrize("time", ["01:00", "01:01", "01:30", "01:59", "02:00"])
def test_switch_in_the_skipped_hour_happens_at_the_change(time: str) -> None:
    """From 01:00 to 02:00 local the change itself, 01:00 UTC, is the switch."""
    calendar = Calendar.from_config(daily("local", ("00:00", 1), (time, 2)))
    assert (1, at_s(2020, 3, 29, 1, 0)) == span_at(calendar, at_s(2020, 3, 29, 0, 59, 59))
    assert 2 == rate_at(calendar, at_s(2020, 3, 29, 1, 0))


def test_last_of_several_skipped_switches_wins() -> None:
    """Two switches that the change passes over leave the later one's rate."""
    calendar = Calendar.from_config(daily("local", ("01:10", 2), ("01:50", 3), ("10:00", 1)))
    assert (3, at_s(2020, 3, 29, 9, 0)) == span_at(calendar, at_s(2020, 3, 29, 1, 0))


def test_rate_that_the_change_skips_ends_no_span() -> None:
    """A rate whose whole time is skipped was never in force: the one around it goes on."""
    pairs = (("00:30", 2), ("01:10", 3), ("01:50", 2), ("10:00", 1))
    calendar = Calendar.from_config(daily("local", *pairs))
    assert (2, at_s(2020, 3, 29, 9, 0)) == span_at(calendar, at_s(2020, 3, 29, 0, 30))


def test_switch_in_the_repeated_hour_happens_once() -> None:
    """01:15 and 01:45 local on 25 Oct 2020 are in the first pass; the second changes nothing."""
    calendar = Calendar.from_config(daily("local", ("01:15", 2), ("01:45", 1)))
    assert (2, at_s(2020, 10, 25, 0, 45)) == span_at(calendar, at_s(2020, 10, 25, 0, 15))
    assert (1, at_s(2020, 10, 26, 1, 15)) == span_at(calendar, at_s(2020, 10, 25, 0, 45))


def test_special_day_comes_before_the_season() -> None:
    """28 March 2019, a Thursday of winter, has the feast's rates from midnight to midnight."""
    calendar = Calendar.from_config(in_time_base(FULL, "utc"))
    assert (3, at_s(2019, 3, 28)) == span_at(calendar, at_s(2019, 3, 27, 16))
    assert (6, at_s(2019, 3, 28, 1, 30)) == span_at(calendar, at_s(2019, 3, 28))
    assert (6, at_s(2019, 3, 29)) == span_at(calendar, at_s(2019, 3, 28, 1, 31))
    assert (1, at_s(2019, 3, 29, 1, 10)) == span_at(calendar, at_s(2019, 3, 29))


def test_first_special_day_that_matches_counts() -> None:
    """In either order of two that name one date, the first one's profile is in force."""
    specials = [
        SpecialDayConfig(date="2020-05-08", day="quiet"),
        SpecialDayConfig(date="*-05-08", day="rest"),
    ]
    for order, rate in ((specials, 6), (specials[::-1], 5)):
        config = msgspec.structs.replace(FULL, special_days=tuple(order))
        assert rate == rate_at(Calendar.from_config(config), at_s(2020, 5, 8, 12))


def test_first_of_two_seasons_that_begin_on_one_day_counts() -> None:
    """1 June 2026 is a Monday: both seasons begin, and the first in the list is in force."""
    seasons = [
        SeasonConfig(start="06-01", week="still"),
        SeasonConfig(start="06-01 Mon", week="winter"),
    ]
    for order, rate in ((seasons, 6), (seasons[::-1], 1)):
        config = msgspec.structs.replace(FULL, seasons=tuple(order))
        assert rate == rate_at(Calendar.from_config(config), at_s(2026, 6, 1, 12))


def test_season_lasts_over_the_turn_of_the_year() -> None:
    """On 1 January the season is that which began last in the year before."""
    seasons = (
        SeasonConfig(start="04-01", week="winter"),
        SeasonConfig(start="10-01", week="still"),
    )
    calendar = Calendar.from_config(msgspec.structs.replace(FULL, seasons=seasons, special_days=()))
    assert [6, 6, 1] == [
        rate_at(calendar, at_s(2026, *day, 12)) for day in ((1, 1), (3, 31), (4, 1))
    ]


def test_season_that_begins_after_its_year_is_not_early() -> None:
    """The first Monday on or after 31 December 2026 is 4 January: until then it is still winter."""
    seasons = (
        SeasonConfig(start="12-31 Mon", week="still"),
        SeasonConfig(start="06-01", week="winter"),
    )
    calendar = Calendar.from_config(msgspec.structs.replace(FULL, seasons=seasons, special_days=()))
    assert [1, 6] == [rate_at(calendar, at_s(2027, 1, day, 12)) for day in (1, 4)]


def test_seasons_of_the_year_before_last_may_be_in_force() -> None:
    """On 2 January 2026 neither season of 2025 has begun; of those of 2024, Monday's is later."""
    seasons = (
        SeasonConfig(start="12-31 Mon", week="still"),  # 6 January 2025, 5 January 2026
        SeasonConfig(start="12-31 Tue", week="winter"),  # 31 December 2024, 6 January 2026
    )
    calendar = Calendar.from_config(msgspec.structs.replace(FULL, seasons=seasons, special_days=()))
    assert [6, 6, 1] == [rate_at(calendar, at_s(2026, 1, day, 12)) for day in (2, 5, 6)]


def test_special_day_alone_changes_the_rate() -> None:
    """A calendar that would have one rate but for its special days has spans that end."""
    seasons = (SeasonConfig(start="08-01", week="still"),)
    specials = (SpecialDayConfig(date="*-12-25", day="rest"),)
    config = msgspec.structs.replace(FULL, time_base="utc", seasons=seasons, special_days=specials)
    calendar = Calendar.from_config(config)
    assert (6, at_s(2026, 12, 25)) == span_at(calendar, at_s(2026, 12, 20))
    assert 4 == rate_at(calendar, at_s(2026, 12, 25))


def test_span_without_a_change_for_long_ends_after_a_week() -> None:
    """In August nothing changes: the span ends with the seventh day after the day asked about."""
    calendar = Calendar.from_config(in_time_base(FULL, "utc"))
    assert (6, at_s(2026, 8, 11)) == span_at(calendar, at_s(2026, 8, 3, 12))
    assert (6, at_s(2026, 8, 19)) == span_at(calendar, at_s(2026, 8, 11))


def test_offset_delays_switches_and_dates() -> None:
    """With 90 s of offset the night rate and a special day begin 90 s late."""
    e7 = Calendar.from_config(ECONOMY_7_UTC, 90)
    assert (1, at_s(2012, 7, 1, 0, 31, 30)) == span_at(e7, at_s(2012, 7, 1, 0, 31, 29))
    assert (2, at_s(2012, 7, 1, 7, 31, 30)) == span_at(e7, at_s(2012, 7, 1, 0, 31, 30))
    full = Calendar.from_config(in_time_base(FULL, "utc"), 90)
    assert [3, 6] == [rate_at(full, at_s(2019, 3, 28, 0, 1, second)) for second in (29, 30)]


def test_calendars_are_values() -> None:
    """Two of one configuration are equal and one entry of a set; another offset is another one."""
    first, second = Calendar.from_config(FULL), Calendar.from_config(FULL)
    assert first == second
    assert {first} == {first, second}
    assert first != Calendar.from_config(FULL, 1)
    assert first != Calendar.from_config(in_time_base(FULL, "utc"))


@pytest.mark.parametrize("time_base", ["utc", "local"])
@pytest.mark.parametrize(
    "config",
    [ECONOMY_7_UTC, EARLY_HOURS, HALF_HOURLY, FULL],
    ids=["economy 7", "early hours", "half-hourly", "full"],
)
def test_every_minute_of_every_clock_change(config: CalendarConfig, time_base: TimeBase) -> None:
    """On each of the 76 days of 2000 to 2037 the rates are those of the watcher at the wall."""
    agree(in_time_base(config, time_base), [(day, day) for day in CLOCK_CHANGES])


@given(any_calendars, st.sampled_from(CLOCK_CHANGES), st.integers(0, 1799))
@settings(max_examples=40)
def test_agrees_around_clock_changes(config: CalendarConfig, day: date, offset_s: int) -> None:
    """Any calendar gives the watcher's rates on the days next to a change too."""
    agree(config, around(day, 1), offset_s)


@given(any_calendars, st.dates(date(2000, 1, 1), date(2037, 12, 31)))
@settings(max_examples=60)
def test_agrees_on_any_day(config: CalendarConfig, day: date) -> None:
    """Any calendar gives the watcher's rates on any day."""
    agree(config, [(day, day)])


@given(full_calendars(), st.integers(2001, 2037))
@settings(max_examples=20)
def test_agrees_at_the_turn_of_the_year(config: CalendarConfig, year: int) -> None:
    """Seasons and special days that lie across the new year are those of the diary."""
    agree(config, [(date(year - 1, 12, 31), date(year, 1, 2))])


@pytest.mark.slow
@pytest.mark.parametrize("year", range(2000, 2038))
@pytest.mark.parametrize("config", [EARLY_HOURS, FULL], ids=["early hours", "full"])
def test_agrees_all_year(config: CalendarConfig, year: int) -> None:
    """Every minute of every day is right, by local time and by UTC."""
    for time_base in ("utc", "local"):
        agree(in_time_base(config, time_base), [(date(year, 1, 1), date(year, 12, 31))])


@pytest.mark.slow
@given(full_calendars(), st.integers(2000, 2037))
@settings(max_examples=60)
def test_agrees_for_any_year(config: CalendarConfig, year: int) -> None:
    """Any full calendar gives the watcher's rates all the year."""
    agree(config, [(date(year, 1, 1), date(year, 12, 31))])


@given(any_calendars, any_instants_s, st.integers(0, 1799), st.integers(0, 1 << 30))
@settings(max_examples=200)
def test_spans_tile_time(config: CalendarConfig, at: int, offset_s: int, part: int) -> None:
    """A span's rate is in force from the instant asked about to the last second before its end."""
    calendar = Calendar.from_config(config, offset_s)
    for _ in range(20):
        span = span_at(calendar, at)
        assert span.until_s > at
        if span.until_s == FOR_EVER_S:
            return
        inside_s = at + part % (span.until_s - at)
        for instant_s in (at, inside_s, span.until_s - 1):
            assert span.rate == rate_at(calendar, instant_s)
        assert span.until_s - at > 7 * DAY_S or span == span_at(calendar, inside_s)
        at = span.until_s


@given(any_calendars, any_instants_s, st.integers(0, 1799))
@settings(max_examples=100)
def test_offset_shifts_the_whole_calendar(
    config: CalendarConfig, instant_s: int, offset_s: int
) -> None:
    """A late calendar is what the calendar without offset was that much earlier."""
    rate, until_s = span_at(Calendar.from_config(config), instant_s)
    late = Span(rate, until_s if until_s == FOR_EVER_S else until_s + offset_s)
    assert late == span_at(Calendar.from_config(config, offset_s), instant_s + offset_s)


@pytest.mark.parametrize("calendar", [E7_UTC, E7_LOCAL, Calendar.from_config(FULL)])
@pytest.mark.parametrize("instant_s", [1 << 60, -(1 << 60)])
def test_instant_beyond_the_calendar_is_refused(calendar: Calendar, instant_s: int) -> None:
    """Dates end with the years 1 and 9999."""
    for function in (rate_at, span_at):
        with pytest.raises(TimegridError):
            function(calendar, instant_s)


@pytest.mark.parametrize("time_base", ["utc", "local"])
def test_first_and_last_days_of_the_calendar_have_rates(time_base: TimeBase) -> None:
    """Neither a season before the year 1 nor a day after the year 9999 is looked for in vain."""
    calendar = Calendar.from_config(in_time_base(FULL, time_base))
    for day in (datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)):
        instant_s = (day - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
        for _ in range(4):
            span = span_at(calendar, instant_s)
            assert span.until_s > instant_s
