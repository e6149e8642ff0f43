from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

import pytest

from elec_meter.config import DatePattern
from elec_meter.dlms.data import CosemData, decode_data
from elec_meter.dlms.errors import EncodingError
from elec_meter.dlms.instants import (
    UNKNOWN,
    encode_date,
    encode_date_pattern,
    encode_date_time,
    encode_midnight_pattern,
    encode_time,
)
from elec_meter.dlms.rendering import (
    attributes_of,
    column,
    encode_any,
    number_column,
    render,
    version_of,
)
from elec_meter.dlms.tags import Tag
from elec_meter.objects import CosemObject, EmergencyProfile, ProfileGeneric, SeasonProfile
from shared.obis import Obis
from tests.elec_meter.dlms.asking import lived_in
from tests.elec_meter.objects.fixed_meter import START, FixedMeter

METER = lived_in(4)
OBJECTS = list(METER.directory)


def plain(data: CosemData) -> object:
    """Without types."""
    if isinstance(data.value, tuple):
        return tuple(plain(each) for each in data.value)
    return data.value


def expected(value: object) -> object:
    """What an attribute is once its types are gone."""
    if isinstance(value, datetime):
        return encode_date_time(value)
    if isinstance(value, date):
        return encode_date(value)
    if isinstance(value, time):
        return encode_time(value)
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, SeasonProfile):
        return tuple(map(expected, (value.name, encode_midnight_pattern(value.start), value.week)))
    if isinstance(value, DatePattern):
        return encode_date_pattern(value)
    if isinstance(value, Obis):
        return value.to_bytes()
    if isinstance(value, EmergencyProfile) and value.activation is None:
        return (value.id, UNKNOWN, value.duration_s)
    if isinstance(value, tuple):
        return tuple(expected(each) for each in value)
    return value


@pytest.mark.parametrize("each", OBJECTS, ids=lambda each: str(each.obis))
def test_every_attribute_is_the_directorys(each: CosemObject) -> None:
    """Whatever is in the directory is read, and nothing else is said."""
    for number in each.attributes:
        if isinstance(each, ProfileGeneric) and number in (2, 3):
            continue
        value = each.read(number, METER.now)
        found = decode_data(render(each, number, METER.now))
        if value is None and plain(found) == UNKNOWN:
            continue
        assert expected(value) == plain(found), (each, number)
    assert set(each.attributes) <= set(attributes_of(each))


TYPES = {
    "0-0:1.0.0": Tag.OCTETS,
    "0-0:1.1.0": Tag.UINT32,
    "0-0:42.0.0": Tag.OCTETS,
    "0-0:96.10.1": Tag.UINT8,
    "0-0:96.11.0": Tag.UINT16,
    "0-0:96.14.0": Tag.UINT8,
    "0-0:97.97.0": Tag.UINT32,
    "1-0:1.8.0": Tag.UINT32,
    "1-0:1.29.0": Tag.UINT32,
    "1-0:16.7.0": Tag.INT32,
    "1-0:13.7.0": Tag.INT32,
    "1-0:1.6.0": Tag.INT32,
    "0-1:24.2.1": Tag.UINT32,
    "0-1:128.1.0": Tag.UINT32,
    "0-0:128.22.0": Tag.INT64,
    "1-0:0.9.2": Tag.OCTETS,
}


@pytest.mark.parametrize(("code", "tag"), TYPES.items())
def test_types_do_not_change_with_values(code: str, tag: Tag) -> None:
    """A head end configures them once."""
    each = METER.directory[code]
    if tag is Tag.OCTETS:
        assert tag is decode_data(render(each, 2, METER.now)).tag
    else:
        assert tag is column(each, 2).tag


def test_what_is_not_known_is_null() -> None:
    """And an unknown time is a date-time without anything, marked invalid."""
    meter = FixedMeter()
    meter.live, meter.clock.valid = None, False
    directory = meter.directory

    assert b"\x00" == render(directory["1-0:16.7.0"], 2, START)
    assert b"\x00" == render(directory["0-0:1.1.0"], 2, START)
    assert b"\x09\x0c" + UNKNOWN == render(directory["0-0:1.0.0"], 2, START)
    assert b"\x11\x01" == render(directory["0-0:1.0.0"], 4, START)


def test_a_clock_that_is_being_adjusted_says_so() -> None:
    """In its status, and in the last byte of its time."""
    meter = FixedMeter()
    meter.clock.left_s = 3
    clock = meter.directory["0-0:1.0.0"]

    assert b"\x02" == render(clock, 2, START)[-1:]
    assert b"\x11\x02" == render(clock, 4, START)


def test_the_standards_own_attributes_are_there() -> None:
    """Sort method and object of profiles; of the clock, no daylight saving and a crystal."""
    profile, clock = METER.directory["1-0:99.1.0"], METER.directory["0-0:1.0.0"]

    assert (1, 2, 3, 4, 5, 6, 7, 8) == attributes_of(profile)
    assert (1, 2, 3, 4, 5, 6, 7, 8, 9) == attributes_of(clock)
    assert "1601" == render(profile, 5, START).hex()
    assert "020412000809060000010000ff0f02120000" == render(profile, 6, START).hex()
    assert "1601" == render(clock, 9, START).hex()
    assert (1, 0) == (version_of(7), version_of(3))


def test_what_is_switched_has_the_standards_types() -> None:
    """Words of a contactor are enums; what a limiter watches and does are structures."""
    contactor, limiter = METER.directory["0-0:96.3.10"], METER.directory["0-0:17.0.0"]

    assert b"\x16" == render(contactor, 3, METER.now)[:1] == render(contactor, 4, METER.now)[:1]
    assert b"\x03" == render(contactor, 2, METER.now)[:1]
    assert bytes.fromhex("0203120003090601000107 00ff0f02") == render(limiter, 2, METER.now)
    action = bytes.fromhex("02020906") + bytes.fromhex("00000a006aff") + b"\x12\x00"
    assert render(limiter, 11, METER.now).startswith(b"\x02\x02" + action)
    emergency = column(limiter, 8).encode((7, START, 60))
    assert "0203120007090c07dc0a1c0700000000000000060000003c" == emergency.hex()
    none = "0203120000090cffffffffffffffffff8000010600000000"
    assert none == render(limiter, 8, METER.now).hex()


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("2026-12-25", "07ea0c19ff"),
        ("*-12-25", "ffff0c19ff"),
        ("*-05-01 Mon", "ffff050101"),
        ("*-03-L Sun", "ffff03fe07"),
        ("*-*-L-1", "fffffffdff"),
        ("*-*-* Sat", "ffffffff06"),
    ],
)
def test_dates_with_wildcards_are_the_standards(text: str, data: str) -> None:
    """Any part may be open; the last days of a month count from its end."""
    assert data == encode_date_pattern(DatePattern.parse(text)).hex()
    midnight = encode_midnight_pattern(DatePattern.parse(text))
    assert data + "000000008000ff" == midnight.hex()


def test_a_calendar_has_the_standards_types() -> None:
    """Days of Economy 7: an octet string of time, the table of scripts, the rate."""
    directory = METER.directory
    calendar, billing = directory["0-0:13.0.0"], directory["0-0:15.0.0"]
    script = "090600000a0064ff12"
    days = render(calendar, 5, METER.now).hex()

    assert "0101020211010103" == days[:16]
    assert f"0203090400000000{script}0001" == days[16:54]
    assert f"02030904001e0000{script}0002" == days[54:92]
    week = "01010208" + "0903" + b"all".hex() + "1101" * 7
    assert week == render(calendar, 4, METER.now).hex()
    assert "0202090600000a0001ff120002" == render(billing, 2, METER.now).hex()
    assert "01010202090400000000" + "0905ffffff01ff" == render(billing, 4, METER.now).hex()
    assert "0100" == render(directory["0-0:11.0.0"], 2, METER.now).hex()
    assert "0102" == render(directory["0-0:14.0.0"], 3, METER.now).hex()[:4]


class _Pair(NamedTuple):
    first: int
    second: str


class _Word(IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (None, "00"),
        (True, "0301"),
        (5, "0600000005"),
        (-5, "05fffffffb"),
        (1 << 32, "150000000100000000"),
        (-(1 << 31) - 1, "14ffffffff7fffffff"),
        ("Wh", "09025768"),
        (b"\x01", "090101"),
        (_Word.ONE, "1601"),
        (_Pair(1, "a"), "02020600000001090161"),
        ([1, None], "0102060000000100"),
        (Obis.parse("1-0:1.8.0"), "09060100010800ff"),
        (time(1, 2, 3), "090401020300"),
        (date(2012, 10, 28), "090507dc0a1c07"),
        (datetime(2012, 10, 28, tzinfo=UTC), "090c07dc0a1c0700000000000000"),
    ],
)
def test_values_of_classes_without_a_table_are_rendered_as_they_are(
    value: object, encoded: str
) -> None:
    """By what they are in Python."""
    assert encoded == encode_any(value).hex()


@pytest.mark.parametrize("value", [1.5, Decimal(1), 1 << 64, {1: 2}])
def test_what_has_no_exact_form_is_our_mistake(value: object) -> None:
    """No number is rounded on its way out."""
    with pytest.raises(EncodingError):
        encode_any(value)


def test_a_number_that_does_not_fit_its_type_takes_another() -> None:
    """It is never cut."""
    encode = number_column(Tag.UINT8).encode

    assert "11ff" == encode(255).hex()
    assert "0600000100" == encode(256).hex()
    assert "05ffffffff" == encode(-1).hex()
