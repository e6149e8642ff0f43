"""Objects by which the meter is commanded: scripts, and prices that come as a list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from elec_meter.objects.classes.base import CosemObject
from elec_meter.objects.classes.data import Data
from elec_meter.objects.classes.entry import Actions, text_entry
from elec_meter.objects.classes.errors import ValueNotTakenError
from elec_meter.objects.classes.script_table import Script, ScriptTable
from elec_meter.objects.electricity import ACTIVE
from elec_meter.objects.sources import Sources

_PRICES: Final = re.compile(r"(?P<start>[0-9]{10})(?P<prices>(?:;-?[0-9]{1,5}(?:\.[0-9]{1,3})?)+)")


def command_objects(sources: Sources) -> Iterator[CosemObject]:
    """The table of commands that end something, and a list of prices for either direction."""
    yield ScriptTable(
        "0-0:10.0.1",
        "Commands",
        sources.now,
        {
            1: Script("reset maximum demand", lambda actions: actions.reset_demand()),
            2: Script("end the billing period", lambda actions: actions.end_billing()),
        },
    )
    for order, channel in enumerate(ACTIVE):
        yield _prices(sources, order, channel.name)


def _prices(sources: Sources, order: int, channel: str) -> Data:
    """How many half-hours have a price in the list; written as `YYMMDDhhmm;p;p;...`."""

    def count(_: datetime) -> int:
        prices = sources.ledger.prices.get(channel)
        return 0 if prices is None else len(prices.prices)

    return Data(
        f"0-0:128.23.{order}",
        f"Half-hourly prices of {channel}",
        sources.now,
        count,
        entry=text_entry(_receiver(channel)),
    )


def _receiver(channel: str) -> Callable[[Actions, str], None]:
    def receive(actions: Actions, text: str) -> None:
        match = _PRICES.fullmatch(text)
        if match is None:
            raise ValueNotTakenError(
                "prices are written as a start in UTC and pence: 2604010000;24.5;9"
            )
        prices = [Decimal(price) for price in match["prices"].split(";")[1:]]
        actions.receive_prices(channel, _start(match["start"]), prices)

    return receive


def _start(digits: str) -> datetime:
    try:
        return datetime.strptime(digits, "%y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        raise ValueNotTakenError(f"{digits} is no time such as 2604010000") from None
