"""What a unit is told: its settings, and what it refuses."""

from __future__ import annotations

import pytest

from pulse_unit.config import UnitConfig, settings_of
from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.unit import PulseUnit
from shared.crypto.backend_cryptography import AesBlock
from shared.wire import command as outcomes
from shared.wire.command import CONFIGURE, OBEYED, PHASE, seal_command, seal_phase
from tests.pulse_unit.listening import KEY, board_of, pulse, run, told_by

SETTINGS = settings_of(
    UnitConfig(
        pulse_weight_nl=1_000_000_000,
        flow_max_l_per_h=2_500,
        initial_index_l=70_000,
        telegram_period_s=60,
        reply_window_ms=0,
        advert_period_s=0,
        window_period_s=0,
        history=2,
    )
)


def configure(counter: int, settings: bytes = SETTINGS) -> bytes:
    """The command that puts settings in force."""
    return seal_command(AesBlock, KEY, CONFIGURE, counter, settings)


def test_settings_apply_at_once_and_survive() -> None:
    """Weight, index, periods and history change; the count and the log do not."""
    nvm = MemoryNvm(8, 1024)
    board = board_of(nvm)
    unit = PulseUnit(board, UnitConfig(initial_index_l=5))
    for at_ms in (10_000, 20_000, 30_000):
        pulse(board, at_ms)
        run(unit, at_ms + 5_000)
    assert OBEYED == unit.obey(configure(1), 40_000)
    assert 3 == unit.count
    run(unit, 7_200_000)
    sent = told_by(board)
    assert 100 < len(sent)
    last = sent[-1][1]
    assert (3, 70_003, 2) == (last.count, last.volume_l, len(last.increments))
    pulse(board, 7_201_000, 200)  # too short for the factory's settings and their 150 + 400 ms
    pulse(board, 7_201_700, 200)
    run(unit, 7_203_000)
    assert 5 == unit.count
    again = PulseUnit(board_of(nvm), UnitConfig(initial_index_l=5))
    assert SETTINGS == settings_of(again.config)
    assert 5 == again.count


ILLEGAL = (
    bytes(24),  # a weight of zero
    settings_of(UnitConfig())[:23] + b"\x01",  # a spare byte
    b"\x00\xca\x9a\x3b\x00" + (6_001).to_bytes(3, "little") + settings_of(UnitConfig())[8:],
    settings_of(UnitConfig())[:22] + b"\x93\x00",  # 147 bytes of history
)


@pytest.mark.parametrize("settings", ILLEGAL)
def test_illegal_settings_change_nothing(settings: bytes) -> None:
    """What no unit can work with is refused; its counter may be used for a better one."""
    nvm = MemoryNvm(8, 1024)
    unit = PulseUnit(board_of(nvm), UnitConfig())
    before = nvm.packed()
    assert outcomes.REFUSED_ILLEGAL == unit.obey(configure(1, settings), 1_000)
    assert before == nvm.packed()
    assert settings_of(UnitConfig()) == settings_of(unit.config)
    assert OBEYED == unit.obey(configure(1), 1_000)


def test_refusals_are_told_apart() -> None:
    """Each reason has its code."""
    unit = PulseUnit(board_of(), UnitConfig())
    phase = seal_phase(AesBlock, KEY, 7, 0)
    assert OBEYED == unit.obey(phase, 1_000)
    assert outcomes.REFUSED_REPLAYED == unit.obey(phase, 1_000)
    assert outcomes.REFUSED_NOT_AUTHENTIC == unit.obey(phase[:-1] + b"\x00", 1_000)
    assert outcomes.REFUSED_MALFORMED == unit.obey(b"", 1_000)
    assert outcomes.REFUSED_MALFORMED == unit.obey(bytes(60), 1_000)
    last = seal_command(AesBlock, KEY, PHASE, 0xFFFFFFFF, bytes(4))
    assert outcomes.REFUSED_ILLEGAL == unit.obey(last, 1_000)
