from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from elec_meter.config import (
    BillingConfig,
    BlocksConfig,
    CalendarConfig,
    GasUnitConfig,
    MeterConfig,
    PricesConfig,
    SwitchConfig,
    TariffConfig,
)
from elec_meter.ledger import Ledger, Snapshot, imbalances
from elec_meter.ledger.snapshots import DEPTHS, Snapshots
from elec_meter.storage import Storage
from elec_meter.tariff import PriceList
from tests.elec_meter.ledger.meters import DAY_S, HALF_HOUR_S, MIDNIGHT_S, reloaded
from tests.elec_meter.ledger.pulses import ScriptedPulses

KWH = 1_000
PENNY_UP = 1_000_000
"""Millionths of a penny."""


def utc_s(text: str) -> int:
    """UNIX seconds of a UTC time."""
    return int(datetime.fromisoformat(f"{text}Z").timestamp())


def begun(
    at_s: int = MIDNIGHT_S, *, prices: PricesConfig | None = None, **config: object
) -> Ledger:
    """A ledger at its first power-up."""
    tariff = TariffConfig(import_=CalendarConfig(prices=prices))
    ledger = Ledger(MeterConfig(**({"tariff": tariff} | config)))  # type: ignore[arg-type]  # its fields
    ledger.power_up(at_s)
    return ledger


def instants(ledger: Ledger, kind: str) -> list[str]:
    """When snapshots were taken."""
    return [
        f"{datetime.fromtimestamp(each.at_s, UTC):%m-%d %H:%M}"
        for each in ledger.snapshots(kind)  # type: ignore[arg-type]  # one of the two words
    ]


def standing(ledger: Ledger) -> int:
    """Standing charges of import, in pence."""
    return ledger.cost("import")[1] // PENNY_UP


def test_every_utc_midnight_is_a_daily_snapshot() -> None:
    """It has the registers as they were then, and what comes late changes it no more."""
    ledger = begun(MIDNIGHT_S + 3_600)
    ledger.book("import", 5, MIDNIGHT_S + 3_600)
    ledger.close_through(MIDNIGHT_S + 2 * DAY_S)
    ledger.book("import", 7, MIDNIGHT_S + 7_200)
    assert ["01-02 00:00", "01-03 00:00"] == instants(ledger, "daily")
    assert [[5, 5], [5, 5]] == [each.energy["import"] for each in ledger.snapshots("daily")]


@pytest.mark.parametrize(
    ("time_base", "expected"), [("utc", "07-01 00:00"), ("local", "06-30 23:00")]
)
def test_a_month_ends_by_the_time_base_of_billing(time_base: str, expected: str) -> None:
    """In summer local midnight is an hour earlier."""
    billing = BillingConfig(day=1, time_base=time_base)  # type: ignore[arg-type]  # one of its words
    ledger = begun(utc_s("2013-06-29T12:00"), billing=billing)
    ledger.close_through(utc_s("2013-07-02T12:00"))
    assert [expected] == instants(ledger, "billing")
    assert ["date"] == [each.reason for each in ledger.snapshots("billing")]


def test_billing_by_command_alone_ends_no_month() -> None:
    """Day 0 is no day; a command ends a period once at an instant, and resets demand."""
    ledger = begun(billing=BillingConfig(day=0))
    ledger.book("import", 500, MIDNIGHT_S)
    ledger.close_through(MIDNIGHT_S + 40 * DAY_S)
    assert [] == instants(ledger, "billing")
    at_s = MIDNIGHT_S + 40 * DAY_S + 7
    assert [True, False] == [ledger.end_billing(at_s, "command") for _ in range(2)]
    (taken,) = ledger.snapshots("billing")
    maximum = taken.demand["import"].maximum
    assert maximum is not None
    assert 1_000 == maximum.power_w
    assert None is ledger.demand_of("import").maximum


def test_midnights_of_a_long_outage_are_one_entry() -> None:
    """Some at either end stand alone; that in the middle stands for all between."""
    ledger = begun()
    ledger.book("import", 5, MIDNIGHT_S)
    again = reloaded(ledger, MIDNIGHT_S + 7 * 3_600)
    again.power_up(MIDNIGHT_S + 3_000 * DAY_S)
    taken = again.snapshots("daily")
    assert 10 > len(taken)
    assert all(each.energy["import"] == [5, 5] for each in taken)
    covered = [(each.at_s, each.through_s) for each in taken]
    midnights = {at_s for first, last in covered for at_s in range(first, last + 1, DAY_S)}
    assert {MIDNIGHT_S + day * DAY_S for day in range(1, 3_001)} == midnights
    assert 24 >= len(again.snapshots("billing"))


@pytest.mark.parametrize("kind", ["billing", "daily"])
def test_the_oldest_leave_beyond_the_depth(kind: str) -> None:
    """24 and 731 are kept, and storage keeps no others."""
    ledger, storage = begun(billing=BillingConfig(day=0)), Storage.in_memory()
    for day in range(1, 800):
        at_s = MIDNIGHT_S + day * DAY_S
        ledger.close_through(at_s)
        if day < 60:
            ledger.end_billing(at_s + 1, "command")
        if not day % 100:
            storage.checkpoint(ledger, at_s)
    again = reloaded(ledger, MIDNIGHT_S + 799 * DAY_S, storage)
    assert {"billing": 24, "daily": 731}[kind] == len(again.snapshots(kind))  # type: ignore[arg-type]  # one of the two
    assert ledger.snapshots(kind) == again.snapshots(kind)  # type: ignore[arg-type]  # one of the two


def test_a_midnight_that_comes_twice_is_taken_once() -> None:
    """The first pass counts; a later one after a setting back changes nothing."""
    ledger = begun()
    ledger.book("import", 1, MIDNIGHT_S)
    ledger.close_through(MIDNIGHT_S + DAY_S + 60)
    ledger.set_time(MIDNIGHT_S + DAY_S + 60, MIDNIGHT_S + DAY_S - 60)
    ledger.book("import", 1, MIDNIGHT_S + DAY_S - 30)
    ledger.close_through(MIDNIGHT_S + DAY_S + HALF_HOUR_S)
    assert [[1, 1]] == [each.energy["import"] for each in ledger.snapshots("daily")]


def test_a_full_list_takes_what_is_before_all_others() -> None:
    """After a setting far back the furthest ahead leaves, not the one just taken."""
    kept = Snapshots("billing")
    for number in [*range(100, 100 + DEPTHS["billing"]), 5, 6]:
        kept.take(Snapshot(number, number, 0, "", {}, {}, {}))
    assert [5, 6, *range(100, 122)] == [each.at_s for each in kept.entries]


def gas_ledger(pulses: ScriptedPulses) -> Ledger:
    """A ledger with a gas unit."""
    ledger = Ledger(MeterConfig(gas_units=(GasUnitConfig(serial="00000001"),)), None, pulses)
    ledger.power_up(MIDNIGHT_S)
    return ledger


def test_a_snapshot_waits_for_its_gas_and_then_keeps_it() -> None:
    """It has the pulses of the half-hours that were final by its instant, and no later ones."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses)
    for _ in range(47):
        pulses.add(1)
    pulses.add(4, final=False)
    ledger.close_through(MIDNIGHT_S + DAY_S)
    ledger.book_pulses()
    assert [{"gas": None}] == [each.pulses for each in ledger.snapshots("daily")]
    pulses.settle(47, 4)
    for _ in range(3):
        pulses.add(9)
    ledger.book_pulses()
    assert [{"gas": [51, 51]}] == [each.pulses for each in ledger.snapshots("daily")]
    again = reloaded(ledger, MIDNIGHT_S + DAY_S)
    pulses.add(9)
    again.power_up(MIDNIGHT_S + DAY_S + 2 * HALF_HOUR_S)
    again.book_pulses()
    assert [51, 51] == again.snapshots("daily")[0].pulses["gas"]


def test_a_snapshot_within_a_half_hour_takes_gas_up_to_its_beginning() -> None:
    """The last boundary that is not after it."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses)
    for count in (3, 5, 7):
        pulses.add(count)
    ledger.close_through(MIDNIGHT_S + 2_000)
    ledger.end_billing(MIDNIGHT_S + 2_000, "command")
    ledger.close_through(MIDNIGHT_S + 3 * HALF_HOUR_S)
    ledger.book_pulses()
    assert [3, 3] == ledger.snapshots("billing")[0].pulses["gas"]


TWO_PRICES = CalendarConfig(
    rates=2,
    switches=(SwitchConfig("00:00", 1), SwitchConfig("07:00", 2)),
    prices=PricesConfig(rate_p_kwh=(Decimal("7.125"), Decimal(20))),
)


def test_energy_costs_what_its_rate_costs() -> None:
    """Exactly, in millionths of a penny."""
    ledger = begun(tariff=TariffConfig(import_=TWO_PRICES))
    ledger.book("import", 3, MIDNIGHT_S)
    ledger.book("import", 2 * KWH, MIDNIGHT_S + 8 * 3_600)
    assert (3 * 7_125 + 40 * PENNY_UP, 0, 0) == ledger.cost("import")
    assert (0, 0, 0) == ledger.cost("export")


def test_energy_costs_what_its_block_costs() -> None:
    """A quantity over a bound is paid in parts."""
    prices = PricesConfig(block_p_kwh=((Decimal(10), Decimal(30)),))
    calendar = CalendarConfig(blocks=BlocksConfig(((KWH,),), reset="day"), prices=prices)
    ledger = begun(tariff=TariffConfig(import_=calendar))
    ledger.book("import", 3 * KWH, MIDNIGHT_S)
    assert 70 * PENNY_UP == ledger.cost("import")[0]


def test_half_hours_without_a_price_are_counted_apart() -> None:
    """A price that comes later does not change what was booked without it."""
    ledger = begun(prices=PricesConfig(half_hourly=True))
    ledger.prices["import"] = PriceList().extended(MIDNIGHT_S, [10_000, -2_000])
    for place in range(3):
        ledger.book("import", KWH, MIDNIGHT_S + place * HALF_HOUR_S)
    assert (8 * PENNY_UP, 0, KWH) == ledger.cost("import")
    ledger.prices["import"] = ledger.prices["import"].extended(MIDNIGHT_S + 3_600, [5_000])
    ledger.book("import", KWH, MIDNIGHT_S + 3_600)
    assert (13 * PENNY_UP, 0, KWH) == ledger.cost("import")


STANDING = PricesConfig(rate_p_kwh=(Decimal(10),), standing_p_day=Decimal(25))


def test_every_local_day_has_one_standing_charge() -> None:
    """That of the first day at once; in summer days begin at 23:00 UTC."""
    ledger = begun(utc_s("2013-07-01T12:00"), prices=STANDING)
    assert 25 == standing(ledger)
    ledger.close_through(utc_s("2013-07-01T22:30"))
    assert 25 == standing(ledger)
    ledger.close_through(utc_s("2013-07-01T23:00"))
    assert 50 == standing(ledger)
    ledger.close_through(utc_s("2013-07-04T12:00"))
    assert 100 == standing(ledger)


def test_days_without_power_are_charged() -> None:
    """The supply was there to be used."""
    ledger = begun(MIDNIGHT_S + 3_600, prices=STANDING)
    again = reloaded(ledger, MIDNIGHT_S + 3_600)
    again.power_up(MIDNIGHT_S + 9 * DAY_S + 60)
    assert 10 * 25 == standing(again)


def test_days_that_a_setting_skips_are_not_charged() -> None:
    """They never were; the day in which it ends is."""
    ledger = begun(MIDNIGHT_S + 3_600, prices=STANDING)
    ledger.set_time(MIDNIGHT_S + 3_600, MIDNIGHT_S + 9 * DAY_S + 60)
    assert 2 * 25 == standing(ledger)


def test_a_day_that_comes_twice_is_charged_once() -> None:
    """Also when it begins again after a setting back over its midnight, saved or not."""
    ledger = begun(MIDNIGHT_S + DAY_S - 3_600, prices=STANDING)
    ledger.close_through(MIDNIGHT_S + DAY_S + 120)
    ledger.set_time(MIDNIGHT_S + DAY_S + 120, MIDNIGHT_S + DAY_S - 120)
    again = reloaded(ledger, MIDNIGHT_S + DAY_S - 120)
    again.power_up(MIDNIGHT_S + DAY_S - 110)
    for each in (ledger, again):
        each.close_through(MIDNIGHT_S + DAY_S + 3_600)
        assert 2 * 25 == standing(each)
        each.close_through(MIDNIGHT_S + 2 * DAY_S)
        assert 3 * 25 == standing(each)


def test_a_year_ahead_by_mistake_leaves_no_day_without_a_charge() -> None:
    """Set right again, a clock charges every day that it had not charged."""
    ledger = begun(MIDNIGHT_S + 3_600, prices=STANDING)
    ledger.set_time(MIDNIGHT_S + 3_600, MIDNIGHT_S + 365 * DAY_S + 60)
    ledger.set_time(MIDNIGHT_S + 365 * DAY_S + 60, MIDNIGHT_S + 7_200)
    assert 2 * 25 == standing(ledger)
    ledger.close_through(MIDNIGHT_S + 367 * DAY_S + 60)
    assert 368 * 25 == standing(ledger)


def test_costs_of_today_begin_at_local_midnight() -> None:
    """And those of the period with billing."""
    ledger = begun(prices=STANDING, billing=BillingConfig(day=0))
    ledger.book("import", KWH, MIDNIGHT_S)
    ledger.close_through(MIDNIGHT_S + DAY_S)
    today, yesterday = ledger.cost_marks["today"], ledger.cost_marks["yesterday"]
    assert today is not None
    assert yesterday is not None
    assert [(MIDNIGHT_S + DAY_S, 10 * PENNY_UP), (MIDNIGHT_S, 0)] == [
        (each.at_s, each.costs["import"][0]) for each in (today, yesterday)
    ]
    ledger.end_billing(MIDNIGHT_S + DAY_S + 9, "command")
    period = ledger.cost_marks["period"]
    assert period is not None
    assert (MIDNIGHT_S + DAY_S + 9, (10 * PENNY_UP, 50 * PENNY_UP, 0)) == (
        period.at_s,
        period.costs["import"],
    )
    assert [] == imbalances(ledger)
