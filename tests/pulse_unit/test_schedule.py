"""When a unit speaks, and when somebody can connect to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_unit.battery import BatteryFigures
from pulse_unit.board import INPUT_BUTTON, INPUT_MAGNET
from pulse_unit.config import UnitConfig
from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.hal.virtual import VirtualBoard
from pulse_unit.schedule import INSTALL_MS, NEVER_MS, WINDOW_MS, Schedule, interval_ms
from pulse_unit.unit import PulseUnit
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.advert import advert_key
from shared.wire.bthome import open_advert
from shared.wire.seal import SEND_INSTALLATION, SEND_NO_REPLY
from shared.wire.wmbus import unframe
from tests.pulse_unit.listening import ADDRESS, KEY, board_of, run, told_by

DAY_MS = 86_400_000


def radio_free(**options: int) -> tuple[VirtualBoard, PulseUnit]:
    """A unit that only has Bluetooth."""
    board = board_of(address=ADDRESS)
    board.has_radio = False
    return board, PulseUnit(board, UnitConfig(**options))  # type: ignore[arg-type]  # all integers


def press(board: VirtualBoard, unit: PulseUnit, at_ms: int, kind: int = INPUT_BUTTON) -> None:
    """Press the button, or swipe a magnet, for a second."""
    board.inputs |= kind
    unit.handle_timer(at_ms)
    board.inputs &= ~kind
    unit.handle_timer(at_ms + 1_000)


@given(st.integers(10, 86_400), st.integers(0, 255))
def test_telegrams_vary_by_a_thirtieth_around_their_period(period_s: int, number: int) -> None:
    """Synchronous transmission: within 3.2 % of the period, and equal for equal access numbers."""
    interval = interval_ms(period_s * 1000, number)
    assert abs(interval - period_s * 1000) <= period_s * 1000 * 64 // 2048 + 1
    assert interval == interval_ms(period_s * 1000, 256 - number) or number == 0


def test_what_a_board_does_not_have_is_never_due() -> None:
    """Without radio no telegrams, without Bluetooth no adverts, and none that are not wanted."""
    config = UnitConfig()
    assert NEVER_MS == Schedule(config, False, True).telegram_ms
    mute = Schedule(config, False, False)
    assert NEVER_MS == mute.next_timer()
    silent = Schedule(
        UnitConfig(telegram_period_s=0, advert_period_s=0, window_period_s=0), True, True
    )
    assert NEVER_MS == silent.next_timer()
    silent.install(1_000)
    assert (1_000, 1_000, 1_000) == (silent.telegram_ms, silent.advert_ms, silent.window_ms)


def test_an_advert_a_minute_by_turns_and_under_rising_counters() -> None:
    """Each advert has a counter of its own; count and state take turns; all open with the key."""
    board, unit = radio_free()
    run(unit, 3_600_000)
    assert 60 <= len(board.adverts) <= 61
    key = advert_key(AesBlock, KEY, ADDRESS)
    opened = [open_advert(AesBlock, data[7:], ADDRESS, key) for _, data in board.adverts]
    assert list(range(len(opened))) == [advert.counter for advert in opened]
    assert {(0x00, 0x3E, 0x42), (0x00, 0x01, 0x15, 0x2B)} == {
        tuple(each.number for each in advert.measurements) for advert in opened
    }
    assert [] == board.sent


def test_connectable_windows_come_and_go() -> None:
    """Every four hours a paired central can connect, for ten seconds."""
    board, unit = radio_free()
    open_ms = 0
    now_ms = 0
    while now_ms < DAY_MS:
        due_ms = min(unit.next_timer(), DAY_MS)
        if board.window_end_ms >= 0:
            open_ms += due_ms - now_ms
        now_ms = due_ms
        unit.handle_timer(now_ms)
        assert not unit.is_pairing_open(now_ms)
    assert 6 * WINDOW_MS == open_ms


@pytest.mark.parametrize("kind", [INPUT_BUTTON, INPUT_MAGNET])
def test_button_or_swipe_opens_the_unit(kind: int) -> None:
    """For 90 s pairing is open, and telegrams come every five seconds as installation requests."""
    board = board_of(address=ADDRESS)
    unit = PulseUnit(board, UnitConfig())
    run(unit, 100_000)
    board.sent.clear()
    press(board, unit, 100_000, kind)
    pressed_ms = 100_000 if kind == INPUT_BUTTON else 101_000
    assert unit.is_pairing_open(pressed_ms + INSTALL_MS - 1)
    assert pressed_ms + INSTALL_MS == board.window_end_ms
    run(unit, pressed_ms + INSTALL_MS + 100_000)
    assert -1 == board.window_end_ms
    assert not unit.is_pairing_open(pressed_ms + INSTALL_MS)
    controls = [
        unframe(frame, "A")[1] for at_ms, frame in board.sent if at_ms < pressed_ms + INSTALL_MS
    ]
    assert {SEND_INSTALLATION} == set(controls)
    assert 17 <= len(controls) <= 19
    run(unit, 3_000_000)
    assert SEND_NO_REPLY == unframe(board.sent[-1][1], "A")[1]
    assert 0 == unit.error_flags


def test_held_button_is_pressed_once() -> None:
    """A button that sticks opens the unit once and not for ever."""
    board, unit = radio_free()
    board.inputs = INPUT_BUTTON
    unit.handle_timer(50_000)
    run(unit, 50_000 + INSTALL_MS)
    assert not unit.is_pairing_open(50_000 + INSTALL_MS)


def test_empty_battery_makes_everything_rarer() -> None:
    """When all that was promised is used, the unit counts on and speaks a quarter as often."""
    figures = BatteryFigures(capacity_mah=1, sleep_na=400_000)
    board = board_of(MemoryNvm(8, 1024), address=ADDRESS)
    board.figures = figures
    unit = PulseUnit(board, UnitConfig())
    run(unit, DAY_MS)
    board.sent.clear()
    board.adverts.clear()
    board.interrupt(True, DAY_MS)
    run(unit, 2 * DAY_MS)
    assert 1 == unit.count
    assert 23 <= len(board.sent) <= 25
    assert 0 == told_by(board)[-1][1].battery_left_d
    assert 1440 // 4 <= len(board.adverts) <= 1440 // 4 + 3
