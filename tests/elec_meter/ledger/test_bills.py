"""Bills are what lies between the ends of billing periods."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from elec_meter import Meter, Storage
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
from elec_meter.ledger import Bill, Ledger, Peak, bills, running_bill
from shared.timegrid import from_unix_s
from shared.units import MJ_PER_WH
from tests.elec_meter.ledger.meters import DAY_S, HALF_HOUR_S, MIDNIGHT_S, reloaded
from tests.elec_meter.ledger.pulses import ScriptedPulses

TWO_RATES = CalendarConfig(
    rates=2,
    switches=(SwitchConfig(at="00:00", rate=2), SwitchConfig(at="06:00", rate=1)),
    prices=PricesConfig(rate_p_kwh=(Decimal(20), Decimal("9.5")), standing_p_day=Decimal("41.5")),
)
CONFIG = MeterConfig(
    billing=BillingConfig(day=0),
    tariff=TariffConfig(import_=TWO_RATES),
    gas_units=(GasUnitConfig(serial="00000001"),),
)


def powered(pulses: ScriptedPulses | None = None, config: MeterConfig = CONFIG) -> Ledger:
    """A ledger at its first power-up, at midnight."""
    ledger = Ledger(config, pulse_source=pulses)
    ledger.power_up(MIDNIGHT_S)
    return ledger


def draw(ledger: Ledger, wh: int, from_h: float, to_h: float) -> None:
    """Import flows evenly between two hours since midnight."""
    start_s, end_s = MIDNIGHT_S + round(from_h * 3600), MIDNIGHT_S + round(to_h * 3600)
    ledger.accumulate_evenly("import", wh * MJ_PER_WH, start_s, end_s)


def end_billing(ledger: Ledger, at_h: float, reason: str = "command") -> None:
    """The billing period ends, so many hours after midnight."""
    at_s = MIDNIGHT_S + round(at_h * 3600)
    ledger.close_through(at_s)
    assert ledger.end_billing(at_s, reason)


def only(found: list[Bill]) -> Bill:
    """The one bill that there is."""
    (bill,) = found
    return bill


def test_nothing_is_billed_before_the_first_power_up() -> None:
    """There are no bills, and no period runs."""
    ledger = Ledger(CONFIG)
    assert [] == bills(ledger)
    assert running_bill(ledger) is None


def test_a_bill_is_what_was_counted_since_the_last_one() -> None:
    """Rates, energy cost and standing charge are differences; the rest belongs to what runs."""
    ledger = powered()
    draw(ledger, 3_000, 4, 7)
    end_billing(ledger, 12)
    draw(ledger, 500, 12, 13)
    end_billing(ledger, 30, "change of supplier")
    draw(ledger, 70, 31, 32)
    first, second = bills(ledger)
    assert (MIDNIGHT_S, MIDNIGHT_S + 12 * 3600) == (first.start_s, first.end_s)
    part = first.energy["import"]
    assert ((1_000, 2_000), 3_000) == (part.rates, part.quantity)
    assert (39_000_000, 41_500_000, 0) == (part.energy_up, part.standing_up, part.unpriced)
    assert 80_500_000 == part.total_up
    part = second.energy["import"]
    assert ("change of supplier", (500, 0)) == (second.reason, part.rates)
    assert (10_000_000, 41_500_000) == (part.energy_up, part.standing_up)
    running = running_bill(ledger)
    assert running is not None
    assert (second.end_s, None, "") == (running.start_s, running.end_s, running.reason)
    part = running.energy["import"]
    assert ((70, 0), 1_400_000, 0) == (part.rates, part.energy_up, part.standing_up)
    assert (0,) == running.energy["export"].rates


def test_a_bill_has_the_maxima_of_its_period() -> None:
    """The end of a period resets maximum demand, and its bill keeps it."""
    ledger = powered()
    draw(ledger, 2_000, 1, 1.5)
    end_billing(ledger, 12)
    draw(ledger, 300, 13, 13.5)
    demand = only(bills(ledger)).energy["import"].demand
    assert demand is not None
    assert Peak(4_000, MIDNIGHT_S + 5_400) == demand.maximum
    running = running_bill(ledger)
    assert running is not None
    later = running.energy["import"].demand
    assert later is not None
    assert Peak(600, MIDNIGHT_S + 27 * HALF_HOUR_S) == later.maximum


def test_energy_without_a_price_is_billed_as_such() -> None:
    """Where half-hourly prices are missing, the Wh are counted and cost nothing."""
    tariff = TariffConfig(import_=CalendarConfig(prices=PricesConfig(half_hourly=True)))
    ledger = powered(config=MeterConfig(tariff=tariff, billing=BillingConfig(day=0)))
    draw(ledger, 700, 1, 2)
    end_billing(ledger, 3)
    part = only(bills(ledger)).energy["import"]
    assert (700, 0, 700) == (part.quantity, part.energy_up, part.unpriced)


def test_blocks_begin_again_and_are_billed_at_their_prices() -> None:
    """Both periods pay the first block's price first."""
    calendar = CalendarConfig(
        blocks=BlocksConfig(thresholds=((1_000,),)),
        prices=PricesConfig(block_p_kwh=((Decimal(10), Decimal(30)),)),
    )
    config = MeterConfig(tariff=TariffConfig(import_=calendar), billing=BillingConfig(day=0))
    ledger = powered(config=config)
    for hour in (1, 11):
        draw(ledger, 1_500, hour, hour + 1)
        end_billing(ledger, hour + 5)
    assert [25_000_000, 25_000_000] == [each.energy["import"].energy_up for each in bills(ledger)]


def test_gas_is_pending_until_its_half_hours_are_final() -> None:
    """None while pulses of either end may still come; then the pulses of each rate."""
    pulses = ScriptedPulses(paired_s=MIDNIGHT_S)
    ledger = powered(pulses)
    pulses.add(5)
    pulses.add(None, final=False)
    end_billing(ledger, 1)
    ledger.book_pulses()
    assert {"gas": None} == only(bills(ledger)).pulses
    pulses.settle(1, 2)
    pulses.received += 2
    pulses.add(4)
    ledger.close_through(MIDNIGHT_S + 3 * HALF_HOUR_S)
    ledger.book_pulses()
    assert {"gas": (7,)} == only(bills(ledger)).pulses
    running = running_bill(ledger)
    assert running is not None
    assert {"gas": (4,)} == running.pulses
    pulses.received += 1
    running = running_bill(ledger)
    assert running is not None
    assert {"gas": None} == running.pulses


def test_the_first_period_is_unknown_once_its_snapshot_left() -> None:
    """Of 30 periods the 24 newest snapshots remain, and they bound 23."""
    ledger = powered()
    for hour in range(30):
        draw(ledger, 100, hour, hour + 1)
        end_billing(ledger, hour + 1)
    found = bills(ledger)
    assert [100] * 23 == [each.energy["import"].quantity for each in found]
    assert MIDNIGHT_S + 30 * 3600 == found[-1].end_s


def test_a_clock_that_was_set_back_makes_no_negative_bill() -> None:
    """Periods follow each other as they ended, although the later one ends earlier by the clock."""
    begin = from_unix_s(MIDNIGHT_S)
    meter = Meter(CONFIG, Storage.in_memory(), begin)

    def draw_and_end(from_h: int, to_h: int, wh: int) -> None:
        start, end = begin + timedelta(hours=from_h), begin + timedelta(hours=to_h)
        meter.receive_energy("import", wh * MJ_PER_WH, start, end, end)
        assert meter.end_billing(end)

    draw_and_end(0, 10, 900)
    now = begin + timedelta(hours=10)
    meter.set_clock(now - timedelta(hours=6), now)
    draw_and_end(10, 12, 80)
    first, second = bills(meter.ledger)
    assert [900, 80] == [each.energy["import"].quantity for each in (first, second)]
    assert (first.end_s, MIDNIGHT_S + 6 * 3600) == (second.start_s, second.end_s)
    running = running_bill(meter.ledger)
    assert running is not None
    assert second.end_s == running.start_s
    assert 0 == running.energy["import"].quantity


def test_bills_are_the_same_after_a_restart() -> None:
    """Everything a bill is made of is durable."""
    ledger = powered()
    draw(ledger, 3_000, 4, 7)
    end_billing(ledger, 12)
    draw(ledger, 40, 13, 14)
    again = reloaded(ledger, MIDNIGHT_S + DAY_S)
    assert bills(ledger) == bills(again)
    assert running_bill(ledger) == running_bill(again)
