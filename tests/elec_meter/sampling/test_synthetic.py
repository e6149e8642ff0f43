from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from elec_meter.sampling import (
    BlockError,
    ConstantLoad,
    Converter,
    SampleBlock,
    SamplingError,
    SyntheticMains,
)

ANCHOR = datetime(2024, 1, 1, 12, tzinfo=UTC)
ANCHOR_S = int(ANCHOR.timestamp())


class Steps:
    """A load that tells which seconds it was asked for by what it draws."""

    def power_w(self, start_s: int, seconds: int) -> NDArray[np.float64]:
        """100 W more in each second of a minute, exported in every third."""
        second = np.arange(start_s, start_s + seconds)
        return np.where(second % 3 == 0, -1.0, 1.0) * 100.0 * (second % 60)


def mains(rate_hz: int = 2000, seed: int = 7) -> SyntheticMains:
    """A source with the load above."""
    return SyntheticMains(rate_hz=rate_hz, seed=seed, anchor_utc=ANCHOR, load=Steps())


WHOLE = mains().block(0, 80_000)


def assert_equal(block: SampleBlock, first: int, end: int) -> None:
    """The block holds the samples first..end-1 of the stream."""
    assert np.array_equal(WHOLE.voltage[first:end], block.voltage)
    assert np.array_equal(WHOLE.current[first:end], block.current)
    assert first == block.first_sample


@given(st.integers(0, 79_999), st.integers(0, 9000))
def test_any_cut_of_any_run(first: int, count: int) -> None:
    """A new source that resumes anywhere gives the same samples."""
    end = min(first + count, 80_000)
    assert_equal(mains().block(first, end - first), first, end)


def test_blocks_in_sequence() -> None:
    """One source read in small blocks gives the same samples."""
    blocks = list(islice(mains().blocks(333), 80_000 // 333))
    assert 240 == len(blocks)
    for number, block in enumerate(blocks):
        assert_equal(block, number * 333, number * 333 + 333)


def test_seeds_differ() -> None:
    """Another seed is another day."""
    assert not np.array_equal(WHOLE.voltage, mains(seed=8).block(0, 80_000).voltage)


def test_power_of_each_second() -> None:
    """Each second carries the power of its UTC second, import positive, export negative."""
    converter = Converter()
    gain = float(converter.voltage_mv_per_count * converter.current_ma_per_count) / 1e6
    products = WHOLE.voltage.astype(np.int64) * WHOLE.current
    powers = products.reshape(-1, 2000).mean(axis=1) * gain
    expected = Steps().power_w(ANCHOR_S, 40)
    assert expected == pytest.approx(powers, rel=0.02, abs=1.0)


def test_voltage_and_frequency_wander() -> None:
    """Over two days voltage stays within 230-250 V and frequency within 49.8-50.2 Hz, and moves."""
    source = mains()
    volts = [source.voltage_rms_v(second) for second in range(0, 172_800, 60)]
    hertz = [source.frequency_hz(second) for second in range(0, 172_800, 60)]
    assert 230 < min(volts) < 235 < 245 < max(volts) < 250
    assert 49.8 < min(hertz) < 49.9 < 50.1 < max(hertz) < 50.2


def test_phase_runs_on() -> None:
    """There is no jump where one second meets the next."""
    volts = WHOLE.voltage.astype(np.int64)
    jumps = np.abs(np.diff(volts, 2))
    seams = jumps[1998::2000]
    assert seams.max() <= jumps.max() < 1.5 * np.median(np.sort(jumps)[-2000:])


def test_noise() -> None:
    """A current of nothing shows half a count of noise, without a mean."""
    source = SyntheticMains(seed=1, anchor_utc=ANCHOR, load=ConstantLoad(0.0))
    counts = source.block(0, 172_000).current
    assert 0.5 == pytest.approx(np.sqrt(np.mean(counts**2.0) - 1 / 12), abs=0.02)
    assert 0.01 > abs(counts.mean())


def test_overload_is_clipped() -> None:
    """A current beyond the converter stands at its limits."""
    source = SyntheticMains(seed=1, anchor_utc=ANCHOR, load=ConstantLoad(50_000.0))
    counts = source.block(0, 4000).current
    assert (-32768, 32767) == (counts.min(), counts.max())


def test_misuse() -> None:
    """An anchor within a second, a naive one, a silly rate, samples before the anchor: refused."""
    load = ConstantLoad(0.0)
    for anchor in (ANCHOR + timedelta(milliseconds=1), ANCHOR.replace(tzinfo=None)):
        with pytest.raises(BlockError):
            SyntheticMains(seed=1, anchor_utc=anchor, load=load)
    with pytest.raises(BlockError):
        SyntheticMains(seed=1, anchor_utc=ANCHOR, load=load, rate_hz=100)
    with pytest.raises(SamplingError):
        mains().block(-1, 10)
    with pytest.raises(SamplingError):
        next(mains().blocks(0))
