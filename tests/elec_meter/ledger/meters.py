"""Ledgers for tests, and what is read from them."""

from __future__ import annotations

from datetime import UTC, datetime

from elec_meter.config import (
    ECONOMY_7_LOCAL,
    ECONOMY_7_UTC,
    CalendarConfig,
    GasUnitConfig,
    MeterConfig,
    ProfileConfig,
    SwitchConfig,
    TariffConfig,
)
from elec_meter.ledger import Ledger, ProfileRow, RowStatus
from elec_meter.storage import Storage

HALF_HOUR_S = 1800
DAY_S = 86_400
MIDNIGHT_S = int(datetime(2013, 1, 1, tzinfo=UTC).timestamp())

ODD_SWITCHES = CalendarConfig(
    rates=3,
    switches=(
        SwitchConfig(at="00:07", rate=2),
        SwitchConfig(at="00:41", rate=3),
        SwitchConfig(at="13:13", rate=1),
    ),
)
"""Switches that are on no half-hour boundary."""


def meter_config(depth_days: int = 731, *, gas: CalendarConfig | None = None) -> MeterConfig:
    """Economy 7 import, odd export rates, one gas unit."""
    return MeterConfig(
        profile=ProfileConfig(depth_days=depth_days),
        tariff=TariffConfig(import_=ECONOMY_7_UTC, export=ODD_SWITCHES, gas=gas or ECONOMY_7_LOCAL),
        gas_units=(GasUnitConfig(serial="00000001"),),
    )


def powered_ledger(at_s: int = MIDNIGHT_S, depth_days: int = 731) -> Ledger:
    """A ledger at its first power-up."""
    ledger = Ledger(meter_config(depth_days))
    ledger.power_up(at_s)
    return ledger


def reloaded(ledger: Ledger, durable_s: int, storage: Storage | None = None) -> Ledger:
    """The ledger after a checkpoint and a restart, before its power-up."""
    storage = storage or Storage.in_memory()
    storage.checkpoint(ledger, durable_s)
    return Ledger(ledger.config, storage.load(), ledger.pulse_source)


def all_rows(ledger: Ledger) -> list[ProfileRow]:
    """Every closed row."""
    return list(ledger.rows(0, 1 << 40))


def imports(ledger: Ledger) -> list[int | None]:
    """Import of every closed row, in Wh."""
    return [row.deltas["import_wh"] for row in all_rows(ledger)]


def statuses(ledger: Ledger) -> list[RowStatus]:
    """Status of every closed row."""
    return [row.status for row in all_rows(ledger)]
