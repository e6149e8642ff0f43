"""Closed rows of a data directory, one settlement day after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from shared.timegrid import from_unix_s, settlement_period

from .observed import Observed, Row
from .views import profile

_DAY = timedelta(days=1)


class Days(NamedTuple):
    """Settlement days, both included."""

    first: date
    last: date

    def within(self, first: date | None, last: date | None) -> Days | None:
        """Those of them from `first` to `last`, where None is no end; None if there are none."""
        days = Days(max(self.first, first or self.first), min(self.last, last or self.last))
        return days if days.first <= days.last else None

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


def days_of(seen: Observed) -> Days | None:
    """The days of which there are closed rows; None for none."""
    ledger = seen.meter.ledger
    if ledger.closed_s is None:
        return None
    begun = next(iter(ledger.rows(0, ledger.closed_s)), None)
    if begun is None:
        return None
    return Days(
        settlement_period(from_unix_s(begun.start_s)).settlement_date,
        settlement_period(from_unix_s(ledger.closed_s - 1)).settlement_date,
    )


def rows_of(seen: Observed, days: Days | None) -> Iterator[Row]:
    """The rows of `show profile`, oldest first."""
    if days is None:
        return
    day = days.first
    while day <= days.last:
        yield from profile(replace(seen, day=day))
        day += _DAY
