"""No sum of counts overflows, whatever the counts."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.metrology import Calibration, Metrology, RateError, kernels
from elec_meter.metrology.bounds import COUNT_BOUND, SAMPLE_MAX, SQUARE_MAX, second_max
from elec_meter.sampling import SampleBlock
from elec_meter.sampling.block import RATE_MAX_HZ

from .extremes import RATE_HZ, Piece, wide_block, wide_calibration
from .waves import ANCHOR

LEVELS = st.sampled_from([-1.0, -0.985, -0.5, 0.0, 0.5, 0.985, 1.0])
PIECES = st.lists(
    st.tuples(
        st.integers(1, 40_000), LEVELS, LEVELS, st.sampled_from([0.0, 0.0149, 0.3, 1.0, 40.0])
    ),
    min_size=1,
    max_size=5,
)


def registers_of(row: list[int]) -> list[int]:
    """What a cycle adds to import, export and the quadrants."""
    if row[kernels.FLAGS] & (kernels.NO_SIGNAL | kernels.IDLE):
        return [0] * 6
    active, reactive = row[kernels.ACTIVE], row[kernels.REACTIVE]
    quadrant = (0 if reactive >= 0 else 3) if active >= 0 else (1 if reactive >= 0 else 2)
    added = [max(active, 0), max(-active, 0), 0, 0, 0, 0]
    added[2 + quadrant] = abs(reactive)
    return added


def books_as_python_does(block: SampleBlock, known: Calibration, nominal_hz: int = 50) -> bool:
    """Measure `block`; every cycle keeps to its bound, every second is what Python's integers say.

    Returns whether anything registered.
    """
    metrology = Metrology(known, rate_hz=RATE_HZ, nominal_hz=nominal_hz)
    measurement = metrology.process(block)
    by_second: dict[int, list[int]] = {}
    for row in metrology.cycles.tolist():
        count = row[kernels.COUNT]
        assert SQUARE_MAX * count >= max(row[kernels.SQUARE_V], row[kernels.SQUARE_I])
        assert min(row[kernels.SQUARE_V], row[kernels.SQUARE_I]) >= -2
        assert SAMPLE_MAX * count > max(abs(row[kernels.ACTIVE]), abs(row[kernels.REACTIVE]))
        second = int(ANCHOR.timestamp()) + (row[kernels.END] - 1) // RATE_HZ
        so_far = by_second.get(second, [0] * 6)
        by_second[second] = [a + b for a, b in zip(so_far, registers_of(row), strict=True)]
    assert list(by_second) == measurement.second_s.tolist()
    gain = known.energy_mj_per_count(RATE_HZ)
    registers = [measurement.import_mj, measurement.export_mj, *measurement.reactive_mvars.T]
    for r, booked in enumerate(registers):
        exact = accumulate(added[r] for added in by_second.values())
        assert [int(count * gain) for count in exact] == np.cumsum(booked).tolist()
    return any(any(added) for added in by_second.values())


@pytest.mark.parametrize("phase_urad", [100_000, -100_000])
@pytest.mark.parametrize("into_second", [0, 300, 1000])
def test_a_step_from_one_end_to_the_other(phase_urad: int, into_second: int) -> None:
    """Mains on a direct part that jumps over the whole range makes no register run backwards."""
    size = 2 * RATE_HZ - into_second
    step = [(size, -0.985, -0.985, 0.0146), (2 * RATE_HZ, 0.985, 0.985, 0.0146)]
    assert books_as_python_does(wide_block(step, 50.0), wide_calibration(phase_urad))


@settings(max_examples=40)
@given(PIECES, st.sampled_from([40, 50, 400]), st.sampled_from([100_000, -100_000, 0]), st.data())
def test_extremes(pieces: list[Piece], nominal_hz: int, phase_urad: int, data: Any) -> None:
    """Whatever jumps and squares come, seconds are what Python's integers make of the cycles."""
    frequency_hz = nominal_hz * data.draw(st.floats(0.8, 1.3))
    offset_uw = data.draw(st.sampled_from([0, -5_000_000, 5_000_000]))
    known = wide_calibration(phase_urad, offset_uw)
    books_as_python_does(wide_block(pieces, frequency_hz), known, nominal_hz)


def test_the_bound_is_checked() -> None:
    """Rates and stretches that int64 cannot hold are refused, those of all meters are not."""
    assert 1 << 63 > second_max(RATE_MAX_HZ, 2 * RATE_MAX_HZ // 40)
    for rate_hz, stretch in ((36_000, 1600), (20_000, 2400)):
        with pytest.raises(RateError):
            second_max(rate_hz, stretch)


def test_a_far_mean_is_told() -> None:
    """A cycle whose mean lies further than full scale from the offset is flagged DC."""
    size = 2 * RATE_HZ
    for level, told in ((0.45, 0), (0.55, kernels.DC)):
        known = Calibration(Fraction(1, 20), Fraction(1, 50), full_scale_count=COUNT_BOUND)
        metrology = Metrology(known, rate_hz=RATE_HZ)
        metrology.process(wide_block([(size, -0.5, 0.0, 0.1), (size, level, 0.0, 0.1)], 50.0))
        unlocked = [
            row[kernels.FLAGS]
            for row in metrology.cycles.tolist()
            if row[kernels.FLAGS] & kernels.UNLOCKED
        ]
        assert kernels.UNLOCKED | told == unlocked[1]
