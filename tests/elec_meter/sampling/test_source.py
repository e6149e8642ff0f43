"""What every `SampleSource` promises."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elec_meter.sampling import (
    ConstantLoad,
    RecordedSource,
    SampleSource,
    SamplingError,
    SyntheticMains,
)

ANCHOR = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["synthetic", "recorded"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> SampleSource:
    """Three seconds or more of either kind."""
    mains = SyntheticMains(rate_hz=2000, seed=5, anchor_utc=ANCHOR, load=ConstantLoad(500.0, 90.0))
    if request.param == "synthetic":
        return mains
    path = tmp_path / "mains.npz"
    block = mains.block(0, 6000)
    np.savez(path, voltage=block.voltage, current=block.current, rate_hz=2000)
    return RecordedSource(path, anchor_utc=ANCHOR)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(first=st.integers(0, 5999), count=st.integers(0, 6000))
def test_any_cut(source: SampleSource, first: int, count: int) -> None:
    """Any block is that part of the stream, with the stream's rate and anchor."""
    count = min(count, 6000 - first)
    whole, part = source.block(0, 6000), source.block(first, count)
    assert (first, 2000, ANCHOR) == (part.first_sample, part.rate_hz, part.anchor_utc)
    assert np.array_equal(whole.voltage[first : first + count], part.voltage)
    assert np.array_equal(whole.current[first : first + count], part.current)


def test_blocks_follow_each_other(source: SampleSource) -> None:
    """`blocks` leaves nothing out and repeats nothing."""
    expected = 1234
    for block in source.blocks(777, first_sample=1234):
        assert expected == block.first_sample
        expected = block.end_sample
        if expected >= 6000:
            break
    assert expected == (6000 if source.end_sample else 1234 + 777 * 7)


def test_no_such_samples(source: SampleSource) -> None:
    """There are none before the first, and no blocks of nothing."""
    with pytest.raises(SamplingError):
        source.block(-1, 2)
    with pytest.raises(SamplingError):
        next(source.blocks(0))
