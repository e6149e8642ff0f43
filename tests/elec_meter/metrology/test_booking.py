"""Whole millijoules by machine arithmetic, beside Python's fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.metrology import CalibrationError, folding
from elec_meter.metrology.booking import Booking
from elec_meter.metrology.bounds import second_max

SECOND_MAX = second_max(32_000, 1600)
GAINS = st.one_of(
    st.just(Fraction(1875, 1 << 27)),
    st.fractions(Fraction(1, 10**4), Fraction(1, 2), max_denominator=10**4),
    st.fractions(Fraction(1, 10**6), Fraction(1, 2), max_denominator=10**18),
    # As calibrations of picovolts and picoamperes have them, and far longer ones.
    st.builds(
        lambda v, i, rate_hz: Fraction(v * i, 10**21 * rate_hz),
        st.integers(10**7, 10**11),
        st.integers(10**7, 10**10),
        st.sampled_from([2000, 4000, 31_999]),
    ),
    st.fractions(Fraction(1, 10**90), Fraction(1, 2), max_denominator=10**100),
)
COUNTS = st.lists(st.integers(0, SECOND_MAX), min_size=1, max_size=12)


def seconds_of(counts: list[list[int]]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Rows that register these counts, one list for each meter, in import and in quadrant I."""
    seconds = np.zeros((len(counts), len(counts[0]), folding.SECOND_COLUMNS), np.int64)
    seconds[:, :, folding.IMPORT] = seconds[:, :, folding.QUADRANT_1] = counts
    return seconds


@given(st.lists(GAINS, min_size=1, max_size=3), COUNTS, COUNTS)
def test_floor_of_the_exact_sum(gains: list[Fraction], first: list[int], then: list[int]) -> None:
    """Whatever the gain, what is booked is the floor of all counts times the gain."""
    booking = Booking(gains, SECOND_MAX)
    totals = np.zeros((len(gains), folding.REGISTERS), object)
    for counts in (first, then):
        seconds = seconds_of([counts] * len(gains))
        filled = np.full(len(gains), len(counts))
        totals += booking.book(seconds, filled).astype(object).sum(axis=1)
    expected = [int(sum(first + then) * gain) for gain in gains]
    assert expected == totals[:, 0].tolist() == totals[:, 2].tolist()
    assert not totals[:, [1, 3, 4, 5]].any()


def test_absurd_gain() -> None:
    """A gain by which a second's energy would not fit its register is refused."""
    with pytest.raises(CalibrationError):
        Booking([Fraction(1, 1000), Fraction(2)], SECOND_MAX)


def test_long_terms_book_the_same() -> None:
    """One meter whose gain is too long for the machine does not change what the others book."""
    plain, long = Fraction(1875, 1 << 27), Fraction(10**17 + 3, 10**19 + 9)
    seconds = seconds_of([[10**15, 10**14, 3]])
    filled = np.full(1, 3)
    alone = Booking([plain], SECOND_MAX).book(seconds, filled)
    beside = Booking([plain, long], SECOND_MAX).book(
        np.repeat(seconds, 2, axis=0), np.repeat(filled, 2)
    )
    assert alone[0].tolist() == beside[0].tolist()
