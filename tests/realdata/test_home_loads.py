"""Real homes as loads: Low Carbon London (UK Power Networks, CC BY 4.0), and a supplier's gas."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from elec_meter.config import ECONOMY_7_UTC
from elec_meter.ledger import Ledger, imbalances
from elec_meter.storage import read_gas_series, read_load_series
from elec_meter.tariff import Calendar, rate_at
from tests.elec_meter.ledger.meters import meter_config

DATA = Path(__file__).parents[3] / "shared" / "data"
HOMES = DATA / "lcl" / "two_homes.csv"
GAS_DAYS = sorted((DATA / "ovo").glob("*.json"))

needs_homes = pytest.mark.skipif(not HOMES.exists(), reason="needs Low Carbon London's extract")
needs_gas = pytest.mark.skipif(not GAS_DAYS, reason="needs the supplier's gas days")


def lines_of(home: str) -> list[tuple[str, Decimal]]:
    """Stamp and kWh of a home's lines, read without the product."""
    cells = [line.split(",") for line in HOMES.read_text().splitlines()]
    return [(stamp, Decimal(kwh.strip())) for name, stamp, kwh in cells if name == home]


@needs_homes
@pytest.mark.parametrize("home", ["MAC000010", "MAC004391"])
def test_fourteen_months_of_a_home_are_booked_exactly(home: str) -> None:
    """Register, rates and every row are the file's, both clock changes included."""
    series = read_load_series(HOMES, "LCLid", home)
    lines = lines_of(home)
    assert len(lines) == len(series)
    ledger = Ledger(meter_config())
    ledger.power_up(series.start_s)
    for start_s, energy_mj in series.energies_mj():
        ledger.accumulate_evenly("import", energy_mj, start_s, start_s + 1800)
        ledger.close_through(start_s + 1800)
    total_wh = sum(kwh for _, kwh in lines) * 1000
    assert int(total_wh) == ledger.total("import")
    assert [] == imbalances(ledger)
    reached_wh = Decimal()
    calendar, rates_wh = Calendar.from_config(ECONOMY_7_UTC), [0, 0]
    for row, (_, kwh) in zip(ledger.rows(0, 1 << 40), lines, strict=True):
        before_wh, reached_wh = int(reached_wh), reached_wh + kwh * 1000
        assert int(reached_wh) - before_wh == row.deltas["import_wh"]
        rates_wh[rate_at(calendar, row.start_s) - 1] += int(reached_wh) - before_wh
    assert rates_wh == ledger.rates("import")
    assert {0} == {int(row.status) for row in ledger.rows(0, 1 << 40)}


@needs_gas
def test_gas_that_the_supplier_lacks_is_reported() -> None:
    """Midnight to 00:30 local is missing on four of five days, and nothing else is."""
    series = read_gas_series(GAS_DAYS)
    assert (236, 4) == (len(series.energies_wh), len(series.missing))
    assert ["2021-10-01", "2021-10-02", "2021-10-03", "2021-10-05"] == [
        str(slot.settlement_date) for slot in series.missing
    ]
    assert {1} == {slot.settlement_period for slot in series.missing}
    assert 229_310 == sum(series.energies_wh.values())
