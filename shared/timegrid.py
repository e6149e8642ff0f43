"""Half-hours in UTC and the names that Great Britain gives them.

Everything is stored in UTC. Settlement dates and periods (Balancing and Settlement Code, Section X:
periods of 30 minutes counted from local midnight) and gas days are names: computed from the zone's
transitions whenever they are asked for, and never stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple, Self, TypeVar
from zoneinfo import ZoneInfo

from shared.errors import TimegridError
from shared.wire import grid

HALF_HOUR_S: Final = grid.HALF_HOUR_S
HALF_HOUR_MS: Final = grid.HALF_HOUR_MS
DAY_S: Final = grid.DAY_S
DAY_MS: Final = DAY_S * 1000
DAY_HALF_HOURS: Final = DAY_S // HALF_HOUR_S
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LONDON: Final = ZoneInfo("Europe/London")

GAS_DAY_STARTS: Final[tuple[tuple[date, time], ...]] = (
    (date.min, time(6)),
    (date(2015, 10, 1), time(5)),
)
"""First gas day and the local time at which it and its successors start, oldest first.

The gas day of 30 September 2015 was an hour short (Uniform Network Code modification 0461).
"""

_HALF_HOUR: Final = timedelta(seconds=HALF_HOUR_S)
_DAY: Final = timedelta(days=1)
_MILLISECOND: Final = timedelta(milliseconds=1)
_Date = TypeVar("_Date", bound=date)


def require_utc(instant: datetime) -> datetime:
    """The same instant in UTC.

    Raises:
        TimegridError: `instant` is naive, or UTC's calendar ends before it.
    """
    if instant.tzinfo is UTC:
        return instant
    if instant.utcoffset() is None:
        raise TimegridError(f"{instant.isoformat()} has no time zone: an instant is aware")
    return _in_zone(instant, UTC)


def unix_s(instant: datetime) -> int:
    """Whole seconds since 1970-01-01 00:00 UTC, rounded towards the past."""
    return (require_utc(instant) - EPOCH) // timedelta(seconds=1)


def unix_ms(instant: datetime) -> int:
    """Whole milliseconds since 1970-01-01 00:00 UTC, rounded towards the past."""
    return (require_utc(instant) - EPOCH) // _MILLISECOND


def from_unix_s(instant_s: int) -> datetime:
    """The instant in UTC of a whole number of UNIX seconds.

    Raises:
        TimegridError: the calendar (years 1 to 9999) has no such instant.
    """
    return _after_epoch(instant_s, 1000)


def from_unix_ms(instant_ms: int) -> datetime:
    """The instant in UTC of a whole number of UNIX milliseconds.

    Raises:
        TimegridError: the calendar (years 1 to 9999) has no such instant.
    """
    return _after_epoch(instant_ms, 1)


def iso_utc(instant: datetime) -> str:
    """An instant in ISO 8601, in UTC and to the second: `2026-04-01T12:00:00Z`."""
    return f"{require_utc(instant):%Y-%m-%dT%H:%M:%SZ}"


def half_hour_floor_s(at_s: int) -> int:
    """Start of the half-hour to which a UNIX second belongs."""
    return at_s - at_s % HALF_HOUR_S


def half_hour_ceiling_s(at_s: int) -> int:
    """The first half-hour boundary that is not before a UNIX second."""
    return at_s + -at_s % HALF_HOUR_S


@dataclass(frozen=True, order=True, slots=True)
class HalfHour:
    """The interval `[start, start + 1800 s)` in UTC; `start` is a multiple of 1800 s.

    Half-hours order by time, and `instant in half_hour` tells whether an instant belongs to it.

    Raises:
        TimegridError: `start` is naive, or is no half-hour boundary.
    """

    start: datetime

    def __post_init__(self) -> None:
        start = require_utc(self.start)
        if (start - EPOCH) % _HALF_HOUR:
            raise TimegridError(f"{start.isoformat()} is not a half-hour boundary in UTC")
        object.__setattr__(self, "start", start)

    @classmethod
    def containing(cls, instant: datetime) -> Self:
        """The half-hour to which an instant belongs; a boundary belongs to what it starts."""
        utc = require_utc(instant)
        return cls(utc - (utc - EPOCH) % _HALF_HOUR)

    @classmethod
    def from_unix(cls, start_s: int) -> Self:
        """The half-hour that starts at these UNIX seconds, a multiple of 1800."""
        return cls(from_unix_s(start_s))

    def __contains__(self, instant: datetime) -> bool:
        return timedelta(0) <= require_utc(instant) - self.start < _HALF_HOUR

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%dT%H:%MZ}/PT30M"

    @property
    def start_s(self) -> int:
        """Start as UNIX seconds."""
        return unix_s(self.start)

    @property
    def end(self) -> datetime:
        """The first instant after it, in UTC: where `next` starts."""
        return _shifted(self.start, _HALF_HOUR)

    @property
    def end_s(self) -> int:
        """End as UNIX seconds."""
        return self.start_s + HALF_HOUR_S

    @property
    def next(self) -> HalfHour:
        """The half-hour after this one."""
        return HalfHour(self.end)

    @property
    def previous(self) -> HalfHour:
        """The half-hour before this one."""
        return HalfHour(_shifted(self.start, -_HALF_HOUR))

    @property
    def settlement_date(self) -> date:
        """The local calendar day to which it belongs."""
        return settlement_period(self).settlement_date

    @property
    def settlement_period(self) -> int:
        """Its number within the settlement date: 1 to 46, 48 or 50."""
        return settlement_period(self).settlement_period


class SettlementPeriod(NamedTuple):
    """The settlement name of a half-hour: local date, and number from 1 within it."""

    settlement_date: date
    settlement_period: int


def settlement_period(when: HalfHour | datetime) -> SettlementPeriod:
    """The settlement name of a half-hour, or of the one to which an instant belongs."""
    half_hour = when if isinstance(when, HalfHour) else HalfHour.containing(when)
    local_date = _in_zone(half_hour.start, LONDON).date()
    elapsed = half_hour.start - settlement_day_start(local_date)
    return SettlementPeriod(local_date, elapsed // _HALF_HOUR + 1)


def settlement_day_start(settlement_date: date) -> datetime:
    """Local midnight with which a settlement date begins, in UTC."""
    return _local_instant(settlement_date, time())


def half_hours_of_settlement_day(settlement_date: date) -> tuple[HalfHour, ...]:
    """The half-hours of a settlement date in order: 48, or 46 and 50 when the clocks change."""
    start = settlement_day_start(settlement_date)
    end = settlement_day_start(_shifted(settlement_date, _DAY))
    return tuple(HalfHour(start + n * _HALF_HOUR) for n in range((end - start) // _HALF_HOUR))


def half_hour_of_settlement_period(settlement_date: date, settlement_period: int) -> HalfHour:
    """The half-hour that has this settlement name.

    Raises:
        TimegridError: the date has no period of that number.
    """
    half_hours = half_hours_of_settlement_day(settlement_date)
    if not 1 <= settlement_period <= len(half_hours):
        raise TimegridError(
            f"{settlement_date} has settlement periods 1 to {len(half_hours)},"
            f" not {settlement_period}"
        )
    return half_hours[settlement_period - 1]


def gas_day_start(gas_date: date, starts: Sequence[tuple[date, time]] = GAS_DAY_STARTS) -> datetime:
    """The instant at which a gas day begins, in UTC.

    Args:
        gas_date: the day's name.
        starts: first gas day and local starting time, oldest first; the British ones by default.

    Raises:
        TimegridError: `starts` says nothing about so early a day.
    """
    local_times = [local_time for first_date, local_time in starts if first_date <= gas_date]
    if not local_times:
        raise TimegridError(f"no starting time is given for the gas day {gas_date}")
    return _local_instant(gas_date, local_times[-1])


def gas_day(instant: datetime, starts: Sequence[tuple[date, time]] = GAS_DAY_STARTS) -> date:
    """The gas day to which an instant belongs; `starts` as for `gas_day_start`."""
    local_date = _in_zone(require_utc(instant), LONDON).date()
    if require_utc(instant) < gas_day_start(local_date, starts):
        return _shifted(local_date, -_DAY)
    return local_date


def _in_zone(instant: datetime, zone: tzinfo) -> datetime:
    try:
        return instant.astimezone(zone)
    except OverflowError:
        raise TimegridError(f"{instant.isoformat()} is beyond the calendar in {zone}") from None


def _local_instant(local_date: date, local_time: time) -> datetime:
    if isinstance(local_date, datetime):
        raise TimegridError(f"{local_date.isoformat()} is an instant where a date is asked for")
    return _in_zone(datetime.combine(local_date, local_time, tzinfo=LONDON), UTC)


def _shifted(day: _Date, by: timedelta) -> _Date:
    try:
        return day + by
    except OverflowError:
        raise TimegridError(f"the calendar ends at {day.isoformat()}") from None


def _after_epoch(count: int, unit_ms: int) -> datetime:
    try:
        return EPOCH + count * unit_ms * _MILLISECOND
    except OverflowError:
        raise TimegridError(f"{count} is beyond the calendar's years 1 to 9999") from None
