"""Arbitrary valid tariffs, for properties."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from elec_meter.config import (
    BlocksConfig,
    CalendarConfig,
    DayConfig,
    PricesConfig,
    SeasonConfig,
    SpecialDayConfig,
    SwitchConfig,
    TariffConfig,
    WeekConfig,
)
from elec_meter.config.tariff import BlockReset

DAY_MIN = 24 * 60
EXAMPLES = 25
"""How many documents a property sees: to make one takes tens of milliseconds."""

Draw = Callable[[st.SearchStrategy[Any]], Any]

time_bases = st.sampled_from(("utc", "local"))
minutes = st.integers(0, DAY_MIN - 1)
names = st.from_regex(r"[a-z][a-z0-9_]{0,15}", fullmatch=True).filter(
    lambda name: name not in ("import", "export") and not name.startswith("reactive_q")
)
prices = st.integers(-99_999, 99_999).map(lambda number: Decimal(number).scaleb(-3)) | st.integers(
    0, 99
).map(Decimal)
dates = st.sampled_from(
    ("2026-12-25", "*-12-25", "*-*-01", "*-05-01 Mon", "*-03-L Sun", "2027-*-L-1", "*-*-* Sat")
)
labels = st.text("AB \x01\u00e9", max_size=4)  # never a name of the document
season_starts = st.sampled_from(("01-01", "03-L Sun", "04-01", "10-L Sun", "12-L-1"))


def clock_time(minute: int) -> str:
    """`HH:MM` of a minute of the day."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def some(elements: st.SearchStrategy[Any], most: int, key: Any = None) -> st.SearchStrategy[Any]:
    """A tuple of up to so many different elements."""
    return st.lists(elements, max_size=most, unique_by=key or (lambda each: each)).map(tuple)


@st.composite
def switches(draw: Draw, rates: int, *, from_midnight: bool = False) -> tuple[SwitchConfig, ...]:
    """Switches to rates that there are; the first one at midnight if that is asked for."""
    at = draw(st.sets(minutes, max_size=5)) | ({0} if from_midnight else set())
    rate = st.integers(1, rates)
    return tuple(
        SwitchConfig(at=clock_time(each), rate=draw(rate)) for each in draw_order(draw, at)
    )


def draw_order(draw: Draw, elements: set[int]) -> list[int]:
    """Elements in some order: a document need not be sorted."""
    return list(draw(st.permutations(sorted(elements))))


@st.composite
def calendars(draw: Draw, most_rates: int = 48, *, gas: bool = False) -> CalendarConfig:
    """A calendar of either form, with or without blocks and prices as its channel may have."""
    rates = draw(st.integers(1, min(8, most_rates)) | st.integers(1, most_rates))
    resets = ("day", "month", "quarter") if gas else ("day", "month", "quarter", "billing")
    blocks = draw(st.none() | block_tariffs(rates, resets)) if rates <= 8 else None
    fields: dict[str, Any] = {
        "time_base": draw(time_bases),
        "rates": rates,
        "blocks": blocks,
        "label": draw(st.none() | labels),
    }
    if draw(st.booleans()):
        fields |= draw(profiles(rates))
    else:
        fields["switches"] = draw(switches(rates))
    if not gas and draw(st.booleans()):
        fields["prices"] = draw(price_lists(CalendarConfig(**fields)))
    return CalendarConfig(**fields)


@st.composite
def profiles(draw: Draw, rates: int) -> dict[str, Any]:
    """Day profiles and what names them."""
    day_names = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    day = st.sampled_from(day_names)
    days = tuple(
        DayConfig(name=name, switches=draw(switches(rates, from_midnight=True)), number=number)
        for name, number in zip(
            day_names, draw(all_or_none(st.integers(0, 255), len(day_names))), strict=True
        )
    )
    week_names = draw(st.lists(names, min_size=len(days) > 1, max_size=3, unique=True))
    weeks = tuple(
        WeekConfig(name=name, days=tuple(draw(day) for _ in range(7)), label=label)
        for name, label in zip(week_names, draw(all_or_none(labels, len(week_names))), strict=True)
    )
    starts = draw(some(season_starts, 3)) if weeks else ()
    if len(weeks) > 1 and not starts:
        starts = ("04-01",)
    return {
        "days": days,
        "weeks": weeks,
        "seasons": tuple(
            SeasonConfig(
                start=each,
                week=draw(st.sampled_from(week_names)),
                label=draw(st.none() | labels),
            )
            for each in starts
        ),
        "special_days": draw(special_days(day)),
    }


@st.composite
def special_days(draw: Draw, day: st.SearchStrategy[str]) -> tuple[SpecialDayConfig, ...]:
    """Days with profiles of their own, numbered or not."""
    given = draw(some(dates, 4))
    numbers = draw(all_or_none(st.integers(0, 65_535), len(given)))
    return tuple(
        SpecialDayConfig(date=each, day=draw(day), number=number)
        for each, number in zip(given, numbers, strict=True)
    )


def all_or_none(elements: st.SearchStrategy[Any], count: int) -> st.SearchStrategy[list[Any]]:
    """So many different elements, or as many times nothing."""
    some_each = st.lists(elements, min_size=count, max_size=count, unique=True)
    return st.just([None] * count) | some_each


@st.composite
def block_tariffs(draw: Draw, rates: int, resets: tuple[BlockReset, ...]) -> BlocksConfig:
    """Thresholds for every rate, or one list for all."""
    bounds = st.sets(st.integers(1, 10**12), max_size=3).map(lambda each: tuple(sorted(each)))
    count = draw(st.sampled_from((1, rates)))
    return BlocksConfig(
        thresholds=tuple(draw(bounds) for _ in range(count)),
        reset=draw(st.sampled_from(resets)),
    )


@st.composite
def price_lists(draw: Draw, calendar: CalendarConfig) -> PricesConfig:
    """Prices of one of the three kinds, as many as the calendar needs."""
    kind = draw(st.sampled_from(("rate", "half_hourly", "block")))
    standing = draw(prices)
    if kind == "rate":
        row = tuple(draw(prices) for _ in range(calendar.rates))
        return PricesConfig(rate_p_kwh=row, standing_p_day=standing)
    if kind == "block" and calendar.rates <= 8:
        rows = tuple(
            tuple(draw(prices) for _ in range(len(bounds) + 1)) for bounds in calendar.thresholds
        )
        return PricesConfig(block_p_kwh=rows, standing_p_day=standing)
    return PricesConfig(half_hourly=True, standing_p_day=standing)


tariffs = st.builds(
    TariffConfig,
    import_=calendars(),
    export=st.just(CalendarConfig()) | calendars(),
    gas=st.just(CalendarConfig()) | calendars(4, gas=True),
    offset_limit_s=st.integers(0, 1_799),
    offset_rates=st.booleans(),
)
