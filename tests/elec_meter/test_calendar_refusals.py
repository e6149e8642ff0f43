"""What head ends write of calendars: any that there is, and what no meter can have."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from elec_meter import Storage
from elec_meter.config import (
    CalendarConfig,
    MeterConfig,
    TariffConfig,
    config_from_json,
    config_to_json,
    demo_config,
)
from elec_meter.dlms import DlmsError
from elec_meter.dlms.data import (
    CosemData,
    array,
    decode_data,
    encode_data,
    octets,
    structure,
    uint8,
    uint16,
    uint32,
)
from elec_meter.dlms.services import AccessResult, ActionResult
from elec_meter.dlms.tags import Tag
from elec_meter.events import EventCode
from elec_meter.tariff import special_days_of, timetable_of
from tests.elec_meter.config.tariff_strategies import EXAMPLES, Draw, calendars
from tests.elec_meter.head_end import (
    DONE,
    EMPTY,
    IMPORT,
    MIDNIGHT,
    NOON,
    OK,
    PASSIVE,
    RELAYS,
    SPECIAL,
    WRITTEN,
    HeadEnd,
    day,
    instant,
    passive_of,
    season,
    special,
    week,
    write_passive,
)


@pytest.fixture
def head_end() -> HeadEnd:
    """At the demo's meter, at noon."""
    return HeadEnd(demo_config(), Storage.in_memory(), NOON)


SIX_OCLOCK = bytes.fromhex("ffff0401ff060000008000ff")
REFUSED = [
    (9, array(day(1, ("00:00", 1), ("06:00:30", 2))), "switches at 06:00:30, and switches are"),
    (9, array(day(1, ("00:00", 3))), "script 3 of 0-0:10.0.100, which is none of the 2 rates"),
    (9, array(day(1, ("00:00", 65))), "script 65 of 0-0:10.0.100, which is none of the 2 rates"),
    (9, array(day(1, ("00:00", 1), table=RELAYS)), "script 1 of 0-0:10.0.103, which is none"),
    (9, array(day(1, ("00:10", 1))), "the day profile day_1 has no rate from 00:00 until 00:10"),
    (9, array(day(1)), "the day profile day_1 has no rate from 00:00 all day"),
    (9, array(*(day(n, ("00:00", 1)) for n in range(17))), "a list of at most 16 elements"),
    (
        9,
        array(day(1, *((f"{n // 60:02}:{n % 60:02}", 1) for n in range(49)))),
        "a list of at most 48 elements",
    ),
    (8, array(*(week(bytes((n,)), *(1,) * 7) for n in range(17))), "at most 16 elements"),
    (7, array(season(b"x" * 33, "01-01", b"w")), "at most 32 characters"),
    (7, array(season(b"1", "02-29", b"w")), "not every year has a 29 February"),
    (6, octets(b"x" * 33), "the name of a calendar has at most 32 characters"),
]


@pytest.mark.parametrize(("number", "value", "sentence"), REFUSED)
def test_what_no_configuration_has_is_refused_at_once(
    head_end: HeadEnd, number: int, value: CosemData, sentence: str
) -> None:
    """With a data access result, and a sentence in the log; what was written before stays."""
    write_passive(head_end)
    assert AccessResult.OTHER_REASON is head_end.set(IMPORT, number, value)
    (refused,) = head_end.texts(EventCode.CALENDAR_REFUSED)
    assert sentence in refused
    assert tuple(WRITTEN.values()) == passive_of(head_end)


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (6, octets(b"\xff")),
        (7, octets(b"")),
        (7, array(uint8(1))),
        (7, array(structure(octets(b"1"), octets(bytes(12)), octets(b"1")))),
        (7, array(structure(octets(b"1"), octets(b"\x07\xea" + b"\xff" * 9), octets(b"1")))),
        (7, array(structure(octets(b"1"), octets(SIX_OCLOCK), octets(b"1")))),
        (8, array(structure(octets(b"1"), *(uint8(1),) * 6))),
        (8, array(structure(octets(b"1"), *(uint16(1),) * 7))),
        (9, array(structure(uint8(1), array(structure(octets(bytes(4)), uint8(1), uint16(1)))))),
        (9, array(structure(uint8(1), array(structure(octets(b"\x18" * 4), octets(b"")))))),
        (10, octets(b"\xff" * 11)),
        (10, octets(b"\xff\xff\x04\x01\xff" + bytes(7))),
        (10, uint8(1)),
    ],
)
def test_what_is_no_part_of_a_calendar_is_of_another_type(
    head_end: HeadEnd, number: int, value: CosemData
) -> None:
    """Nothing is written."""
    assert AccessResult.TYPE_UNMATCHED is head_end.set(IMPORT, number, value)
    assert EMPTY == passive_of(head_end)


@settings(max_examples=EXAMPLES // 6)
@given(calendars())
def test_any_calendar_is_moved_by_its_attributes(calendar: CalendarConfig) -> None:
    """Read of one meter and written to another that has its rates: the same to the last detail."""
    source = HeadEnd(meter_of(calendar), Storage.in_memory(), NOON)
    bare = CalendarConfig(
        time_base=calendar.time_base,
        rates=calendar.rates,
        blocks=calendar.blocks,
        prices=calendar.prices,
    )
    for config in (meter_of(bare), source.meter.config):
        target = HeadEnd(config, Storage.in_memory(), NOON)
        for number in PASSIVE:
            assert OK is target.set(IMPORT, number, source.get(IMPORT, number - 4))
        assert DONE is target.act(IMPORT, 1, CosemData(Tag.INT8, 0))
        assert OK is target.set(SPECIAL, 2, source.get(SPECIAL, 2))
        written = target.meter.config.tariff.import_
        assert timetable_of(calendar) == timetable_of(written)
        assert special_days_of(calendar) == special_days_of(written)
        assert bare == replace(
            written, switches=(), days=(), weeks=(), seasons=(), special_days=(), label=None
        )
    assert replace(source.meter.config, passive=None) == target.meter.config


def meter_of(calendar: CalendarConfig) -> MeterConfig:
    """A meter that shows what it has."""
    config = MeterConfig(tariff=TariffConfig(import_=calendar))
    return config_from_json(config_to_json(config))


numbers = st.integers(0, 255)
leaves = (
    st.builds(octets, st.binary(max_size=13))
    | st.builds(uint8, numbers)
    | st.builds(uint16, numbers)
    | st.builds(uint32, numbers)
    | st.just(CosemData(Tag.NULL))
)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=8).map(lambda parts: array(*parts))
        | st.lists(inner, min_size=1, max_size=8).map(lambda parts: structure(*parts))
    ),
    max_leaves=20,
)


@cache
def target() -> HeadEnd:
    """A meter that everything is written to."""
    return HeadEnd(demo_config(), Storage.in_memory(), NOON)


@st.composite
def places(draw: Draw) -> tuple[str, int, CosemData]:
    """An attribute, and what has the right form for it or any other; or that with bytes changed."""
    codes = [(IMPORT, number) for number in (*PASSIVE, 10)] + [(SPECIAL, 2)]
    code, number = draw(st.sampled_from(codes))
    if draw(st.booleans()):
        return code, number, draw(anything)
    right = {10: instant(MIDNIGHT), 2: array(special(1, "*-12-25", 5)), **WRITTEN}
    octets_of = bytearray(encode_data(right[number]))
    for _ in range(draw(st.integers(0, 3))):
        octets_of[draw(st.integers(0, len(octets_of) - 1))] = draw(numbers)
    try:
        return code, number, decode_data(bytes(octets_of))
    except DlmsError:
        return code, number, right[number]


@settings(max_examples=2 * EXAMPLES)
@given(places())
def test_whatever_is_written_is_taken_or_refused(place: tuple[str, int, CosemData]) -> None:
    """Never anything else; what is in force is a document that could be written as one."""
    code, number, value = place
    assert target().set(code, number, value) in AccessResult
    if number == 2:
        assert target().act(SPECIAL, 1, value) in ActionResult
    assert target().act(code, 1, CosemData(Tag.INT8, 0)) in ActionResult
    config = target().meter.config
    assert config == config_from_json(config_to_json(config))
