from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_unit.config import UnitConfig
from pulse_unit.unit import PulseUnit
from tests.pulse_unit.driving import count_buffered, drive
from tests.pulse_unit.listening import board_of
from tests.shared.wire.trains import HOUR_MS, meter_of, train_of

DAY_S = 86_400
CASES = st.integers(0, 2**40)


@pytest.mark.parametrize("examples", [300, pytest.param(20_000, marks=pytest.mark.slow)])
def test_buffered_train_gives_the_exact_count(examples: int) -> None:
    """Edges that wait in the interrupt's buffer, over the tick's wrap too, count all the same."""

    @settings(max_examples=examples)
    @given(CASES)
    def demand(case: int) -> None:
        rng = random.Random(case + 1)
        train = train_of(case)
        assert train.pulses == count_buffered(train, rng, 2**30 - rng.randrange(100_000))

    demand()


@pytest.mark.parametrize("examples", [60, pytest.param(3_000, marks=pytest.mark.slow)])
def test_whole_unit_counts_any_legal_train(examples: int) -> None:
    """A unit counts every pulse, served in time or late, with its reed parked or noisy."""

    @settings(max_examples=examples)
    @given(CASES)
    def demand(case: int) -> None:
        train = train_of(case, rest_ms=1_000, park_max_ms=9 * HOUR_MS)
        board = board_of()
        weight_nl, flow_max_l_per_h = meter_of(case)
        config = UnitConfig(
            pulse_weight_nl=weight_nl, flow_max_l_per_h=flow_max_l_per_h, telegram_period_s=DAY_S
        )
        unit = PulseUnit(board, config)
        drive(board, unit, train, random.Random(case) if case // 28 % 2 else None)
        assert train.pulses == unit.count
        assert 0 == board.edges.lost

    demand()
