"""INV-1, INV-2 and INV-3 against random lives of a whole meter."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.elec_meter.machine import Life

STEPS = 9


def live(lives: int, kind: type[Life]) -> None:
    """So many lives; the first that breaks an invariant is shown step by step."""
    checked = settings(
        max_examples=lives,
        stateful_step_count=STEPS,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(kind, settings=checked)


@pytest.mark.parametrize("number", range(4))
def test_the_books_hold_whatever_happens(number: int) -> None:
    """Energy, gas, clocks, outages, tariffs and restarts, in any order: all invariants hold."""
    live(125, type(f"Life{number}", (Life,), {}))


def test_power_may_go_in_the_second_of_a_boundary() -> None:
    """A period that ended in the second of the last checkpoint counts, though its row goes on."""
    life = Life()
    life.first_power_up(start_us=1_799_500_000, drift=80, period=30, tariff=0)
    life.measure(seconds=7200, import_w=0, export_w=0, how="energy")
    life.lose_power(seconds=0, is_torn=True)
    life.holds()
    life.teardown()


@pytest.mark.slow
@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("number", [1, 2])
def test_the_books_hold_in_twenty_thousand_lives(number: int) -> None:
    """The same, 10,000 times for each of two seeds."""
    live(10_000, seed(number)(type("SeededLife", (Life,), {})))
