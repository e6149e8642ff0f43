from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.config import ECONOMY_7_LOCAL, ECONOMY_7_UTC, SINGLE_RATE
from elec_meter.tariff import FOR_EVER_S, Calendar, Switch, rate_at, span_at
from shared.errors import TimegridError
from tests.naive.rates import clock_changes, watch

CLOCK_CHANGES = clock_changes(2000, 2037)
E7_UTC = Calendar.from_config(ECONOMY_7_UTC)
E7_LOCAL = Calendar.from_config(ECONOMY_7_LOCAL)


def at_s(year: int, month: int, day: int, hour: int, minute: int, second: int = 0) -> int:
    """UNIX seconds of a UTC time."""
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Any switches, with a liking for the hours that the clock changes skip and repeat."""
    minutes = draw(
        st.lists(
            st.one_of(st.integers(0, 180), st.integers(0, 1439)),
            min_size=1,
            max_size=6,
            unique=True,
        )
    )
    rates = draw(st.lists(st.integers(1, 4), min_size=len(minutes), max_size=len(minutes)))
    switches = tuple(Switch(*pair) for pair in zip(sorted(minutes), rates, strict=True))
    return Calendar(draw(st.sampled_from(["utc", "local"])), switches)


def agree(calendar: Calendar, first: date, last: date) -> None:
    """Demand the watcher's rate at every minute, and spans that end where it next changes."""
    span = None
    for instant_s, rate in watch(calendar.time_base, calendar.switches, first, last):
        if span is None or instant_s >= span.until_s:
            assert span is None or span.rate != rate, f"the span before {instant_s} ended early"
            span = span_at(calendar, instant_s)
        assert rate == span.rate, f"{calendar} at {instant_s}"


def test_has_two_clock_changes_a_year() -> None:
    """The days that matter most are all in the reference."""
    assert 76 == len(CLOCK_CHANGES)


def test_single_rate_never_ends() -> None:
    """Without switches rate 1 is in force for ever."""
    assert (1, FOR_EVER_S) == span_at(Calendar.from_config(SINGLE_RATE), at_s(2020, 1, 1, 0, 0))


def test_switches_to_the_same_rate_are_no_switches() -> None:
    """A calendar whose switches all name one rate never changes it."""
    calendar = Calendar("local", (Switch(60, 3), Switch(120, 3)))
    assert (3, FOR_EVER_S) == span_at(calendar, at_s(2020, 3, 29, 1, 30))


def test_economy_7_follows_utc_all_the_year() -> None:
    """Rate 2 runs from 00:30 to 07:30 UTC, by seconds, in summer too."""
    assert 1 == rate_at(E7_UTC, at_s(2012, 7, 1, 0, 29, 59))
    assert (2, at_s(2012, 7, 1, 7, 30)) == span_at(E7_UTC, at_s(2012, 7, 1, 0, 30))
    assert 2 == rate_at(E7_UTC, at_s(2012, 7, 1, 7, 29, 59))
    assert (1, at_s(2012, 7, 2, 0, 30)) == span_at(E7_UTC, at_s(2012, 7, 1, 7, 30))


def test_local_economy_7_is_an_hour_earlier_in_summer() -> None:
    """00:30 British Summer Time is 23:30 UTC of the day before."""
    assert (2, at_s(2012, 7, 1, 6, 30)) == span_at(E7_LOCAL, at_s(2012, 6, 30, 23, 30))


@pytest.mark.parametrize("minute", [60, 61, 90, 119, 120])
def test_switch_in_the_skipped_hour_happens_at_the_change(minute: int) -> None:
    """From 01:00 to 02:00 local the change itself, 01:00 UTC, is the switch."""
    calendar = Calendar("local", (Switch(0, 1), Switch(minute, 2)))
    assert (1, at_s(2020, 3, 29, 1, 0)) == span_at(calendar, at_s(2020, 3, 29, 0, 59, 59))
    assert 2 == rate_at(calendar, at_s(2020, 3, 29, 1, 0))


def test_last_of_several_skipped_switches_wins() -> None:
    """Two switches that the change passes over leave the later one's rate."""
    calendar = Calendar("local", (Switch(70, 2), Switch(110, 3), Switch(600, 1)))
    assert (3, at_s(2020, 3, 29, 9, 0)) == span_at(calendar, at_s(2020, 3, 29, 1, 0))


def test_rate_that_the_change_skips_ends_no_span() -> None:
    """A rate whose whole time is skipped was never in force: the one around it goes on."""
    calendar = Calendar("local", (Switch(30, 2), Switch(70, 3), Switch(110, 2), Switch(600, 1)))
    assert (2, at_s(2020, 3, 29, 9, 0)) == span_at(calendar, at_s(2020, 3, 29, 0, 30))


def test_switch_in_the_repeated_hour_happens_once() -> None:
    """01:15 and 01:45 local on 25 Oct 2020 are in the first pass; the second changes nothing."""
    calendar = Calendar("local", (Switch(75, 2), Switch(105, 1)))
    assert (2, at_s(2020, 10, 25, 0, 45)) == span_at(calendar, at_s(2020, 10, 25, 0, 15))
    assert (1, at_s(2020, 10, 26, 1, 15)) == span_at(calendar, at_s(2020, 10, 25, 0, 45))


@given(calendars(), st.sampled_from(CLOCK_CHANGES))
@settings(max_examples=40, deadline=None)
def test_agrees_with_the_watcher_around_clock_changes(calendar: Calendar, day: date) -> None:
    """Any calendar gives the watcher's rates, minute by minute, from the day before on."""
    agree(calendar, day - timedelta(days=1), day + timedelta(days=1))


@given(calendars(), st.dates(date(2000, 1, 1), date(2037, 12, 31)))
@settings(max_examples=40, deadline=None)
def test_agrees_with_the_watcher_on_any_day(calendar: Calendar, day: date) -> None:
    """Any calendar gives the watcher's rates on any day."""
    agree(calendar, day, day)


@pytest.mark.parametrize("calendar", [E7_UTC, E7_LOCAL], ids=["utc", "local"])
def test_economy_7_agrees_on_every_clock_change(calendar: Calendar) -> None:
    """Economy 7 is right on every day of 2000 to 2037 on which clocks change."""
    for day in CLOCK_CHANGES:
        agree(calendar, day, day)


@pytest.mark.slow
@pytest.mark.parametrize("year", range(2000, 2038))
def test_agrees_with_the_watcher_all_year(year: int) -> None:
    """Switches at 00:30, 01:30, 01:59, 02:00 and 23:59 local are right on every day."""
    switches = (Switch(30, 2), Switch(90, 3), Switch(119, 4), Switch(120, 2), Switch(1439, 1))
    agree(Calendar("local", switches), date(year, 1, 1), date(year, 12, 31))


@given(calendars(), st.integers(at_s(2000, 1, 1, 0, 0), at_s(2037, 12, 31, 0, 0)))
@settings(max_examples=200, deadline=None)
def test_span_holds_to_its_last_second(calendar: Calendar, instant_s: int) -> None:
    """A span's rate is in force up to its last second, and another one after it."""
    rate, until_s = span_at(calendar, instant_s)
    if until_s == FOR_EVER_S:
        return
    assert rate == rate_at(calendar, until_s - 1)
    assert rate != rate_at(calendar, until_s)


def test_instant_beyond_the_calendar_is_refused() -> None:
    """Local time ends with the year 9999."""
    with pytest.raises(TimegridError):
        rate_at(E7_LOCAL, 1 << 60)
