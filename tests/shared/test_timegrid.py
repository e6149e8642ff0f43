from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st

from shared import timegrid
from shared.errors import SharedError, TimegridError
from shared.timegrid import (
    HALF_HOUR_S,
    HalfHour,
    SettlementPeriod,
    half_hour_ceiling_s,
    half_hour_floor_s,
    half_hours_of_settlement_day,
)
from tests.naive import settlement as naive

LONDON = ZoneInfo("Europe/London")
FIRST, LAST = date(2000, 1, 1), date(2037, 12, 31)
ALL_DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
CHANGE_DAYS = [
    day
    for day in ALL_DAYS
    if datetime.combine(day, time(), LONDON).utcoffset()
    != datetime.combine(day, time(12), LONDON).utcoffset()
]
NEAR_CHANGES = sorted({day + timedelta(days=n) for day in CHANGE_DAYS for n in (-1, 0, 1)})
SOME_DAYS = sorted({*NEAR_CHANGES, *ALL_DAYS[::29], *(d for d in ALL_DAYS if d.year == 2015)})

day_sets = pytest.mark.parametrize(
    "among",
    [
        pytest.param(SOME_DAYS, id="some days"),
        pytest.param(ALL_DAYS, id="every day", marks=pytest.mark.slow),
    ],
)


def instants_between(first: str, last: str) -> st.SearchStrategy[datetime]:
    """Aware instants between two dates in ISO 8601."""
    bounds = datetime.fromisoformat(first), datetime.fromisoformat(last)
    return st.datetimes(*bounds, timezones=st.just(UTC))


days = st.dates(FIRST, LAST)
instants = instants_between("2000-01-01", "2037-12-31")
zones = st.sampled_from(["UTC", "Europe/London", "Asia/Kolkata", "America/St_Johns"]).map(ZoneInfo)


def utc(*fields: int) -> datetime:
    """An instant in UTC from year, month, day and so on."""
    return datetime(*fields, tzinfo=UTC)


def local_midnight(day: date) -> datetime:
    """When the wall clocks of a day begin, in UTC."""
    return datetime.combine(day, time(), LONDON).astimezone(UTC)


class TestHalfHour:
    """`HalfHour` as an interval and as a value."""

    @given(instant=instants)
    def test_contains_the_instant_it_was_made_for(self, instant: datetime) -> None:
        """The half-hour of an instant contains it and starts at a multiple of 1800 s."""
        half_hour = HalfHour.containing(instant)
        assert instant in half_hour
        assert 0 == half_hour.start_s % 1800
        assert half_hour.start <= instant < half_hour.end

    @given(instant=instants, zone=zones)
    def test_is_the_same_in_any_zone(self, instant: datetime, zone: ZoneInfo) -> None:
        """An instant given in another zone has the same half-hour, stored in UTC."""
        half_hour = HalfHour.containing(instant.astimezone(zone))
        assert HalfHour.containing(instant) == half_hour
        assert UTC is half_hour.start.tzinfo

    def test_boundary_belongs_to_what_it_starts(self) -> None:
        """A boundary is in the half-hour that it starts and not in the one that it ends."""
        half_hour = HalfHour(utc(2012, 10, 28, 1))
        assert utc(2012, 10, 28, 1) in half_hour
        assert half_hour.end not in half_hour
        assert half_hour.end in half_hour.next

    def test_neighbours_meet(self) -> None:
        """`next` starts where it ends, and `previous` leads back."""
        half_hour = HalfHour(utc(2012, 10, 28, 23, 30))
        assert utc(2012, 10, 29) == half_hour.end == half_hour.next.start
        assert half_hour.end_s == half_hour.next.start_s == half_hour.start_s + 1800
        assert half_hour == half_hour.next.previous

    @given(start_s=st.integers(-(10**9), 4 * 10**9).map(lambda n: n // 1800 * 1800))
    def test_survives_unix_seconds(self, start_s: int) -> None:
        """UNIX seconds of a boundary lead to the half-hour and back, before 1970 too."""
        assert start_s == HalfHour.from_unix(start_s).start_s

    def test_orders_and_hashes_by_time(self) -> None:
        """Half-hours sort by start, and equal ones are one key of a dict."""
        first, second = HalfHour.from_unix(0), HalfHour.from_unix(1800)
        assert [first, second] == sorted([second, first])
        assert 1 == len({first, HalfHour(datetime(1970, 1, 1, 1, tzinfo=LONDON))})

    @pytest.mark.parametrize(
        "start", [utc(2020, 1, 1, 12, 7), utc(2020, 1, 1, 12, 0, 0, 1), utc(2020, 1, 1, 12, 29, 59)]
    )
    def test_refuses_what_is_no_boundary(self, start: datetime) -> None:
        """A half-hour cannot start between boundaries."""
        with pytest.raises(TimegridError, match="boundary"):
            HalfHour(start)

    def test_refuses_a_boundary_of_a_quarter_hour_zone_only(self) -> None:
        """A round time of Nepal (UTC+5:45) is no boundary in UTC."""
        nepal = timezone(timedelta(hours=5, minutes=45))
        with pytest.raises(TimegridError, match="boundary"):
            HalfHour(datetime(2020, 1, 1, 12, tzinfo=nepal))

    @pytest.mark.parametrize(
        "ask",
        [
            HalfHour,
            HalfHour.containing,
            HalfHour.from_unix(0).__contains__,
            timegrid.require_utc,
            timegrid.unix_s,
            timegrid.unix_ms,
            timegrid.gas_day,
            timegrid.settlement_period,
        ],
    )
    def test_refuses_naive_time(self, ask) -> None:
        """A datetime without a zone is refused by name, never taken for local time."""
        with pytest.raises(TimegridError, match="no time zone"):
            ask(datetime.fromisoformat("2020-01-01T00:00"))

    def test_now_under_freezegun(self) -> None:
        """A frozen clock gives its half-hour; moving the clock is seen at once."""
        with freeze_time("2012-10-28 00:59:59") as frozen:
            assert 4 == HalfHour.containing(datetime.now(UTC)).settlement_period
            frozen.tick(1)
            assert (date(2012, 10, 28), 5) == timegrid.settlement_period(datetime.now(UTC))
            assert date(2012, 10, 27) == timegrid.gas_day(datetime.now(UTC))
            assert 50 == len(half_hours_of_settlement_day(datetime.now(LONDON).date()))


class TestUnixTime:
    """UNIX seconds and milliseconds, exactly."""

    @given(instant=instants)
    def test_rounds_towards_the_past(self, instant: datetime) -> None:
        """Seconds and milliseconds are floors, exactly."""
        since = instant - datetime(1970, 1, 1, tzinfo=UTC)
        assert since // timedelta(seconds=1) == timegrid.unix_s(instant)
        assert since // timedelta(milliseconds=1) == timegrid.unix_ms(instant)

    @given(instant_ms=st.integers(-6 * 10**13, 2 * 10**14))
    def test_leads_back(self, instant_ms: int) -> None:
        """Milliseconds become an instant and the same milliseconds again."""
        assert instant_ms == timegrid.unix_ms(timegrid.from_unix_ms(instant_ms))
        assert instant_ms // 1000 == timegrid.unix_s(timegrid.from_unix_ms(instant_ms))
        assert instant_ms // 1000 == timegrid.unix_s(timegrid.from_unix_s(instant_ms // 1000))

    @pytest.mark.parametrize("count", [10**15, -(10**15), 10**400])
    def test_refuses_what_no_calendar_has(self, count: int) -> None:
        """Seconds beyond year 9999 or before year 1 are a typed refusal."""
        with pytest.raises(TimegridError):
            timegrid.from_unix_s(count)

    def test_refuses_at_the_calendars_edges(self) -> None:
        """The last half-hour of year 9999 has no end, and says so in the package's own error."""
        last = HalfHour(utc(9999, 12, 31, 23, 30))
        with pytest.raises(SharedError):
            _ = last.end
        with pytest.raises(SharedError):
            half_hours_of_settlement_day(date.max)
        with pytest.raises(SharedError):
            timegrid.require_utc(datetime.min.replace(tzinfo=timezone(timedelta(hours=1))))


class TestSettlementDays:
    """Settlement dates and periods against the zone and the slow walk."""

    @day_sets
    def test_every_day_has_its_periods(self, among: list[date]) -> None:
        """Every day of 2000-2037 has 46, 48 or 50 gapless half-hours that know their names."""
        for day in among:
            half_hours = half_hours_of_settlement_day(day)
            starts = [half_hour.start for half_hour in half_hours]
            midnight, next_midnight = local_midnight(day), local_midnight(day + timedelta(days=1))
            count = (next_midnight - midnight) // timedelta(minutes=30)
            assert [midnight + n * timedelta(minutes=30) for n in range(count)] == starts
            asked = range(count) if day in CHANGE_DAYS else (0, count - 1)
            assert [(day, n + 1) for n in asked] == [
                (half_hours[n].settlement_date, half_hours[n].settlement_period) for n in asked
            ]

    def test_two_days_a_year_differ(self) -> None:
        """Of the 38 years' days, 38 have 46 periods and 38 have 50."""
        counts = [len(half_hours_of_settlement_day(day)) for day in CHANGE_DAYS]
        assert [46, 50] * 38 == counts

    @pytest.mark.parametrize("day", [date(2012, 3, 25), date(2012, 10, 28), date(2024, 2, 29)])
    def test_agrees_with_the_walk_along_the_wall_clock(self, day: date) -> None:
        """Every half-hour of a 46, a 50 and a leap day is the reference's."""
        expected = naive.settlement_day(day)
        half_hours = half_hours_of_settlement_day(day)
        assert expected == [(h.start, h.settlement_period) for h in half_hours]

    def test_every_minute_around_clock_changes(self) -> None:
        """Each minute of clock-change days has the reference's settlement name."""
        for day in CHANGE_DAYS[:2] + CHANGE_DAYS[-2:]:
            for instant, settlement_date, period in naive.walk_minutes(day, day):
                assert (settlement_date, period) == timegrid.settlement_period(instant)

    @given(day=days)
    def test_any_day_agrees_with_the_walk(self, day: date) -> None:
        """Any day's half-hours are the reference's."""
        expected = naive.settlement_day(day)
        assert expected == [
            (h.start, h.settlement_period) for h in half_hours_of_settlement_day(day)
        ]

    @given(instant=instants)
    def test_name_leads_back_to_the_half_hour(self, instant: datetime) -> None:
        """The half-hour of a settlement name is the one that the name was taken from."""
        name = timegrid.settlement_period(instant)
        half_hour = timegrid.half_hour_of_settlement_period(*name)
        assert HalfHour.containing(instant) == half_hour
        assert name == timegrid.settlement_period(half_hour)

    def test_october_2012(self) -> None:
        """28 October 2012: periods 3-4 are 01:00 and 01:30 BST, 5-6 the same times in GMT."""
        half_hours = half_hours_of_settlement_day(date(2012, 10, 28))
        local = [half_hour.start.astimezone(LONDON) for half_hour in half_hours]
        assert 50 == len(half_hours)
        assert ["01:00 BST", "01:30 BST", "01:00 GMT", "01:30 GMT"] == [
            f"{wall:%H:%M} {wall.tzname()}" for wall in local[2:6]
        ]
        assert utc(2012, 10, 27, 23) == half_hours[0].start
        assert SettlementPeriod(date(2012, 10, 28), 50) == timegrid.settlement_period(
            utc(2012, 10, 28, 23, 59, 59)
        )

    @pytest.mark.parametrize(
        ("day", "period"),
        [(date(2012, 3, 25), 47), (date(2012, 3, 26), 49), (date(2012, 10, 28), 51)]
        + [(date(2012, 6, 1), period) for period in (0, -1, 49)],
    )
    def test_refuses_a_period_that_the_day_has_not(self, day: date, period: int) -> None:
        """A period number beyond the day's is refused, naming the day's own range."""
        with pytest.raises(TimegridError, match="settlement periods 1 to"):
            timegrid.half_hour_of_settlement_period(day, period)

    def test_refuses_an_instant_for_a_date(self) -> None:
        """A datetime is not silently cut to its date, which would be UTC's."""
        with pytest.raises(TimegridError, match="where a date"):
            half_hours_of_settlement_day(utc(2012, 6, 1, 23, 30))


class TestGasDay:
    """Gas days, before and after October 2015."""

    @day_sets
    def test_every_gas_day_starts_when_the_wall_clock_says(self, among: list[date]) -> None:
        """Each day of 2000-2037: its start is 06:00 local, 05:00 from 1 October 2015."""
        for day in among:
            hour = 6 if day <= date(2015, 9, 30) else 5
            start = timegrid.gas_day_start(day)
            assert datetime.combine(day, time(hour), LONDON) == start.astimezone(LONDON)
            assert day == timegrid.gas_day(start)
            assert day - timedelta(days=1) == timegrid.gas_day(start - timedelta(microseconds=1))

    @given(instant=instants | instants_between("2015-09-29", "2015-10-03"))
    def test_agrees_with_the_walk(self, instant: datetime) -> None:
        """The gas day of any instant is the reference's."""
        assert naive.gas_day(instant) == timegrid.gas_day(instant)

    def test_last_day_of_the_old_rule_is_short(self) -> None:
        """30 September 2015 has 23 hours, between a start at 06:00 and one at 05:00."""
        start = timegrid.gas_day_start(date(2015, 9, 30))
        end = timegrid.gas_day_start(date(2015, 10, 1))
        assert timedelta(hours=23) == end - start
        assert utc(2015, 10, 1, 4) == end

    def test_starts_are_a_parameter(self) -> None:
        """Another table of starting times is obeyed; a day before its first is refused."""
        midday = ((date(2020, 1, 1), time(12)),)
        assert utc(2020, 1, 1, 12) == timegrid.gas_day_start(date(2020, 1, 1), midday)
        assert date(2020, 1, 1) == timegrid.gas_day(utc(2020, 1, 2, 11, 59), midday)
        with pytest.raises(TimegridError, match="no starting time"):
            timegrid.gas_day_start(date(2019, 12, 31), midday)


def test_an_instant_is_written_in_utc_to_the_second() -> None:
    """In ISO 8601, whatever zone it came in; parts of a second are cut off."""
    summer = datetime(2026, 4, 1, 13, 30, 59, 999_999, LONDON)
    assert "2026-04-01T12:30:59Z" == timegrid.iso_utc(summer)


@given(st.integers(-(10**11), 10**11))
def test_floor_and_ceiling_enclose_a_second(at_s: int) -> None:
    """The boundaries next to a second; one that is a boundary is both."""
    floor_s, ceiling_s = half_hour_floor_s(at_s), half_hour_ceiling_s(at_s)
    assert floor_s <= at_s <= ceiling_s
    assert (0, 0) == (floor_s % HALF_HOUR_S, ceiling_s % HALF_HOUR_S)
    assert (HALF_HOUR_S if at_s % HALF_HOUR_S else 0) == ceiling_s - floor_s
