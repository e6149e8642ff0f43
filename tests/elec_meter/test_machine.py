"""INV-1, INV-2 and INV-3 against random lives of a whole meter."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.elec_meter.machine import Life

STEPS = 14


@pytest.mark.parametrize(
    "lives",
    [500, pytest.param(20_000, marks=[pytest.mark.slow, pytest.mark.timeout(3_000)])],
)
def test_the_books_hold_whatever_happens(lives: int) -> None:
    """Measuring, gas, clocks, outages, tariffs, restarts in any order: every invariant holds."""
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=lives,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
