from __future__ import annotations

import pytest

from pulse_unit.battery import RECORDS_PER_PAGE, SAMPLE_INTERVAL_MS
from pulse_unit.cli.sources import ENDURANCE
from pulse_unit.cli.wear import LOG_PAGES, SLOTS, Life, log_erases, store_erases
from pulse_unit.config import UnitConfig
from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.history import CountHistory
from pulse_unit.nvm import Slots
from pulse_unit.reed import sample_interval_ms
from pulse_unit.store import (
    ADVERT_LIMIT,
    BOOT,
    CHARGE_C,
    COMMAND,
    COUNT,
    KEY_COUNT,
    MESSAGE_LIMIT,
    ReservedCounter,
    Store,
)
from pulse_unit.unit import STATE_PAGES


def lived(nvm: MemoryNvm, life: Life, per_pulse: int) -> None:
    """Let the store of a unit live; the pulses set the pace of all else."""
    pulses = life.pulses_per_month * life.days // 30
    store = Store(nvm, 0, nvm.page_count)
    for boot in range(1, life.boots + 1):
        store = Store(nvm, 0, nvm.page_count)
        store.put(BOOT, boot)
        messages = ReservedCounter(store, MESSAGE_LIMIT, life.block)
        adverts = ReservedCounter(store, ADVERT_LIMIT, life.block)
        for pulse in range(pulses // life.boots):
            store.put(COUNT, store.get(COUNT) + 1)
            adverts.take()
            if pulse % per_pulse == 0:
                messages.take()
                store.put(COMMAND, store.get(COMMAND) + 1)
                store.put(CHARGE_C, store.get(CHARGE_C) + 1)


@pytest.mark.parametrize("page_size", [512, 4096])
def test_store_is_erased_as_often_as_the_budget_says(page_size: int) -> None:
    """A short life of the real store erases its pages as computed, each as often as the others."""
    nvm = MemoryNvm(4, page_size)
    pulses = 40_000
    life = Life(
        days=30,
        pulses_per_month=pulses,
        telegrams_per_day=pulses // 30 // 10,
        adverts_per_day=pulses // 30,
        commands_per_day=pulses // 30 // 10,
        coulombs=pulses // 10,
        boots=5,
    )
    lived(nvm, life, 10)
    computed = store_erases(life.changes(), 6, page_size // 8, 4)
    assert max(nvm.erases) - min(nvm.erases) <= 1
    assert computed - 1 <= max(nvm.erases) <= computed + 1


@pytest.mark.parametrize("phases", [0, 1, 2])
def test_log_is_erased_as_often_as_the_budget_says(phases: int) -> None:
    """Months of the real log erase its pages as computed, grids that move included."""
    nvm = MemoryNvm(2, 512)
    history = CountHistory(nvm, 0, 2)
    history.begin(1, 0, 0)
    tick_s = 0
    days = 800
    for number in range(1, days * 48):
        is_moved = phases and number % (48 // phases) == 0
        tick_s += 1_796 if is_moved else 1_800
        history.append(tick_s, number * 20)
    life = Life(days=days, commands_per_day=phases, boots=1, coulombs=0)
    computed = log_erases(life.log_records(), 512 // 8, 2)
    assert computed * 97 // 100 <= max(nvm.erases) <= computed
    assert max(nvm.erases) - min(nvm.erases) <= 1


@pytest.mark.parametrize(
    "life",
    [
        Life(coulombs=9_360),
        Life(telegrams_per_day=8_640, adverts_per_day=86_400, commands_per_day=4, coulombs=9_360),
    ],
)
def test_twenty_years_leave_most_of_the_endurance(life: Life) -> None:
    """Twenty years of the target, or of a telegram every 10 s and an advert a second, are borne."""
    store = store_erases(life.changes(), KEY_COUNT, SLOTS, STATE_PAGES)
    log = log_erases(life.log_records(), SLOTS, LOG_PAGES)
    endurance = min(erases for erases, _ in ENDURANCE.values())
    assert 2 * store <= endurance
    assert 100 * log <= endurance


def test_ledger_shares_an_erase_among_the_changes_of_a_page() -> None:
    """What a page of the store takes is what the battery's books reckon with."""
    assert SLOTS == Slots(MemoryNvm(1), 0, 1).per_page
    assert 1 == store_erases(RECORDS_PER_PAGE, KEY_COUNT, SLOTS, 1)
    assert 2 == store_erases(RECORDS_PER_PAGE + 1, KEY_COUNT, SLOTS, 1)


def test_ledger_expects_the_looks_of_the_default_meter() -> None:
    """A day is planned with the looks that a unit takes if nothing else is configured."""
    config = UnitConfig()
    assert SAMPLE_INTERVAL_MS == sample_interval_ms(config.pulse_weight_nl, config.flow_max_l_per_h)
