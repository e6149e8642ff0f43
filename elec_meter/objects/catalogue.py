"""The directory as a page: every object of a meter that has everything, one line each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from elec_meter.access import Level, may_read
from elec_meter.clock import Clock
from elec_meter.config import (
    BlocksConfig,
    CalendarConfig,
    DataChannelConfig,
    DemandConfig,
    DemandWindow,
    GasUnitConfig,
    MeterConfig,
    PricesConfig,
    ProfileConfig,
    PulseInputConfig,
    PulseOutputConfig,
    RelayConfig,
    SwitchConfig,
    TariffConfig,
    TerminalConfig,
)
from elec_meter.ledger import Books
from elec_meter.objects.build import build_directory
from elec_meter.objects.classes.base import CosemObject
from elec_meter.objects.directory import Directory
from elec_meter.objects.sources import Sources

_VALUE: Final = 2
_AT_ANY_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)

_HEAD: Final = """\
# Every object

The directory of a meter with everything: two rates of import with two blocks each, reactive energy,
a demand window, a gas unit on channel 1, a data channel on channel 2, a relay, a pulse input, a
pulse output and a switched load. `python -m elec_meter.objects` writes this page; what the codes
mean, and those of further rates, windows, channels and terminals, is in [registers](registers.md).

`level` is the lowest that reads the value, `attributes` are those that can be read, `taken` the
attributes that can be written and, with an M, the methods that can be called.

| code | class | level | attributes | taken | unit | |
|---|---|---|---|---|---|---|
"""


def complete_config() -> MeterConfig:
    """A meter that has every kind of object."""
    halves = (SwitchConfig(at="00:00", rate=2), SwitchConfig(at="12:00", rate=1))
    return MeterConfig(
        profile=ProfileConfig(reactive=True),
        demand=DemandConfig(windows=(DemandWindow(start="16:00", end="19:00"),)),
        tariff=TariffConfig(
            import_=CalendarConfig(
                rates=2,
                switches=halves,
                blocks=BlocksConfig(thresholds=((1_000,),)),
                prices=PricesConfig(block_p_kwh=((Decimal(30), Decimal(31)),) * 2),
            ),
            export=CalendarConfig(prices=PricesConfig(rate_p_kwh=(Decimal(15),))),
        ),
        gas_units=(GasUnitConfig(serial="00000001"),),
        data_channels=(DataChannelConfig(name="counted", number=2, object="0-2:128.62.0"),),
        terminals=(
            TerminalConfig(
                number=1,
                relay=RelayConfig(
                    control="calendar", calendar=CalendarConfig(rates=2, switches=halves)
                ),
            ),
            TerminalConfig(number=2, pulse_in=PulseInputConfig()),
            TerminalConfig(number=3, pulse_out=PulseOutputConfig()),
        ),
        switched_load=RelayConfig(),
    )


def directory_of(config: MeterConfig) -> Directory:
    """The directory of a meter before its first power-up."""
    books, clock = Books(config), Clock(config.clock)
    return build_directory(Sources.as_built(config, books, clock, lambda: _AT_ANY_TIME))


def catalogue(directory: Directory) -> str:
    """The page."""
    return _HEAD + "".join(f"| {' | '.join(_row(each))} |\n" for each in directory)


def _row(each: CosemObject) -> Iterator[str]:
    level = next(level for level in Level if may_read(level, each.obis, each.class_id, _VALUE))
    yield f"`{each.obis}`"
    yield str(each.class_id)
    yield str(int(level))
    yield " ".join(map(str, each.attributes))
    yield " ".join([*map(str, each.writable), *(f"M{number}" for number in each.methods)])
    yield each.unit
    yield each.name
