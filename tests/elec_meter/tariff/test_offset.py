from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.config import TariffConfig
from elec_meter.errors import TariffError
from elec_meter.tariff import randomised_offset_s, rates_offset_s

serials = st.integers(0, 10**8 - 1).map("{:08d}".format)


@given(serials, st.integers(0, 1799))
def test_offset_is_within_its_limit_and_stays(serial: str, limit_s: int) -> None:
    """A meter's delay is from 0 to the limit, and the same every time."""
    offset_s = randomised_offset_s(serial, limit_s)
    assert 0 <= offset_s <= limit_s
    assert offset_s == randomised_offset_s(serial, limit_s)


def test_without_a_limit_there_is_no_offset() -> None:
    """A limit of 0 s is no delay."""
    assert 0 == randomised_offset_s("00000001", 0)


def test_offset_never_changes_with_the_program() -> None:
    """The delay of a given serial number is part of the product: another version has the same."""
    assert 818 == randomised_offset_s("00000001", 1799)


@given(st.integers(0, 10**8 - 20_000), st.sampled_from([1, 9, 59, 599, 1799]))
def test_offset_is_spread_evenly(first: int, limit_s: int) -> None:
    """Of consecutive serial numbers, as many as meters of a town, each delay gets its share."""
    meters = max(10 * (limit_s + 1), 1000)
    counted = Counter(randomised_offset_s(f"{first + n:08d}", limit_s) for n in range(meters))
    share = meters / (limit_s + 1)
    chi_squared = sum((counted[each] - share) ** 2 / share for each in range(limit_s + 1))
    # Mean and variance of chi-squared are limit_s and twice that; seven deviations are not chance.
    assert abs(chi_squared - limit_s) < 7 * (2 * limit_s) ** 0.5 + 20


def test_negative_limit_is_refused() -> None:
    """Nobody switches early."""
    with pytest.raises(TariffError, match="would be early"):
        randomised_offset_s("00000001", -1)


def test_rates_are_late_only_if_the_tariff_asks() -> None:
    """A limit by itself delays terminals; `offset_rates` delays the rates too."""
    assert 0 == rates_offset_s(TariffConfig(offset_limit_s=1799), "00000001")
    assert 818 == rates_offset_s(TariffConfig(offset_limit_s=1799, offset_rates=True), "00000001")
