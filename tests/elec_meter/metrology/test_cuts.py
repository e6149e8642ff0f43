"""However the samples are cut, the integers are the same."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from elec_meter.metrology import Calibration, Measurement, Metrology, kernels, stage
from elec_meter.sampling import Converter, SampleBlock
from tests.naive.waveform import naive_cycle, naive_registers, naive_rises

from .waves import ANCHOR, Wave, energies, metrology_for, parts, sampled

Rows = NDArray[np.int64]

DISTORTED = Wave(
    voltage_harmonics=((3, 0.02, 0.5), (5, 0.03, 2.0), (11, 0.02, 0.0)),
    current_harmonics=((3, 0.6, 1.0), (5, 0.3, 0.0)),
    lag_rad=0.7,
    frequency_hz=49.87,
    seconds=1.6,
)


def disturbed() -> SampleBlock:
    """Import, export, a phase jump, a lost voltage, saturation and a load that comes and goes."""
    wave = DISTORTED
    volts, amperes = wave.volts(), wave.amperes()
    amperes[1200:2400] *= -1.5
    volts[2500:] = np.roll(volts, 30)[2500:]
    volts[3300:3900] = 0.0
    amperes[4200:4300] *= 20.0
    amperes[4700:5100] = 0.0
    return sampled(volts, amperes, wave)


WHOLE = disturbed()
PLAIN = DISTORTED.block()
WIDE = Wave(converter=Converter(bits=24), frequency_hz=50.3, lag_rad=2.0, seconds=1.2).block()


def measured(block: SampleBlock, sizes: list[int]) -> tuple[list[Measurement], Rows]:
    """The block in parts of the given sizes, and the rows of all cycles."""
    bits = 16 if block.voltage.dtype == np.int16 else 24
    metrology = metrology_for(Wave(converter=Converter(bits=bits)), phase_urad=3_000)
    measurements, rows = [], []
    for part in parts(block, sizes):
        measurements.append(metrology.process(part))
        rows.append(metrology.cycles)
    return measurements, np.concatenate(rows)


@pytest.mark.parametrize("block", [PLAIN, WHOLE, WIDE], ids=["plain", "disturbed", "24 bit"])
@pytest.mark.parametrize("size", [7, 40, 333, 1000])
def test_equal_parts(block: SampleBlock, size: int) -> None:
    """Equal parts of any size give what the whole gives."""
    whole, whole_rows = measured(block, [])
    cut, cut_rows = measured(block, [size] * (len(block) // size))
    assert whole_rows.tolist() == cut_rows.tolist()
    assert energies(whole) == energies(cut)
    assert whole[-1].quantities == cut[-1].quantities
    assert whole[0].flags == np.bitwise_or.reduce([int(part.flags) for part in cut])


@pytest.mark.parametrize("block", [PLAIN, WHOLE, WIDE], ids=["plain", "disturbed", "24 bit"])
def test_a_block_longer_than_a_piece(block: SampleBlock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that is measured piece by piece gives what it gives in one: rows, flags and all."""
    whole, whole_rows = measured(block, [])
    monkeypatch.setattr(stage, "_PIECE", 601)
    pieces, rows = measured(block, [])
    assert whole_rows.tolist() == rows.tolist()
    assert energies(whole) == energies(pieces)
    assert whole[0].second_s.tolist() == pieces[0].second_s.tolist()
    assert (whole[0].quantities, whole[0].flags) == (pieces[0].quantities, pieces[0].flags)


def test_sample_by_sample() -> None:
    """One sample at a time gives what the whole gives."""
    whole, _ = measured(WHOLE, [])
    single, _ = measured(WHOLE, [1] * len(WHOLE))
    assert energies(whole) == energies(single)


@given(st.lists(st.integers(0, 2500), max_size=12), st.sampled_from([PLAIN, WHOLE, WIDE]))
def test_random_parts(sizes: list[int], block: SampleBlock) -> None:
    """Random parts, empty ones among them, give what the whole gives."""
    assert energies(measured(block, [])[0]) == energies(measured(block, sizes)[0])


def anything(rng: np.random.Generator) -> SampleBlock:
    """Stretches of mains, noise, squares and nothing, none of them long."""
    pieces = []
    for kind in rng.integers(0, 5, 12):
        size = int(rng.integers(1, 900))
        angle = np.arange(size) * rng.uniform(0.05, 0.16) + rng.uniform(0, 7)
        level = rng.uniform(0, 60_000)
        pieces.append(
            [
                np.sin(angle) * level,
                np.sin(angle) * 20_000,
                np.sign(np.sin(angle)) * level,
                rng.normal(0, level / 3, size),
                np.full(size, level / 2),
            ][kind]
        )
    voltage = np.concatenate(pieces).clip(-32768, 32767).astype(np.int16)
    return SampleBlock(voltage, rng.permutation(voltage), 0, 4000, ANCHOR)


@given(st.integers(0, 1 << 32), st.lists(st.integers(0, 1500), max_size=8))
def test_anything_in_any_parts(seed: int, sizes: list[int]) -> None:
    """Whatever the samples, parts give what the whole gives, and every sample is in one cycle."""
    block = anything(np.random.default_rng(seed))
    whole, rows = measured(block, [])
    cut, cut_rows = measured(block, sizes)
    assert rows.tolist() == cut_rows.tolist()
    assert energies(whole) == energies(cut)
    assert whole[0].flags == np.bitwise_or.reduce([int(part.flags) for part in cut])
    ends, counts = rows[:, kernels.END], rows[:, kernels.COUNT]
    assert np.array_equal(ends[:-1] + counts[1:], ends[1:])


@given(st.floats(0, 2 * math.pi), st.integers(1, 3000))
def test_cycles_of_any_cut(begin_rad: float, cut: int) -> None:
    """The rows of cycles, sums and all, do not depend on the cut or on where the stream begins."""
    block = Wave(begin_rad=begin_rad, seconds=1, frequency_hz=50.1, lag_rad=1.0).block()
    _, whole = measured(block, [])
    _, parted = measured(block, [cut])
    assert whole.tolist() == parted.tolist()


WAVES = st.builds(
    Wave,
    rate_hz=st.sampled_from([2000, 4000, 6400]),
    frequency_hz=st.floats(42.0, 68.0),
    current_a=st.floats(0.1, 60.0),
    lag_rad=st.floats(-math.pi, math.pi),
    begin_rad=st.floats(0, 2 * math.pi),
    offset_v=st.floats(-3.0, 3.0),
    offset_a=st.floats(-1.0, 1.0),
    converter=st.sampled_from([Converter(), Converter(bits=24)]),
    seconds=st.just(0.4),
)


@settings(max_examples=20)
@given(WAVES)
def test_naive_cycles(wave: Wave) -> None:
    """A textbook in floating point finds the same cycles and has the same values of them."""
    block = wave.block()
    metrology = metrology_for(wave)
    metrology.process(block)
    voltage, current = block.voltage.tolist(), block.current.tolist()
    rises = naive_rises(voltage, wave.offset_v * 1000 / float(wave.converter.voltage_mv_per_count))
    for number, row in enumerate(metrology.cycles.tolist()):
        end, count = row[kernels.END], row[kernels.COUNT]
        # Where the zero lies is only known roughly at first.
        assert (3 if number == 0 else 1) >= min(abs(rise - end) for rise in rises)
        twin = naive_cycle(voltage, current, end - count, end, row[kernels.LENGTH] / 65536)
        squares = twin.v_rms**2 * count, twin.i_rms**2 * count
        assert squares == pytest.approx((row[kernels.SQUARE_V], row[kernels.SQUARE_I]), abs=2)
        powers = twin.power * count, twin.reactive * count
        # The quarter is undone in steps of 2^-30, and by series that end.
        allowed = 3 + 1e-6 * math.sqrt(squares[0] * squares[1])
        assert powers == pytest.approx((row[kernels.ACTIVE], row[kernels.REACTIVE]), abs=allowed)
    assert len(rises) - 3 <= len(metrology.cycles) <= len(rises)


@settings(max_examples=20)
@given(
    st.floats(0.1, 5.0),
    st.integers(0, 999_999),
    st.tuples(st.integers(10**6, 10**9), st.integers(10**6, 10**9)),
    st.lists(st.integers(1, 3000), max_size=6),
)
def test_naive_registers(
    swing_hz: float, anchor_us: int, terms: tuple[int, int], sizes: list[int]
) -> None:
    """Every second's six registers are those of exact fractions, with any gain, anchor and cut."""
    wave = Wave(seconds=1.3, current_a=3.0)
    swing = math.pi * np.sin(2 * math.pi * swing_hz * np.arange(wave.angle.size) / wave.rate_hz)
    block = sampled(wave.volts(), wave.current_a * np.sin(wave.angle - swing), wave)
    block = replace(block, anchor_utc=ANCHOR + timedelta(microseconds=anchor_us))
    gain = Fraction(*terms)
    calibration = Calibration(gain, Fraction(9973, 1009), starting_current_ma=0, signal_min_mv=1)
    metrology = Metrology(calibration, rate_hz=wave.rate_hz)
    measurements, rows = [], []
    for part in parts(block, sizes):
        measurements.append(metrology.process(part))
        rows += metrology.cycles.tolist()
    cycles = [(row[kernels.END], row[kernels.ACTIVE], row[kernels.REACTIVE]) for row in rows]
    anchor_s = int(ANCHOR.timestamp()) + Fraction(anchor_us, 1_000_000)
    expected = naive_registers(
        cycles, calibration.energy_mj_per_count(wave.rate_hz), wave.rate_hz, anchor_s
    )
    assert expected == {second: list(each) for second, each in energies(measurements).items()}


def test_noisy_zero() -> None:
    """Noise and a notch on the zero crossing lose no cycle and no energy."""
    wave = Wave(seconds=3, noise=300.0, voltage_harmonics=((21, 0.06, 0.0), (2, 0.01, 1.0)))
    metrology = metrology_for(wave)
    measurement = metrology.process(wave.block())
    assert 0 == measurement.flags
    rows = metrology.cycles
    assert 147 <= len(rows) <= 150
    counts = rows[:, kernels.COUNT].tolist()
    assert counts[1:] == np.diff(rows[:, kernels.END]).tolist()
    assert {79, 80, 81} >= set(counts)
