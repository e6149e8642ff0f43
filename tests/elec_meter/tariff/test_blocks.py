from __future__ import annotations

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.errors import TariffError
from elec_meter.tariff import block_at, block_period, split
from shared.errors import TimegridError
from tests.naive.blocks import split as split_by_units

from .calendars import at_s

LONDON = ZoneInfo("Europe/London")
any_bounds = st.lists(st.integers(1, 300), max_size=3, unique=True).map(sorted).map(tuple)


def test_quantity_fills_block_after_block() -> None:
    """What is more than a block has room for goes into the next; the last one has no end."""
    assert [(1, 60), (2, 100), (3, 1000)] == split((100, 200), 40, 1160)


def test_bound_belongs_to_the_block_before_it() -> None:
    """The hundredth unit is the last of block 1, the one after it the first of block 2."""
    assert [(1, 1)] == split((100,), 99, 1)
    assert [(2, 1)] == split((100,), 100, 1)
    assert [1, 2] == [block_at((100,), used) for used in (99, 100)]


def test_rate_without_bounds_has_one_block() -> None:
    """Everything is in block 1."""
    assert [(1, 10**12)] == split((), 10**15, 10**12)


@given(any_bounds, st.integers(0, 400), st.integers(0, 400))
def test_agrees_unit_by_unit(bounds: tuple[int, ...], used: int, quantity: int) -> None:
    """The parts are what comes of putting every unit into its block by itself."""
    parts = split(bounds, used, quantity)
    assert split_by_units(bounds, used, quantity) == parts
    assert quantity == sum(part for _, part in parts)


@given(any_bounds, st.integers(0, 400), st.integers(0, 400), st.integers(0, 400))
def test_two_quantities_are_as_good_as_one(
    bounds: tuple[int, ...], used: int, first: int, second: int
) -> None:
    """However a quantity is cut, each block gets the same."""
    parts: dict[int, int] = {}
    for block, part in (*split(bounds, used, first), *split(bounds, used + first, second)):
        parts[block] = parts.get(block, 0) + part
    assert split(bounds, used, first + second) == list(parts.items())


@pytest.mark.parametrize(("used", "quantity"), [(-1, 5), (5, -1)])
def test_negative_quantity_is_refused(used: int, quantity: int) -> None:
    """Registers only grow."""
    with pytest.raises(TariffError, match="cannot be divided over blocks"):
        split((100,), used, quantity)


@pytest.mark.parametrize(
    ("reset", "start_s", "end_s"),
    [
        ("day", at_s(2026, 6, 14, 23), at_s(2026, 6, 15, 23)),
        ("month", at_s(2026, 5, 31, 23), at_s(2026, 6, 30, 23)),
        ("quarter", at_s(2026, 3, 31, 23), at_s(2026, 6, 30, 23)),
    ],
)
def test_period_begins_at_local_midnight(
    reset: Literal["day", "month", "quarter"], start_s: int, end_s: int
) -> None:
    """In summer that is 23:00 UTC of the day before."""
    assert (start_s, end_s) == block_period(reset, at_s(2026, 6, 15, 12))


def test_winter_quarter_ends_in_summer_time() -> None:
    """The first quarter begins at 00:00 UTC and ends at 23:00 UTC."""
    assert (at_s(2026, 1, 1), at_s(2026, 3, 31, 23)) == block_period("quarter", at_s(2026, 2, 1))


def test_december_ends_with_the_year() -> None:
    """The month after December is January of the next year."""
    assert (at_s(2026, 12, 1), at_s(2027, 1, 1)) == block_period("month", at_s(2026, 12, 31, 23))


def test_billing_period_is_none_of_the_calendars() -> None:
    """Who ends a billing period begins the next one."""
    assert block_period("billing", at_s(2026, 6, 1)) is None


@given(
    st.sampled_from(["day", "month", "quarter"]),
    st.integers(at_s(2000, 1, 1), at_s(2037, 12, 31)),
    st.integers(0, 1 << 30),
)
def test_periods_tile_time(
    reset: Literal["day", "month", "quarter"], instant_s: int, part: int
) -> None:
    """Every instant of a period has that period, and a wall clock shows midnight at its ends."""
    period = block_period(reset, instant_s)
    assert period is not None
    assert period.start_s <= instant_s < period.end_s
    inside_s = period.start_s + part % (period.end_s - period.start_s)
    assert period == block_period(reset, inside_s)
    for end_s in period:
        shown = datetime.fromtimestamp(end_s, LONDON)
        assert (0, 0, 0) == (shown.hour, shown.minute, shown.second)
        assert reset == "day" or 1 == shown.day
        assert reset != "quarter" or shown.month in (1, 4, 7, 10)
    following = block_period(reset, period.end_s)
    assert following is not None
    assert period.end_s == following.start_s


@pytest.mark.parametrize("reset", ["day", "month", "quarter"])
@pytest.mark.parametrize("instant_s", [1 << 60, at_s(9999, 12, 31, 12)])
def test_period_beyond_the_calendar_is_refused(
    reset: Literal["day", "month", "quarter"], instant_s: int
) -> None:
    """A period that ends after the year 9999 has no end that could be said."""
    with pytest.raises(TimegridError):
        block_period(reset, instant_s)
