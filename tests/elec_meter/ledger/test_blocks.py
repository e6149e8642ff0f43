from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.config import BlocksConfig, CalendarConfig, MeterConfig, TariffConfig
from elec_meter.ledger import Ledger, imbalances
from elec_meter.ledger.channels import INTERPOLATED
from elec_meter.ledger.registers import RateRegisters
from elec_meter.storage import Storage
from tests.elec_meter.ledger.meters import (
    DAY_S,
    HALF_HOUR_S,
    MIDNIGHT_S,
    meter_config,
    reloaded,
)
from tests.elec_meter.ledger.pulses import ScriptedPulses
from tests.naive.blocks import split


def blocks_config(import_: CalendarConfig) -> MeterConfig:
    """A meter whose import has blocks."""
    return MeterConfig(tariff=TariffConfig(import_=import_))


def test_a_rate_fills_its_blocks_in_order() -> None:
    """The unit that reaches a bound is the last of its block."""
    registers = RateRegisters(1, [(10, 15)])
    assert [(1, 8)] == registers.book(8, 1)
    assert [(1, 2), (2, 5), (3, 4)] == registers.book(11, 1)
    assert ([19], [[10, 5, 4]], [19]) == (registers.rates, registers.blocks, registers.used)


def test_a_new_period_begins_with_the_first_block() -> None:
    """Registers stay; only what decides on the block begins again."""
    registers = RateRegisters(2, [(10,), ()])
    registers.book(12, 1)
    registers.book(5, 2)
    registers.begin_block_period()
    registers.book(1, 1)
    assert ([13, 5], [[11, 2], [5]], [1, 0]) == (
        registers.rates,
        registers.blocks,
        registers.used,
    )


def test_another_tariff_takes_no_register_away() -> None:
    """Fewer rates and blocks leave the old ones as they are; more of them begin at zero."""
    registers = RateRegisters(3, [(10,), (10,), (10,)])
    registers.book(12, 3)
    registers.configure(1, [()])
    registers.book(4, 1)
    registers.configure(4, [(1, 2, 3), (), (), ()])
    assert [4, 0, 12, 0] == registers.rates
    assert [[4, 0, 0, 0], [0, 0], [10, 2], [0]] == registers.blocks


@given(
    st.lists(st.integers(1, 60), max_size=3, unique=True).map(lambda each: tuple(sorted(each))),
    st.lists(st.integers(0, 40), max_size=8),
)
def test_blocks_equal_counting_one_by_one(bounds: tuple[int, ...], booked: list[int]) -> None:
    """Any portions give the blocks that single units give, and survive being saved."""
    registers = RateRegisters(1, [bounds])
    for quantity in booked:
        registers.book(quantity, 1)
        registers = RateRegisters(1, [bounds], registers.state())
    filled = dict(split(bounds, 0, sum(booked)))
    assert [filled.get(n + 1, 0) for n in range(len(bounds) + 1)] == registers.blocks[0]


@pytest.mark.parametrize(
    ("reset", "expected"), [("day", [[10, 0]]), ("month", [[7, 3]]), ("billing", [[7, 3]])]
)
def test_blocks_of_energy_begin_at_their_midnight(reset: str, expected: list[list[int]]) -> None:
    """5 Wh on each of two days of a month: with a bound of 7, only a day's period divides them."""
    calendar = CalendarConfig(blocks=BlocksConfig(((7,),), reset=reset))  # type: ignore[arg-type]  # one of its words
    ledger = Ledger(blocks_config(calendar))
    ledger.power_up(MIDNIGHT_S + DAY_S)
    for day in (1, 2):
        ledger.close_through(MIDNIGHT_S + day * DAY_S)
        ledger.book("import", 5, MIDNIGHT_S + day * DAY_S)
    assert expected == ledger.blocks("import")
    if reset == "billing":
        assert ledger.end_billing(MIDNIGHT_S + 2 * DAY_S + 60, "command")
        ledger.book("import", 5, MIDNIGHT_S + 2 * DAY_S + 61)
        assert [[12, 3]] == ledger.blocks("import")
    assert [] == imbalances(ledger)


def test_blocks_begin_again_after_an_outage_over_their_midnight() -> None:
    """Also when nobody was there when the period began."""
    calendar = CalendarConfig(blocks=BlocksConfig(((7,),), reset="month"))
    ledger = Ledger(blocks_config(calendar))
    ledger.power_up(MIDNIGHT_S)
    ledger.book("import", 9, MIDNIGHT_S)
    again = reloaded(ledger, MIDNIGHT_S + 60)
    assert [[7, 2]] == again.blocks("import")
    again.power_up(MIDNIGHT_S + 40 * DAY_S)
    again.book("import", 3, MIDNIGHT_S + 40 * DAY_S)
    assert [[10, 2]] == again.blocks("import")


GAS_BLOCKS = CalendarConfig(blocks=BlocksConfig(((100,),), reset="day"))
"""Ten pulses of ten litres a day in the first block."""


def gas_ledger(pulses: ScriptedPulses, calendar: CalendarConfig = GAS_BLOCKS) -> Ledger:
    """A ledger whose gas has blocks."""
    ledger = Ledger(meter_config(gas=calendar), pulse_source=pulses)
    ledger.power_up(MIDNIGHT_S)
    return ledger


def test_gas_blocks_are_in_litres_and_begin_each_day() -> None:
    """The pulse that passes the bound belongs beyond it, and a day begins at its midnight."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses)
    for count in [12, *[0] * 46, 1, 4]:
        pulses.add(count)
    ledger.book_pulses()
    assert [[14, 3]] == ledger.blocks("gas")
    assert [] == imbalances(ledger)


def test_gas_blocks_take_final_half_hours_only() -> None:
    """What is pending is in no block."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses)
    pulses.add(8)
    pulses.add(8, final=False)
    ledger.book_pulses()
    assert ([[8, 0]], 8) == (ledger.blocks("gas"), ledger.unrated("gas"))


@pytest.mark.parametrize("restarts", [(), (1,), (47,), (48,), (60,), range(1, 110)])
def test_gas_blocks_do_not_depend_on_restarts(restarts: tuple[int, ...]) -> None:
    """A restart between any two half-hours changes nothing, and neither does folding again."""
    pulses = ScriptedPulses()
    storage, ledger = Storage.in_memory(), gas_ledger(pulses)
    for number in range(110):
        pulses.add(1)
        ledger.book_pulses()
        if number in restarts:
            ledger = reloaded(ledger, MIDNIGHT_S + number * HALF_HOUR_S, storage)
            ledger.power_up(MIDNIGHT_S + number * HALF_HOUR_S)
    assert [[30, 80]] == ledger.blocks("gas")
    (channel,) = ledger.pulse_channels
    booked = channel.state()
    channel.rebook(channel.journalled())
    assert booked == channel.state()


@pytest.mark.parametrize("is_restarted", [False, True])
def test_gas_blocks_begin_again_within_a_long_silence(*, is_restarted: bool) -> None:
    """A silence that is booked at once and reaches over a midnight begins a period too."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses)
    pulses.add(9)
    ledger.book_pulses()
    # From 00:30 to 05:00 two days later.
    for _ in range(105):
        pulses.add(0, INTERPOLATED)
    ledger.book_pulses()
    assert 1 == len(ledger.pulse_channels[0].state().runs)
    if is_restarted:
        ledger = reloaded(ledger, MIDNIGHT_S)
        ledger.power_up(MIDNIGHT_S)
    pulses.add(9)
    ledger.book_pulses()
    assert [[18, 0]] == ledger.blocks("gas")


def test_a_calendar_without_blocks_in_between_begins_no_period() -> None:
    """What a day has counted by blocks is still counted when blocks come back the same day."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses)
    pulses.add(8)
    ledger.book_pulses()
    plain = meter_config(gas=CalendarConfig())
    ledger.configure(plain, MIDNIGHT_S + HALF_HOUR_S)
    pulses.add(50)
    ledger.book_pulses()
    ledger.configure(meter_config(gas=GAS_BLOCKS), MIDNIGHT_S + 2 * HALF_HOUR_S)
    again = reloaded(ledger, MIDNIGHT_S + 2 * HALF_HOUR_S)
    again.power_up(MIDNIGHT_S + 2 * HALF_HOUR_S)
    pulses.add(4)
    for each in (ledger, again):
        each.book_pulses()
        assert [[60, 2]] == each.blocks("gas")
