"""Tariffs between which a meter's life moves, each beside a plan of its days."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from elec_meter.config import (
    ECONOMY_7_LOCAL,
    ECONOMY_7_UTC,
    BlocksConfig,
    CalendarConfig,
    DayConfig,
    PricesConfig,
    SeasonConfig,
    SwitchConfig,
    TariffConfig,
    WeekConfig,
)
from tests.elec_meter.ledger.meters import ODD_SWITCHES
from tests.naive.second_books import DayPlan

ALWAYS = DayPlan(False, (((1, 1), ((0, 1),)),))


class PlannedTariff(NamedTuple):
    """A tariff, and the plans of its channels."""

    tariff: TariffConfig
    import_: DayPlan
    export: DayPlan
    gas: DayPlan

    def rate(self, channel: str, at_s: int) -> int:
        """The rate of a channel at a UNIX second."""
        return {"import": self.import_, "export": self.export, "gas": self.gas}[channel].rate(at_s)


_NIGHT = ((30, 2), (450, 1))
_EVENINGS = CalendarConfig(
    time_base="local",
    rates=4,
    days=(
        DayConfig("short", (SwitchConfig("00:00", 1), SwitchConfig("16:20", 2))),
        DayConfig("long", (SwitchConfig("00:00", 3), SwitchConfig("20:00", 4))),
    ),
    weeks=(WeekConfig("winter", ("short",) * 7), WeekConfig("summer", ("long",) * 7)),
    seasons=(SeasonConfig("01-03", "summer"), SeasonConfig("09-01", "winter")),
)
_SHORT, _LONG = ((0, 1), (980, 2)), ((0, 3), (1200, 4))

TARIFFS = (
    PlannedTariff(
        TariffConfig(
            import_=ECONOMY_7_UTC,
            export=ODD_SWITCHES,
            gas=CalendarConfig(
                rates=2, switches=(SwitchConfig("00:45", 2), SwitchConfig("12:00", 1))
            ),
        ),
        DayPlan(False, (((1, 1), _NIGHT),)),
        DayPlan(False, (((1, 1), ((7, 2), (41, 3), (793, 1))),)),
        DayPlan(False, (((1, 1), ((45, 2), (720, 1))),)),
    ),
    PlannedTariff(
        TariffConfig(
            import_=CalendarConfig(
                blocks=BlocksConfig(((50, 400),), reset="day"),
                prices=PricesConfig(
                    block_p_kwh=((Decimal(10), Decimal(20), Decimal(30)),),
                    standing_p_day=Decimal(25),
                ),
            ),
            export=CalendarConfig(blocks=BlocksConfig(((100,),), reset="billing")),
            gas=CalendarConfig(blocks=BlocksConfig(((30,),), reset="day")),
        ),
        ALWAYS,
        ALWAYS,
        ALWAYS,
    ),
    PlannedTariff(
        TariffConfig(
            import_=ECONOMY_7_LOCAL,
            export=CalendarConfig(prices=PricesConfig(rate_p_kwh=(Decimal("-5.5"),))),
            gas=CalendarConfig(
                time_base="local",
                rates=2,
                switches=ECONOMY_7_LOCAL.switches,
                blocks=BlocksConfig(((20,),), reset="month"),
            ),
        ),
        DayPlan(True, (((1, 1), _NIGHT),)),
        ALWAYS,
        DayPlan(True, (((1, 1), _NIGHT),)),
    ),
    PlannedTariff(
        TariffConfig(
            import_=_EVENINGS,
            export=ECONOMY_7_UTC,
            gas=CalendarConfig(rates=4, switches=(SwitchConfig("00:00", 4),)),
        ),
        DayPlan(True, (((1, 1), _SHORT), ((1, 3), _LONG), ((9, 1), _SHORT))),
        DayPlan(False, (((1, 1), _NIGHT),)),
        DayPlan(False, (((1, 1), ((0, 4),)),)),
    ),
)
