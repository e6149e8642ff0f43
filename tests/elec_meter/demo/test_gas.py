"""The demo's gas meter: the truth that the gas register is held to."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.demo.gas import BoilerFlow, GasMeter, SeriesFlow
from shared.timegrid import DAY_MS
from shared.units import PulseWeight

WEIGHT = PulseWeight.parse("0.01 m3")
JANUARY_MS = 1_768_435_200_000
LEAST_SPACING_MS = 6_000


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2 * DAY_MS), st.lists(st.integers(1, DAY_MS), min_size=1, max_size=5))
def test_any_cut_turns_the_same(offset_ms: int, lengths_ms: list[int]) -> None:
    """A gas meter turns at the same instants however often it is looked at."""
    start_ms = JANUARY_MS + offset_ms
    whole = list(GasMeter(BoilerFlow(3), WEIGHT).pulses(start_ms, start_ms + sum(lengths_ms)))
    meter, at_ms, parts = GasMeter(BoilerFlow(3), WEIGHT), start_ms, []
    for length_ms in lengths_ms:
        parts += meter.pulses(at_ms, at_ms + length_ms)
        at_ms += length_ms
    assert whole == parts


@pytest.mark.parametrize("seed", range(20))
def test_pulses_are_no_faster_than_the_meter_can_turn(seed: int) -> None:
    """At 0.01 m3 and 6 m3/h two pulses are at least six seconds apart."""
    pulses = list(GasMeter(BoilerFlow(seed), WEIGHT).pulses(JANUARY_MS, JANUARY_MS + 5 * DAY_MS))
    assert len(pulses) > 500
    assert LEAST_SPACING_MS <= min(b - a for a, b in pairwise(pulses))


def test_a_recorded_series_turns_its_volume() -> None:
    """A half-hour of 1,000 l is a hundred pulses of 0.01 m3, all inside it."""
    start_s = JANUARY_MS // 1000
    meter = GasMeter(SeriesFlow({start_s: Fraction(1000)}), WEIGHT)
    inside = list(meter.pulses(JANUARY_MS, JANUARY_MS + 1_800_000))
    assert len(inside) in (99, 100)
    assert inside == list(meter.pulses(JANUARY_MS - DAY_MS, JANUARY_MS + DAY_MS))
