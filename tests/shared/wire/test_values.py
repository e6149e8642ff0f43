"""Values: integers, digits, singles and dates, without a float."""

import datetime as dt
import math
import struct
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.wire.records import Record
from shared.wire.values import (
    binary_integer,
    date_text,
    decimal_digits,
    integer,
    is_real,
    real,
    text,
)

_SIZE_CODINGS = {2: 2, 3: 3, 4: 4, 6: 6}


def date_of(data: str) -> str | None:
    """The date in the hexadecimal digits of a record's value."""
    value = bytes.fromhex(data)
    return date_text(Record(_SIZE_CODINGS[len(value)], b"\x6d", value))


@pytest.mark.parametrize(
    ("data", "signed", "unsigned"),
    [
        ("00", 0, 0),
        ("7f", 127, 127),
        ("80", None, 128),
        ("ff", -1, None),
        ("ffff7f", 0x7FFFFF, 0x7FFFFF),
        ("feffffff", -2, 0xFFFFFFFE),
        ("000000000080", None, 1 << 47),
        ("ffffffffffffffff", -1, None),
    ],
)
def test_binary_integers(data: str, signed: int | None, unsigned: int | None) -> None:
    """Types B and C, low byte first, with their codes for an invalid number."""
    assert signed == binary_integer(bytes.fromhex(data))
    assert unsigned == binary_integer(bytes.fromhex(data), unsigned=True)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("27048502", 2850427),
        ("2200f0", -22),
        ("01f0", -1),
        ("0000", 0),
        ("ddb4ebdd", None),
        ("1f", None),
        ("a0", None),
    ],
)
def test_packed_digits(data: str, value: int | None) -> None:
    """Type A: a leading F is a minus sign, other letters are no digits."""
    assert value == decimal_digits(bytes.fromhex(data))


@given(st.integers(0, 10**12 - 1))
@settings(max_examples=40)
def test_packed_digits_round_trip(number: int) -> None:
    """Any twelve digits come back."""
    assert number == decimal_digits(bytes.fromhex(f"{number:012d}")[::-1])


@pytest.mark.parametrize(
    ("variable", "data", "value"),
    [
        (0xC3, "563412", 123456),
        (0xD3, "563412", -123456),
        (0xD1, "aa", None),
        (0xE2, "feff", -2),
        (0xE0, "", None),
        (0xF0, "5750f096075b2a27a693013db51ab3dc", None),
        (0x03, "414243", None),
    ],
)
def test_variable_numbers(variable: int, data: str, value: int | None) -> None:
    """The length code tells digits, negative digits, binary numbers and text apart."""
    record = Record(13, b"\x13", bytes.fromhex(data), variable=variable)
    if variable == 0xF0:
        value = int.from_bytes(record.data, "little", signed=True)
    assert value == integer(record)


def test_texts_run_backwards() -> None:
    """Text is sent last letter first; only a variable value has one."""
    data = bytes.fromhex("35353736373041 4c3930")
    assert "09LA076755" == text(Record(13, b"\x7c", data, variable=10))
    assert text(Record(13, b"\x13", b"\x01", variable=0xC1)) is None
    assert text(Record(1, b"\x13", b"\x41")) is None


def test_no_data_has_no_number() -> None:
    """A record without data, or one that carries a single, has no whole number."""
    assert integer(Record(0, b"\x13", b"")) is None
    assert integer(Record(5, b"\x13", bytes(4))) is None


@given(st.binary(min_size=4, max_size=4))
@settings(max_examples=200)
def test_singles_are_exact(data: bytes) -> None:
    """Any single is mantissa times a power of two, exactly; no number and infinity are None."""
    assert is_real(Record(5, b"\x13", data))
    value = struct.unpack("<f", data)[0]
    parts = real(data)
    if not math.isfinite(value):
        assert parts is None
    else:
        assert parts is not None
        assert Fraction(value) == parts[0] * Fraction(2) ** parts[1]


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("5f1c", "2010-12-31"),
        ("e101", "2007-01-01"),
        ("ff0c", "2007-12-31"),
        ("ffff", None),
        ("e1f1", "****-01-01"),
        ("1f0f", "2000-**-31"),
        ("0001", "2000-01-**"),
        ("2001", "2001-01-**"),
        ("5d12", None),  # 29 February 2010
        ("9d12", "2012-02-29"),
        ("1f04", None),
        ("0100", None),
        ("01d1", None),  # year 104
        ("21a1", "1981-01-01"),
        ("32371f15", "2008-05-31T23:50:00"),
        ("32171f15", "2008-05-31T23:50:00"),
        ("b2371f15", None),
        ("321f1f15", None),
        ("3c171f15", None),
        ("0040 01 11", "2108-01-01T00:00:00"),
        ("0000a0411135", "2010-01-01T00:00:00"),
        ("0b0c8d59130c", "2010-03-25T13:12:11"),
        ("008008162700", None),
        ("0b0c0d", "13:12:11"),
        ("3c0000", None),
    ],
)
def test_dates(data: str, shown: str | None) -> None:
    """Types F, G, I and J as ISO 8601; invalid ones are None, periodic parts are asterisks."""
    assert shown == date_of(data)


@given(st.dates(dt.date(1981, 1, 1), dt.date(2080, 12, 31)))
@settings(max_examples=60)
def test_any_date_round_trip(day: dt.date) -> None:
    """Every day of the hundred years that two digits can name comes back."""
    year = day.year % 100
    low = day.day | (year & 7) << 5
    high = day.month | year >> 3 << 4
    assert day.isoformat() == date_of(bytes([low, high]).hex())


@given(st.sampled_from([1, 2, 3, 4, 6, 7]), st.binary(min_size=8, max_size=8))
@settings(max_examples=120)
def test_any_bytes_give_a_real_date_or_none(coding: int, data: bytes) -> None:
    """What is shown without an asterisk is a date or time that exists."""
    size = {1: 1, 7: 8}.get(coding, coding)
    shown = date_text(Record(coding, b"\x6d", data[:size]))
    if shown is not None and "*" not in shown:
        if coding == 3:
            dt.time.fromisoformat(shown)
        else:
            dt.datetime.fromisoformat(shown)
