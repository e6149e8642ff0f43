from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.flag import pack_rows, unpack_rows
from elec_meter.flag.packed import Cell, PackedRow
from elec_meter.flag.refusals import BadValueError

MIDNIGHT = datetime(2026, 4, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
cells = st.none() | st.integers(-(10**12), 10**12) | st.integers(0, 3)


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, list[PackedRow]]:
    """Rows with gaps, some of them long."""
    columns = draw(st.integers(0, 4))
    gaps = draw(st.lists(st.sampled_from([5, 30, 30, 30, 7_777]), max_size=30))
    at, rows = MIDNIGHT, []
    for gap in gaps:
        at += gap * MINUTE
        rows.append((at, tuple(draw(cells) for _ in range(columns))))
    return columns, rows


@given(tables())
def test_rows_come_back_as_they_were(table: tuple[int, list[PackedRow]]) -> None:
    """Whatever the gaps, the unknown and the negative."""
    assert table[1] == unpack_rows(pack_rows(*table))


@given(st.binary(max_size=60))
def test_nothing_else_is_taken_for_rows(octets: bytes) -> None:
    """A table or a refusal, whatever the bytes."""
    try:
        rows = unpack_rows(octets)
    except BadValueError:
        return
    assert all(isinstance(end, datetime) for end, _ in rows)


def test_a_half_hour_is_made_of_numbers() -> None:
    """Byte by byte: two columns; a run of three rows from a minute on, every 30; two columns."""
    rows: list[tuple[datetime, tuple[Cell, ...]]] = [
        (MIDNIGHT + n * 30 * MINUTE, (0, wh)) for n, wh in enumerate([5, 200, None])
    ]
    minute = int(MIDNIGHT.timestamp()) // 60
    start = bytes([minute & 0x7F | 0x80, minute >> 7 & 0x7F | 0x80, minute >> 14 & 0x7F | 0x80])
    start += bytes([minute >> 21])
    columns = bytes([0, 3, 1]) + bytes([1, 6, 201 & 0x7F | 0x80, 1, 0])
    assert bytes([2, 3]) + start + bytes([30]) + columns == pack_rows(2, rows)


@pytest.mark.parametrize("ends", [[1, 0], [1, 1]])
def test_rows_out_of_order_are_refused(ends: list[int]) -> None:
    """There is no minute that a row could be after itself."""
    with pytest.raises(BadValueError, match="rising whole minutes"):
        pack_rows(0, [(MIDNIGHT + minute * MINUTE, ()) for minute in ends])


def test_a_row_inside_a_minute_is_refused() -> None:
    """Its stamp would be lost."""
    with pytest.raises(BadValueError, match="rising whole minutes"):
        pack_rows(0, [(MIDNIGHT + timedelta(seconds=1), ())])


def test_a_short_packing_does_not_unpack_without_end() -> None:
    """Runs of a billion equal cells are refused unread."""
    with pytest.raises(BadValueError):
        unpack_rows(bytes([1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 30, 0, 0xFF, 0xFF, 0x0F, 1]))
