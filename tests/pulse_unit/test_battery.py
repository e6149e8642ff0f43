from __future__ import annotations

import random
from functools import partial

import pytest

from pulse_unit.battery import (
    EDGES_PER_PULSE,
    TICKS_PER_DAY,
    BatteryFigures,
    ChargeLedger,
    DayPlan,
    daily_terms,
)
from pulse_unit.boards import esp32, mains, stm32wb
from pulse_unit.errors import ConfigError
from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.hal.simulated_reed import pulse_edges
from pulse_unit.store import CHARGE_C, Store

NC_PER_C = 1_000_000_000
DAY_S = 86_400
ADVERTS = DayPlan()
TELEGRAMS = DayPlan(telegram_period_s=900, advert_period_s=0, window_period_s=0)
BOTH = DayPlan(telegram_period_s=900)
NEVER_PARKED = DayPlan(sample_interval_ms=0)


class DeadNvm(MemoryNvm):
    """Reads back nothing of what is written while it is dead."""

    dead = False

    def write(self, address: int, data: bytes | bytearray) -> None:
        """Write, or do nothing."""
        if not self.dead:
            super().write(address, data)


def store_of(nvm: MemoryNvm | None = None) -> Store:
    """A store of four pages, new unless its memory is given."""
    return Store(nvm or MemoryNvm(4), 0, 4)


def taken_nc(store: Store, ledger: ChargeLedger) -> int:
    """What a ledger has booked so far."""
    return store.get(CHARGE_C) * NC_PER_C + ledger._unbooked_nc


def day_nc(figures: BatteryFigures, plan: DayPlan) -> int:
    """What a day costs by the list of terms."""
    return sum(term.day_nc for term in daily_terms(figures, plan))


def years(figures: BatteryFigures, plan: DayPlan) -> float:
    """How long a new battery lasts."""
    return figures.usable_c * NC_PER_C / day_nc(figures, plan) / 365.25


@pytest.mark.parametrize("figures", [stm32wb(), esp32(), mains()])
@pytest.mark.parametrize("plan", [ADVERTS, TELEGRAMS, BOTH, NEVER_PARKED])
def test_a_day_as_planned_costs_what_the_terms_say(figures: BatteryFigures, plan: DayPlan) -> None:
    """The ledger of such a day, in any order, is the sum of the terms to the nanocoulomb."""
    store = store_of()
    ledger = ChargeLedger(store, figures, plan)
    steps = [
        *[ledger.pulse] * plan.pulses,
        *[ledger.tick] * TICKS_PER_DAY,
        *[ledger.advert] * plan.adverts,
        *[partial(ledger.windows, 1)] * plan.windows,
        *[ledger.telegram] * plan.telegrams,
    ]
    random.Random(1).shuffle(steps)
    for number, step in enumerate(steps):
        ledger.rest(number * DAY_S // len(steps))
        ledger.samples(number * plan.samples // len(steps))
        ledger.edges(number)
        step()
    ledger.rest(DAY_S)
    ledger.samples(plan.samples)
    ledger.edges(plan.pulses * EDGES_PER_PULSE)
    assert day_nc(figures, plan) == taken_nc(store, ledger)


def test_days_left_fall_by_one_a_day() -> None:
    """Days that are as planned shorten what is left by themselves and nothing else."""
    ledger = ChargeLedger(store_of(), stm32wb(), TELEGRAMS)
    first_d = ledger.left_d
    for day in range(1, 1_001):
        for _ in range(TELEGRAMS.telegrams):
            ledger.telegram()
        for _ in range(TICKS_PER_DAY):
            ledger.tick()
        for _ in range(TELEGRAMS.pulses):
            ledger.pulse()
        ledger.edges(day * TELEGRAMS.pulses * EDGES_PER_PULSE)
        ledger.samples(day * TELEGRAMS.samples)
        ledger.rest(day * DAY_S)
        # A coulomb, which is persisted ahead of use, is more than a day's charge.
        assert first_d - day - 1 <= ledger.left_d <= first_d - day + 1
    assert 89 == ledger.left_percent


def test_an_empty_battery_has_no_days() -> None:
    """Beyond the last coulomb there are 0 days and 0 %, never less."""
    figures = BatteryFigures(capacity_mah=1, usable_percent=100, sleep_na=1_000_000)
    ledger = ChargeLedger(store_of(), figures, DayPlan(advert_period_s=0, window_period_s=0))
    ledger.rest(1_500)
    assert (0, True) == (ledger.left_d, ledger.is_low)
    assert 0 < ledger.left_percent <= 58
    ledger.rest(10_000)
    assert (0, 0, True) == (ledger.left_d, ledger.left_percent, ledger.is_low)


def test_on_the_mains_there_are_always_days_left() -> None:
    """The greatest number that is not a placeholder, after 20 years too."""
    ledger = ChargeLedger(store_of(), mains(), BOTH)
    ledger.rest(20 * 366 * DAY_S)
    assert (65_534, 99, False) == (ledger.left_d, ledger.left_percent, ledger.is_low)


def test_resets_gain_no_charge() -> None:
    """After a loss of power at least what was booked before is gone."""
    nvm = MemoryNvm(4)
    booked_nc = 0
    for _ in range(50):
        store = store_of(nvm)
        before_c = store.get(CHARGE_C)
        assert before_c * NC_PER_C >= booked_nc
        ledger = ChargeLedger(store, stm32wb(), ADVERTS)
        ledger.rest(40_000)
        ledger.windows(1)
        booked_nc += ledger._unbooked_nc + (store.get(CHARGE_C) - before_c) * NC_PER_C
    assert booked_nc <= store_of(nvm).get(CHARGE_C) * NC_PER_C


def test_a_memory_that_takes_nothing_loses_no_charge() -> None:
    """What could not be persisted is, with the next charge that can."""
    nvm = DeadNvm(4)
    store = store_of(nvm)
    ledger = ChargeLedger(store, stm32wb(), ADVERTS)
    ledger.rest(60)
    nvm.dead = True
    ledger.rest(3_000_000)
    assert 1 == store.get(CHARGE_C)
    nvm.dead = False
    ledger.advert()
    seconds = daily_terms(stm32wb(), ADVERTS)
    at_rest_na = sum(term.each_nc for term in seconds if term.times == DAY_S)
    assert 3_000_000 * at_rest_na + stm32wb().advert_nc == taken_nc(store, ledger)


def test_another_plan_counts_from_now_on() -> None:
    """A change of the configuration changes the days left and nothing that is booked."""
    store = store_of()
    ledger = ChargeLedger(store, stm32wb(), ADVERTS)
    ledger.rest(DAY_S)
    booked_nc = taken_nc(store, ledger)
    few_d = ledger.left_d
    ledger.replan(DayPlan(advert_period_s=3_600))
    assert booked_nc == taken_nc(store, ledger)
    assert few_d < ledger.left_d


def test_the_goal_is_reached_on_the_target() -> None:
    """One AA cell, 20,000 pulses a month, the reed closed 30 % of the time: 20 years, either way.

    An advert a minute with its connectable windows, a telegram every 15 minutes, and both.
    """
    figures = stm32wb()
    assert (7_956, 2_966) == (figures.usable_c, figures.self_discharge_na)
    assert 12.6 == round(figures.usable_c * 1e6 / (20 * 365.25 * DAY_S), 1)
    for plan in (ADVERTS, TELEGRAMS, BOTH):
        assert years(figures, plan) >= 20


@pytest.mark.parametrize(
    "plan",
    [
        DayPlan(advert_period_s=1),
        DayPlan(telegram_period_s=60),
        DayPlan(pulses=20_000),
        DayPlan(sample_interval_ms=100),
        NEVER_PARKED,
    ],
    ids=["advert a second", "telegram a minute", "pulses", "samples", "never parked"],
)
def test_worse_days_miss_the_goal(plan: DayPlan) -> None:
    """Whatever is done far more often takes a battery below 20 years."""
    assert years(stm32wb(), plan) < 20


def test_every_figure_and_number_counts() -> None:
    """No figure of a battery and no number of a day can rise without a day costing more."""
    least = {"capacity_mah": 2_600, "sleep_na": 1, "self_discharge_permille": 0}
    base = day_nc(BatteryFigures(**least), BOTH)
    for name in (
        *("self_discharge_permille", "sleep_na", "supply_na", "line_na", "wake_nc", "pulse_nc"),
        *("write_nc", "erase_nc", "pull_up_na", "sample_nc", "advert_nc", "window_nc"),
        *("telegram_nc", "listen_na"),
    ):
        assert base < day_nc(BatteryFigures(**{**least, name: 1_000}), BOTH), name
    usual = day_nc(stm32wb(), BOTH)
    for name, more in (
        *(("telegram_period_s", 800), ("advert_period_s", 50), ("window_period_s", 14_000)),
        *(("reply_window_ms", 2_100), ("pulses", 668), ("closed_s", 26_000), ("closing_ms", 160)),
        ("sample_interval_ms", 740),
    ):
        assert usual < day_nc(stm32wb(), DayPlan(**{"telegram_period_s": 900, name: more})), name


def test_edges_of_a_pulse_are_those_of_the_simulated_reed() -> None:
    """What a day is expected to bring is what the bounce of a reed brings, rounded."""
    edges = sum(len(pulse_edges(0, 151, 401, 6_000, seed)) for seed in range(2_000))
    assert EDGES_PER_PULSE == round(edges / 2_000)


@pytest.mark.parametrize(
    "figures",
    [
        {"capacity_mah": 0},
        {"usable_percent": 0},
        {"usable_percent": 101},
        {"sleep_na": 0},
        {"pulse_nc": -1},
        {"self_discharge_permille": -1},
        {"listen_na": -1},
        {"telegram_nc": -1},
        {"low_d": -1},
    ],
)
def test_impossible_batteries_are_refused(figures: dict[str, int]) -> None:
    """A battery without charge, or a unit that takes none, is a `ConfigError`."""
    with pytest.raises(ConfigError):
        BatteryFigures(**{"capacity_mah": 2_600, "sleep_na": 1, **figures})


@pytest.mark.parametrize(
    "numbers", [{"pulses": -1}, {"advert_period_s": -1}, {"closed_s": 86_401}, {"closing_ms": -1}]
)
def test_impossible_days_are_refused(numbers: dict[str, int]) -> None:
    """Less than nothing, or more than a day of a closed reed, is a `ConfigError`."""
    with pytest.raises(ConfigError):
        DayPlan(**numbers)
