"""A mains supply and a load that exist in numbers only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import numpy as np

from elec_meter.sampling.block import RATE_MAX_HZ, RATE_MIN_HZ, SampleBlock
from elec_meter.sampling.converter import Converter
from elec_meter.sampling.errors import BlockError, SamplingError
from elec_meter.sampling.source import SampleSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VOLTAGE_MEAN_V = 240.0
# (amplitude, period in seconds): a day, a feeder's evening, its neighbours, their kettles. Sum 9.5 V.
_VOLTAGE_WANDER_V = ((5.0, 86_400.0), (2.5, 5_400.0), (1.5, 610.0), (0.5, 47.0))
# Sum 0.18 Hz: the grid stays within 49.8-50.2 Hz.
_FREQUENCY_WANDER_HZ = ((0.08, 3_600.0), (0.06, 430.0), (0.04, 73.0))
_VOLTAGE_HARMONICS = ((3, 0.010), (5, 0.020), (7, 0.008))
_CURRENT_HARMONICS = ((3, 0.85), (5, 0.50), (7, 0.15))
_FINE_BITS = 16
_COARSE_BITS = 12
_NOISE_SIZE = 1 << 16
# Adding this to a small float32 leaves the number, rounded to an integer, in its low 16 bits.
_ROUNDING_F32 = np.float32(3 << 22)


class Load(Protocol):
    """What a household draws, second by second.

    A load may also have `reactive_var(start_s, seconds)`, of the same form, inductive positive.
    """

    def power_w(self, start_s: int, seconds: int) -> NDArray[np.float64]:
        """Active power of the UTC seconds `start_s` to `start_s + seconds - 1`, import positive.

        Shape (seconds,). The same second always has the same power.
        """


@dataclass(frozen=True, slots=True)
class ConstantLoad:
    """A load that never changes; export is negative, inductive positive."""

    active_w: float
    reactive_w: float = 0.0

    def power_w(self, start_s: int, seconds: int) -> NDArray[np.float64]:
        """`active_w`, `seconds` times."""
        return np.full(seconds, self.active_w)

    def reactive_var(self, start_s: int, seconds: int) -> NDArray[np.float64]:
        """The reactive power, `seconds` times."""
        return np.full(seconds, self.reactive_w)


class SyntheticMains(SampleSource):
    """Mains as in Great Britain with a load on it, seen through two noisy converters.

    Voltage wanders within 230-250 V and frequency within 49.8-50.2 Hz, both carry harmonics, each
    converter has noise of half a count (RMS). Every sample is a function of (seed, index) alone, so
    that any cut and any restart give the same samples. One second's active power is the load's.

    The waveforms of a second are two tables of one period, sampled at a phase that advances evenly:
    no sine is computed per sample.

    Args:
        rate_hz: Samples per second.
        seed: Chooses the wander and the noise.
        anchor_utc: When sample 0 is taken; a whole second.
        load: Who draws what.
        converter: What a count means.
        distortion: Third to seventh harmonics of the current, as a share of its active part. They
            stand at right angles to the voltage's and carry no power.
    """

    def __init__(
        self,
        *,
        rate_hz: int = 4000,
        seed: int,
        anchor_utc: datetime,
        load: Load,
        converter: Converter | None = None,
        distortion: float = 0.1,
    ) -> None:
        if not RATE_MIN_HZ <= rate_hz <= RATE_MAX_HZ:
            raise BlockError(f"The rate is {rate_hz} Hz, not 2,000 to 32,000 Hz.")
        if anchor_utc.tzinfo is None or anchor_utc.microsecond:
            raise BlockError("The anchor is a whole second of an aware time.")
        self.rate_hz = rate_hz
        self.anchor_utc = anchor_utc.astimezone(UTC)
        self.seed = seed
        self.load = load
        self.converter = converter or Converter()
        self._anchor_s = (self.anchor_utc - _EPOCH) // timedelta(seconds=1)
        rng = np.random.default_rng(seed)
        self._voltage_phases = rng.uniform(0, 2 * math.pi, len(_VOLTAGE_WANDER_V)).tolist()
        self._frequency_phases = rng.uniform(0, 2 * math.pi, len(_FREQUENCY_WANDER_HZ)).tolist()
        self._real = np.float32 if self.converter.bits == 16 else np.float64
        noise = rng.normal(0, 0.5, (2, _NOISE_SIZE))
        noise -= noise.mean(axis=1, keepdims=True)
        self._noise = np.concatenate([noise, noise[:, :rate_hz]], axis=1).astype(self._real)
        volt = 1 / (float(self.converter.voltage_mv_per_count) / 1000)
        ampere = 1 / (float(self.converter.current_ma_per_count) / 1000)
        self._voltage_shape = (_voltage_shape(_FINE_BITS) * volt).astype(self._real)
        in_phase = _voltage_shape(_COARSE_BITS)
        angle = _angles(_COARSE_BITS)
        lagging = -math.sqrt(2) * np.cos(angle) / _fundamental_share()
        harmonics = sum(a * np.cos(n * angle) for n, a in _CURRENT_HARMONICS)
        self._active_shape = ((in_phase + distortion * harmonics) * ampere).astype(self._real)
        self._reactive_shape = (lagging * ampere).astype(self._real)
        self._shape_peak = float(
            np.abs(self._active_shape).max() + np.abs(self._reactive_shape).max()
        )
        self._ramp = np.arange(rate_hz, dtype=np.uint32)
        self._phase = np.empty(rate_hz, np.uint32)
        self._place = np.empty(rate_hz, np.intp)
        self._wave = np.empty(rate_hz, self._real)
        self._cycle = np.empty(1 << _COARSE_BITS, self._real)
        self._scratch = np.empty(1 << _COARSE_BITS, self._real)
        self._made = -1
        self._made_v = np.empty(rate_hz, self.converter.dtype)
        self._made_i = np.empty(rate_hz, self.converter.dtype)

    def block(self, first_sample: int, count: int) -> SampleBlock:
        """The samples `first_sample` to `first_sample + count - 1`."""
        if first_sample < 0 or count < 0:
            raise SamplingError("Samples are counted from 0 on.")
        voltage = np.empty(count, self.converter.dtype)
        current = np.empty(count, self.converter.dtype)
        end = first_sample + count
        first = first_sample // self.rate_hz
        seconds = -(-end // self.rate_hz) - first
        powers = self._powers(first, seconds) if count else []
        for second, power in enumerate(powers, first):
            base = second * self.rate_hz
            a, b = max(first_sample, base), min(end, base + self.rate_hz)
            place = slice(a - first_sample, b - first_sample)
            if b - a == self.rate_hz:
                self._make(second, power, voltage[place], current[place])
                continue
            if second != self._made:
                self._make(second, power, self._made_v, self._made_i)
                self._made = second
            voltage[place] = self._made_v[a - base : b - base]
            current[place] = self._made_i[a - base : b - base]
        return SampleBlock(voltage, current, first_sample, self.rate_hz, self.anchor_utc)

    def voltage_rms_v(self, second: int) -> float:
        """The voltage of the `second`-th second after the anchor."""
        wander = zip(_VOLTAGE_WANDER_V, self._voltage_phases, strict=True)
        return _VOLTAGE_MEAN_V + sum(
            a * math.sin(2 * math.pi * (second / t) + p) for (a, t), p in wander
        )

    def frequency_hz(self, second: int) -> float:
        """The mean frequency of the `second`-th second after the anchor."""
        return 50 + self._turns(second + 1) - self._turns(second)

    def _turns(self, second: int) -> float:
        """Cycles run ahead of 50 Hz at the start of a second: the integral of the wander."""
        wander = zip(_FREQUENCY_WANDER_HZ, self._frequency_phases, strict=True)
        return sum(
            a * t / (2 * math.pi) * (math.cos(p) - math.cos(2 * math.pi * (second / t) + p))
            for (a, t), p in wander
        )

    def _powers(self, first: int, seconds: int) -> list[tuple[float, float]]:
        start_s = self._anchor_s + first
        active = self.load.power_w(start_s, seconds).tolist()
        reactive_of = getattr(self.load, "reactive_var", None)
        reactive = (
            [0.0] * seconds if reactive_of is None else reactive_of(start_s, seconds).tolist()
        )
        return list(zip(active, reactive, strict=True))

    def _make(
        self, second: int, power: tuple[float, float], voltage: NDArray, current: NDArray
    ) -> None:
        """One whole second of samples, into `voltage` and `current`."""
        volt = self.voltage_rms_v(second)
        turns = self._turns(second)
        step = (50 + self._turns(second + 1) - turns) / self.rate_hz
        np.multiply(self._ramp, np.uint32(round(step * 2**32)), out=self._phase)
        np.add(self._phase, np.uint32(int(turns % 1 * 2**32)), out=self._phase)
        noise_v = ((second * 2_654_435_761) ^ (self.seed * 40_503)) % _NOISE_SIZE
        noise_i = (noise_v * 25_173 + 13_849) % _NOISE_SIZE

        np.right_shift(self._phase, 32 - _FINE_BITS, out=self._place, casting="unsafe")
        np.take(self._voltage_shape, self._place, out=self._wave, mode="clip")
        np.multiply(self._wave, self._real(volt), out=self._wave)
        np.add(self._wave, self._noise[0, noise_v : noise_v + self.rate_hz], out=self._wave)
        self._convert(voltage, clip=False)

        active_a, reactive_a = power[0] / volt, power[1] / volt
        np.multiply(self._active_shape, self._real(active_a), out=self._cycle)
        if reactive_a:
            np.multiply(self._reactive_shape, self._real(reactive_a), out=self._scratch)
            np.add(self._cycle, self._scratch, out=self._cycle)
        np.right_shift(self._phase, 32 - _COARSE_BITS, out=self._place, casting="unsafe")
        np.take(self._cycle, self._place, out=self._wave, mode="clip")
        np.add(self._wave, self._noise[1, noise_i : noise_i + self.rate_hz], out=self._wave)
        peak = (abs(active_a) + abs(reactive_a)) * self._shape_peak
        self._convert(current, clip=peak > self.converter.full_scale_count - 8)

    def _convert(self, counts: NDArray, *, clip: bool) -> None:
        """Round `_wave` into `counts` as the converter would."""
        if clip:
            full_scale = self.converter.full_scale_count
            np.clip(self._wave, -full_scale, full_scale - 1, out=self._wave)
        if self.converter.bits == 16:
            np.add(self._wave, _ROUNDING_F32, out=self._wave)
            counts[:] = self._wave.view(np.int16)[::2]
        else:
            np.rint(self._wave, out=self._wave)
            counts[:] = self._wave


def _angles(bits: int) -> NDArray[np.float64]:
    """The middles of 2^bits equal parts of a turn, in radians."""
    return (np.arange(1 << bits) + 0.5) * (2 * math.pi / (1 << bits))


def _fundamental_share() -> float:
    return 1 / math.sqrt(1 + sum(a * a for _, a in _VOLTAGE_HARMONICS))


def _voltage_shape(bits: int) -> NDArray[np.float64]:
    """One period of the voltage at an RMS of 1."""
    angle = _angles(bits)
    shape = np.sin(angle) + sum(a * np.sin(n * angle) for n, a in _VOLTAGE_HARMONICS)
    return shape * (math.sqrt(2) * _fundamental_share())
