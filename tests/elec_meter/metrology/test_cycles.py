"""The quantities of single cycles."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest

from elec_meter.metrology import Calibration, Flags, Metrology, kernels
from elec_meter.sampling import SampleBlock

from .waves import ANCHOR, Wave, metrology_for, parts, sampled


def test_each_cycle() -> None:
    """Every cycle has the values of the waveform, and cycles follow one another without a gap."""
    wave = Wave(lag_rad=math.acos(0.8), frequency_hz=49.6, seconds=1)
    metrology = metrology_for(wave)
    metrology.process(wave.block())
    cycles = metrology.cycle_quantities()
    assert 47 <= cycles.v_rms_v.size <= 50
    assert cycles.end_us[:-1].tolist() == cycles.start_us[1:].tolist()
    assert np.all(cycles.flags == 0)
    for values, true in (
        (cycles.v_rms_v, 230.0),
        (cycles.i_rms_a, 10.0),
        (cycles.power_w, 1840.0),
        (cycles.reactive_var, 1380.0),
        (cycles.apparent_va, 2300.0),
        (cycles.power_factor, 0.8),
    ):
        # A cycle has a whole number of samples, which its period has not.
        assert np.full(values.size, true) == pytest.approx(values, rel=0.02)
        assert true == pytest.approx(values.mean(), rel=0.002)
    assert np.full(cycles.frequency_hz.size, 49.6) == pytest.approx(cycles.frequency_hz, abs=0.05)


def test_times() -> None:
    """Cycles are told in microseconds, however late in the stream and wherever the anchor."""
    wave = Wave(seconds=0.5)
    block = wave.block()
    anchor = ANCHOR + timedelta(microseconds=123_456)
    first = 315_360_000 * 4000 + 1
    metrology = metrology_for(wave)
    metrology.process(SampleBlock(block.voltage, block.current, first, 4000, anchor))
    begun = int(metrology.cycles[0, kernels.END] - metrology.cycles[0, kernels.COUNT])
    expected = (anchor + timedelta(microseconds=begun * 250)).timestamp() * 1e6
    assert expected == pytest.approx(metrology.cycle_quantities().start_us[0], abs=1)


def test_no_voltage() -> None:
    """Without voltage a cycle has no frequency, a power factor of 1 and its flag."""
    wave = Wave(voltage_v=0.0, noise=0.0)
    metrology = metrology_for(wave)
    metrology.process(wave.block())
    cycles = metrology.cycle_quantities()
    assert np.all(np.isnan(cycles.frequency_hz))
    assert np.all(cycles.power_factor == 1.0)
    assert np.all(cycles.flags & Flags.NO_SIGNAL)


def test_before_any_block() -> None:
    """Before a cycle was closed there are none."""
    wave = Wave()
    metrology = Metrology(Calibration.for_converter(wave.converter), rate_hz=4000)
    assert 0 == metrology.cycle_quantities().v_rms_v.size
    first, _ = parts(sampled(wave.volts(), wave.amperes(), wave), [50])
    metrology.process(first)
    assert 0 == metrology.cycle_quantities().power_w.size
