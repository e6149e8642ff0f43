"""The sources of the type test: what their formulas say is what their samples do."""

from __future__ import annotations

import math

import numpy as np
import pytest

from elec_meter.typetest import Shape, SteadyWave, WaveError

WAVES = [
    SteadyWave(10.0),
    SteadyWave(10.0, math.acos(0.5), 207.0, 45),
    SteadyWave(10.0, math.pi, frequency_hz=65),
    *(SteadyWave(10.0, shape=shape) for shape in Shape),
]


@pytest.mark.parametrize("rate_hz", [4000, 8000])
@pytest.mark.parametrize("wave", WAVES, ids=str)
def test_true_power(wave: SteadyWave, rate_hz: int) -> None:
    """The power by the formula is the mean product of the samples, the means left out."""
    volts, amperes = wave.volts(rate_hz), wave.amperes(rate_hz)
    assert wave.pattern_s * rate_hz == volts.size == amperes.size
    mean_w = float(np.mean((volts - volts.mean()) * (amperes - amperes.mean())))
    assert wave.power_w == pytest.approx(mean_w, rel=1e-6)


@pytest.mark.parametrize("wave", WAVES[:3], ids=str)
def test_true_reactive_power(wave: SteadyWave) -> None:
    """The reactive power of a sine is the mean product with the voltage a quarter turn later."""
    quarter = SteadyWave(wave.voltage_v, math.pi / 2, frequency_hz=wave.frequency_hz).amperes(8000)
    mean_var = float(np.mean(quarter * wave.amperes(8000)))
    assert wave.reactive_var == pytest.approx(mean_var, abs=1e-6)


@pytest.mark.parametrize("shape", [shape for shape in Shape if shape is not Shape.SINE])
def test_only_a_sine_lags(shape: Shape) -> None:
    """A lag that the samples would not have is refused, of every other shape."""
    with pytest.raises(WaveError) as refusal:
        SteadyWave(5.0, 1.0, shape=shape)
    assert shape.value in str(refusal.value)


def test_root_mean_squares() -> None:
    """Voltage and current have the RMS that they are named by."""
    wave = SteadyWave(7.0, 1.0, 253.0)
    assert 253.0 == pytest.approx(float(np.sqrt(np.mean(wave.volts(4000) ** 2))))
    assert 7.0 == pytest.approx(float(np.sqrt(np.mean(wave.amperes(4000) ** 2))))


@pytest.mark.parametrize(
    ("shape", "silent_from", "silent_to"),
    [
        (Shape.HALF_WAVE, 0.55, 0.95),
        (Shape.FIRED, 0.03, 0.22),
        (Shape.FIRED, 0.53, 0.72),
    ],
)
def test_where_no_current_flows(shape: Shape, silent_from: float, silent_to: float) -> None:
    """A cut sine is a sine in one part of the turn and nothing in the other, ripple aside."""
    wave = SteadyWave(10.0, shape=shape)
    turn = (1.0 / (2 * math.pi) + np.arange(8000) * 50 / 8000) % 1
    amperes = wave.amperes(8000)
    silent = amperes[(turn > silent_from) & (turn < silent_to)]
    assert 0.0 == pytest.approx(float(np.abs(silent).max()), abs=1.3)
    flowing = (turn > 0.30) & (turn < 0.45)
    sine = 10.0 * math.sqrt(2) * np.sin(2 * math.pi * turn[flowing])
    assert 0.0 == pytest.approx(float(np.abs(amperes[flowing] - sine).max()), abs=1.3)


def test_bursts() -> None:
    """Of four cycles two flow and two do not, over and over."""
    amperes = SteadyWave(10.0, shape=Shape.BURSTS).amperes(4000)
    turns = (1.0 / (2 * math.pi) + np.arange(8000) * 50 / 4000) % 4
    assert not amperes[turns > 2].any()
    assert 10.0 == pytest.approx(float(np.sqrt(np.mean(amperes[turns < 2] ** 2))), rel=1e-3)
