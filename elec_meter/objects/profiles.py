"""Profiles: half-hours of the ledger and the event log, as COSEM rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple, TypeVar

from elec_meter.ledger import ProfileRow
from elec_meter.objects.base import CosemObject, Scalar
from elec_meter.objects.profile_generic import CaptureObject, ProfileGeneric, ProfileSource
from elec_meter.objects.sources import Sources
from shared.obis import Obis
from shared.timegrid import DAY_HALF_HOURS, HALF_HOUR_S, from_unix_s, unix_s

CLOCK: Final = "0-0:1.0.0"
_CLOCK_COLUMN: Final = CaptureObject(8, Obis.parse(CLOCK), 2)
_T = TypeVar("_T")


class Column(NamedTuple):
    """A column of a half-hourly profile: the object that is captured, and where a row has it."""

    captured: CosemObject
    of: Callable[[ProfileRow], int | None]


class _HalfHours(ProfileSource):
    """Closed half-hours, each stamped with its end in UTC (docs/half-hours.md)."""

    def __init__(self, sources: Sources, columns: Sequence[Column]) -> None:
        self._ledger = sources.ledger
        self._columns = tuple(columns)

    def rows(self, from_utc: datetime | None, to_utc: datetime | None) -> list[tuple[Scalar, ...]]:
        first_s, closed_s = self._ledger.first_s, self._ledger.closed_s
        if first_s is None or closed_s is None:
            return []
        from_s = first_s if from_utc is None else _ceiling_s(from_utc) - HALF_HOUR_S
        to_s = closed_s if to_utc is None else unix_s(to_utc) - HALF_HOUR_S + 1
        return [
            (from_unix_s(row.end_s), *(column.of(row) for column in self._columns))
            for row in self._ledger.rows(from_s, to_s)
        ]

    def count(self) -> int:
        return self._ledger.row_count


class _Events(ProfileSource):
    """Entries of the event log."""

    def __init__(self, sources: Sources) -> None:
        self._events = sources.events

    def rows(self, from_utc: datetime | None, to_utc: datetime | None) -> list[tuple[Scalar, ...]]:
        from_s = None if from_utc is None else _ceiling_s(from_utc)
        to_s = None if to_utc is None else unix_s(to_utc) + 1
        return [
            (from_unix_s(event.at_s), event.code, event.text)
            for event in self._events.rows(from_s, to_s)
        ]

    def count(self) -> int:
        return self._events.count()


def half_hour_profile(
    obis: str, name: str, sources: Sources, columns: Sequence[Column]
) -> ProfileGeneric:
    """A profile of half-hours: clock, then the columns."""
    captured = [column.captured for column in columns]
    return ProfileGeneric(
        obis,
        name,
        sources.now,
        (_CLOCK_COLUMN, *(CaptureObject(each.class_id, each.obis, 2) for each in captured)),
        _HalfHours(sources, columns),
        period_s=HALF_HOUR_S,
        depth=sources.config.profile.depth_days * DAY_HALF_HOURS,
    )


def event_log(
    obis: str, name: str, sources: Sources, code: CosemObject, text: CosemObject, depth: int
) -> ProfileGeneric:
    """The event log: clock, number of the event, a sentence."""
    columns = (
        _CLOCK_COLUMN,
        *(CaptureObject(each.class_id, each.obis, 2) for each in (code, text)),
    )
    return ProfileGeneric(
        obis, name, sources.now, columns, _Events(sources), period_s=0, depth=depth
    )


def newest(
    sources: Sources, of: Callable[[ProfileRow], _T | None]
) -> Callable[[datetime], _T | None]:
    """Reads something of the last half-hour that closed, None before the first."""

    def read(_: datetime) -> _T | None:
        closed_s = sources.ledger.closed_s
        if closed_s is None:
            return None
        rows = islice(sources.ledger.rows(closed_s - HALF_HOUR_S, closed_s), 1)
        return next((of(row) for row in rows), None)

    return read


def _ceiling_s(instant: datetime) -> int:
    """Whole UNIX seconds, rounded towards the future: a bound that includes what equals it."""
    return unix_s(instant) + bool(instant.microsecond)
