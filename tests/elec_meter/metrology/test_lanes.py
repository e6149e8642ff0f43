"""The sums by lanes beside the plain ones, which run here without the compiler."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numba import njit

from elec_meter.metrology import Calibration, Metrology
from elec_meter.metrology.kernels import COUNT
from elec_meter.metrology.lanes import LANES, STRETCH_MAX, sums
from elec_meter.sampling import SampleBlock
from elec_meter.sampling.block import RATE_MAX_HZ
from shared.timegrid import EPOCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOWEST, HIGHEST = -(1 << 15), (1 << 15) - 1


@njit
def compiled(v: Any, i: Any, start: Any, end: Any, lag: Any) -> Any:
    """`sums` as a kernel has them."""
    return sums(v, i, start, end, lag)


@given(
    seed=st.integers(0, 1 << 32),
    size=st.integers(0, 200),
    lag=st.integers(0, 60),
    after=st.integers(0, 40),
)
@example(seed=0, size=0, lag=0, after=0)
@example(seed=0, size=LANES, lag=LANES, after=0)
def test_lanes_give_the_plain_sums(seed: int, size: int, lag: int, after: int) -> None:
    """Stretches of any length and place have the sums that one sample after the other gives."""
    rng = np.random.default_rng(seed)
    start = lag + LANES - 1
    v, i = rng.integers(LOWEST, HIGHEST, (2, start + size + after), np.int16, endpoint=True)
    stretch = (start, start + size, lag)
    plain = tuple(map(int, sums(v, i, *stretch)))
    assert plain == compiled(v, i, *stretch)
    assert plain == compiled(v.astype(np.int32), i.astype(np.int32), *stretch)


@pytest.mark.parametrize("size", [STRETCH_MAX - 1, STRETCH_MAX])
@pytest.mark.parametrize("voltage", [LOWEST, HIGHEST])
@pytest.mark.parametrize("current", [LOWEST, HIGHEST])
def test_the_longest_stretch_at_the_converters_limits_is_exact(
    size: int, voltage: int, current: int
) -> None:
    """No sum of 32 bits overflows where every sample is as large as can be."""
    lag = 100
    start = lag + LANES - 1
    v: NDArray[np.int16] = np.full(start + size, voltage, np.int16)
    i: NDArray[np.int16] = np.full(start + size, current, np.int16)
    products = (voltage * voltage, current * current, voltage * current, voltage * current)
    exact = (voltage, current, *products)
    largest = max(voltage * voltage, current * current)
    assert (*(size * each for each in exact), largest) == compiled(v, i, start, start + size, lag)


@given(seed=st.integers(0, 1 << 32), steps=st.lists(st.integers(1, 3000), min_size=1, max_size=20))
def test_no_stretch_is_as_long_as_two_periods(seed: int, steps: list[int]) -> None:
    """Whatever the samples are, so that no stretch is longer than its sums have room for."""
    rng = np.random.default_rng(seed)
    pieces = [
        np.sin(np.arange(size) * rng.uniform(0.0, 0.03)) * rng.choice([0, 300, 32767])
        + rng.normal(0, rng.choice([0, 1, 3000]), size)
        for size in steps
    ]
    v = np.clip(np.concatenate(pieces), LOWEST, HIGHEST).astype(np.int16)
    metrology = Metrology(
        Calibration(Fraction(12), Fraction(5)), rate_hz=RATE_MAX_HZ, nominal_hz=40
    )
    metrology.process(SampleBlock(v, v, 0, RATE_MAX_HZ, EPOCH))
    period = RATE_MAX_HZ // 40
    assert STRETCH_MAX >= 2 * period >= metrology.cycles[:, COUNT].max(initial=0)
