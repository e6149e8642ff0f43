"""What is not mains is flagged and never silently integrated."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import numpy as np
import pytest

from elec_meter.metrology import (
    Calibration,
    CalibrationError,
    CountRangeError,
    Flags,
    Metrology,
    MetrologyError,
    RateError,
    RepeatedBlockError,
)
from elec_meter.sampling import Converter, SampleBlock

from .waves import ANCHOR, Wave, energies, metrology_for, parts, sampled

WAVE = Wave(seconds=3)
BLOCK = WAVE.block()


def test_clean() -> None:
    """Clean mains raises no flag, from the first block on."""
    metrology = metrology_for(WAVE)
    assert [Flags(0)] * 3 == [metrology.process(part).flags for part in parts(BLOCK, [4000, 4000])]


def test_gap() -> None:
    """A gap is flagged once; the cycles around it are dropped and nothing is made up for it."""
    metrology = metrology_for(WAVE)
    first, _, third = parts(BLOCK, [4000, 4000])
    before = metrology.process(first)
    after = metrology.process(third)
    assert Flags.GAP == after.flags
    total_mj = int(before.import_mj.sum() + after.import_mj.sum())
    assert 2 * WAVE.power_w * 1000 > total_mj > 1.88 * WAVE.power_w * 1000
    assert Flags(0) == metrology.process(replace_samples(third, 12_000)).flags


def replace_samples(block: SampleBlock, first_sample: int) -> SampleBlock:
    """The same counts at another place of the stream."""
    return SampleBlock(block.voltage, block.current, first_sample, block.rate_hz, ANCHOR)


def test_repeated_block() -> None:
    """A block that was already measured is refused, and the stream goes on behind it."""
    metrology = metrology_for(WAVE)
    first, second, _ = parts(BLOCK, [4000, 4000])
    expected = metrology_for(WAVE)
    a = energies([metrology.process(first)])
    with pytest.raises(RepeatedBlockError):
        metrology.process(first)
    b = energies([metrology.process(second)])
    assert [energies([expected.process(part)]) for part in (first, second)] == [a, b]


def test_new_anchor() -> None:
    """The clock may be set between two blocks: no gap, only other seconds."""
    metrology = metrology_for(WAVE)
    first, second, _ = parts(BLOCK, [4000, 4000])
    metrology.process(first)
    moved = replace(second, anchor_utc=ANCHOR + timedelta(seconds=100, microseconds=250_000))
    measurement = metrology.process(moved)
    assert Flags(0) == measurement.flags
    start_s = int(ANCHOR.timestamp()) + 101
    assert [start_s, start_s + 1] == measurement.second_s.tolist()
    assert 0.75 == pytest.approx(measurement.import_mj[0] / measurement.import_mj.sum(), abs=0.03)


def test_a_stream_that_begins_anew() -> None:
    """Earlier samples with another anchor are no repetition: a gap, and all of them measured."""
    metrology = metrology_for(WAVE)
    first, second, _ = parts(BLOCK, [4000, 4000])
    metrology.process(second)
    assert 8000 == metrology.next_sample
    anew = replace(first, anchor_utc=ANCHOR + timedelta(hours=1))
    measurement = metrology.process(anew)
    assert (Flags.GAP, 4000) == (measurement.flags, metrology.next_sample)
    alone = metrology_for(WAVE)
    alone.process(anew)
    assert alone.cycles.tolist() == metrology.cycles.tolist()


def test_saturation() -> None:
    """A current beyond the converter is flagged and what was seen of it registers."""
    wave = replace(WAVE, current_a=120.0)
    measurement = metrology_for(wave).process(wave.block())
    assert Flags.SATURATED == measurement.flags
    assert 0.8 * wave.power_w * 3000 < measurement.import_mj.sum() < wave.power_w * 3000


def test_single_saturated_sample() -> None:
    """One sample at the limit is enough, on either channel and at either end."""
    for channel, limit in ((0, 32767), (0, -32768), (1, 32767), (1, -32768)):
        counts = [BLOCK.voltage.copy(), BLOCK.current.copy()]
        counts[channel][4321] = limit
        block = SampleBlock(counts[0], counts[1], 0, 4000, ANCHOR)
        assert Flags.SATURATED == metrology_for(WAVE).process(block).flags


def test_no_signal() -> None:
    """Without voltage nothing registers, whatever the current; then mains is measured again."""
    volts, amperes = WAVE.volts(), WAVE.amperes()
    volts[3000:7000] = 0.0
    metrology = metrology_for(WAVE)
    measurement = metrology.process(sampled(volts, amperes, WAVE))
    assert Flags.NO_SIGNAL in measurement.flags
    assert 2 * WAVE.power_w * 1000 > measurement.import_mj.sum() > 1.9 * WAVE.power_w * 1000
    assert 0 == metrology_for(WAVE).process(sampled(volts * 0, amperes, WAVE)).import_mj.sum()


def test_stuck() -> None:
    """A converter that repeats one count is flagged; a current of exactly nothing is not."""
    frozen = BLOCK.current.copy()
    frozen[:] = 1234
    stuck = SampleBlock(BLOCK.voltage, frozen, 0, 4000, ANCHOR)
    assert Flags.STUCK == metrology_for(WAVE).process(stuck).flags
    frozen[:] = 0
    idle = SampleBlock(BLOCK.voltage, frozen, 0, 4000, ANCHOR)
    assert Flags(0) == metrology_for(WAVE).process(idle).flags
    dead = SampleBlock(frozen, frozen, 0, 4000, ANCHOR)
    assert Flags.STUCK | Flags.NO_SIGNAL == metrology_for(WAVE).process(dead).flags


def test_dc() -> None:
    """A line at DC is flagged and registers nothing; an offset on mains is flagged and removed."""
    constant = np.full(12_000, 20_000, np.int16)
    measurement = metrology_for(WAVE).process(SampleBlock(constant, constant, 0, 4000, ANCHOR))
    assert Flags.DC | Flags.NO_SIGNAL | Flags.STUCK == measurement.flags
    assert 0 == measurement.import_mj.sum()
    wave = replace(WAVE, voltage_v=100.0, offset_v=150.0, offset_a=-60.0)
    measurement = metrology_for(wave).process(wave.block())
    assert Flags.DC == measurement.flags
    samples = 12_000
    assert wave.power_w * samples / 4 == pytest.approx(measurement.import_mj.sum(), rel=0.02)


def test_phase_jump() -> None:
    """After a jump of phase the cycle that was cut is flagged and the next ones are measured."""
    volts, amperes = WAVE.volts(), WAVE.amperes()
    for values in (volts, amperes):
        values[6000:] = np.roll(values, 27)[6000:]
    measurement = metrology_for(WAVE).process(sampled(volts, amperes, WAVE))
    assert Flags.UNLOCKED == measurement.flags
    assert 0.96 * 3000 * WAVE.power_w < measurement.import_mj.sum() < 3000 * WAVE.power_w


def test_frequency_step() -> None:
    """A step from 50 to 60 Hz is followed."""
    slow, fast = Wave(seconds=1), Wave(seconds=3, frequency_hz=60.0)
    volts = np.concatenate([slow.volts(), fast.volts()])
    amperes = np.concatenate([slow.amperes(), fast.amperes()])
    quantities = metrology_for(WAVE).process(sampled(volts, amperes, WAVE)).quantities
    assert quantities is not None
    assert 60.0 == pytest.approx(quantities.frequency_hz, abs=0.01)


def test_wrong_rate() -> None:
    """Rates that cannot be measured at, or are not the pipeline's, are refused."""
    calibration = Calibration.for_converter(Converter())
    for rate_hz, nominal_hz in ((1500, 50), (1999, 50), (2000, 400), (64_000, 50), (4000, 16)):
        with pytest.raises(RateError):
            Metrology(calibration, rate_hz=rate_hz, nominal_hz=nominal_hz)
    with pytest.raises(RateError):
        Metrology(calibration, rate_hz=8000).process(BLOCK)


def test_wide_counts() -> None:
    """Counts of more than 24 bits are refused, those of 24 are measured without overflow."""
    calibration = Calibration.for_converter(Converter(bits=24))
    square = np.where(np.arange(64_000) // 320 % 2, (1 << 23) - 1, -(1 << 23)).astype(np.int32)
    metrology = Metrology(calibration, rate_hz=32_000)
    measurement = metrology.process(SampleBlock(square, square, 0, 32_000, ANCHOR))
    assert Flags.SATURATED == measurement.flags
    assert measurement.quantities is not None
    assert 60_000 == pytest.approx(measurement.quantities.power_w, rel=1e-6)
    square[5] = 1 << 23
    with pytest.raises(CountRangeError):
        metrology.process(SampleBlock(square, square, 64_000, 32_000, ANCHOR))


# Gains by which 5 W are more than full scale.
SMALL: dict[str, object] = {
    "voltage_mv_per_count": Fraction(1, 1000),
    "current_ma_per_count": Fraction(1, 10**6),
    "full_scale_count": 1 << 23,
    "starting_current_ma": 0,
    "signal_min_mv": 1,
}


@pytest.mark.parametrize(
    "settings",
    [
        {"voltage_mv_per_count": Fraction(0)},
        {"current_ma_per_count": 0.5},
        {"phase_urad": 200_000},
        {"full_scale_count": 1 << 24},
        {"starting_current_ma": -1},
        {"starting_current_ma": 20_000},
        {"signal_min_mv": 0},
        {**SMALL, "power_offset_uw": 5_000_000},
        {**SMALL, "current_ma_per_count": Fraction(1, 10**9), "reactive_offset_uvar": -5_000_000},
    ],
)
def test_absurd_calibration(settings: dict[str, object]) -> None:
    """A calibration out of range is refused by one error of the package's tree."""
    sound: dict[str, object] = {
        "voltage_mv_per_count": Fraction(12),
        "current_ma_per_count": Fraction(5),
    }
    with pytest.raises(CalibrationError) as refusal:
        Calibration(**{**sound, **settings})  # type: ignore[arg-type] # wrong on purpose
    assert isinstance(refusal.value, MetrologyError)


@pytest.mark.parametrize("current_ma_per_count", [Fraction(10**12), Fraction(10**400)])
def test_absurd_gain(current_ma_per_count: Fraction) -> None:
    """A gain whose energy would not fit its register is refused by a pipeline in its own words."""
    with pytest.raises(CalibrationError):
        Metrology(Calibration(Fraction(12), current_ma_per_count), rate_hz=4000)
