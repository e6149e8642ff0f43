"""Midnights: those of UTC, those of British local time, and those that end a billing period."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from elec_meter.config import BillingConfig
from shared.timegrid import DAY_S, LONDON, from_unix_s, settlement_day_start, unix_s

_DAY = timedelta(days=1)


class Midnight(NamedTuple):
    """An instant that is midnight by UTC, by local time, or by both."""

    at_s: int
    is_utc: bool
    is_local: bool


class Midnights:
    """Which midnights have come, each once and in order."""

    def __init__(self) -> None:
        self._next_utc_s = self._next_local_s = 0

    @property
    def next_s(self) -> int:
        """The next midnight of either kind."""
        return min(self._next_utc_s, self._next_local_s)

    def begin(self, at_s: int) -> None:
        """Midnights up to an instant have been seen, later ones have not."""
        self._next_utc_s = at_s - at_s % DAY_S + DAY_S
        self._next_local_s = next_local_midnight_s(at_s)

    def passed(self, to_s: int) -> Iterator[Midnight]:
        """Those that have come by an instant."""
        while self.next_s <= to_s:
            at_s = self.next_s
            midnight = Midnight(at_s, at_s == self._next_utc_s, at_s == self._next_local_s)
            if midnight.is_utc:
                self._next_utc_s += DAY_S
            if midnight.is_local:
                self._next_local_s = next_local_midnight_s(at_s)
            yield midnight


def next_local_midnight_s(at_s: int) -> int:
    """The first British local midnight after an instant."""
    today = from_unix_s(at_s).astimezone(LONDON).date()
    return unix_s(settlement_day_start(today + _DAY))


def begins_billing_period(config: BillingConfig, midnight: Midnight) -> bool:
    """Whether a billing period begins with it on its own."""
    if not config.day:
        return False
    if config.time_base == "utc":
        return midnight.is_utc and from_unix_s(midnight.at_s).day == config.day
    local = from_unix_s(midnight.at_s).astimezone(LONDON)
    return midnight.is_local and local.day == config.day
