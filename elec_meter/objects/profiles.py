"""Profiles: rows of the ledger and the event log, as COSEM rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

from elec_meter.events import Log
from elec_meter.ledger import ProfileRow, energy_key
from elec_meter.objects.classes.base import CosemObject, Scalar
from elec_meter.objects.classes.profile_generic import CaptureObject, ProfileGeneric, ProfileSource
from elec_meter.objects.sources import Sources
from shared.obis import Obis
from shared.timegrid import DAY_HALF_HOURS, DAY_S, HALF_HOUR_S, from_unix_s, unix_s

CLOCK: Final = "0-0:1.0.0"
CLOCK_COLUMN: Final = CaptureObject(8, Obis.parse(CLOCK), 2)
_LONGEST_S: Final = 3_600
_AFTER_ALL_S: Final = 1 << 40
_IMPORT: Final = energy_key("import")
_T = TypeVar("_T")


class Column(NamedTuple):
    """A column of a profile of periods.

    Attributes:
        captured: the object that is captured.
        of: where a row has it.
        is_index: whether that is an index, which rows have for those alone who ask.
    """

    captured: CosemObject
    of: Callable[[ProfileRow], int | None]
    is_index: bool = False


class Bounds(NamedTuple):
    """A range of stamps in UNIX seconds, both ends included."""

    from_s: int
    to_s: int

    @classmethod
    def of(cls, from_utc: datetime | None, to_utc: datetime | None) -> Bounds:
        """What selective access asks for; None is no end."""
        return cls(
            -_AFTER_ALL_S if from_utc is None else _ceiling_s(from_utc),
            _AFTER_ALL_S if to_utc is None else unix_s(to_utc),
        )

    def __contains__(self, at_s: object) -> bool:
        return isinstance(at_s, int) and self.from_s <= at_s <= self.to_s


class _PeriodRows(ProfileSource):
    """Closed rows that have a key, each stamped with its end in UTC (docs/half-hours.md).

    Args:
        sources: where the ledger is.
        columns: what is captured.
        key: rows without it belong to another profile: where the integration period is not a
            half-hour, half-hours of gas are rows of their own.
    """

    def __init__(self, sources: Sources, columns: Sequence[Column], key: str) -> None:
        self._ledger = sources.ledger
        self._readers = [column.of for column in columns]
        self._has_index = any(column.is_index for column in columns)
        self._key = key

    def rows(self, from_utc: datetime | None, to_utc: datetime | None) -> list[tuple[Scalar, ...]]:
        (from_s, to_s), readers = Bounds.of(from_utc, to_utc), self._readers
        return [
            (from_unix_s(row.end_s), *[read(row) for read in readers])
            for row in self._rows(from_s - _LONGEST_S, to_s)
            if from_s <= row.end_s <= to_s
        ]

    def count(self) -> int:
        if self._key == _IMPORT:
            return self._ledger.row_count
        return sum(1 for _ in self._rows(-_AFTER_ALL_S, _AFTER_ALL_S))

    def _rows(self, from_s: int, to_s: int) -> Iterator[ProfileRow]:
        first_s = self._ledger.first_s
        if first_s is None:
            return iter(())
        rows = self._ledger.rows(max(first_s, from_s), to_s, with_indexes=self._has_index)
        return (row for row in rows if self._key in row.deltas)


class _Events(ProfileSource):
    """Entries of an event log."""

    def __init__(self, sources: Sources, log: Log) -> None:
        self._events = sources.events
        self._log = log

    def rows(self, from_utc: datetime | None, to_utc: datetime | None) -> list[tuple[Scalar, ...]]:
        return [
            (from_unix_s(event.at_s), event.code, event.text)
            for event in self._events.rows(self._log, *range_s(from_utc, to_utc))
        ]

    def count(self) -> int:
        return self._events.count(self._log)


def period_profile(
    obis: str, name: str, sources: Sources, columns: Sequence[Column]
) -> ProfileGeneric:
    """A profile of integration periods: clock, then the columns."""
    return ProfileGeneric(
        obis,
        name,
        sources.now,
        _captured_by(columns),
        _PeriodRows(sources, columns, _IMPORT),
        period_s=lambda: sources.ledger.demand.period_s,
        depth=sources.config.profile.depth_days * (DAY_S // sources.config.profile.period_s),
    )


def half_hour_profile(
    obis: str, name: str, sources: Sources, columns: Sequence[Column], key: str
) -> ProfileGeneric:
    """A profile of what has half-hours whatever the integration period is: clock, columns."""
    return ProfileGeneric(
        obis,
        name,
        sources.now,
        _captured_by(columns),
        _PeriodRows(sources, columns, key),
        period_s=lambda: HALF_HOUR_S,
        depth=sources.config.profile.depth_days * DAY_HALF_HOURS,
    )


def event_log(
    obis: str, name: str, sources: Sources, log: Log, columns: Sequence[CosemObject], depth: int
) -> ProfileGeneric:
    """An event log: clock, number of the event, a sentence."""
    captures = (CLOCK_COLUMN, *map(captured, columns))
    source = _Events(sources, log)
    return ProfileGeneric(
        obis, name, sources.now, captures, source, period_s=lambda: 0, depth=depth
    )


def _captured_by(columns: Sequence[Column]) -> tuple[CaptureObject, ...]:
    return (CLOCK_COLUMN, *(captured(each.captured) for each in columns))


def captured(each: CosemObject, attribute: int = 2) -> CaptureObject:
    """The column that has an object's attribute."""
    return CaptureObject(each.class_id, each.obis, attribute)


def newest(
    sources: Sources, of: Callable[[ProfileRow], _T | None], key: str = _IMPORT
) -> Callable[[datetime], _T | None]:
    """Reads something of the last row with a key that closed, None before the first."""

    def read(_: datetime) -> _T | None:
        closed_s, first_s = sources.ledger.closed_s, sources.ledger.first_s
        if closed_s is None or first_s is None:
            return None
        rows = [
            row
            for row in sources.ledger.rows(max(first_s, closed_s - _LONGEST_S), closed_s)
            if key in row.deltas and row.end_s <= closed_s
        ]
        return of(rows[-1]) if rows else None

    return read


def range_s(from_utc: datetime | None, to_utc: datetime | None) -> tuple[int | None, int | None]:
    """What selective access asks for, as UNIX seconds, the second one excluded."""
    return (
        None if from_utc is None else _ceiling_s(from_utc),
        None if to_utc is None else unix_s(to_utc) + 1,
    )


def _ceiling_s(instant: datetime) -> int:
    """Whole UNIX seconds, rounded towards the future: a bound that includes what equals it."""
    return unix_s(instant) + bool(instant.microsecond)
