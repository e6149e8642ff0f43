"""An energy channel's registers."""

from __future__ import annotations

from elec_meter.config import CalendarConfig
from elec_meter.tariff import Calendar, span_at

from .state import AccountState


class Account:
    """Total, rates and what is not in any row, in Wh; unbounded integers that only ever grow."""

    __slots__ = (
        "_rate",
        "_span_from_s",
        "_span_until_s",
        "aged",
        "calendar",
        "name",
        "rates",
        "residual_mj",
        "total",
        "unallocated",
    )

    def __init__(self, name: str, config: CalendarConfig, state: AccountState | None) -> None:
        state = AccountState(name) if state is None else state
        self.name = name
        self.calendar = Calendar.from_config(config)
        self.total = state.total
        self.rates = state.rates + [0] * (config.rates - len(state.rates))
        self.aged = state.aged
        self.unallocated = state.unallocated
        self.residual_mj = state.residual_mj
        self._rate = self._span_from_s = self._span_until_s = 0

    def rate_at(self, at_s: int) -> int:
        """The rate, from 1, in force at an instant; a span is computed once and remembered."""
        if not self._span_from_s <= at_s < self._span_until_s:
            self._rate, self._span_until_s = span_at(self.calendar, at_s)
            self._span_from_s = at_s
        return self._rate

    def rate_until_s(self, at_s: int) -> int:
        """When the rate in force at an instant ends."""
        self.rate_at(at_s)
        return self._span_until_s

    def state(self) -> AccountState:
        """A copy to keep."""
        return AccountState(
            self.name,
            self.total,
            list(self.rates),
            self.aged,
            self.unallocated,
            self.residual_mj,
        )
