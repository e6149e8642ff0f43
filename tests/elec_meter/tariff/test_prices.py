from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.config import PricesConfig, millipence
from elec_meter.errors import TariffError
from elec_meter.tariff import HalfHourPrice, PriceList, price_millipence

from .calendars import at_s

NOON_S = at_s(2026, 6, 1, 12)
RATES = PricesConfig(rate_p_kwh=(Decimal("24.5"), Decimal("-3.125")))
BLOCKS = PricesConfig(block_p_kwh=((Decimal(30), Decimal("20.001")), (Decimal(10),)))
HALF_HOURLY = PricesConfig(half_hourly=True)

price_runs = st.lists(
    st.tuples(st.integers(0, 60), st.lists(st.integers(-99_999_999, 99_999_999), max_size=12)),
    max_size=6,
)


def test_price_of_a_rate() -> None:
    """Each rate has its own, in thousandths of a penny, whatever the block; it may be negative."""
    assert [24_500, -3_125] == [price_millipence(RATES, rate, 1, None) for rate in (1, 2)]
    assert 24_500 == price_millipence(RATES, 1, 4, 7)


def test_price_of_a_block() -> None:
    """Each block of a rate has its own."""
    priced = [price_millipence(BLOCKS, *each, None) for each in ((1, 1), (1, 2), (2, 1))]
    assert [30_000, 20_001, 10_000] == priced


@pytest.mark.parametrize("price", [-100, 0, 35_000, None])
def test_price_of_a_half_hour(price: int | None) -> None:
    """A dynamic tariff has the price of its list, and none where that has none."""
    assert price == price_millipence(HALF_HOURLY, 1, 1, price)


@pytest.mark.parametrize(
    ("prices", "rate", "block"),
    [(RATES, 0, 1), (RATES, 3, 1), (BLOCKS, 0, 1), (BLOCKS, 3, 1), (BLOCKS, 1, 0), (BLOCKS, 2, 2)],
)
def test_missing_rate_or_block_is_refused(prices: PricesConfig, rate: int, block: int) -> None:
    """What the tariff does not have has no price, and not that of another one."""
    with pytest.raises(TariffError, match="there is no price of"):
        price_millipence(prices, rate, block, None)


@pytest.mark.parametrize(
    "text",
    [
        *("NaN", "Infinity", "100000", "-100000", "1E+999999"),
        *("0.0001", "99999.9999", "1E-2000000", f"1.{'0' * 40}1"),
    ],
)
def test_absurd_price_is_no_configuration(text: str) -> None:
    """Neither a thousand pounds nor a digit beyond the third decimal, however far, is a price."""
    with pytest.raises(ValueError, match=r"no price|three decimals"):
        millipence(Decimal(text))


@given(st.integers(-99_999_999, 99_999_999))
def test_price_keeps_its_three_decimals(price: int) -> None:
    """Every price that three decimals can say is exact."""
    assert price == millipence(Decimal(price).scaleb(-3))


def test_price_list_knows_its_half_hours() -> None:
    """Each price holds from the first to the last second of its half-hour, and no longer."""
    prices = PriceList().extended(NOON_S, [100, -200])
    instants_s = [NOON_S - 1, NOON_S, NOON_S + 1799, NOON_S + 1800, NOON_S + 3599, NOON_S + 3600]
    assert [None, 100, 100, -200, -200, None] == [prices.at(each) for each in instants_s]


def test_new_price_of_a_half_hour_replaces_the_old_one() -> None:
    """A corrected list counts, half-hour by half-hour; the list before it is unchanged."""
    before = PriceList().extended(NOON_S, [1, 2, 3])
    after = before.extended(NOON_S + 1800, [9])
    assert [1, 9, 3] == [price for _, price in after.prices]
    assert [1, 2, 3] == [price for _, price in before.prices]


def test_oldest_prices_are_dropped() -> None:
    """Beyond the limit the earliest half-hours go, in whatever order prices came."""
    prices = PriceList(limit=3).extended(NOON_S, [1, 2, 3]).extended(NOON_S - 3600, [7, 8])
    assert (NOON_S, 1) == prices.prices[0]
    assert [2, 3, 4] == [price for _, price in prices.extended(NOON_S + 5400, [4]).prices]


@pytest.mark.parametrize("start_s", [NOON_S + 1, NOON_S - 900])
def test_misaligned_list_is_refused(start_s: int) -> None:
    """A list of half-hourly prices begins with a half-hour."""
    with pytest.raises(TariffError, match="inside a half-hour"):
        PriceList().extended(start_s, [1])


@pytest.mark.parametrize("price", [100_000_000, -100_000_000, 10**30])
def test_absurd_half_hourly_price_is_refused(price: int) -> None:
    """A thousand pounds for a kWh are a mistake, as they are in the configuration."""
    with pytest.raises(TariffError, match="are no price"):
        PriceList().extended(NOON_S, [0, price])


def test_list_that_keeps_nothing_is_refused() -> None:
    """A limit of none is no list."""
    with pytest.raises(TariffError, match="cannot keep 0"):
        PriceList(limit=0)


@given(price_runs, st.integers(1, 40))
def test_list_is_a_bounded_dictionary(runs: list[tuple[int, list[int]]], limit: int) -> None:
    """However prices come, the list is a dictionary of which the newest half-hours are kept."""
    listed, expected = PriceList(limit=limit), dict[int, int]()
    for place, run in runs:
        listed = listed.extended(NOON_S + place * 1800, run)
        for n, price in enumerate(run):
            expected[NOON_S + (place + n) * 1800] = price
        while len(expected) > limit:
            del expected[min(expected)]
    assert sorted(expected.items()) == list(listed.prices)
    assert all(isinstance(each, HalfHourPrice) for each in listed.prices)
    for start_s in range(NOON_S - 1800, NOON_S + 80 * 1800, 1800):
        assert expected.get(start_s) == listed.at(start_s + 17)
