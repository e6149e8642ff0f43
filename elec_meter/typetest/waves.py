"""Waveforms of the type test, each with the power that it has by its formula.

The current is what a front end with an ideal filter lets through: a sum of harmonics up to the
39th. Its power with a sine of voltage is that of the fundamental, whatever else is in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from elec_meter.typetest.errors import WaveError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Reals = NDArray[np.float64]

REFERENCE_V = 230.0
"""Reference voltage, RMS."""

_BEGIN_RAD = 1.0  # no second begins at a zero crossing
_LAST_ORDER = 39
_FIFTH_OF_VOLTAGE = 0.1
_FIFTH_OF_CURRENT = 0.4


class Shape(Enum):
    """Waveforms of the accuracy tests of EN 50470-3 (8.7 and annexes) and IEC 62053-21."""

    SINE = "sine"
    FIFTH = "fifth harmonic"
    HALF_WAVE = "half-wave"
    FIRED = "fired at 90 degrees"
    BURSTS = "two cycles on, two off"


@dataclass(frozen=True, slots=True)
class SteadyWave:
    """A voltage and a current that repeat themselves after `pattern_s` seconds.

    Args:
        current_a: RMS of the sine that the current is, or is cut from.
        lag_rad: by how much a sine lags the voltage; more than a quarter turn is export.
        voltage_v: RMS of the voltage's fundamental.
        frequency_hz: a whole number, so that a second has whole cycles.
        shape: what becomes of the sine.

    Raises:
        WaveError: for a lag of any other shape.
    """

    current_a: float
    lag_rad: float = 0.0
    voltage_v: float = REFERENCE_V
    frequency_hz: int = 50
    shape: Shape = Shape.SINE

    def __post_init__(self) -> None:
        if self.lag_rad and self.shape is not Shape.SINE:
            raise WaveError(f"a current with {self.shape.value} does not lag")

    @property
    def power_w(self) -> float:
        """True active power, W; export is negative."""
        sine_w = self.voltage_v * self.current_a * math.cos(self.lag_rad)
        match self.shape:
            case Shape.SINE:
                return sine_w
            case Shape.FIFTH:
                return sine_w * (1 + _FIFTH_OF_VOLTAGE * _FIFTH_OF_CURRENT)
        return sine_w / 2

    @property
    def reactive_var(self) -> float:
        """True reactive power of a sine, var; inductive is positive."""
        return self.voltage_v * self.current_a * math.sin(self.lag_rad)

    @property
    def pattern_s(self) -> int:
        """Whole seconds after which voltage and current repeat themselves."""
        return 2 if self.shape is Shape.BURSTS else 1

    def volts(self, rate_hz: int) -> _Reals:
        """Instantaneous voltage of one pattern, V, shape (pattern_s * rate_hz,)."""
        angle = self._angle(rate_hz)
        wave = np.sin(angle)
        if self.shape is Shape.FIFTH:
            wave += _FIFTH_OF_VOLTAGE * np.sin(5 * angle)
        return np.asarray(math.sqrt(2) * self.voltage_v * wave)

    def amperes(self, rate_hz: int) -> _Reals:
        """Instantaneous current of one pattern, A, of the same shape."""
        angle = self._angle(rate_hz)
        match self.shape:
            case Shape.SINE:
                wave = np.sin(angle - self.lag_rad)
            case Shape.FIFTH:
                wave = np.sin(angle) + _FIFTH_OF_CURRENT * np.sin(5 * angle)
            case Shape.HALF_WAVE:
                wave = _half_wave(angle)
            case Shape.FIRED:
                wave = _fired(angle)
            case Shape.BURSTS:
                wave = np.sin(angle) * (angle // (2 * math.pi) % 4 < 2)
        return np.asarray(math.sqrt(2) * self.current_a * wave)

    def _angle(self, rate_hz: int) -> _Reals:
        turns = np.arange(self.pattern_s * rate_hz) * (self.frequency_hz / rate_hz)
        return np.asarray(_BEGIN_RAD + 2 * math.pi * turns)


def _half_wave(angle: _Reals) -> _Reals:
    """The positive halves of a sine: its mean, half of it, and even harmonics."""
    wave = 1 / math.pi + np.sin(angle) / 2
    for order in range(2, _LAST_ORDER + 1, 2):
        wave -= 2 / math.pi / (order * order - 1) * np.cos(order * angle)
    return np.asarray(wave)


def _fired(angle: _Reals) -> _Reals:
    """A sine that flows in the second half of each of its half-cycles only: odd harmonics."""
    wave = np.sin(angle) / 2 - np.cos(angle) / math.pi
    for order in range(3, _LAST_ORDER + 1, 2):
        above = (math.cos((order + 1) * math.pi / 2) - 1) / (order + 1)
        below = (math.cos((order - 1) * math.pi / 2) - 1) / (order - 1)
        wave += (above - below) / math.pi * np.cos(order * angle)
    return np.asarray(wave)
