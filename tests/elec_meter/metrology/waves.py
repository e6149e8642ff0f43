"""Waveforms with a known truth, for tests: a sine per sample, slow and obvious."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elec_meter.metrology import Calibration, Measurement, Metrology, kernels
from elec_meter.sampling import Converter, SampleBlock

ANCHOR = datetime(2024, 1, 1, tzinfo=UTC)
Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Wave:
    """A voltage and a current; harmonics are (order, share of the fundamental, phase in radians).

    Attributes:
        lag_rad: By how much the current lags the voltage; more than a quarter turn is export.
    """

    voltage_v: float = 230.0
    current_a: float = 10.0
    lag_rad: float = 0.0
    frequency_hz: float = 50.0
    voltage_harmonics: tuple[tuple[int, float, float], ...] = ()
    current_harmonics: tuple[tuple[int, float, float], ...] = ()
    rate_hz: int = 4000
    seconds: float = 2.0
    converter: Converter = field(default_factory=Converter)
    noise: float = 0.5
    offset_v: float = 0.0
    offset_a: float = 0.0
    begin_rad: float = 0.0

    @property
    def angle(self) -> Reals:
        """The fundamental's phase at each sample."""
        samples = np.arange(round(self.seconds * self.rate_hz))
        turn = 2 * math.pi * self.frequency_hz / self.rate_hz
        return self.begin_rad + samples * turn

    def volts(self) -> Reals:
        """Instantaneous voltage."""
        shape = _shape(self.angle, self.voltage_harmonics)
        return self.offset_v + math.sqrt(2) * self.voltage_v * shape

    def amperes(self) -> Reals:
        """Instantaneous current."""
        shape = _shape(self.angle - self.lag_rad, self.current_harmonics)
        return self.offset_a + math.sqrt(2) * self.current_a * shape

    def block(self, seed: int = 1) -> SampleBlock:
        """Both as counts, noise added."""
        return sampled(self.volts(), self.amperes(), self, seed)

    @property
    def power_w(self) -> float:
        """True active power, of the fundamental and of all harmonics that both have."""
        power = math.cos(self.lag_rad)
        currents = {order: (share, phase) for order, share, phase in self.current_harmonics}
        for order, share, phase in self.voltage_harmonics:
            other, angle = currents.get(order, (0.0, 0.0))
            power += share * other * math.cos(phase + order * self.lag_rad - angle)
        return self.voltage_v * self.current_a * power


def _shape(angle: Reals, harmonics: tuple[tuple[int, float, float], ...]) -> Reals:
    shape = np.sin(angle)
    for order, share, phase in harmonics:
        shape = shape + share * np.sin(order * angle + phase)
    return shape


def sampled(volts: Reals, amperes: Reals, wave: Wave, seed: int = 1) -> SampleBlock:
    """What the wave's converter makes of any volts and amperes."""
    rng = np.random.default_rng(seed)
    converter = wave.converter
    full_scale = converter.full_scale_count
    counts = []
    for values, gain in (
        (volts, converter.voltage_mv_per_count),
        (amperes, converter.current_ma_per_count),
    ):
        exact = values * (1000 / float(gain)) + rng.normal(0, wave.noise, values.size)
        clipped = np.clip(np.rint(exact), -full_scale, full_scale - 1)
        counts.append(clipped.astype(converter.dtype))
    return SampleBlock(counts[0], counts[1], 0, wave.rate_hz, ANCHOR)


def metrology_for(wave: Wave, **settings: Any) -> Metrology:
    """A pipeline calibrated for the wave's converter."""
    calibration = Calibration.for_converter(wave.converter, **settings)
    return Metrology(calibration, rate_hz=wave.rate_hz)


def parts(block: SampleBlock, sizes: Iterable[int]) -> Iterator[SampleBlock]:
    """The same samples in blocks of the given sizes, the rest as one block."""
    at = 0
    for size in [*sizes, len(block)]:
        end = min(at + size, len(block))
        yield SampleBlock(
            block.voltage[at:end],
            block.current[at:end],
            block.first_sample + at,
            block.rate_hz,
            block.anchor_utc,
        )
        at = end


def energies(measurements: Iterable[Measurement]) -> dict[int, tuple[int, ...]]:
    """Import, export and the four quadrants of each second, its parts added up."""
    seconds: dict[int, tuple[int, ...]] = {}
    for measurement in measurements:
        active = np.stack([measurement.import_mj, measurement.export_mj], axis=1)
        registers = np.concatenate([active, measurement.reactive_mvars], axis=1)
        rows = zip(measurement.second_s.tolist(), registers.tolist(), strict=True)
        for second, added in rows:
            before = seconds.get(second, (0,) * 6)
            seconds[second] = tuple(a + b for a, b in zip(before, added, strict=True))
    return seconds


def mean_power_w(metrology: Metrology, block: SampleBlock) -> float:
    """Net energy registered for a block, over the duration of the cycles in it."""
    measurement = metrology.process(block)
    energy_mj = int(measurement.import_mj.sum()) - int(measurement.export_mj.sum())
    samples = int(metrology.cycles[:, kernels.COUNT].sum())
    return energy_mj / 1000 * block.rate_hz / samples
