"""Rows by their start; those of days gone by are packed, so that years of them are small."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from shared.timegrid import DAY_S

from .state import EnergyRow

_ENERGY_ROWS: Final = msgspec.msgpack.Decoder(list[EnergyRow])
_EVER_S: Final = 1 << 62


class _Starting(Protocol):
    @property
    def start_s(self) -> int:
        """The row's start in UNIX seconds."""


_Row = TypeVar("_Row", bound=_Starting)


class RowDays(Generic[_Row]):
    """One row for a start, in memory all of them: about a kilobyte for a day of half-hours.

    Args:
        decoder: what reads a list of such rows; they are named tuples, and changed by putting
            another one in their place.
        rows: as they were saved.
    """

    def __init__(
        self, decoder: msgspec.msgpack.Decoder[list[_Row]], rows: Iterable[_Row] = ()
    ) -> None:
        self._decoder = decoder
        self._packed: dict[int, bytes] = {}
        self._open: dict[int, dict[int, _Row]] = {}
        self._read_day: int | None = None
        self._read: dict[int, _Row] = {}
        for row in rows:
            self.put(row)
        if self._open:
            self.pack(max(self._open) * DAY_S)

    def __contains__(self, start_s: int) -> bool:
        return start_s in self._day(start_s // DAY_S)

    def __iter__(self) -> Iterator[_Row]:
        return self.before(_EVER_S)

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

    def between(self, from_s: int, to_s: int = _EVER_S) -> Iterator[_Row]:
        """Rows that start in `[from_s, to_s)`, in order of time."""
        first, last = from_s // DAY_S, (to_s - 1) // DAY_S
        for day in sorted(day for day in self._days() if first <= day <= last):
            rows = self._day(day)
            yield from [rows[start_s] for start_s in sorted(rows) if from_s <= start_s < to_s]

    def before(self, to_s: int) -> Iterator[_Row]:
        """Rows that start earlier, in order of time."""
        return self.between(-_EVER_S, to_s)

    def put(self, row: _Row) -> None:
        """Keep a row, in the place of the one with its start."""
        start_s = row.start_s
        rows = self._open.get(start_s // DAY_S)
        if rows is None:
            rows = self._opened(start_s // DAY_S)
        rows[start_s] = row

    def pop(self, start_s: int) -> _Row:
        """Let go of a row.

        Raises:
            KeyError: there is none.
        """
        if start_s not in self:
            raise KeyError(start_s)
        day = start_s // DAY_S
        rows = self._open.get(day) or self._opened(day)
        row = rows.pop(start_s)
        if not rows:
            del self._open[day]
        return row

    def pack(self, now_s: int) -> None:
        """Pack what is not of the day of an instant, or of the one before."""
        today = now_s // DAY_S
        for day in [each for each in self._open if not today - 1 <= each <= today]:
            rows = self._open.pop(day)
            self._packed[day] = msgspec.msgpack.encode([rows[start_s] for start_s in sorted(rows)])

    def _days(self) -> Iterable[int]:
        return self._packed.keys() | self._open.keys()

    def _day(self, day: int) -> dict[int, _Row]:
        """A day's rows by their start, to read; whoever reads on finds the last one unpacked."""
        rows = self._open.get(day)
        if rows is not None:
            return rows
        if day != self._read_day:
            self._read_day, self._read = day, self._unpacked(self._packed.get(day))
        return self._read

    def _opened(self, day: int) -> dict[int, _Row]:
        """Open a day that is not; its rows by their start, to change."""
        self._read_day = None
        rows = self._open[day] = self._unpacked(self._packed.pop(day, None))
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
        super().__init__(_ENERGY_ROWS, rows)

    def sums(self, from_s: int) -> list[int]:
        """By column, what rows that start at an instant or later hold; empty without such rows."""
        first = from_s // DAY_S
        sums = [self._sum(day) for day in self._days() if day > first]
        sums += [row.deltas for row in self.between(from_s, (first + 1) * DAY_S)]
        return [sum(column) for column in zip(*sums, strict=True)]

    def _opened(self, day: int) -> dict[int, EnergyRow]:
        self._sums.pop(day, None)
        return super()._opened(day)

    def _sum(self, day: int) -> tuple[int, ...]:
        known = self._sums.get(day)
        if known is None:
            deltas = [row.deltas for row in self._day(day).values()]
            known = tuple(sum(column) for column in zip(*deltas, strict=True))
            if day in self._packed:
                self._sums[day] = known
        return known
