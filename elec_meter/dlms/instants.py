"""Dates and times of COSEM (IEC 62056-6-2, 4.1.6.1): 12 bytes of date, time, deviation, status."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from elec_meter.config import DatePattern
from elec_meter.dlms.errors import MalformedError

SIZE: Final = 12
_DATE_SIZE: Final = 5
_TIME_SIZE: Final = 4
STATUS_INVALID: Final = 0x01
_UNSPECIFIED: Final = 0xFF
_NO_DEVIATION: Final = -0x8000
_DEVIATION_MAX_MIN: Final = 720

_ANY_YEAR: Final = 0xFFFF
_FROM_THE_END: Final = {0: 0xFE, -1: 0xFD}
_MIDNIGHT_SOMEWHERE: Final = bytes.fromhex("000000008000ff")

UNKNOWN: Final = bytes.fromhex("ffffffffffffffffff8000") + bytes((STATUS_INVALID,))
"""A date-time of which nothing is known."""


def encode_date_time(instant: datetime, status: int = 0) -> bytes:
    """An instant in UTC, deviation 0, to the second."""
    return b"".join(
        (
            encode_date(instant),
            bytes((instant.hour, instant.minute, instant.second, 0, 0, 0, status)),
        )
    )


def encode_date(day: date) -> bytes:
    """A date: year, month, day, day of the week from Monday = 1."""
    return day.year.to_bytes(2, "big") + bytes((day.month, day.day, day.isoweekday()))


def encode_time(at: time) -> bytes:
    """A time of day, to the second."""
    return bytes((at.hour, at.minute, at.second, 0))


def encode_date_pattern(pattern: DatePattern) -> bytes:
    """A date of which parts are left open, or count from the month's end."""
    year = _ANY_YEAR if pattern.year is None else pattern.year
    month = _UNSPECIFIED if pattern.month is None else pattern.month
    day = _UNSPECIFIED if pattern.day is None else _FROM_THE_END.get(pattern.day, pattern.day)
    weekday = _UNSPECIFIED if pattern.weekday is None else pattern.weekday + 1
    return year.to_bytes(2, "big") + bytes((month, day, weekday))


def encode_midnight_pattern(pattern: DatePattern) -> bytes:
    """The beginning of such a date as a date-time, by whatever clock the reader knows of."""
    return encode_date_pattern(pattern) + _MIDNIGHT_SOMEWHERE


def decode_date_pattern(data: bytes) -> DatePattern:
    """The date that five bytes name, or twelve that begin with them at midnight.

    It need not exist: whoever takes it looks.

    Raises:
        MalformedError: they name none, or one that there are no words for here.
    """
    date_bytes, time_bytes = data[:_DATE_SIZE], data[_DATE_SIZE : _DATE_SIZE + _TIME_SIZE]
    if len(data) not in (_DATE_SIZE, SIZE) or set(time_bytes) - {0, _UNSPECIFIED}:
        raise MalformedError(f"{data[:SIZE].hex()} is no date that begins at midnight")
    year, (month, day, weekday) = int.from_bytes(date_bytes[:2], "big"), date_bytes[2:]
    last = {number: day for day, number in _FROM_THE_END.items()}
    if (
        month not in (*range(1, 13), _UNSPECIFIED)
        or day not in (*range(1, 32), *last, _UNSPECIFIED)
        or weekday not in (*range(1, 8), _UNSPECIFIED)
    ):
        raise MalformedError(f"{date_bytes.hex()} is no date")
    return DatePattern(
        None if year == _ANY_YEAR else year,
        None if month == _UNSPECIFIED else month,
        None if day == _UNSPECIFIED else last.get(day, day),
        None if weekday == _UNSPECIFIED else weekday - 1,
    )


def decode_time(data: bytes) -> time:
    """The time of day that four bytes name; seconds and hundredths may be left open.

    Raises:
        MalformedError: they name none.
    """
    try:
        hour, minute, second, hundredths = data
        return time(hour, minute, _or_zero(second), _or_zero(hundredths) * 10_000)
    except ValueError:
        raise MalformedError(f"{data[:SIZE].hex()} is no time of day") from None


def is_unspecified(data: bytes) -> bool:
    """Whether a date-time is left open from its year to its hundredths."""
    return len(data) == SIZE and set(data[: _DATE_SIZE + _TIME_SIZE]) == {_UNSPECIFIED}


def decode_date_time(data: bytes) -> datetime:
    """The instant in UTC that 12 bytes name; without a deviation it is taken as UTC.

    Seconds and hundredths may be left open and count as 0.

    Raises:
        MalformedError: they name none.
    """
    if len(data) != SIZE:
        raise MalformedError(f"a date-time has {SIZE} bytes, not {len(data)}")
    hour, minute, second, hundredths = data[5:9]
    deviation_min = int.from_bytes(data[9:11], "big", signed=True)
    if deviation_min == _NO_DEVIATION:
        deviation_min = 0
    if abs(deviation_min) > _DEVIATION_MAX_MIN or 99 < hundredths < _UNSPECIFIED:
        raise MalformedError(f"{data.hex()} is no date-time")
    try:
        local = datetime(
            int.from_bytes(data[:2], "big"),
            data[2],
            data[3],
            hour,
            minute,
            _or_zero(second),
            _or_zero(hundredths) * 10_000,
            UTC,
        )
        # The deviation is what has to be added to local time to get UTC.
        return local + timedelta(minutes=deviation_min)
    except (ValueError, OverflowError):
        raise MalformedError(f"{data.hex()} is no single instant") from None


def _or_zero(field: int) -> int:
    return 0 if field == _UNSPECIFIED else field
