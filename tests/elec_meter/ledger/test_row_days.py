"""Rows that are packed away: who reads them finds what was put there, whatever was packed when."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.ledger.row_days import EnergyRowDays, RowDays
from elec_meter.ledger.snapshots import Snapshots
from elec_meter.ledger.state import EnergyRow, PulseRow, Snapshot
from shared.timegrid import DAY_S, HALF_HOUR_S

PULSE_ROWS = msgspec.msgpack.Decoder(list[PulseRow])
STARTS = st.integers(-4, 8).map(lambda number: number * DAY_S // 2 + HALF_HOUR_S)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "pop", "save", "clear", "read"]), STARTS, st.integers(0, 1 << 40)
    ),
    min_size=10,
    max_size=60,
)


@given(STEPS)
def test_packing_changes_nothing_that_is_read(steps: list[tuple[str, int, int]]) -> None:
    """Rows come and go, days are packed and read in between, and all are there as in a dict.

    What was not saved is told, and what was saved can be read back.
    """
    days, plain = RowDays(PULSE_ROWS), dict[int, PulseRow]()
    saved = dict[int, PulseRow]()
    for step, start_s, pulses in steps:
        if step == "put":
            plain[start_s] = PulseRow(start_s, pulses, 0, 1)
            days.put(plain[start_s])
        elif step == "pop" and start_s in plain:
            assert plain.pop(start_s) == days.pop(start_s)
        elif step == "pop":
            with pytest.raises(KeyError):
                days.pop(start_s)
        elif step == "clear" and pulses % 8 == 0:
            plain.clear()
            days.clear()
        elif step == "save":
            here, gone = days.changes()
            saved |= {row.start_s: row for row in here}
            saved = {each: row for each, row in saved.items() if each not in gone}
            assert plain == saved
            days.mark_saved()
            assert not days.has_changed
        assert plain.get(start_s) == days.get(start_s)
        assert (start_s in plain) == (start_s in days)
    assert [plain[start_s] for start_s in sorted(plain)] == list(days)
    if plain:
        assert (min(plain), max(plain)) == (days.first_s, days.last_s)


@given(st.dictionaries(STARTS, st.integers(0, 1 << 40)), STARTS, STARTS)
def test_a_range_is_in_order_of_time(pulses: dict[int, int], from_s: int, to_s: int) -> None:
    """Rows from one instant to before another, across packed days and open ones."""
    rows = [PulseRow(start_s, number, 0, 1) for start_s, number in pulses.items()]
    expected = sorted(row for row in rows if from_s <= row.start_s < to_s)
    assert expected == list(RowDays(PULSE_ROWS, rows).between(from_s, to_s))


@given(STEPS, st.sampled_from([-2 * DAY_S, HALF_HOUR_S]))
def test_sums_are_those_of_the_rows(steps: list[tuple[str, int, int]], from_s: int) -> None:
    """What later rows hold is their sum, also after a packed day was read, and amended since."""
    days, plain = EnergyRowDays(), dict[int, EnergyRow]()
    for step, start_s, energy_wh in steps:
        if step == "put":
            plain[start_s] = EnergyRow(start_s, (energy_wh, 1), 0)
            days.put(plain[start_s])
        elif step == "pop" and start_s in plain:
            del plain[start_s]
            days.pop(start_s)
        elif step == "save":
            days.mark_saved()
        later = [row.deltas for row in plain.values() if row.start_s >= from_s]
        assert [sum(column) for column in zip(*later, strict=True)] == days.sums(from_s)


def test_the_two_newest_days_stay_as_they_are() -> None:
    """What comes late is packed with its day, and nothing of today waits for an unpacking."""
    rows = [PulseRow(day * DAY_S, 1, 0, 1) for day in range(10)]
    days = RowDays(PULSE_ROWS, rows)

    def unpacked() -> list[int]:
        return [day for day, row in enumerate(rows) if days.get(row.start_s) is row]

    assert [8, 9] == unpacked()
    rows[2] = PulseRow(2 * DAY_S, 5, 0, 1)
    days.put(rows[2])
    assert [2, 8, 9] == unpacked()
    days.mark_saved()
    assert [8, 9] == unpacked()
    assert rows == list(days)


def snapshot(day: int, *, pulses: list[int] | None) -> Snapshot:
    """One of a midnight."""
    at_s = day * DAY_S
    return Snapshot(
        at_s, at_s, at_s * 1_000_000, "midnight", {"import": [9, 9]}, {"gas": pulses}, {}
    )


def test_a_snapshot_is_the_same_after_it_was_saved() -> None:
    """Those that are packed read as they were; one that still waits for pulses takes them."""
    kept = Snapshots("daily")
    for day in range(4):
        kept.take(snapshot(day, pulses=[day, day] if day < 3 else None))
    kept.mark_saved()
    kept.freeze("gas", 1 << 62, [7, 7])
    assert [snapshot(3, pulses=[7, 7])] == kept.changes()[0]
    kept.mark_saved()
    expected = [snapshot(day, pulses=[day, day] if day < 3 else [7, 7]) for day in range(4)]
    assert expected == list(kept.entries)
    assert expected[1:3] == kept.between(DAY_S, 3 * DAY_S - 1)


def test_a_saved_snapshot_may_come_to_stand_for_more_midnights() -> None:
    """The newest before an outage is extended, saved again, and found by every one of them."""
    kept = Snapshots("daily", [snapshot(day, pulses=[1, 1]) for day in range(3)])
    assert kept.extend(9 * DAY_S, DAY_S)
    (changed,), gone = kept.changes()
    assert (2 * DAY_S, 9 * DAY_S, []) == (changed.at_s, changed.through_s, gone)
    kept.mark_saved()
    assert [(0, 0), (DAY_S, DAY_S), (2 * DAY_S, 9 * DAY_S)] == kept.spans_s
    assert [changed] == kept.between(5 * DAY_S, 6 * DAY_S)
    assert (True, False) == (kept.has(9 * DAY_S), kept.has(10 * DAY_S))
