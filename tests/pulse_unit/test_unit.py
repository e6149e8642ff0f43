from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_unit.battery import BatteryFigures, DayPlan, daily_terms
from pulse_unit.boards import stm32wb
from pulse_unit.config import WEIGHT_1_FT3_NL, UnitConfig
from pulse_unit.entries import Entries
from pulse_unit.errors import ConfigError
from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.unit import PulseUnit
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.command import seal_phase
from shared.wire.telegram import (
    FLAG_EDGES,
    FLAG_LOW_BATTERY,
    FLAG_MAGNET,
    FLAG_NVM,
    FLAG_TAMPER,
    PulseTelegram,
)
from tests.pulse_unit.listening import KEY, board_of, opened, pulse, run, told_by
from tests.pulse_unit.tearing import StuckNvm


def test_first_telegram_says_what_the_unit_knows() -> None:
    """Five seconds after a boot the unit tells its count, its age and nothing that it made up."""
    board = board_of()
    unit = PulseUnit(board, UnitConfig())
    run(unit, 10_000)
    assert [
        (
            5_000,
            PulseTelegram(
                count=0,
                uptime_s=5,
                battery_left_d=unit_battery_d(),
                reset_counter=1,
                grid_count=0,
                grid_age_s=5,
            ),
        )
    ] == told_by(board)


def unit_battery_d() -> int:
    """Days of a new battery, one coulomb of which counts as used at once."""
    figures = stm32wb()
    plan = DayPlan(telegram_period_s=900, advert_period_s=0, window_period_s=0)
    day_nc = sum(term.day_nc for term in daily_terms(figures, plan))
    return (figures.usable_c - 1) * 1_000_000_000 // day_nc


def test_telegram_tells_count_volume_and_history() -> None:
    """A telegram holds the count, the dial, the last pulse's age and the last half-hours."""
    board = board_of()
    unit = PulseUnit(board, UnitConfig(initial_index_l=123_456))
    for closing_ms in (10_000, 20_000, 1_900_000, 3_700_000, 3_800_500):
        pulse(board, closing_ms)
        run(unit, closing_ms + 2_000)
    run(unit, 5_400_000)
    sent_ms, last = told_by(board)[-1]
    assert (5, 123_506, sent_ms // 1000, sent_ms // 1000 - 3_800) == (
        last.count,
        last.volume_l,
        last.uptime_s,
        last.last_pulse_age_s,
    )
    assert (3600, 3, (1, 2)) == (last.grid_tick_s, last.grid_count, last.increments)


def test_cubic_feet_add_up_exactly() -> None:
    """A dial in cubic feet is told in whole litres, without an error that grows."""
    config = UnitConfig(pulse_weight_nl=WEIGHT_1_FT3_NL, initial_index_l=0)
    assert (28, 28_316_846, None) == (
        config.volume_l(1),
        config.volume_l(1_000_000),
        config.volume_l(0xFFFFFFFF),
    )


def test_telegrams_keep_their_period_and_never_repeat_a_counter() -> None:
    """96 telegrams a day or so, each with a message counter of its own, rising."""
    board = board_of()
    unit = PulseUnit(board, UnitConfig())
    run(unit, 86_400_000)
    assert 93 <= len(board.sent) <= 99
    messages = [opened(frame) for _, frame in board.sent]
    assert list(range(len(messages))) == [message.message_counter for message in messages]
    assert {"mode7"} == {message.security for message in messages}


def test_long_sleep_is_caught_up_in_order() -> None:
    """A unit that wakes late logs every tick with its own count, and sends one telegram."""
    late, prompt = board_of(), board_of()
    late_unit, prompt_unit = PulseUnit(late, UnitConfig()), PulseUnit(prompt, UnitConfig())
    # The first is accepted at the very tick, and counts in it.
    for closing_ms in (1_799_850, 1_820_000, 5_000_000):
        pulse(late, closing_ms)
        pulse(prompt, closing_ms)
        run(prompt_unit, closing_ms + 1_500)
    run(prompt_unit, 7_300_000)
    late_unit.handle_timer(7_300_000)
    assert list(Entries(prompt_unit.history)) == list(Entries(late_unit.history))
    assert [(1, 0, 0), (1, 1800, 1), (1, 3600, 2), (1, 5400, 3), (1, 7200, 3)] == list(
        Entries(late_unit.history)
    )
    assert 1 == len(late.sent)
    assert 7_300 == told_by(late)[0][1].uptime_s


def test_count_is_cyclic_and_survives() -> None:
    """After 2^32 - 1 comes 0, on the register, in telegrams and over a reset."""
    nvm = MemoryNvm(8, 1024)
    unit = PulseUnit(board_of(nvm), UnitConfig())
    unit._register._store.put(0, 0xFFFFFFFF)
    board = board_of(nvm)
    unit = PulseUnit(board, UnitConfig())
    pulse(board, 1_000)
    run(unit, 6_000)
    assert (0, 0, 0xFFFFFFFF) == (
        unit.count,
        told_by(board)[-1][1].count,
        list(Entries(unit.history))[-1][2],
    )
    assert (0, 3) == (PulseUnit(board_of(nvm), UnitConfig()).count, 3)


def phase(counter: int, since_boundary_ms: int = 0) -> bytes:
    """A phase command for this unit."""
    return seal_phase(AesBlock, KEY, counter, since_boundary_ms)


def test_phase_is_obeyed_in_the_reply_window_only() -> None:
    """A command is heard after a telegram for two seconds, and not before or later."""
    board = board_of()
    unit = PulseUnit(board, UnitConfig())
    assert not unit.receive_command(phase(1), 1_000)
    run(unit, 5_000)
    assert not unit.receive_command(phase(1), 7_001)
    run(unit, 1_000_000)
    sent_ms, _ = told_by(board)[-1]
    assert unit.receive_command(phase(1, 500_000), sent_ms + 2_000)
    run(unit, 6_000_000)
    # The boot, the boundary that nobody had logged, and then the grid.
    ticks_s = [tick_s for _, tick_s, _ in Entries(unit.history)][2:]
    assert {round((sent_ms + 2_000 - 500_000) / 1000) % 1800} == {tick % 1800 for tick in ticks_s}


def test_command_applies_once_also_over_a_reset() -> None:
    """A recorded command is refused for ever; a newer one is obeyed."""
    nvm = MemoryNvm(8, 1024)
    for _ in range(3):
        board = board_of(nvm)
        unit = PulseUnit(board, UnitConfig())
        run(unit, 5_000)
        accepted = [unit.receive_command(phase(counter), 5_500) for counter in (7, 7, 6)]
        assert [unit.boot == 1, False, False] == accepted
    assert unit.receive_command(phase(8), 5_600)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 17,
        phase(1)[:-1],
        phase(1) + b"\x00",
        phase(1)[:-1] + b"\x00",
        phase(2**32 - 1),
    ],
)
def test_what_is_no_command_changes_nothing(data: bytes) -> None:
    """Noise, forgeries and a counter without a successor are refused without an effect."""
    nvm = MemoryNvm(8, 1024)
    board = board_of(nvm)
    unit = PulseUnit(board, UnitConfig())
    run(unit, 5_000)
    before = nvm.packed()
    assert not unit.receive_command(data, 5_500)
    assert before == nvm.packed()
    assert 1_800_000 == unit._log.next_ms
    assert unit.receive_command(phase(1), 5_600)


@settings(max_examples=50)
@given(st.binary(max_size=40))
def test_any_bytes_in_the_window_are_survived(data: bytes) -> None:
    """Whatever a receiver hears, the unit neither fails nor obeys."""
    unit = PulseUnit(board_of(), UnitConfig())
    run(unit, 5_000)
    assert not unit.receive_command(data, 5_500)


def test_tamper_stays_and_remembers_when_it_was_first_seen() -> None:
    """A tamper flag outlives a reset, and a second opening does not move its time."""
    nvm = MemoryNvm(8, 1024)
    unit = PulseUnit(board_of(nvm), UnitConfig())
    assert None is unit.first_seen(FLAG_TAMPER)
    unit.see_tamper(FLAG_TAMPER, 77_500)
    unit.see_tamper(FLAG_TAMPER, 99_000)
    board = board_of(nvm)
    unit = PulseUnit(board, UnitConfig())
    unit.see_tamper(FLAG_MAGNET, 1_000)
    run(unit, 5_000)
    assert FLAG_TAMPER | FLAG_MAGNET == told_by(board)[-1][1].error_flags
    assert ((1, 77), (2, 1)) == (unit.first_seen(FLAG_TAMPER), unit.first_seen(FLAG_MAGNET))


def test_lost_edges_are_flagged() -> None:
    """More edges at once than the buffer holds show in the telegram."""
    board = board_of()
    unit = PulseUnit(board, UnitConfig())
    for at_ms in range(200):
        board.interrupt(at_ms % 2 == 0, at_ms)
    run(unit, 6_000)
    assert FLAG_EDGES == told_by(board)[-1][1].error_flags
    assert 0 == unit.count


def test_pulses_that_cannot_be_persisted_are_not_told() -> None:
    """While the memory fails the count and the age stand still; then pulses count from then on."""
    nvm = StuckNvm(8, 1024)
    board = board_of(nvm)
    unit = PulseUnit(board, UnitConfig())
    run(unit, 6_000)
    nvm.stuck = True
    for closing_ms in (10_000, 20_000, 30_000):
        pulse(board, closing_ms)
        run(unit, closing_ms + 5_000)
    run(unit, 1_000_000)
    assert [(0, None)] * 2 == [
        (telegram.count, telegram.last_pulse_age_s) for _, telegram in told_by(board)
    ]
    assert FLAG_NVM & unit.error_flags
    nvm.stuck = False
    run(unit, 2_000_000)
    last = told_by(board)[-1][1]
    assert (3, 0, FLAG_NVM) == (
        last.count,
        last.last_pulse_age_s,
        unit.error_flags & (FLAG_NVM | FLAG_TAMPER),
    )
    assert 3 == PulseUnit(board_of(nvm), UnitConfig()).count


def test_without_a_reserved_counter_nothing_is_sent() -> None:
    """A message counter that the memory does not take is not used."""
    nvm = StuckNvm(8, 1024)
    board = board_of(nvm)
    unit = PulseUnit(board, UnitConfig())
    nvm.stuck = True
    run(unit, 3_600_000)
    assert [] == board.sent
    nvm.stuck = False
    run(unit, 7_200_000)
    assert 3 <= len(board.sent)


def test_battery_runs_down_over_resets() -> None:
    """Charge adds up in whole coulombs, survives resets, and ends with the low battery flag."""
    nvm = MemoryNvm(8, 1024)
    figures = BatteryFigures(
        capacity_mah=6,
        usable_percent=93,
        self_discharge_permille=0,
        sleep_na=10_000,
        telegram_nc=1_600_000,
        low_d=3,
    )
    left_d = []
    for _ in range(5):
        board = board_of(nvm)
        board.figures = figures
        unit = PulseUnit(board, UnitConfig())
        run(unit, 4 * 86_400_000)
        last = told_by(board)[-1][1]
        left_d.append(last.battery_left_d)
        assert (last.battery_left_d < 3) == bool(last.error_flags & FLAG_LOW_BATTERY)
    # 0.864 C a day at rest and 0.154 C for telegrams, rounded up at each boot.
    assert [14, 9, 4, 0, 0] == left_d


def test_reed_that_rests_closed_is_parked() -> None:
    """A magnet parked for a day is one pulse, and the unit wakes for samples and timers only."""
    board = board_of(closed=False)
    unit = PulseUnit(board, UnitConfig())
    board.interrupt(True, 1_000)
    run(unit, 5_000)
    board.interrupt(False, 6_000)  # nobody watches
    board.interrupt(True, 6_010)
    wakes = 0
    while unit.next_timer() <= 86_400_000:
        unit.handle_timer(unit.next_timer())
        wakes += 1
    assert 1 == unit.count
    assert 86_400_000 // 750 - 8 <= unit._reed.samples <= 86_400_000 // 750
    assert wakes - unit._reed.samples <= 99 + 48 + 2
    board.interrupt(False, 86_410_000)
    run(unit, 86_412_000)
    pulse(board, 86_413_000)
    run(unit, 86_420_000)
    assert 2 == unit.count


@pytest.mark.parametrize(
    "options",
    [
        {"pulse_weight_nl": 0},
        {"flow_max_l_per_h": 0},
        {"pulse_weight_nl": 1_000_000_000, "flow_max_l_per_h": 6_001},
        {"telegram_period_s": 9},
        {"advert_period_s": 3_601},
        {"window_period_s": 59},
        {"window_period_s": 604_801},
        {"telegram_period_s": 86_401},
        {"reply_window_ms": -1},
        {"reply_window_ms": 810_000},
        {"history": 0},
        {"history": 147},
    ],
)
def test_impossible_configurations_are_refused(options: dict[str, int]) -> None:
    """A configuration that no unit can work with is a `ConfigError`."""
    with pytest.raises(ConfigError):
        UnitConfig(**options)  # type: ignore[arg-type]  # every one of these is an integer


def test_too_small_a_memory_is_refused() -> None:
    """A unit needs its state's pages and two for the log."""
    with pytest.raises(ConfigError, match="6 pages"):
        PulseUnit(board_of(MemoryNvm(5)), UnitConfig())
