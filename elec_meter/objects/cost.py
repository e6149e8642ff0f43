"""Objects of money: what import and export have cost, and what a kWh costs now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from elec_meter.ledger import CostMark
from elec_meter.objects.classes.register import Register, ScalerUnit
from elec_meter.objects.classes.units import Unit
from elec_meter.objects.electricity import ACTIVE
from elec_meter.objects.sources import Sources
from elec_meter.tariff import price_millipence

COST: Final = ScalerUnit(-6, Unit.CURRENCY)
"""Millionths of a penny: what a Wh costs at a price with three decimals."""

_PRICE: Final = ScalerUnit(-3, Unit.CURRENCY)
_NOTHING: Final = (0, 0, 0)


def cost_objects(sources: Sources) -> Iterator[Register]:
    """Cost of today, yesterday and the billing period, and the price of a kWh."""
    for order, channel in enumerate(ACTIVE):
        name, title = channel.name, channel.title
        for e, what, of in (
            (0, "today", _today),
            (1, "yesterday", _yesterday),
            (2, "of this billing period", _period),
        ):
            yield Register(
                f"0-0:128.{20 + order}.{e}",
                f"{title}: cost {what}",
                sources.now,
                _cost(sources, name, of),
                COST,
            )
        yield Register(
            f"0-0:128.22.{order}",
            f"{title}: price of a kWh now",
            sources.now,
            _price(sources, name),
            _PRICE,
        )


def cost_between(before: Sequence[int], after: Sequence[int]) -> int | None:
    """Energy and standing charges between two states, in millionths of a penny.

    Args:
        before: energy and standing charges so far, and Wh without a price.
        after: the same, later.

    Returns:
        None when any of the energy had no price.
    """
    energy_up, standing_up, unpriced = (b - a for a, b in zip(before, after, strict=True))
    return None if unpriced else energy_up + standing_up


_CostOf = Callable[[Sources, str, datetime], int | None]


def _cost(sources: Sources, channel: str, of: _CostOf) -> Callable[[datetime], int | None]:
    """A cost, or None where there are no prices: that is not for nothing."""

    def read(now: datetime) -> int | None:
        if sources.config.tariff.calendar(channel).prices is None:
            return None
        return of(sources, channel, now)

    return read


def _today(sources: Sources, channel: str, now: datetime) -> int | None:
    mark = sources.ledger.cost_marks["today"]
    if mark is None or sources.time(now) is None:
        return None
    return cost_between(_marked(mark, channel), sources.ledger.cost(channel))


def _yesterday(sources: Sources, channel: str, now: datetime) -> int | None:
    marks = sources.ledger.cost_marks
    today, yesterday = marks["today"], marks["yesterday"]
    if today is None or yesterday is None or sources.time(now) is None:
        return None
    return cost_between(_marked(yesterday, channel), _marked(today, channel))


def _period(sources: Sources, channel: str, _: datetime) -> int | None:
    mark = sources.ledger.cost_marks["period"]
    return (
        None if mark is None else cost_between(_marked(mark, channel), sources.ledger.cost(channel))
    )


def _marked(mark: CostMark, channel: str) -> Sequence[int]:
    return mark.costs.get(channel, _NOTHING)


def _price(sources: Sources, channel: str) -> Callable[[datetime], int | None]:
    """The price in thousandths of a penny, None where there is none or the time is not known."""

    def read(now: datetime) -> int | None:
        prices, time_s = sources.config.tariff.calendar(channel).prices, sources.time_s(now)
        if prices is None or time_s is None:
            return None
        ledger = sources.ledger
        listed = ledger.prices.get(channel)
        return price_millipence(
            prices,
            ledger.active_rate(channel, time_s),
            ledger.active_block(channel, time_s),
            None if listed is None else listed.at(time_s),
        )

    return read
