"""The accuracy tests of EN 50470-3: percent error against a reference of known truth."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from elec_meter.sampling import Converter

from .waves import Wave, mean_power_w, metrology_for, sampled

FINE = Converter(bits=24)
INDUCTIVE_05 = math.acos(0.5)
CAPACITIVE_08 = -math.acos(0.8)
INDUCTIVE_025 = math.acos(0.25)


def percent_error(wave: Wave) -> float:
    """Error of active energy, in percent of the apparent power times the power factor."""
    measured = mean_power_w(metrology_for(wave), wave.block())
    return 100 * (measured - wave.power_w) / abs(wave.power_w)


@pytest.mark.parametrize("current_a", [0.1, 0.5, 1.0, 5.0, 20.0, 60.0, 100.0])
@pytest.mark.parametrize("converter", [Converter(), FINE], ids=["16 bit", "24 bit"])
def test_unity_power_factor(current_a: float, converter: Converter) -> None:
    """0.1 to 100 A at a power factor of 1 are within 0.05 %."""
    wave = Wave(current_a=current_a, converter=converter, seconds=4)
    assert 0.05 > abs(percent_error(wave))


@pytest.mark.parametrize("current_a", [0.02, 0.05])
def test_small_current(current_a: float) -> None:
    """0.02 A and up are within 0.2 % at 16 bits and within 0.02 % at 24."""
    wave = Wave(current_a=current_a, seconds=20)
    assert 0.2 > abs(percent_error(wave))
    assert 0.02 > abs(percent_error(replace(wave, converter=FINE)))


@pytest.mark.parametrize("lag_rad", [INDUCTIVE_05, CAPACITIVE_08, INDUCTIVE_025])
@pytest.mark.parametrize("current_a", [0.25, 10.0, 100.0])
def test_power_factor(lag_rad: float, current_a: float) -> None:
    """0.25 to 100 A at 0.5 and 0.25 inductive and 0.8 capacitive are within 0.1 %."""
    assert 0.1 > abs(percent_error(Wave(current_a=current_a, lag_rad=lag_rad, seconds=8)))


def test_export() -> None:
    """The same holds for export."""
    wave = Wave(lag_rad=math.pi - INDUCTIVE_05, seconds=4)
    assert 0.1 > abs(percent_error(wave))


@pytest.mark.parametrize("frequency_hz", [49.0, 51.0])
@pytest.mark.parametrize("lag_rad", [0.0, INDUCTIVE_05])
def test_frequency(frequency_hz: float, lag_rad: float) -> None:
    """2 % of frequency change the error by less than 0.05 %."""
    wave = Wave(lag_rad=lag_rad, seconds=4)
    change = percent_error(replace(wave, frequency_hz=frequency_hz)) - percent_error(wave)
    assert 0.05 > abs(change)


@pytest.mark.parametrize("voltage_v", [207.0, 253.0])
def test_voltage(voltage_v: float) -> None:
    """10 % of voltage change the error by less than 0.05 %."""
    wave = Wave(seconds=4)
    assert 0.05 > abs(percent_error(replace(wave, voltage_v=voltage_v)) - percent_error(wave))


@pytest.mark.parametrize("frequency_hz", [45.0, 49.0, 50.0, 51.0, 65.0])
@pytest.mark.parametrize("sine", [1.0, 0.5, -0.5])
def test_reactive(frequency_hz: float, sine: float) -> None:
    """Reactive power is within 0.1 % at sin phi 1 and 0.5 from 45 to 65 Hz, 24 to 160 per cycle."""
    wave = Wave(frequency_hz=frequency_hz, lag_rad=math.asin(sine), seconds=3)
    quantities = metrology_for(wave).process(wave.block()).quantities
    assert quantities is not None
    assert wave.voltage_v * wave.current_a * sine == pytest.approx(
        quantities.reactive_var, rel=0.001
    )


def test_fifth_harmonic() -> None:
    """A fifth harmonic of 10 % of voltage and 40 % of current is within 0.1 %."""
    wave = Wave(voltage_harmonics=((5, 0.1, 0.0),), current_harmonics=((5, 0.4, 0.0),), seconds=4)
    assert 0.1 > abs(percent_error(wave))


def test_half_wave() -> None:
    """A half-wave rectified current, which has a mean, registers half the power within 0.1 %."""
    wave = Wave(current_a=20.0, seconds=4)
    block = sampled(wave.volts(), wave.amperes().clip(min=0), wave)
    assert 0.1 > abs(100 * (mean_power_w(metrology_for(wave), block) / (wave.power_w / 2) - 1))


def test_bursts() -> None:
    """A current that is on for two cycles of every four registers half the power within 0.1 %."""
    wave = Wave(current_a=20.0, seconds=8)
    on = (wave.angle // (2 * math.pi)) % 4 < 2
    volts, amperes = wave.volts(), wave.amperes() * on
    metrology = metrology_for(wave)
    import_mj = int(metrology.process(sampled(volts, amperes, wave)).import_mj.sum())
    cycles = metrology.cycles
    measured = slice(cycles[0, 0] - cycles[0, 1], cycles[-1, 0])
    true_mj = float(np.dot(volts[measured], amperes[measured])) / wave.rate_hz * 1000
    assert 0.1 > abs(100 * (import_mj / true_mj - 1))


def test_phase_calibration() -> None:
    """A current channel that lags by 20 mrad is put right by a calibration of 20,000 urad."""
    wave = Wave(lag_rad=INDUCTIVE_05 + 0.02, seconds=3)
    true_w = wave.voltage_v * wave.current_a * 0.5
    metrology = metrology_for(wave, phase_urad=20_000)
    assert true_w == pytest.approx(mean_power_w(metrology, wave.block()), rel=0.001)


def test_starting_current() -> None:
    """20 mA register from the first cycle on."""
    wave = Wave(current_a=0.02, seconds=3)
    metrology = metrology_for(wave)
    import_mj = int(metrology.process(wave.block()).import_mj.sum())
    theory_mj = wave.power_w * 1000 * int(metrology.cycles[:, 1].sum()) / wave.rate_hz
    assert theory_mj / 1.2 < import_mj


@pytest.mark.parametrize("current_a", [0.0, 0.01])
def test_no_load(current_a: float) -> None:
    """At 115 % of voltage nothing registers below three quarters of the starting current."""
    wave = Wave(voltage_v=264.5, current_a=current_a, seconds=10)
    measurement = metrology_for(wave).process(wave.block())
    assert 0 == measurement.import_mj.sum()
    assert 0 == measurement.export_mj.sum()
    assert 0 == measurement.flags


def test_offsets() -> None:
    """Offsets of both converters, and of different sign, register nothing of their own."""
    wave = Wave(current_a=0.0, offset_v=4.0, offset_a=-3.0, seconds=3)
    measurement = metrology_for(wave, starting_current_ma=0).process(wave.block())
    energy_mj = int(measurement.import_mj.sum()) - int(measurement.export_mj.sum())
    assert 60 > abs(energy_mj), "more than noise, where the offsets alone make 36,000"
