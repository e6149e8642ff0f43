"""What a kWh costs: pure functions, in whole thousandths of a penny."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Final, NamedTuple, Self

from elec_meter.config import PricesConfig, millipence
from elec_meter.config.tariff import PRICE_BELOW_P
from elec_meter.errors import TariffError
from shared.timegrid import HALF_HOUR_S, half_hour_floor_s

DEFAULT_PRICES: Final = 31 * 48
"""How many half-hours' prices are kept unless told otherwise."""

_PRICE_BELOW_MILLIPENCE: Final = PRICE_BELOW_P * 1000
_START_S: Final = attrgetter("start_s")


def price_millipence(
    prices: PricesConfig, rate: int, block: int, half_hourly: int | None
) -> int | None:
    """The price of a kWh; negative where the customer is paid for taking it.

    Args:
        prices: what the calendar says.
        rate: from 1.
        block: from 1; it matters only where the prices are those of blocks.
        half_hourly: the price of the half-hour in thousandths of a penny, None where it is unknown;
            it matters only where the prices come as a list of half-hours.

    Returns:
        Thousandths of a penny, or None where the half-hourly price is unknown.

    Raises:
        TariffError: there is no such rate, or no such block.
    """
    if prices.half_hourly:
        return half_hourly
    rates = prices.block_p_kwh or tuple((price_p,) for price_p in prices.rate_p_kwh)
    if not 1 <= rate <= len(rates):
        raise TariffError(f"there is no price of rate {rate}")
    blocks, block = rates[rate - 1], block if prices.block_p_kwh else 1
    if not 1 <= block <= len(blocks):
        raise TariffError(f"there is no price of block {block} of rate {rate}")
    return millipence(blocks[block - 1])


class HalfHourPrice(NamedTuple):
    """What a kWh costs in the half-hour that starts at a UNIX second."""

    start_s: int
    price_millipence: int


@dataclass(frozen=True, slots=True)
class PriceList:
    """The prices of a dynamic tariff, half-hour by half-hour: a value.

    Attributes:
        prices: in order of time, one for a half-hour; there may be gaps.
        limit: how many are kept at most; the oldest ones go.

    Raises:
        TariffError: `limit` is below one.
    """

    prices: tuple[HalfHourPrice, ...] = ()
    limit: int = DEFAULT_PRICES

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise TariffError(f"a list of prices cannot keep {self.limit} of them")

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> Self:
        """The list of what was kept of one: (start, thousandths of a penny), in order."""
        return cls(tuple(HalfHourPrice(*pair) for pair in pairs))

    def at(self, at_s: int) -> int | None:
        """The price, in thousandths of a penny, of the half-hour to which a UNIX second belongs."""
        start_s = half_hour_floor_s(at_s)
        place = bisect_left(self.prices, start_s, key=_START_S)
        if place == len(self.prices) or self.prices[place].start_s != start_s:
            return None
        return self.prices[place].price_millipence

    def extended(self, start_s: int, prices: Sequence[int]) -> Self:
        """The list with the prices of consecutive half-hours; where it has one, the new one counts.

        Args:
            start_s: UNIX second at which the first of the half-hours starts.
            prices: thousandths of a penny for a kWh; they may be negative.

        Raises:
            TariffError: `start_s` is no half-hour boundary, or a price is absurd (1,000 pounds).
        """
        if start_s % HALF_HOUR_S:
            raise TariffError(f"half-hourly prices cannot begin at {start_s}, inside a half-hour")
        for price in prices:
            if abs(price) >= _PRICE_BELOW_MILLIPENCE:
                raise TariffError(f"{price} thousandths of a penny for a kWh are no price")
        merged = dict(self.prices)
        merged.update((start_s + n * HALF_HOUR_S, price) for n, price in enumerate(prices))
        kept = sorted(merged.items())[-self.limit :]
        return replace(self, prices=tuple(HalfHourPrice(*each) for each in kept))
