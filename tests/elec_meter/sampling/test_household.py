"""The simulated home: the same seed is the same home, however it is asked."""

import tracemalloc
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.sampling.household import HouseholdLoad, SeriesLoad
from shared.timegrid import DAY_S

MIDSUMMER_S = 1_750_464_000
MIDWINTER_S = 1_766_275_200


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 3 * DAY_S), st.integers(1, DAY_S), st.integers(0, 99))
def test_any_cut_draws_the_same(offset_s: int, seconds: int, percent: int) -> None:
    """A home draws the same power whether it is asked once or in two parts."""
    cut = seconds * percent // 100
    start_s = MIDSUMMER_S + offset_s
    whole = HouseholdLoad(7).power_w(start_s, seconds)
    home = HouseholdLoad(7)
    parts = [home.power_w(start_s, cut), home.power_w(start_s + cut, seconds - cut)]
    assert seconds == len(whole)
    assert np.array_equal(whole, np.concatenate(parts))


def test_a_summer_noon_exports_and_a_winter_evening_imports() -> None:
    """The roof feeds the grid around a midsummer noon, and never at night."""
    home = HouseholdLoad(1)
    assert home.power_w(MIDSUMMER_S + 12 * 3600, 3600).min() < -500
    assert home.power_w(MIDWINTER_S + 19 * 3600, 3600).min() > 0


def test_homes_differ() -> None:
    """Two seeds are two homes."""
    assert not np.array_equal(
        HouseholdLoad(1).power_w(MIDSUMMER_S, 3600), HouseholdLoad(2).power_w(MIDSUMMER_S, 3600)
    )


def test_a_series_is_drawn_evenly_and_only_where_it_is() -> None:
    """250 Wh in a half-hour is 500 W throughout, and nothing on either side of the series."""
    load = SeriesLoad({MIDSUMMER_S: Fraction(250)})
    drawn = load.power_w(MIDSUMMER_S - 10, 1820)
    assert [0.0] * 10 == drawn[:10].tolist()
    assert [500.0] * 1800 == drawn[10:1810].tolist()
    assert [0.0] * 10 == drawn[1810:].tolist()


def test_a_new_day_takes_no_new_memory() -> None:
    """All days are worked out in the same place: none needs another array."""
    home = HouseholdLoad(1)
    home.power_w(MIDSUMMER_S, 1)
    tracemalloc.start()
    try:
        home.power_w(MIDSUMMER_S + DAY_S, 1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < DAY_S * np.dtype(np.float64).itemsize // 4
