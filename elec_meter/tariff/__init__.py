"""Tariffs: pure functions of time and configuration."""

from .blocks import BlockPeriod, block_at, block_period, split
from .calendar import FOR_EVER_S, Calendar, Season, Span, SpecialDay, Switch, rate_at, span_at
from .offset import randomised_offset_s, rates_offset_s
from .prices import DEFAULT_PRICES, HalfHourPrice, PriceList, price_millipence
from .timetable import (
    PART_CHECKS,
    DayRates,
    SeasonProfile,
    SpecialDayEntry,
    Timetable,
    WeekProfile,
    calendar_with,
    calendar_with_special_days,
    special_days_of,
    timetable_of,
)

__all__ = [
    "DEFAULT_PRICES",
    "FOR_EVER_S",
    "PART_CHECKS",
    "BlockPeriod",
    "Calendar",
    "DayRates",
    "HalfHourPrice",
    "PriceList",
    "Season",
    "SeasonProfile",
    "Span",
    "SpecialDay",
    "SpecialDayEntry",
    "Switch",
    "Timetable",
    "WeekProfile",
    "block_at",
    "block_period",
    "calendar_with",
    "calendar_with_special_days",
    "price_millipence",
    "randomised_offset_s",
    "rate_at",
    "rates_offset_s",
    "span_at",
    "special_days_of",
    "split",
    "timetable_of",
]
