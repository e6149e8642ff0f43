from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.metrology import MetrologyError, PulseOutput, PulseOutputError

CONSTANTS = st.one_of(
    st.integers(1, 100_000), st.fractions(Fraction(1, 1000), 100_000, max_denominator=1009)
)


@given(CONSTANTS, st.integers(0, 10**15), st.lists(st.integers(0, 10**13), max_size=30))
def test_floor_of_energy_times_constant(
    constant: int | Fraction, start_mj: int, portions_mj: list[int]
) -> None:
    """After every portion the pulses are the floor of energy x constant, none lost or repeated."""
    output = PulseOutput(constant, energy_mj=start_mj)
    given_before = output.pulses
    due = 0
    for portion_mj in portions_mj:
        due += output.add(portion_mj)
        assert math.floor(Fraction(output.energy_mj, 3_600_000_000) * constant) == output.pulses
        assert given_before + due == output.pulses
    assert start_mj + sum(portions_mj) == output.energy_mj


def test_a_thousand_to_the_kilowatt_hour() -> None:
    """At 1000 imp/kWh a watt-hour is one pulse, due with its last millijoule."""
    output = PulseOutput(1000)
    assert 0 == output.add(3_599_999)
    assert 1 == output.add(1)


@pytest.mark.parametrize("constant", [0, -1, Fraction(-1, 2), 0.5, "1000"])
def test_absurd_constant(constant: int) -> None:
    """A constant that is not an exact number above zero is refused."""
    with pytest.raises(PulseOutputError) as refusal:
        PulseOutput(constant)
    assert isinstance(refusal.value, MetrologyError)


def test_energy_of_numpy() -> None:
    """Its integers never overflow: all energy, and all pulses, are Python's."""
    output = PulseOutput(99_991)
    portion_mj = 6 * 10**13
    pulses = [output.add(np.int64(portion_mj)) for _ in range(3)]  # type: ignore[arg-type]  # on purpose
    assert 3 * portion_mj == output.energy_mj
    assert 3 * portion_mj * 99_991 // 3_600_000_000 == sum(pulses)


@pytest.mark.parametrize("energy_mj", [1.5, math.nan, "1", Fraction(1)])
def test_energy_that_is_no_whole_number(energy_mj: int) -> None:
    """It is refused and changes nothing."""
    output = PulseOutput(1000)
    with pytest.raises(PulseOutputError, match="whole millijoules"):
        output.add(energy_mj)
    assert 0 == output.energy_mj


def test_energy_taken_away() -> None:
    """Negative energy is refused and changes nothing."""
    output = PulseOutput(1000, energy_mj=5_000_000)
    with pytest.raises(PulseOutputError):
        output.add(-1)
    assert (1, 5_000_000) == (output.pulses, output.energy_mj)
