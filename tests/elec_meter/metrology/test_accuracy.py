"""Accuracy beyond the type test: calibration, offsets, and what reactive power is exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest

from elec_meter.metrology import Flags, kernels
from elec_meter.sampling import Converter

from .waves import Reals, Wave, mean_power_w, metrology_for

FINE = Converter(bits=24)


def reactive_parts(wave: Wave, cycles: int) -> Reals:
    """Reactive power of each of the last cycles, as a part of the apparent power."""
    metrology = metrology_for(wave)
    assert Flags(0) == metrology.process(wave.block()).flags
    rows = metrology.cycle_quantities()
    # Each by its samples: together they are whole periods.
    samples = metrology.cycles[-cycles:, kernels.COUNT]
    parts = rows.reactive_var[-cycles:] * samples / samples.mean()
    return parts / (wave.voltage_v * wave.current_a)


def test_phase_calibration() -> None:
    """A current channel that lags by 20 mrad is put right by a calibration of 20,000 urad."""
    wave = Wave(lag_rad=math.acos(0.5) + 0.02, seconds=3)
    true_w = wave.voltage_v * wave.current_a * 0.5
    metrology = metrology_for(wave, phase_urad=20_000)
    assert true_w == pytest.approx(mean_power_w(metrology, wave.block()), rel=0.001)


def test_offsets() -> None:
    """Offsets of both converters, and of different sign, register nothing of their own."""
    wave = Wave(current_a=0.0, offset_v=4.0, offset_a=-3.0, seconds=3)
    measurement = metrology_for(wave, starting_current_ma=0).process(wave.block())
    energy_mj = int(measurement.import_mj.sum()) - int(measurement.export_mj.sum())
    assert 60 > abs(energy_mj), "more than noise, where the offsets alone make 36,000"


@pytest.mark.parametrize(
    ("rate_hz", "samples"), [(2000, 30), (2000, 34), (2000, 31), (3200, 50), (4000, 61)]
)
@pytest.mark.parametrize("lag_rad", [0.0, 0.3, 1.4, -1.4, math.pi / 2, 2.8])
def test_quarter_period_between_samples(rate_hz: int, samples: int, lag_rad: float) -> None:
    """Where the quarter period is half a sample from any, reactive power is right to a millionth.

    Without the last term of the tangent or of the secant it would be 2 or 25 millionths off.
    """
    wave = Wave(
        rate_hz=rate_hz,
        frequency_hz=rate_hz / samples,
        lag_rad=lag_rad,
        converter=FINE,
        noise=0.0,
        seconds=1,
        begin_rad=0.05,
    )
    assert np.full(20, math.sin(lag_rad)) == pytest.approx(reactive_parts(wave, 20), abs=1e-6)


@pytest.mark.parametrize("rate_hz", [2000, 4000])
@pytest.mark.parametrize("frequency_hz", [45, 57, 65])
def test_reactive_of_24_bits(rate_hz: int, frequency_hz: int) -> None:
    """At low rates too, reactive power of 24 bits is within 0.002 % of the apparent power."""
    wave = Wave(rate_hz=rate_hz, frequency_hz=frequency_hz, lag_rad=0.5, converter=FINE, seconds=2)
    second = reactive_parts(wave, frequency_hz)
    assert math.sin(0.5) == pytest.approx(second.mean(), abs=2e-5)


@pytest.mark.parametrize("order", [2, 3, 4, 5])
@pytest.mark.parametrize("phase_rad", [0.0, 1.1, 2.5, 4.0, 5.6])
def test_harmonics_in_reactive_power(order: int, phase_rad: float) -> None:
    """Of a harmonic its reactive power counts where odd, its active power where even: 2 % at most.

    The sign alternates; it has 5 % of the voltage and 40 % of the current.
    """
    lag_rad = 0.6
    wave = Wave(
        lag_rad=lag_rad,
        voltage_harmonics=((order, 0.05, phase_rad),),
        current_harmonics=((order, 0.4, order * lag_rad),),
        seconds=1,
    )
    active, reactive = 0.02 * math.cos(phase_rad), 0.02 * math.sin(phase_rad)
    extra = {2: -active, 3: -reactive, 4: active, 5: reactive}[order]
    measured = reactive_parts(wave, 40).mean()
    assert math.sin(lag_rad) + extra == pytest.approx(measured, abs=1e-4)
    assert 0.0201 > abs(measured - math.sin(lag_rad))


@pytest.mark.parametrize("rate_hz", [2000, 4000, 32_000])
@pytest.mark.parametrize("frequency_hz", [40.1, 69.8])
def test_edges_of_the_range(rate_hz: int, frequency_hz: float) -> None:
    """From 0.8 to 1.4 times the nominal frequency every cycle is found and all of it registers."""
    wave = Wave(rate_hz=rate_hz, frequency_hz=frequency_hz, lag_rad=0.5, seconds=3)
    metrology = metrology_for(wave)
    assert wave.power_w == pytest.approx(mean_power_w(metrology, wave.block()), rel=5e-4)
    cycles = metrology.cycle_quantities()
    assert {0} == set(cycles.flags.tolist())
    assert 3 * frequency_hz - 3 < cycles.flags.size
    assert frequency_hz == pytest.approx(cycles.frequency_hz, rel=2e-3)
