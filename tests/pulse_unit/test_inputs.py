"""The tamper loop, the magnet and the button."""

from __future__ import annotations

from pulse_unit.board import INPUT_MAGNET, INPUT_TAMPER
from pulse_unit.config import UnitConfig
from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.inputs import SWIPE_MAX_MS
from pulse_unit.unit import PulseUnit
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.command import CLEAR, OBEYED, seal_command
from shared.wire.telegram import FLAG_MAGNET, FLAG_TAMPER
from tests.pulse_unit.listening import KEY, board_of, run


def test_open_loop_raises_its_flag_at_once() -> None:
    """The flag stays after the loop is closed, with the boot and second when it was first seen."""
    nvm = MemoryNvm(8, 1024)
    board = board_of(nvm)
    unit = PulseUnit(board, UnitConfig())
    board.inputs = INPUT_TAMPER
    unit.handle_timer(77_500)
    board.inputs = 0
    run(unit, 4_000_000)
    assert (FLAG_TAMPER, (1, 77)) == (unit.error_flags, unit.first_seen(FLAG_TAMPER))
    again = PulseUnit(board_of(nvm), UnitConfig())
    assert (FLAG_TAMPER, (1, 77)) == (again.error_flags, again.first_seen(FLAG_TAMPER))


def test_magnet_that_stays_is_tampering() -> None:
    """Ten seconds of a magnet are no swipe: the flag tells when it came."""
    board = board_of()
    unit = PulseUnit(board, UnitConfig())
    board.inputs = INPUT_MAGNET
    unit.handle_timer(50_000)
    assert 50_000 + SWIPE_MAX_MS == unit.next_timer()
    run(unit, 50_000 + SWIPE_MAX_MS)
    assert (FLAG_MAGNET, (1, 50)) == (unit.error_flags, unit.first_seen(FLAG_MAGNET))
    board.inputs = 0
    run(unit, 2_000_000)
    assert not unit.is_pairing_open(unit.next_timer())


def test_flags_are_cleared_by_command_and_come_again() -> None:
    """An authentic command takes the flags down that it names; a loop still open raises its own."""
    board = board_of()
    unit = PulseUnit(board, UnitConfig())
    unit.see_tamper(FLAG_TAMPER, 1_000)
    unit.see_tamper(FLAG_MAGNET, 2_000)
    clear = seal_command(AesBlock, KEY, CLEAR, 1, FLAG_MAGNET.to_bytes(2, "little"))
    assert OBEYED == unit.obey(clear, 10_000)
    assert (FLAG_TAMPER, None) == (unit.error_flags, unit.first_seen(FLAG_MAGNET))
    board.inputs = INPUT_TAMPER
    every = seal_command(AesBlock, KEY, CLEAR, 2, b"\xff\xff")
    assert OBEYED == unit.obey(every, 20_000)
    assert 0 == unit.error_flags
    unit.handle_timer(30_500)
    assert (FLAG_TAMPER, (1, 30)) == (unit.error_flags, unit.first_seen(FLAG_TAMPER))


def test_magnet_that_nobody_watched_go_was_no_swipe() -> None:
    """Gone after half a minute in which the unit slept, it has stayed: no pairing, but its flag."""
    board = board_of()
    unit = PulseUnit(board, UnitConfig())
    board.inputs = INPUT_MAGNET
    unit.handle_timer(50_000)
    board.inputs = 0
    unit.handle_timer(80_000)
    assert (FLAG_MAGNET, (1, 50)) == (unit.error_flags, unit.first_seen(FLAG_MAGNET))
    assert not unit.is_pairing_open(80_000)


def test_magnet_whose_flag_was_cleared_is_no_swipe_either() -> None:
    """While it stays its flag comes again, and when it goes nobody can pair."""
    board = board_of()
    unit = PulseUnit(board, UnitConfig())
    board.inputs = INPUT_MAGNET
    unit.handle_timer(50_000)
    run(unit, 70_000)
    assert OBEYED == unit.obey(seal_command(AesBlock, KEY, CLEAR, 1, b"\xff\xff"), 70_000)
    board.inputs = 0
    unit.handle_timer(70_001)
    assert FLAG_MAGNET == unit.error_flags
    assert not unit.is_pairing_open(70_001)
