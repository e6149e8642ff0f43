"""Tariffs: pure functions of time and configuration."""

from .blocks import BlockPeriod, block_at, block_period, split
from .calendar import FOR_EVER_S, Calendar, Season, Span, SpecialDay, Switch, rate_at, span_at
from .offset import randomised_offset_s, rates_offset_s
from .prices import DEFAULT_PRICES, HalfHourPrice, PriceList, price_millipence

__all__ = [
    "DEFAULT_PRICES",
    "FOR_EVER_S",
    "BlockPeriod",
    "Calendar",
    "HalfHourPrice",
    "PriceList",
    "Season",
    "Span",
    "SpecialDay",
    "Switch",
    "block_at",
    "block_period",
    "price_millipence",
    "randomised_offset_s",
    "rate_at",
    "rates_offset_s",
    "span_at",
    "split",
]
