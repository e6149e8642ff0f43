"""A mains whose frequency does not stay."""

from __future__ import annotations

import math

import numpy as np
import pytest

from elec_meter.metrology import Flags, kernels

from .waves import Reals, Wave, metrology_for, sampled


def swept(frequency_hz: Reals, wave: Wave, lag_rad: float) -> tuple[Reals, Reals]:
    """Volts and amperes whose frequency is this at each sample."""
    angle = 2 * math.pi * np.cumsum(frequency_hz) / wave.rate_hz
    root = math.sqrt(2)
    return root * wave.voltage_v * np.sin(angle), root * wave.current_a * np.sin(angle - lag_rad)


@pytest.mark.parametrize("lag_rad", [0.0, math.pi / 3, -2.5])
@pytest.mark.parametrize(("begin_hz", "end_hz"), [(45.0, 65.0), (65.0, 45.0)])
def test_sweep(begin_hz: float, end_hz: float, lag_rad: float) -> None:
    """From 45 to 65 Hz in ten seconds and back, every cycle is found and P and Q are right."""
    wave = Wave(seconds=10)
    frequency_hz = np.linspace(begin_hz, end_hz, wave.angle.size)
    volts, amperes = swept(frequency_hz, wave, lag_rad)
    metrology = metrology_for(wave)
    measurement = metrology.process(sampled(volts, amperes, wave))
    assert Flags(0) == measurement.flags
    cycles = metrology.cycles
    assert 546 <= len(cycles) <= 550
    seen_s = int(cycles[:, kernels.COUNT].sum()) / wave.rate_hz
    apparent_mj = wave.voltage_v * wave.current_a * 1000 * seen_s
    active_mj = int(measurement.import_mj.sum()) - int(measurement.export_mj.sum())
    quadrants = measurement.reactive_mvars.sum(axis=0).tolist()
    reactive_mvars = quadrants[0] + quadrants[1] - quadrants[2] - quadrants[3]
    assert math.cos(lag_rad) == pytest.approx(active_mj / apparent_mj, abs=1e-3)
    assert math.sin(lag_rad) == pytest.approx(reactive_mvars / apparent_mj, abs=1e-3)


@pytest.mark.parametrize(("before_hz", "after_hz"), [(50.0, 45.0), (50.0, 65.0), (65.0, 45.0)])
def test_step(before_hz: float, after_hz: float) -> None:
    """A step of frequency costs no energy, and what it disturbs is flagged, never misread."""
    wave = Wave(seconds=4)
    frequency_hz = np.where(np.arange(wave.angle.size) < 8000, before_hz, after_hz)
    volts, amperes = swept(frequency_hz, wave, 0.5)
    metrology = metrology_for(wave)
    measurement = metrology.process(sampled(volts, amperes, wave))
    cycles = metrology.cycles
    seen = slice(
        int(cycles[0, kernels.END] - cycles[0, kernels.COUNT]), int(cycles[-1, kernels.END])
    )
    true_mj = float(np.dot(volts[seen], amperes[seen])) * 1000 / wave.rate_hz
    registered_mj = int(measurement.import_mj.sum()) - int(measurement.export_mj.sum())
    assert true_mj == pytest.approx(registered_mj, rel=2e-3)
    assert {Flags(0), Flags.UNLOCKED} >= {measurement.flags}
    quantities = measurement.quantities
    assert quantities is not None
    assert after_hz == pytest.approx(quantities.frequency_hz, abs=0.02)
    assert 2300 * math.sin(0.5) == pytest.approx(quantities.reactive_var, rel=1e-3)


@pytest.mark.parametrize("frequency_hz", [20.0, 35.0, 90.0, 150.0])
def test_no_mains_frequency(frequency_hz: float) -> None:
    """Voltage of a frequency that no mains has is flagged from the first cycle to the last."""
    wave = Wave(frequency_hz=frequency_hz, seconds=2)
    metrology = metrology_for(wave)
    measurement = metrology.process(wave.block())
    flags = metrology.cycle_quantities().flags
    # Of two seconds, cut into nominal cycles.
    assert 94 <= flags.size <= 100
    assert {int(Flags.UNLOCKED)} == set(flags.tolist())
    assert 0 == measurement.import_mj.sum() + measurement.export_mj.sum()
    assert 0 == measurement.reactive_mvars.sum()


@pytest.mark.parametrize(("begin_hz", "end_hz"), [(45.0, 25.0), (60.0, 100.0)])
def test_mains_that_leaves_the_range(begin_hz: float, end_hz: float) -> None:
    """It is followed until a little outside of 0.8 to 1.4 times 50 Hz, then flagged for good."""
    wave = Wave(seconds=4)
    frequency_hz = np.linspace(begin_hz, end_hz, wave.angle.size)
    volts, amperes = swept(frequency_hz, wave, 0.5)
    metrology = metrology_for(wave)
    metrology.process(sampled(volts, amperes, wave))
    cycles = metrology.cycle_quantities()
    followed = int(np.argmax(cycles.flags != 0))
    last = int(metrology.cycles[followed, kernels.END])
    assert 36.0 < frequency_hz[last] < 40.0 or 70.0 < frequency_hz[last] < 79.0
    assert {int(Flags.UNLOCKED)} == set(cycles.flags[followed:].tolist())
