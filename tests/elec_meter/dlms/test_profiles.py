from __future__ import annotations

from datetime import timedelta

import pytest

from elec_meter.dlms import profiles
from elec_meter.dlms.compact import CompactProfile
from elec_meter.dlms.data import (
    CompactArray,
    CosemData,
    array,
    decode_data,
    int8,
    octets,
    structure,
    uint8,
    uint16,
    uint32,
)
from elec_meter.dlms.instants import encode_date_time
from elec_meter.dlms.profiles import buffer
from elec_meter.dlms.selection import RowSelection, row_selection
from elec_meter.dlms.services import AccessResult, RefusedError, Selection
from elec_meter.dlms.tags import Tag
from elec_meter.objects import ProfileGeneric
from shared.obis import Obis
from shared.timegrid import unix_s
from tests.elec_meter.dlms.asking import CLOCK, HALF_HOUR, by_entry, by_range, lived_in
from tests.elec_meter.objects.fixed_meter import START, FixedMeter

DAY = lived_in()


def profile_of(meter: FixedMeter, code: str = "1-0:99.1.0") -> ProfileGeneric:
    """A profile."""
    found = meter.directory[code]
    assert isinstance(found, ProfileGeneric)
    return found


def read(
    selection: Selection | None = None, meter: FixedMeter = DAY, code: str = "1-0:99.1.0"
) -> tuple[CosemData, ...]:
    """Rows as a client gets them."""
    profile = profile_of(meter, code)
    encoded = buffer(profile, meter.directory, row_selection(selection, profile.columns))
    rows = decode_data(encoded).value
    assert isinstance(rows, tuple)
    return rows


def stamp(rows: int) -> CosemData:
    """The end of the half-hour of that number, as a row has it."""
    return octets(encode_date_time(START + rows * HALF_HOUR))


def captured(code: str, class_id: int = 3) -> CosemData:
    """A column as a selection names it."""
    return structure(uint16(class_id), octets(Obis.parse(code).to_bytes()), int8(2), uint16(0))


NONE = CosemData(Tag.NULL)
ZEROS = (uint32(0),) * 3


def test_a_day_of_six_columns_has_1215_bytes() -> None:
    """Clock, status, four registers: 25 bytes a row, 13 more for the first one's time."""
    profile = profile_of(DAY)
    selection = RowSelection((0, 1, 2, 3, 4, 5))

    assert 1_215 == len(buffer(profile, DAY.directory, selection))


def test_only_the_time_is_left_out() -> None:
    """A row's time follows from the one before; everything else is always there."""
    rows = read()

    assert 48 == len(rows)
    assert structure(stamp(1), uint8(0), uint32(10), *ZEROS) == rows[0]
    for n in range(1, 48):
        assert structure(NONE, uint8(0), uint32(10 + n), *ZEROS) == rows[n]


def test_after_a_gap_the_time_is_there_again() -> None:
    """A row that is not the next one."""
    meter = lived_in(2)
    source = profile_of(meter)._source
    rows = source.rows(None, None)
    later = (rows[1][0] + timedelta(hours=2), *rows[1][1:])
    source.rows = lambda start, end: [*rows, later]
    found = read(meter=meter)

    assert [12, None, 12] == [
        each.value and len(each.value) for each in (row.value[0] for row in found)
    ]
    assert octets(encode_date_time(START + 6 * HALF_HOUR)) == found[2].value[0]


def test_what_comes_with_events_always_has_its_time() -> None:
    """There is no period from which it would follow."""
    (row,) = read(code="0-0:99.98.0")

    assert structure(octets(encode_date_time(START)), uint16(7), octets(b"power came back")) == row


@pytest.mark.parametrize(
    ("selection", "first", "count"),
    [
        (by_range(START + 5 * HALF_HOUR, START + 8 * HALF_HOUR), 5, 4),
        (by_range(START + 4.5 * HALF_HOUR, START + 8.9 * HALF_HOUR), 5, 4),
        (by_range(None, START + 3 * HALF_HOUR), 1, 3),
        (by_range(START + 46 * HALF_HOUR, None), 46, 3),
        (by_range(START + 99 * HALF_HOUR, None), 0, 0),
        (by_entry(1, 2), 1, 2),
        (by_entry(40, 0), 40, 9),
        (by_entry(0, 1), 1, 1),
        (by_entry(48, 99), 48, 1),
        (by_entry(49, 0), 0, 0),
        (by_entry(5, 3), 0, 0),
    ],
)
def test_rows_are_selected(selection: Selection, first: int, count: int) -> None:
    """By range with both ends, by entry from 1; the first one selected has its time."""
    rows = read(selection)

    assert count == len(rows)
    for n, row in enumerate(rows):
        assert (stamp(first + n) if n == 0 else NONE) == row.value[0]
        assert uint32(9 + first + n) == row.value[2]


def bounds(start: CosemData, end: CosemData) -> Selection:
    """A range with ends of whatever type."""
    return Selection(1, structure(CLOCK, start, end, array()))


@pytest.mark.parametrize(
    "encode",
    [
        lambda at: octets(encode_date_time(at)),
        lambda at: CosemData(Tag.DATE_TIME, encode_date_time(at)),
        lambda at: uint32(unix_s(at)),
    ],
)
def test_ends_of_a_range_have_three_forms(encode: object) -> None:
    """Octets, a date-time, UNIX seconds."""
    found = read(bounds(encode(START + HALF_HOUR), encode(START + 2 * HALF_HOUR)))

    assert [10, 11] == [row.value[2].value for row in found]


def test_columns_are_selected_by_name_and_by_number() -> None:
    """In the profile's own order, with or without the time."""
    energy, status = captured("1-0:1.29.0"), captured("0-0:96.10.1", 1)
    two = (START + HALF_HOUR, START + 2 * HALF_HOUR)

    assert (structure(uint8(0), uint32(10)), structure(uint8(0), uint32(11))) == read(
        by_range(*two, energy, status)
    )
    assert (structure(stamp(1), uint32(10)), structure(NONE, uint32(11))) == read(
        by_range(*two, captured("0-0:1.0.0", 8), energy)
    )
    assert (structure(uint8(0), uint32(10)),) == read(by_entry(1, 1, 2, 3))
    assert (structure(stamp(1), uint8(0)),) == read(by_entry(1, 1, 1, 2))


@pytest.mark.parametrize(
    ("selection", "result"),
    [
        (Selection(3, NONE), AccessResult.SCOPE_OF_ACCESS_VIOLATED),
        (Selection(1, NONE), AccessResult.TYPE_UNMATCHED),
        (Selection(1, structure(CLOCK)), AccessResult.TYPE_UNMATCHED),
        (Selection(1, array(CLOCK, NONE, NONE, array())), AccessResult.TYPE_UNMATCHED),
        (
            Selection(1, structure(captured("1-0:1.29.0"), NONE, NONE, array())),
            AccessResult.SCOPE_OF_ACCESS_VIOLATED,
        ),
        (Selection(1, structure(uint8(1), NONE, NONE, array())), AccessResult.TYPE_UNMATCHED),
        (Selection(1, structure(CLOCK, NONE, NONE, NONE)), AccessResult.TYPE_UNMATCHED),
        (bounds(octets(b"2012"), NONE), AccessResult.TYPE_UNMATCHED),
        (bounds(octets(b"\xff" * 12), NONE), AccessResult.TYPE_UNMATCHED),
        (bounds(uint16(5), NONE), AccessResult.TYPE_UNMATCHED),
        (by_range(None, None, captured("1-0:9.9.9")), AccessResult.SCOPE_OF_ACCESS_VIOLATED),
        (by_range(None, None, NONE), AccessResult.TYPE_UNMATCHED),
        (Selection(2, structure(NONE, NONE, NONE, NONE)), AccessResult.TYPE_UNMATCHED),
        (by_entry(1, 1, 99, 0), AccessResult.SCOPE_OF_ACCESS_VIOLATED),
        (by_entry(1, 1, 3, 2), AccessResult.SCOPE_OF_ACCESS_VIOLATED),
    ],
)
def test_a_selection_without_sense_is_refused(selection: Selection, result: AccessResult) -> None:
    """As COSEM says it."""
    with pytest.raises(RefusedError) as caught:
        read(selection)
    assert result is caught.value.result


def test_pending_gas_is_null() -> None:
    """Its row is encoded one value at a time."""
    meter = lived_in(2)
    meter.pulses.add(None, 4, final=False)
    meter.book("import", 5, START + 2 * HALF_HOUR)
    meter.ledger.close_through(unix_s(START + 3 * HALF_HOUR))
    found = read(meter=meter, code="0-1:24.3.0")

    assert structure(NONE, uint8(6), NONE) == found[2]


def test_a_buffer_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody makes the meter hold more than it can."""
    monkeypatch.setattr(profiles, "BUFFER_MAX", 1_000)
    with pytest.raises(RefusedError):
        read()


def compact(selection: Selection | None = None, meter: FixedMeter = DAY) -> CompactArray:
    """The compact profile as a client gets it."""
    profile = CompactProfile(meter.directory)
    encoded = profile.buffer(row_selection(selection, profile.columns))
    found = decode_data(encoded).value
    assert isinstance(found, CompactArray)
    return found


def test_a_day_of_the_compact_profile_has_589_bytes() -> None:
    """Seven columns, twelve bytes a row."""
    profile = CompactProfile(DAY.directory)

    assert 589 == len(profile.buffer(RowSelection(tuple(range(7)))))
    assert ("0-0:128.37.0", "0-0:96.10.1", "0-1:96.10.1", "1-0:1.29.0", "1-0:2.29.0") == tuple(
        str(each.obis) for each in profile.columns[:5]
    )
    assert ("1-0:3.29.0", "0-1:128.1.0") == tuple(str(each.obis) for each in profile.columns[5:])


def test_compact_rows_are_those_of_the_profiles() -> None:
    """Number of the half-hour, both states, and what passed."""
    found = compact()

    assert 48 == len(found.elements)
    for n, row in enumerate(found.elements):
        number = unix_s(START + (n + 1) * HALF_HOUR) // 1800 % 65_536
        assert (
            structure(
                uint16(number), uint8(0), uint8(0), uint16(10 + n), uint16(0), uint16(0), uint16(3)
            )
            == row
        )


def test_compact_rows_and_columns_are_selected() -> None:
    """As in any profile."""
    found = compact(by_range(START + 2 * HALF_HOUR, START + 3 * HALF_HOUR, captured("1-0:1.29.0")))

    assert (structure(uint16(11)), structure(uint16(12))) == found.elements
    assert (structure(uint8(0), uint8(0)),) == compact(by_entry(2, 2, 2, 3)).elements


def test_what_is_not_known_or_too_large_is_the_highest_number() -> None:
    """The state says which; the whole number is in the load profile."""
    meter = lived_in(1)
    meter.pulses.add(None, 4, final=False)
    meter.book("import", 70_000, START + HALF_HOUR)
    meter.ledger.close_through(unix_s(START + 2 * HALF_HOUR))
    row = compact(meter=meter).elements[1]

    assert (uint8(6), uint16(0xFFFF), uint16(0xFFFF)) == (
        row.value[2],
        row.value[3],
        row.value[6],
    )


def test_without_rows_there_is_an_empty_array() -> None:
    """Of both profiles."""
    meter = lived_in(0)

    assert () == read(meter=meter)
    assert () == compact(meter=meter).elements


def test_columns_are_what_the_meter_has() -> None:
    """No reactive energy, no column of it."""
    profile = CompactProfile(lived_in(1, reactive=False).directory)

    assert 6 == len(profile.columns)
