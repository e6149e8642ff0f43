"""A mains supply and a load that exist in numbers only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from elec_meter.sampling.block import RATE_MAX_HZ, RATE_MIN_HZ, SampleBlock
from elec_meter.sampling.converter import Converter
from elec_meter.sampling.errors import BlockError, SamplingError
from elec_meter.sampling.source import SampleSource
from shared.timegrid import unix_s

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Counts = NDArray[np.int16] | NDArray[np.int32]

_NOMINAL_HZ = 50
_VOLTAGE_MEAN_V = 240.0
# (amplitude, period in seconds): a day, a feeder's evening, its neighbours, their kettles: 9.5 V.
_VOLTAGE_WANDER_V = ((5.0, 86_400.0), (2.5, 5_400.0), (1.5, 610.0), (0.5, 47.0))
# Sum 0.18 Hz: the grid stays within 49.8-50.2 Hz.
_FREQUENCY_WANDER_HZ = ((0.08, 3_600.0), (0.06, 430.0), (0.04, 73.0))
_VOLTAGE_HARMONICS = ((3, 0.010), (5, 0.020), (7, 0.008))
_CURRENT_HARMONICS = ((3, 0.85), (5, 0.50), (7, 0.15))
_FINE_BITS = 16
_COARSE_BITS = 12
# Periods without a common factor: the two together repeat after half an hour.
_NOISE_SECONDS = 43
_BATCH_SAMPLES = 1 << 16
# The fundamental's share in the voltage.
_FUNDAMENTAL = 1 / math.sqrt(1 + sum(share**2 for _, share in _VOLTAGE_HARMONICS))


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
    inductive_var: float = 0.0

    def power_w(self, start_s: int, seconds: int) -> NDArray[np.float64]:  # noqa: ARG002 - every Load takes it
        """`active_w`, `seconds` times."""
        return np.full(seconds, self.active_w)

    def reactive_var(self, start_s: int, seconds: int) -> NDArray[np.float64]:  # noqa: ARG002 - likewise a Load
        """The reactive power, `seconds` times."""
        return np.full(seconds, self.inductive_var)


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
            raise BlockError(f"the rate is {rate_hz} Hz, not 2,000 to 32,000 Hz")
        if anchor_utc.tzinfo is None or anchor_utc.microsecond:
            raise BlockError("the anchor is a whole second of an aware time")
        self.rate_hz = rate_hz
        self.anchor_utc = anchor_utc.astimezone(UTC)
        self.seed = seed
        self.load = load
        self.converter = converter or Converter()
        self._anchor_s = unix_s(anchor_utc)
        self._batch = max(1, _BATCH_SAMPLES // rate_hz)
        self._made = -1
        self._made_v = np.empty((1, rate_hz), self.converter.dtype)
        self._made_i = np.empty((1, rate_hz), self.converter.dtype)
        self._prepare_shapes(distortion)
        rng = np.random.default_rng(seed)
        self._voltage_wander = _with_phases(_VOLTAGE_WANDER_V, rng)
        self._frequency_wander = _with_phases(_FREQUENCY_WANDER_HZ, rng)
        self._noise_v = self._noise(rng, _NOISE_SECONDS)
        self._noise_i = self._noise(rng, _NOISE_SECONDS - 1)

    def _prepare_shapes(self, distortion: float) -> None:
        """One period of each waveform, in counts per volt or ampere, and room to work in."""
        self._real = np.float32 if self.converter.bits == 16 else np.float64
        volt = 1000 / float(self.converter.voltage_mv_per_count)
        ampere = 1000 / float(self.converter.current_ma_per_count)
        angle = _angles(_COARSE_BITS)
        harmonics = sum(share * np.cos(n * angle) for n, share in _CURRENT_HARMONICS)
        active = (_voltage_shape(_COARSE_BITS) + distortion * harmonics) * ampere
        reactive = np.cos(angle) * (-math.sqrt(2) / _FUNDAMENTAL * ampere)
        self._voltage_shape = (_voltage_shape(_FINE_BITS) * volt).astype(self._real)
        self._active_shape = active.astype(self._real)
        self._reactive_shape = reactive.astype(self._real)
        self._peak = float(np.abs(active).max() + np.abs(reactive).max())
        self._cycle = np.empty((self._batch, 1 << _COARSE_BITS), self._real)
        self._part = np.empty_like(self._cycle)
        self._cycle_start = np.arange(self._batch, dtype=np.intp).reshape(-1, 1) << _COARSE_BITS
        self._ramp = np.arange(self.rate_hz, dtype=np.uint32)
        self._phase = np.empty((self._batch, self.rate_hz), np.uint32)
        self._place = np.empty((self._batch, self.rate_hz), np.intp)
        self._wave = np.empty((self._batch, self.rate_hz), self._real)

    def _noise(self, rng: np.random.Generator, seconds: int) -> NDArray[Any]:
        """Noise without a mean, one second per row; the last rows repeat the first ones."""
        noise = rng.normal(0, 0.5, (seconds, self.rate_hz))
        noise -= noise.mean()
        return np.concatenate([noise, noise[: self._batch]]).astype(self._real)

    def block(self, first_sample: int, count: int) -> SampleBlock:
        """The samples `first_sample` to `first_sample + count - 1`."""
        if first_sample < 0 or count < 0:
            raise SamplingError("samples are counted from 0 on")
        voltage = np.empty(count, self.converter.dtype)
        current = np.empty(count, self.converter.dtype)
        end = first_sample + count
        rate = self.rate_hz
        whole = -(-first_sample // rate)
        until = max(end // rate, whole)
        if first_sample < whole * rate:
            self._copy_part(whole - 1, first_sample, voltage, current)
        for first in range(whole, until, self._batch):
            many = min(self._batch, until - first)
            place = slice(first * rate - first_sample, (first + many) * rate - first_sample)
            shape = (many, rate)
            self._make(first, voltage[place].reshape(shape), current[place].reshape(shape))
        if end > until * rate:
            self._copy_part(until, first_sample, voltage, current)
        return SampleBlock(voltage, current, first_sample, rate, self.anchor_utc)

    def _copy_part(
        self, second: int, first_sample: int, voltage: _Counts, current: _Counts
    ) -> None:
        """What a block that begins at `first_sample` has of a second that is not wholly in it."""
        if second != self._made:
            self._make(second, self._made_v, self._made_i)
            self._made = second
        begin = second * self.rate_hz
        a = max(first_sample, begin)
        b = min(first_sample + voltage.size, begin + self.rate_hz)
        voltage[a - first_sample : b - first_sample] = self._made_v[0, a - begin : b - begin]
        current[a - first_sample : b - first_sample] = self._made_i[0, a - begin : b - begin]

    def voltage_rms_v(self, second: int) -> float:
        """The voltage of the `second`-th second after the anchor."""
        volt = _VOLTAGE_MEAN_V
        for (amplitude, period), phase in self._voltage_wander:
            volt += amplitude * math.sin(second / period + phase)
        return volt

    def frequency_hz(self, second: int) -> float:
        """The mean frequency of the `second`-th second after the anchor."""
        return _NOMINAL_HZ + self._turns(second + 1) - self._turns(second)

    def _turns(self, second: int) -> float:
        """Turns run ahead of 50 Hz at the start of a second: the integral of the wander."""
        turns = 0.0
        for (amplitude, period), phase in self._frequency_wander:
            turns -= amplitude * period * math.cos(second / period + phase)
        return turns

    def _make(self, first: int, voltage: _Counts, current: _Counts) -> None:
        """Whole seconds of samples from second `first` on, one per row."""
        many = voltage.shape[0]
        phase, place, wave = self._phase[:many], self._place[:many], self._wave[:many]
        volts, start, step = self._wander(first, many)
        np.multiply(self._ramp, step, out=phase)
        np.add(phase, start, out=phase)
        np.right_shift(phase, np.uint32(32 - _FINE_BITS), out=phase)
        np.copyto(place, phase)
        np.take(self._voltage_shape, place, out=wave, mode="clip")
        np.multiply(wave, volts.astype(self._real), out=wave)
        row = first % (len(self._noise_v) - self._batch)
        np.add(wave, self._noise_v[row : row + many], out=wave)
        np.rint(wave, out=wave)
        np.copyto(voltage, wave, casting="unsafe")

        peak = self._cycles_of(first, volts)
        np.right_shift(place, _FINE_BITS - _COARSE_BITS, out=place)
        np.add(place, self._cycle_start[:many], out=place)
        np.take(self._cycle, place, out=wave, mode="clip")
        row = first % (len(self._noise_i) - self._batch)
        np.add(wave, self._noise_i[row : row + many], out=wave)
        np.rint(wave, out=wave)
        full_scale = self.converter.full_scale_count
        if peak > full_scale - 8:
            np.clip(wave, -full_scale, full_scale - 1, out=wave)
        np.copyto(current, wave, casting="unsafe")

    def _wander(
        self, first: int, many: int
    ) -> tuple[NDArray[np.float64], NDArray[np.uint32], NDArray[np.uint32]]:
        """Voltage, phase at the start and step per sample (both in 2^-32 turn) of each second."""
        volts, start, step = [], [], []
        after = self._turns(first)
        for second in range(first, first + many):
            turns, after = after, self._turns(second + 1)
            volts.append(self.voltage_rms_v(second))
            start.append(int(turns % 1 * 2**32))
            step.append(round((_NOMINAL_HZ + after - turns) / self.rate_hz * 2**32))
        column = (many, 1)
        return (
            np.array(volts).reshape(column),
            np.array(start, np.uint32).reshape(column),
            np.array(step, np.uint32).reshape(column),
        )

    def _cycles_of(self, first: int, volts: NDArray[np.float64]) -> float:
        """Fill `_cycle` with one period of current per second; returns a bound of its peak."""
        many = len(volts)
        start_s = self._anchor_s + first
        active = self.load.power_w(start_s, many).reshape(many, 1) / volts
        cycle = self._cycle[:many]
        np.multiply(self._active_shape, active.astype(self._real), out=cycle)
        peak = float(np.abs(active).max())
        reactive_of = getattr(self.load, "reactive_var", None)
        if reactive_of is not None:
            reactive = reactive_of(start_s, many).reshape(many, 1) / volts
            np.multiply(self._reactive_shape, reactive.astype(self._real), out=self._part[:many])
            np.add(cycle, self._part[:many], out=cycle)
            peak += float(np.abs(reactive).max())
        return peak * self._peak


def _angles(bits: int) -> NDArray[np.float64]:
    """The middles of 2^bits equal parts of a turn, in radians."""
    turn = np.linspace(0, 2 * math.pi, 1 << bits, endpoint=False)
    return turn + math.pi / (1 << bits)


def _voltage_shape(bits: int) -> NDArray[np.float64]:
    """One period of the voltage at an RMS of 1."""
    angle = _angles(bits)
    shape: NDArray[np.float64] = np.sin(angle)
    for n, share in _VOLTAGE_HARMONICS:
        shape += share * np.sin(n * angle)
    shape *= math.sqrt(2) * _FUNDAMENTAL
    return shape


def _with_phases(
    wander: tuple[tuple[float, float], ...], rng: np.random.Generator
) -> list[tuple[tuple[float, float], float]]:
    """Amplitude, period in seconds per radian, and a phase by chance."""
    phases = rng.uniform(0, 2 * math.pi, len(wander)).tolist()
    return [((a, t / (2 * math.pi)), phase) for (a, t), phase in zip(wander, phases, strict=True)]
