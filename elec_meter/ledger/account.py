"""An energy channel's registers and what its energy costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from elec_meter.config import CalendarConfig, PricesConfig, millipence
from elec_meter.tariff import Calendar, price_millipence, span_at

from .registers import RateRegisters
from .state import AccountState, CostState

PriceAt: TypeAlias = Callable[[str, int], int | None]
"""The half-hourly price of a channel at an instant, in thousandths of a penny a kWh."""


class Account:
    """Total, rates and cost, in Wh; unbounded integers that only ever grow.

    Args:
        name: the channel.
        config: its calendar.
        offset_s: how much later than the calendar says its rates change.
        price_at: gives half-hourly prices.
        state: as it was saved.
    """

    __slots__ = (
        "_offset_s",
        "_price_at",
        "_prices",
        "_rate",
        "_span_from_s",
        "_span_until_s",
        "active_rate",
        "aged",
        "calendar",
        "cost",
        "name",
        "registers",
        "residual_mj",
        "total",
    )

    def __init__(
        self,
        name: str,
        config: CalendarConfig,
        offset_s: int,
        price_at: PriceAt,
        state: AccountState | None = None,
    ) -> None:
        state = AccountState(name) if state is None else state
        self.name = name
        self.total = state.total
        self.registers = RateRegisters(config.rates, config.thresholds, state.registers)
        self.aged = state.aged
        self.residual_mj = state.residual_mj
        self.cost = CostState(state.cost.energy_up, state.cost.standing_up, state.cost.unpriced)
        self.active_rate = 1
        self._price_at = price_at
        self._prices: PricesConfig | None = None
        self.configure(config, offset_s)

    def configure(self, config: CalendarConfig, offset_s: int) -> None:
        """Have this calendar from now on."""
        self.calendar = Calendar.from_config(config, offset_s)
        self._prices = config.prices
        self.registers.configure(config.rates, config.thresholds)
        if self.active_rate > config.rates:
            self.active_rate = 1
        self._rate = self._span_from_s = self._span_until_s = 0

    def rate_at(self, at_s: int) -> int:
        """The rate, from 1, in force at an instant; a span is computed once and remembered."""
        if not self._span_from_s <= at_s < self._span_until_s:
            self._rate, self._span_until_s = span_at(self.calendar, at_s)
            self._span_from_s = at_s
        return self._rate

    def rate_until_s(self, at_s: int) -> int:
        """An instant up to which the rate in force at another one does not change."""
        self.rate_at(at_s)
        return self._span_until_s

    def book(self, quantity: int, at_s: int | None) -> None:
        """Total, rate, block and cost of whole Wh; the last rate in force without a time."""
        rate = self.active_rate if at_s is None else self.rate_at(at_s)
        self.total += quantity
        parts = self.registers.book(quantity, rate)
        prices = self._prices
        if prices is None:
            self.cost.unpriced += quantity
            return
        by_half_hour = None
        if prices.half_hourly and at_s is not None:
            by_half_hour = self._price_at(self.name, at_s)
        for block, part in parts:
            price = price_millipence(prices, rate, block, by_half_hour)
            if price is None:
                self.cost.unpriced += part
            else:
                self.cost.energy_up += part * price

    def charge_day(self) -> bool:
        """Book a day's standing charge; False if there is none."""
        if self._prices is None or not self._prices.standing_p_day:
            return False
        self.cost.standing_up += millipence(self._prices.standing_p_day) * 1_000
        return True

    @property
    def cost_since_ever(self) -> tuple[int, int, int]:
        """Energy and standing charges in millionths of a penny, and Wh without a price."""
        return self.cost.energy_up, self.cost.standing_up, self.cost.unpriced

    def state(self) -> AccountState:
        """A copy to keep."""
        return AccountState(
            self.name,
            self.total,
            self.registers.state(),
            self.aged,
            self.residual_mj,
            CostState(*self.cost_since_ever),
        )
