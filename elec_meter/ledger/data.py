"""Data channels: an object of the directory, recorded at the end of every period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, Protocol

import msgspec

from .row_days import RowDays
from .state import DataRow, DataTotals


class Reading(NamedTuple):
    """What an object says.

    Attributes:
        number: the raw number, None when it is not known.
        modulus: at which an accumulating one begins again at 0; None for one that does not.
    """

    number: int | None
    modulus: int | None


class _Recorded(NamedTuple):
    """What every channel recorded in a row."""

    start_s: int
    values: dict[str, int | None]


_DECODER: Final = msgspec.msgpack.Decoder(list[_Recorded])


class DataSource(Protocol):
    """Where data channels read their objects."""

    def read(self, channel: str) -> Reading:
        """What a channel's object says now."""


class DataChannels:
    """Rows of all data channels.

    An accumulating object gives what it advanced by since it was last recorded, so that the rows
    add up; any other one gives its value at the end of the row.

    Args:
        names: the channels.
        rows: as they were saved.
        totals: by channel, as they were saved; changed in place.
    """

    def __init__(
        self, names: Iterable[str], rows: Iterable[DataRow], totals: dict[str, DataTotals]
    ) -> None:
        self.names = tuple(names)
        self.source: DataSource | None = None
        self.totals = totals
        known: dict[int, dict[str, int | None]] = {}
        for channel, start_s, value in rows:
            known.setdefault(start_s, {})[channel] = value
        self._rows = RowDays(_DECODER, map(_Recorded, known.keys(), known.values()))

    def record(self, start_s: int) -> None:
        """A row ends: record every channel in it."""
        if self.source is None or not self.names:
            return
        row = dict(self.at(start_s))
        for name in self.names:
            number, modulus = self.source.read(name)
            if number is not None and modulus is not None:
                number = self._advance(name, number, modulus) + (row.get(name) or 0)
            elif number is None and name in self.totals:
                number = row.get(name)
            row[name] = number
        self._rows.put(_Recorded(start_s, row))

    def at(self, start_s: int) -> Mapping[str, int | None]:
        """What was recorded in a row; nothing, where nothing was."""
        row = self._rows.get(start_s)
        return {} if row is None else row.values

    def sum(self, name: str) -> int:
        """What the rows of an accumulating channel hold."""
        return sum(row.values.get(name) or 0 for row in self._rows)

    def forget_before(self, first_s: int) -> None:
        """Rows that begin earlier have left by depth."""
        for row in list(self._rows.before(first_s)):
            for name, value in row.values.items():
                if name in self.totals:
                    self.totals[name].aged += value or 0
            self._rows.pop(row.start_s)

    def changes(self) -> tuple[list[DataRow], list[int]]:
        """Entries of rows that differ from what was saved, and starts of rows that are gone."""
        here, gone = self._rows.changes()
        entries = [
            DataRow(name, row.start_s, value) for row in here for name, value in row.values.items()
        ]
        return entries, gone

    def mark_saved(self) -> None:
        """All changes are durable."""
        self._rows.mark_saved()

    def _advance(self, name: str, number: int, modulus: int) -> int:
        totals = self.totals.get(name)
        if totals is None:
            self.totals[name] = DataTotals(number)
            return 0
        advance = (number - totals.reading) % modulus
        totals.reading = number
        totals.total += advance
        return advance
