"""Configurations that are ready to use."""

from __future__ import annotations

from typing import Final

from .schema import DisplayConfig, DisplayScreen, FlagConfig, GasUnitConfig, MeterConfig
from .tariff import CalendarConfig, SwitchConfig, TariffConfig

SINGLE_RATE: Final = CalendarConfig()

ECONOMY_7_UTC: Final = CalendarConfig(
    time_base="utc",
    rates=2,
    switches=(SwitchConfig(at="00:30", rate=2), SwitchConfig(at="07:30", rate=1)),
)
"""Rate 2 from 00:30 to 07:30 UTC the year round, as a meter's own time switch has it."""

ECONOMY_7_LOCAL: Final = CalendarConfig(time_base="local", rates=2, switches=ECONOMY_7_UTC.switches)
"""The same hours by British local time."""


def demo_config() -> MeterConfig:
    """The demo's meter: Economy 7 import, one export rate, one gas unit on channel 1."""
    return MeterConfig(
        serial="00000001",
        tariff=TariffConfig(import_=ECONOMY_7_UTC, export=SINGLE_RATE, gas=SINGLE_RATE),
        gas_units=(GasUnitConfig(serial="00000001"),),
        display=DisplayConfig(scroll=_DEMO_SCREENS),
        flag=FlagConfig(readout=_DEMO_READOUT),
    )


_DEMO_SCREENS: Final = (
    DisplayScreen(object="1-0:1.8.0", mnemonic="IMPORT", format="000000.0", unit="kWh"),
    DisplayScreen(object="1-0:1.8.1", mnemonic="IMP R1", format="000000.0", unit="kWh"),
    DisplayScreen(object="1-0:1.8.2", mnemonic="IMP R2", format="000000.0", unit="kWh"),
    DisplayScreen(object="1-0:2.8.0", mnemonic="EXPORT", format="000000.0", unit="kWh"),
    DisplayScreen(object="0-1:24.2.1", mnemonic="GAS", format="00000.000", unit="m3"),
    DisplayScreen(object="1-0:16.7.0", mnemonic="NOW", format="#####0", unit="W"),
    DisplayScreen(object="0-0:1.0.0", mnemonic="TIME", format="time"),
    DisplayScreen(object="0-0:1.0.0", mnemonic="DATE", format="date"),
)

_DEMO_READOUT: Final = (
    "0-0:97.97.0",
    "1-0:0.0.0",
    "1-0:0.9.1",
    "1-0:0.9.2",
    "1-0:1.8.0",
    "1-0:1.8.1",
    "1-0:1.8.2",
    "1-0:2.8.0",
    "1-0:2.8.1",
    "0-1:24.2.1",
)
