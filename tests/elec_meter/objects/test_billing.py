from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from elec_meter import Storage
from elec_meter.config import (
    CalendarConfig,
    DemandConfig,
    MeterConfig,
    PricesConfig,
    TariffConfig,
    demo_config,
)
from elec_meter.objects import DemandRegister, ProfileGeneric
from shared.timegrid import unix_s
from tests.elec_meter.objects.fixed_meter import START, FixedMeter
from tests.elec_meter.objects.lived import BEGUN, HOUR, Life

DAY = timedelta(days=1)
HALF_HOUR = timedelta(minutes=30)


def rows(meter: FixedMeter, code: str, *bounds: datetime) -> list[tuple[Any, ...]]:
    """Rows of a profile."""
    found = meter.directory[code]
    assert isinstance(found, ProfileGeneric)
    return found.rows(*bounds)


def priced(**prices: Any) -> MeterConfig:
    """The demo's gas unit, and prices of import."""
    calendar = CalendarConfig(prices=PricesConfig(**prices))
    return MeterConfig(tariff=TariffConfig(import_=calendar), gas_units=demo_config().gas_units)


def test_gas_of_a_snapshot_is_none_until_it_is_final() -> None:
    """Pending half-hours before midnight make it unknown; then it is what was final there."""
    meter = FixedMeter()
    meter.pulses.add(5)
    meter.ledger.book_pulses()
    midnight = datetime(2012, 10, 29, tzinfo=UTC)
    meter.ledger.close_through(unix_s(midnight))

    (row,) = rows(meter, "1-0:99.2.0")
    assert (midnight, None) == (row[0], row[-1])
    while meter.pulses.final_through_s("00000001") <= unix_s(midnight):
        meter.pulses.add(1)
    meter.ledger.book_pulses()
    (row,) = rows(meter, "1-0:99.2.0")
    assert 10 * (5 + 47) == row[-1]


def test_midnights_of_a_long_outage_are_rows_of_their_own_and_bounded() -> None:
    """Five years without power are one entry, and read as the newest 731 midnights."""
    meter = FixedMeter()
    meter.book("import", 7)
    meter.ledger.close_through(unix_s(START + 2 * DAY))
    meter.ledger.mark_saved(meter.ledger.changes(), unix_s(START + 2 * DAY))
    back = START + 1_830 * DAY
    meter.ledger.power_up(unix_s(back))

    daily = rows(meter, "1-0:99.2.0")
    stamps = [row[0] for row in daily]
    assert [back - n * DAY for n in range(730, -1, -1)] == stamps
    assert {7} == {row[1] for row in daily}
    assert 731 == meter.directory["1-0:99.2.0"][7]
    assert [START + 900 * DAY] == [
        row[0] for row in rows(meter, "1-0:99.2.0", START + 900 * DAY, START + 900 * DAY)
    ]
    assert len(meter.ledger.snapshots("daily")) < 20


def test_a_snapshot_rolls_over_where_its_register_does() -> None:
    """The billing profile shows what the register showed."""
    meter = FixedMeter()
    meter.book("import", 10**9 + 12)
    meter.ledger.end_billing(unix_s(meter.now), "test")

    assert 12 == rows(meter, "0-0:98.1.0")[0][1] == meter.directory["1.8.0"].value


def test_the_count_of_billing_periods_goes_on_beyond_those_that_are_kept() -> None:
    """30 ends: 24 are kept, and the first of them no longer knows when its period began."""
    meter = FixedMeter(config=priced(rate_p_kwh=(Decimal(10),)))
    for n in range(30):
        at = START + n * HALF_HOUR
        meter.book("import", 1_000, at)
        meter.ledger.end_billing(unix_s(at), f"end {n}")

    codes = ("0-0:0.1.0", "0-0:0.1.1", "0-0:128.1.0")
    assert [30, 24, "end 29"] == [meter.directory[code].value for code in codes]
    place = columns(meter).index("0-0:128.20.2")
    costs = [row[place] for row in rows(meter, "0-0:98.1.0")]
    assert [None, *[10_000_000] * 23] == costs


def test_a_period_that_ended_earlier_by_a_clock_that_was_set_back_has_its_own_cost() -> None:
    """What follows in the profile did not follow in time: 1 kWh each, none negative."""
    life = Life(Storage.in_memory(), priced(rate_p_kwh=(Decimal(10),)))
    life.live(2 * HOUR, 1_000)
    assert life.meter.end_billing(life.now)
    life.meter.set_clock(life.now - HOUR, life.now)
    life.live(HOUR // 2, 1_000)
    assert life.meter.end_billing(life.now)

    billed = life.meter.objects["0-0:98.1.0"]
    assert isinstance(billed, ProfileGeneric)
    place = [str(each.obis) for each in billed.columns].index("0-0:128.20.2")
    half = HOUR // 2
    assert [(BEGUN + HOUR + half, 10_000_000), (BEGUN + 2 * HOUR, 10_000_000)] == [
        (row[0], row[place]) for row in billed.rows()
    ]
    assert BEGUN + HOUR + half == life.meter.objects["0-0:0.1.2"].value


def test_without_prices_there_is_no_cost() -> None:
    """None, not nothing to pay."""
    meter = FixedMeter()
    meter.book("import", 1_000)

    codes = ["0-0:128.20.0", "0-0:128.20.2", "0-0:128.22.0"]
    assert [None] * 3 == [meter.directory[code].value for code in codes]


def test_energy_from_before_the_prices_came_has_no_cost() -> None:
    """A day whose morning had no price is not said to have cost only its afternoon."""
    meter = FixedMeter()
    meter.book("import", 1_000)
    meter.config = priced(rate_p_kwh=(Decimal(10),))
    meter.ledger.configure(meter.config, unix_s(meter.now))
    meter.directory = meter.build()
    meter.book("import", 500, START + HALF_HOUR)

    assert meter.directory["0-0:128.20.0"].value is None
    assert 10 == meter.directory["0-0:128.22.0"].value
    meter.ledger.end_billing(unix_s(meter.now), "prices")
    meter.book("import", 500, START + HALF_HOUR)
    assert Decimal(5) == meter.directory["0-0:128.20.2"].value


@pytest.mark.parametrize("at", ["demand", "reset"])
def test_a_period_that_was_disturbed_has_no_running_demand(at: str) -> None:
    """After a setting nobody knows the average of the half-hour: None, status 4."""
    meter = FixedMeter()
    register = meter.directory["1-0:1.4.0"]
    meter.book("import", 100, meter.now)
    assert [200, 0] == [register[n] for n in (2, 5)]

    if at == "demand":
        meter.ledger.set_time(unix_s(meter.now), unix_s(meter.now) + 1)
        assert [None, 4] == [register[n] for n in (2, 5)]
    else:
        meter.ledger.reset_demand(unix_s(meter.now) * 1_000_000)
        assert [200, 0] == [register[n] for n in (2, 5)]
        assert meter.now.replace(microsecond=0) == meter.directory["0.1.2"].value
        assert 1 == meter.directory["0.1.0"].value


def test_sliding_demand_says_how_many_parts_it_has() -> None:
    """Three parts of ten minutes; the average that ends next began twenty minutes ago."""
    config = msgspec.structs.replace(demo_config(), demand=DemandConfig(sub_periods=3))
    meter = FixedMeter(config=config)
    meter.book("import", 100, meter.now - timedelta(minutes=15))
    meter.ledger.close_through(unix_s(meter.now))
    register = meter.directory["1-0:1.4.0"]
    assert isinstance(register, DemandRegister)

    begun = START + timedelta(minutes=20)
    assert [200, 200, 600, 3, begun] == [register[n] for n in (2, 3, 8, 9, 7)]


def test_a_clock_that_is_adjusted_is_doubtful() -> None:
    """It is known to be wrong by what is left of the adjustment."""
    meter = FixedMeter()
    clock, left = meter.directory["0-0:1.0.0"], meter.directory["0-0:128.40.0"]
    assert [0, 0] == [clock[4], left.value]

    meter.clock.left_s = -7
    assert (2, -7, "s") == (clock[4], left.value, left.unit)
    meter.clock.valid = False
    assert [1, None] == [clock[4], left.value]


def test_a_unit_that_is_not_paired_is_in_no_snapshot() -> None:
    """Its volume is not known; it is not at zero."""
    meter = FixedMeter()
    meter.pulses.serials = ()
    meter.ledger.end_billing(unix_s(meter.now), "test")

    assert rows(meter, "0-0:98.1.0")[0][columns(meter).index("0-1:24.2.1")] is None


def columns(meter: FixedMeter) -> list[str]:
    """Codes of what the billing profile captures."""
    found = meter.directory["0-0:98.1.0"]
    assert isinstance(found, ProfileGeneric)
    return [str(each.obis) for each in found.columns]
