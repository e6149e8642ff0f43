from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.wire.debounce import ReedDebouncer
from tests.shared.wire.trains import HOUR_MS, METERS, Meter, counted, train_of


@pytest.mark.parametrize("examples", [1_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_legal_train_of_any_meter_gives_the_exact_count(examples: int) -> None:
    """For 1 L, 10 L, 100 L and a cubic foot, bounce, noise and parked reeds count nothing."""

    @settings(max_examples=examples)
    @given(st.integers(0, 2**40))
    def demand(case: int) -> None:
        train = train_of(case)
        reed = ReedDebouncer(train.closing_ms, train.opening_ms)
        assert train.pulses == counted(reed, train, at_timers=case // 28 % 2 == 0)

    demand()


def test_trains_hold_what_they_are_meant_to() -> None:
    """Trains have edges in order, days of rest, shortest periods and much bounce."""
    parked = fastest = noisy = 0
    for seed in range(300):
        train = Meter(*METERS[seed % 4], seed).train(2)
        times = [at_ms for at_ms, _ in train.edges]
        assert sorted(times) == times
        assert [bool(number % 2) for number in range(1, len(times) + 1)] == [
            closed for _, closed in train.edges
        ]
        parked += times[-1] - times[0] > 24 * HOUR_MS
        fastest += times[-1] - times[0] < 2 * 1_000
        noisy += len(times) > 30
    assert min(parked, fastest, noisy) >= 5
