"""What goes wrong around a unit: memories that fail or forget, and nobody to hear."""

from __future__ import annotations

from pulse_unit.config import WEIGHT_1_L_NL, UnitConfig, settings_of
from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.unit import STATE_PAGES, PulseUnit
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.command import CONFIGURE, OBEYED, seal_command
from shared.wire.telegram import FLAG_NVM, decode_records
from tests.pulse_unit.listening import ADDRESS, KEY, board_of, pulse, run
from tests.pulse_unit.tearing import RecordingNvm, StuckNvm


def test_unit_that_is_only_read_books_its_battery() -> None:
    """On a wire alone the battery runs down all the same, and pulses that waited are taken."""
    nvm = StuckNvm(8, 1024)
    board = board_of(nvm)
    board.has_radio = False
    unit = PulseUnit(board, UnitConfig())
    first = decode_records(unit.records(1_000))
    nvm.stuck = True
    pulse(board, 10_000)
    run(unit, 20_000)
    nvm.stuck = False
    assert 1 == decode_records(unit.records(30_000)).count
    run(unit, 200 * 86_400_000)
    last = decode_records(unit.records(200 * 86_400_000))
    assert 100 < first.battery_left_d - last.battery_left_d < 200  # nothing but rest


def test_window_that_does_not_open_costs_nothing() -> None:
    """Without an advert to show there is no connectable window, and none is booked."""
    nvm = StuckNvm(8, 1024)
    board = board_of(nvm, address=ADDRESS)
    unit = PulseUnit(board, UnitConfig())
    nvm.stuck = True
    booked = []
    unit._battery.windows = booked.append
    run(unit, 86_400_000)
    assert ([], []) == (booked, board.adverts)
    nvm.stuck = False
    run(unit, 2 * 86_400_000)
    assert [1] * 6 == booked


def test_settings_may_change_while_the_reed_is_parked() -> None:
    """A parked contact whose new pulses are too fast to park is watched again, and wakes nobody."""
    board = board_of()
    unit = PulseUnit(board, UnitConfig())
    board.interrupt(True, 1_000)
    run(unit, 5_000)
    assert board.is_parked
    fast = settings_of(UnitConfig(pulse_weight_nl=WEIGHT_1_L_NL, telegram_period_s=900))
    assert OBEYED == unit.obey(seal_command(AesBlock, KEY, CONFIGURE, 1, fast), 5_100)
    assert not board.is_parked
    samples = unit._reed.samples
    run(unit, 60_000)
    assert samples == unit._reed.samples
    board.interrupt(False, 60_000)
    for at_ms in (61_000, 61_600):
        pulse(board, at_ms, 200)
        run(unit, at_ms + 599)
    assert 3 == unit.count


def test_blank_store_beside_a_log_has_lost_its_counters() -> None:
    """Pages that read as erased do not make a used unit a new one: it is mute and counts on."""
    nvm = MemoryNvm(8, 1024)
    board = board_of(nvm)
    unit = PulseUnit(board, UnitConfig())
    for number in range(5):
        pulse(board, 10_000 * number + 10_000)
    run(unit, 6_000_000)
    nvm.image[: STATE_PAGES * 1024] = b"\xff" * (STATE_PAGES * 1024)
    for boot in (2, 3):
        board = board_of(nvm)
        unit = PulseUnit(board, UnitConfig())
        run(unit, 1_000_000)
        assert (True, boot, 5, FLAG_NVM) == (unit.is_mute, unit.boot, unit.count, unit.error_flags)
        assert [] == board.sent


def test_blank_store_beside_a_log_is_mute_whenever_the_power_goes() -> None:
    """No cut while the store is made anew leaves a unit that may use a counter again."""
    nvm = MemoryNvm(8, 1024)
    board = board_of(nvm)
    unit = PulseUnit(board, UnitConfig())
    pulse(board, 10_000)
    run(unit, 6_000_000)
    recording = RecordingNvm(b"\xff" * (STATE_PAGES * 1024) + nvm.image[STATE_PAGES * 1024 :], 1024)
    PulseUnit(board_of(recording), UnitConfig())
    assert 5 <= len(recording.cuts)
    for seed, cut in enumerate(recording.cuts):
        for _, image in cut.images(seed):
            left = MemoryNvm(8, 1024)
            left.image[:] = image
            again = PulseUnit(board_of(left), UnitConfig())
            assert (True, 1) == (again.is_mute, again.count)
            assert 2 <= again.boot
