"""Rows of a profile in few bytes: runs of rows, and each column in the shorter of two ways.

    packed  = varint columns, then runs
    run     = varint rows, varint start, varint period, columns
    start   = of the first run: minutes since 1970-01-01T00:00Z at which its first row ends;
              of a later one: minutes since the end of the row before it
    period  = minutes from one row's end to the next
    column  = varint way, then its cells
    way 0   = equal cells in runs: varint how many, cell; until there are as many as rows
    way 1   = a cell for each row
    way 2   = as way 1, with zigzag numbers: of a column in which something is negative
    way 3   = as way 0, with zigzag numbers
    cell    = varint: 0 is not known, n + 1 is the number n

A varint has seven bits a byte, least significant first, bit 7 set in all bytes but the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final, NamedTuple, TypeAlias

from elec_meter.flag.refusals import BadValueError
from shared.timegrid import from_unix_s, unix_s

Cell: TypeAlias = int | None
PackedRow: TypeAlias = tuple[datetime, tuple[Cell, ...]]
"""When a row ended, and its cells."""

ROWS_LIMIT: Final = 100_000
"""More than any profile has."""

_MINUTE_S: Final = 60
_BITS_LIMIT: Final = 70
_SIGNED: Final = 2


class _Run(NamedTuple):
    period_min: int
    rows: list[tuple[int, tuple[Cell, ...]]]


def pack_rows(columns: int, rows: Sequence[PackedRow]) -> bytes:
    """Rows with so many cells each, in order of time; each ends at a whole minute.

    Raises:
        BadValueError: a row does not end at a whole minute, or before the one before it.
    """
    out = bytearray()
    _put(out, columns)
    before = 0
    for run in _runs(rows):
        first, last = run.rows[0][0], run.rows[-1][0]
        for number in (len(run.rows), first - before, run.period_min):
            _put(out, number)
        before = last
        for column in range(columns):
            out += _packed_column([cells[column] for _, cells in run.rows])
    return bytes(out)


def unpack_rows(packed: bytes) -> list[PackedRow]:
    """What `pack_rows` packed.

    Raises:
        BadValueError: it is nothing of that kind.
    """
    source = _Source(packed)
    columns = source.take()
    rows: list[PackedRow] = []
    minute = 0
    while source.is_more:
        count, gap, period_min = source.take(), source.take(), source.take()
        if len(rows) + count > ROWS_LIMIT or not count:
            raise BadValueError("the packed rows are too many, or none")
        minute += gap
        cells = [_unpacked_column(source, count) for _ in range(columns)]
        for index in range(count):
            end = _instant(minute + index * period_min)
            rows.append((end, tuple(column[index] for column in cells)))
        minute += (count - 1) * period_min
    return rows


def _runs(rows: Sequence[PackedRow]) -> Iterator[_Run]:
    """Rows whose ends are evenly spaced."""
    timed: list[tuple[int, tuple[Cell, ...]]] = []
    for stamp, cells in rows:
        minute, rest = divmod(unix_s(stamp), _MINUTE_S)
        if rest or minute < 0 or (timed and minute <= timed[-1][0]):
            raise BadValueError("these rows do not end at rising whole minutes")
        timed.append((minute, cells))
    at = 0
    while at < len(timed):
        period_min = timed[at + 1][0] - timed[at][0] if at + 1 < len(timed) else 0
        end = at + 1
        while end < len(timed) and timed[end][0] - timed[end - 1][0] == period_min:
            end += 1
        yield _Run(period_min, timed[at:end])
        at = end


def _packed_column(cells: Sequence[Cell]) -> bytes:
    signed = _SIGNED if any(cell is not None and cell < 0 for cell in cells) else 0
    numbers = [0 if cell is None else 1 + (_zigzag(cell) if signed else cell) for cell in cells]
    as_runs, one_by_one = bytearray(), bytearray()
    _put(as_runs, 3 if signed else 0)
    for number, equal in groupby(numbers):
        _put(as_runs, sum(1 for _ in equal))
        _put(as_runs, number)
    _put(one_by_one, 2 if signed else 1)
    for number in numbers:
        _put(one_by_one, number)
    return bytes(min(as_runs, one_by_one, key=len))


def _unpacked_column(source: _Source, count: int) -> list[Cell]:
    way = source.take()
    if way > 3:
        raise BadValueError("the packed rows have a column of an unknown kind")
    numbers: list[int] = []
    while len(numbers) < count:
        equal = 1 if way in (1, 2) else source.take()
        if not 0 < equal <= count - len(numbers):
            raise BadValueError("the packed rows have a run that does not fit")
        numbers += [source.take()] * equal
    return [_cell(number, is_signed=way >= _SIGNED) for number in numbers]


def _cell(number: int, *, is_signed: bool) -> Cell:
    if not number:
        return None
    return _unzigzag(number - 1) if is_signed else number - 1


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1


def _unzigzag(number: int) -> int:
    return -(number + 1 >> 1) if number & 1 else number >> 1


def _put(out: bytearray, number: int) -> None:
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _instant(minute: int) -> datetime:
    if minute.bit_length() > 29:
        raise BadValueError("the packed rows lie beyond the calendar")
    return from_unix_s(minute * _MINUTE_S)


class _Source:
    """Numbers of packed rows, one by one."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._at = 0

    @property
    def is_more(self) -> bool:
        return self._at < len(self._packed)

    def take(self) -> int:
        number = shift = 0
        while shift < _BITS_LIMIT:
            if not self.is_more:
                raise BadValueError("the packed rows end too early")
            octet = self._packed[self._at]
            self._at += 1
            number |= (octet & 0x7F) << shift
            if octet < 0x80:
                return number
            shift += 7
        raise BadValueError("the packed rows have a number that is too long")
