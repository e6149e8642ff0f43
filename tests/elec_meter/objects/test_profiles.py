from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from elec_meter.objects import EventRow, ProfileGeneric
from shared.timegrid import unix_s
from tests.elec_meter.objects.fixed_meter import START, FixedMeter

HALF_HOUR = timedelta(minutes=30)


def profile(meter: FixedMeter, code: str) -> ProfileGeneric:
    """A profile of the directory."""
    found = meter.directory[code]
    assert isinstance(found, ProfileGeneric)
    return found


def half_hours(count: int) -> FixedMeter:
    """A meter with closed half-hours of 10, 11, 12 ... Wh."""
    meter = FixedMeter()
    for n in range(count):
        meter.book("import", 10 + n, START + n * HALF_HOUR)
        meter.ledger.close_through(unix_s(START + (n + 1) * HALF_HOUR))
    return meter


def test_rows_are_stamped_with_the_end_of_their_half_hour() -> None:
    """A row has the end in UTC, the status and four energies; the open half-hour is not there."""
    meter = half_hours(2)
    meter.book("import", 5, START + 2 * HALF_HOUR)

    rows = [(START + (n + 1) * HALF_HOUR, 0, 10 + n, 0, 0, 0) for n in range(2)]
    assert rows == profile(meter, "1-0:99.1.0")[2]
    assert 2 == profile(meter, "1-0:99.1.0")[7]


def test_a_range_includes_both_its_ends() -> None:
    """Selection is by the stamp that the reader sees."""
    load = profile(half_hours(4), "1-0:99.1.0")
    from_utc, to_utc = START + 2 * HALF_HOUR, START + 3 * HALF_HOUR
    second, microsecond = timedelta(seconds=1), timedelta(microseconds=1)

    assert [11, 12] == [row[2] for row in load.rows(from_utc, to_utc)]
    assert [12] == [row[2] for row in load.rows(from_utc + microsecond, to_utc + second)]
    assert [11] == [row[2] for row in load.rows(from_utc - second, to_utc - microsecond)]
    assert [] == load.rows(to_utc, from_utc)


def test_rows_without_indexes_are_the_same_rows() -> None:
    """Whoever asks for no index is not made to wait for the sum of all rows."""
    meter = half_hours(5)
    start_s, end_s = unix_s(START + HALF_HOUR), unix_s(START + 4 * HALF_HOUR)
    whole = list(meter.ledger.rows(start_s, end_s))

    assert [21, 33, 46] == [row.indexes["import_wh"] for row in whole]
    without = [replace(row, indexes={}) for row in whole]
    assert without == list(meter.ledger.rows(start_s, end_s, with_indexes=False))


def test_every_column_is_an_object_of_the_directory() -> None:
    """What a profile captures can be looked up, with its unit, and shows the newest row."""
    meter = half_hours(3)
    for code in ("1-0:99.1.0", "0-1:24.3.0", "0-0:99.98.0"):
        for column in profile(meter, code).columns:
            assert column.class_id == meter.directory[column.obis].class_id

    assert 12 == meter.directory["1-0:1.29.0"].value
    assert "Wh" == meter.directory["1-0:1.29.0"].unit


def test_gas_half_hours_are_none_until_they_are_final() -> None:
    """A pending half-hour has a status that says so, and no pulses."""
    meter = half_hours(3)
    meter.pulses.add(4)
    meter.pulses.add(5)
    meter.ledger.book_pulses()

    rows = profile(meter, "0-1:24.3.0").rows()
    assert [(0, 4), (0, 5), (2, None)] == [row[1:] for row in rows]
    assert meter.directory["0-1:128.1.0"].value is None


def test_events_are_rows_of_time_number_and_text() -> None:
    """The event log is a profile too, and its newest entry can be shown."""
    meter = FixedMeter(events=[EventRow(unix_s(START) + n, n, f"event {n}") for n in (1, 2, 3)])
    second = timedelta(seconds=1)
    log = profile(meter, "0-0:99.98.0")

    assert [(START + 2 * second, 2, "event 2")] == log.rows(START + 2 * second, START + 2 * second)
    assert 3 == log[7]
    assert "event 3" == meter.directory["0-0:128.11.0"].value


def test_a_profile_before_the_first_half_hour_is_empty() -> None:
    """No rows, no newest value."""
    meter = FixedMeter()

    assert [] == profile(meter, "1-0:99.1.0").rows()
    assert meter.directory["1-0:1.29.0"].value is None
    assert 0 == meter.directory["0-0:128.34.0"].value


def test_no_profile_has_more_entries_than_it_says_it_keeps() -> None:
    """What was padded takes no room: there are as many as there are, however many that is."""
    meter = half_hours(2)
    load = profile(meter, "1-0:99.1.0")
    depth = load.depth
    assert (2, depth) == (load[7], load[8])
    now_s = meter.ledger.closed_s
    assert now_s is not None
    meter.ledger.set_time(now_s, now_s + (depth + 100) * 1_800)
    assert depth + 102 == load[7] == load[8]
