from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from pulse_unit.config import UnitConfig
from pulse_unit.unit import PulseUnit
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.command import seal_phase
from tests.pulse_unit.listening import KEY, board_of, opened, run, told
from tests.pulse_unit.tearing import PowerCut, TearingNvm

CONFIG = UnitConfig(telegram_period_s=60, history=8)


@dataclass
class Witness:
    """What happened to a unit, seen from outside."""

    seed: int
    closings: int = 0  # of the reed that a powered unit could have counted
    settled: int = 0  # after which the unit went back to sleep
    counters: list[int] = field(default_factory=list)
    boots: list[int] = field(default_factory=list)
    count_told: int = 0
    commands: int = 0
    obeyed: list[int] = field(default_factory=list)


def live(nvm: TearingNvm, rng: random.Random, seen: Witness) -> None:
    """Boot a unit and let it count, tell, obey and log until the power goes."""
    board = board_of(nvm)
    unit = PulseUnit(board, CONFIG)
    seen.boots.append(unit.boot)
    assert seen.count_told <= unit.count, f"seed {seen.seed}"
    assert seen.settled <= unit.count <= seen.closings, f"seed {seen.seed}"
    now_ms = 0
    while True:
        now_ms += rng.randrange(2_000, 40_000)
        run(unit, now_ms)
        board.interrupt(True, now_ms)
        board.interrupt(False, now_ms + 1_000)
        seen.closings += 1
        run(unit, now_ms + 1_900)
        seen.settled = unit.count
        for sent_ms, frame in board.sent:
            seen.counters.append(opened(frame).message_counter or 0)
            seen.count_told = told(frame).count
            if rng.random() < 0.3 and now_ms + 1_900 < sent_ms + 2_000:
                seen.commands += 1
                command(unit, seen, now_ms + 1_900)
        board.sent = []


def command(unit: PulseUnit, seen: Witness, now_ms: int) -> None:
    """Send a new command, and then every one ever sent."""
    for counter in range(seen.commands, 0, -1):
        if unit.receive_command(seal_phase(AesBlock, KEY, counter, 0), now_ms):
            seen.obeyed.append(counter)


@pytest.mark.parametrize(
    "seed",
    [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 12))],
)
def test_power_cuts_lose_nothing_and_repeat_nothing(seed: int) -> None:
    """Whenever the power goes, no told count runs back and no nonce or command comes again."""
    rng = random.Random(seed)
    nvm = TearingNvm(6, rng)
    seen = Witness(seed)
    for _ in range(60):
        nvm.cut_in = rng.choice([rng.randrange(1, 12), rng.randrange(1, 150)])
        with pytest.raises(PowerCut):
            live(nvm, rng, seen)
    assert sorted(set(seen.counters)) == seen.counters, f"seed {seed}"
    assert sorted(set(seen.boots)) == seen.boots, f"seed {seed}"
    assert sorted(set(seen.obeyed)) == seen.obeyed, f"seed {seed}"
    final = PulseUnit(board_of(nvm), CONFIG).count
    # A cut costs the pulse that was being persisted at most.
    assert seen.closings - 60 <= final <= seen.closings, f"seed {seed}"
    assert seen.count_told
    assert seen.obeyed
