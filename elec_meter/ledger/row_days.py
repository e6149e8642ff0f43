"""Rows by their start; those of days gone by are packed, so that years of them are small."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from shared.timegrid import DAY_S

from .state import EnergyRow

EVER_S: Final = 1 << 62
"""UNIX seconds beyond everything; what is before its negative is before everything."""

_DECODER: Final = msgspec.msgpack.Decoder(list[EnergyRow])


class _Starting(Protocol):
    @property
    def start_s(self) -> int:
        """The row's start in UNIX seconds."""


_Row = TypeVar("_Row", bound=_Starting)


class RowDays(Generic[_Row]):
    """One row for a start, in memory all of them, and which of them are not saved yet.

    Args:
        decoder: what reads a list of such rows; they are named tuples, and changed by putting
            another one in their place.
        rows: as they were saved.
    """

    def __init__(
        self, decoder: msgspec.msgpack.Decoder[list[_Row]], rows: Iterable[_Row] = ()
    ) -> None:
        self._decoder = decoder
        self._packed_days: dict[int, bytes] = {}
        self._unpacked_days: dict[int, dict[int, _Row]] = {}
        self._packed_through = -EVER_S  # no later day is packed
        self._cached_day: int | None = None
        self._cached_rows: dict[int, _Row] = {}
        self._touched: set[int] = set()
        for row in rows:
            self._to_change(row.start_s)[row.start_s] = row
        self._pack()

    def __contains__(self, start_s: int) -> bool:
        return start_s in self._day(start_s // DAY_S)

    def __iter__(self) -> Iterator[_Row]:
        return self.before(EVER_S)

    @property
    def first_s(self) -> int:
        """The earliest start.

        Raises:
            ValueError: there are no rows.
        """
        return min(self._day(min(self._days())))

    @property
    def last_s(self) -> int:
        """The latest start.

        Raises:
            ValueError: there are no rows.
        """
        return max(self._day(max(self._days())))

    def get(self, start_s: int) -> _Row | None:
        """The row that starts there; None if there is none."""
        return self._day(start_s // DAY_S).get(start_s)

    def between(self, from_s: int, to_s: int = EVER_S) -> Iterator[_Row]:
        """Rows that start in `[from_s, to_s)`, in order of time."""
        first, last = from_s // DAY_S, (to_s - 1) // DAY_S
        for day in sorted(day for day in self._days(first) if first <= day <= last):
            rows = self._day(day)
            yield from [rows[start_s] for start_s in sorted(rows) if from_s <= start_s < to_s]

    def before(self, to_s: int) -> Iterator[_Row]:
        """Rows that start earlier, in order of time."""
        return self.between(-EVER_S, to_s)

    def put(self, row: _Row) -> None:
        """Keep a row, in the place of the one with its start."""
        start_s = row.start_s
        self._to_change(start_s)[start_s] = row
        self._touched.add(start_s)

    def pop(self, start_s: int) -> _Row:
        """Let go of a row.

        Raises:
            KeyError: there is none.
        """
        if start_s not in self:
            raise KeyError(start_s)
        rows = self._to_change(start_s)
        row = rows.pop(start_s)
        if not rows:
            del self._unpacked_days[start_s // DAY_S]
        self._touched.add(start_s)
        return row

    def clear(self) -> None:
        """Let go of all of them."""
        self._touched.update(row.start_s for row in self)
        self._packed_days.clear()
        self._unpacked_days.clear()
        self._cached_day = None

    @property
    def has_changed(self) -> bool:
        """Whether anything differs from what was saved."""
        return bool(self._touched)

    def changes(self) -> tuple[list[_Row], list[int]]:
        """Rows that differ from what was saved, and starts of those that are gone."""
        # Set operations with the starts would go through every row at every checkpoint.
        found = [(start_s, self.get(start_s)) for start_s in sorted(self._touched)]
        here = [row for _, row in found if row is not None]
        return here, [start_s for start_s, row in found if row is None]

    def mark_saved(self) -> None:
        """All changes are durable."""
        self._touched.clear()
        self._pack()

    def _pack(self) -> None:
        """Pack what was unpacked, but for the newest day and the one before."""
        newest = max(self._unpacked_days, default=0)
        for day in [each for each in self._unpacked_days if each < newest - 1]:
            rows = self._unpacked_days.pop(day)
            in_order = [rows[start_s] for start_s in sorted(rows)]
            self._packed_days[day] = msgspec.msgpack.encode(in_order)
            self._packed_through = max(self._packed_through, day)

    def _days(self, first: int = -EVER_S) -> Iterable[int]:
        """Days that have rows; where it takes long to look through, none before the first."""
        if first > self._packed_through:  # the newest rows are asked for all the time
            return self._unpacked_days.keys()
        return self._packed_days.keys() | self._unpacked_days.keys()

    def _day(self, day: int) -> dict[int, _Row]:
        """A day's rows by their start, to read; whoever reads on finds the last one unpacked."""
        rows = self._unpacked_days.get(day)
        if rows is not None:
            return rows
        if day != self._cached_day:
            self._cached_day, self._cached_rows = day, self._unpacked(self._packed_days.get(day))
        return self._cached_rows

    def _to_change(self, start_s: int) -> dict[int, _Row]:
        """The rows of a start's day by their start, to change."""
        day = start_s // DAY_S
        rows = self._unpacked_days.get(day)
        return self._unpack_day(day) if rows is None else rows

    def _unpack_day(self, day: int) -> dict[int, _Row]:
        self._cached_day = None
        rows = self._unpacked_days[day] = self._unpacked(self._packed_days.pop(day, None))
        return rows

    def _unpacked(self, packed: bytes | None) -> dict[int, _Row]:
        if packed is None:
            return {}
        return {row.start_s: row for row in self._decoder.decode(packed)}


class EnergyRowDays(RowDays[EnergyRow]):
    """Rows of the energy channels; what whole days hold together is known without reading them.

    Args:
        rows: as they were saved, with as many deltas each.
    """

    def __init__(self, rows: Iterable[EnergyRow] = ()) -> None:
        self._sums: dict[int, tuple[int, ...]] = {}
        super().__init__(_DECODER, rows)

    def sums(self, from_s: int) -> list[int]:
        """By column, what rows that start at an instant or later hold; empty without such rows."""
        first = from_s // DAY_S
        sums = [self._sum(day) for day in self._days(first) if day > first]
        sums += [row.deltas for row in self.between(from_s, (first + 1) * DAY_S)]
        return [sum(column) for column in zip(*sums, strict=True)]

    def clear(self) -> None:
        """See `RowDays.clear`."""
        super().clear()
        self._sums.clear()

    def _unpack_day(self, day: int) -> dict[int, EnergyRow]:
        self._sums.pop(day, None)
        return super()._unpack_day(day)

    def _sum(self, day: int) -> tuple[int, ...]:
        known = self._sums.get(day)
        if known is None:
            deltas = [row.deltas for row in self._day(day).values()]
            known = tuple(sum(column) for column in zip(*deltas, strict=True))
            if day in self._packed_days:
                self._sums[day] = known
        return known
