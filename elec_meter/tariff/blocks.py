"""Block tariffs: what a rate has counted since its period began decides on the block."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, timedelta
from typing import Final, NamedTuple

from elec_meter.config.tariff import BlockReset
from elec_meter.errors import TariffError
from shared.errors import TimegridError
from shared.timegrid import LONDON, from_unix_s, settlement_day_start, unix_s

_QUARTER_MONTHS: Final = 3


class BlockPeriod(NamedTuple):
    """A period of counting, in UNIX seconds: local midnight, and that which begins the next."""

    start_s: int
    end_s: int


def block_at(bounds: tuple[int, ...], used: int) -> int:
    """The block, from 1, to which the next unit belongs when `used` units are counted."""
    return bisect_right(bounds, used) + 1


def split(bounds: tuple[int, ...], used: int, quantity: int) -> list[tuple[int, int]]:
    """Divide a quantity over the blocks of a rate.

    Args:
        bounds: rising; the n-th block ends when as much as the n-th bound is counted, and the last
            block never does.
        used: what the rate has counted since the period began, in the units of `bounds`.
        quantity: what comes on top of it.

    Returns:
        The blocks that get something, from 1 and in order, and what each gets: `quantity` in all.

    Raises:
        TariffError: `used` or `quantity` is negative.
    """
    if used < 0 or quantity < 0:
        raise TariffError(f"{quantity} on top of {used} cannot be divided over blocks")
    parts = []
    while quantity:
        block = block_at(bounds, used)
        room = bounds[block - 1] - used if block <= len(bounds) else quantity
        part = min(room, quantity)
        parts.append((block, part))
        used += part
        quantity -= part
    return parts


def block_period(reset: BlockReset, at_s: int) -> BlockPeriod | None:
    """The period of counting to which a UNIX second belongs; quarters begin with January.

    Returns:
        None for `billing`: the end of a billing period is no matter of the calendar.

    Raises:
        TimegridError: the calendar's years, 1 to 9999, have no such period.
    """
    if reset == "billing":
        return None
    try:
        today = from_unix_s(at_s).astimezone(LONDON).date()
        if reset == "day":
            return BlockPeriod(_midnight_s(today), _midnight_s(today + timedelta(days=1)))
        months = 1 if reset == "month" else _QUARTER_MONTHS
        this_month = today.year * 12 + today.month - 1
        first_month = this_month - this_month % months
        return BlockPeriod(*(_month_start_s(first_month + each) for each in (0, months)))
    except (ValueError, OverflowError):
        raise TimegridError(f"{at_s} is beyond the calendar's years 1 to 9999") from None


def _month_start_s(month: int) -> int:
    """Local midnight with which a month, counted from January of the year 0, begins."""
    return _midnight_s(date(month // 12, month % 12 + 1, 1))


def _midnight_s(day: date) -> int:
    return unix_s(settlement_day_start(day))
