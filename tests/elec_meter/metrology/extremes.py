"""Samples as large as converters have them, and more cycles than mains has."""

from __future__ import annotations

from typing import Any

import numpy as np

from elec_meter.metrology import Calibration
from elec_meter.metrology.bounds import COUNT_BOUND
from elec_meter.sampling import SampleBlock
from elec_meter.sampling.block import RATE_MAX_HZ

from .waves import ANCHOR, Wave, sampled

RATE_HZ = RATE_MAX_HZ

# For how many samples voltage and current lie around which share of full scale, and by how much
# they go to and fro.
Piece = tuple[int, float, float, float]


def wide_calibration(phase_urad: int, offset_uw: int = 0) -> Calibration:
    """Of the widest converters, with gains that a meter's configuration may have."""
    return Calibration.from_integers(
        bits=24,
        voltage_pv_per_count=2000 * 10**12 // COUNT_BOUND,
        current_pa_per_count=150 * 10**12 // COUNT_BOUND,
        phase_urad=phase_urad,
        power_offset_uw=offset_uw,
        reactive_offset_uvar=offset_uw,
    )


def wide_block(pieces: list[Piece], frequency_hz: float, first_sample: int = 0) -> SampleBlock:
    """The pieces one after the other, as far as 24 bits go."""
    channels: list[list[Any]] = [[], []]
    for size, voltage, current, ripple in pieces:
        wave = ripple * np.sin(np.arange(size) * (2 * np.pi * frequency_hz / RATE_HZ))
        for parts, level in zip(channels, (voltage, current), strict=True):
            exact = (level + wave) * COUNT_BOUND
            parts.append(np.clip(exact, -COUNT_BOUND, COUNT_BOUND - 1).astype(np.int32))
    counts = [np.concatenate(parts) for parts in channels]
    return SampleBlock(counts[0], counts[1], first_sample, RATE_HZ, ANCHOR)


def fast_block() -> SampleBlock:
    """Mains that goes from 60 Hz to 76 Hz, which is followed farther than it would be found."""
    wave = Wave(seconds=2.5)
    frequency_hz = np.minimum(60.0 + np.arange(wave.angle.size) / 60, 76.0)
    angle = np.cumsum(2 * np.pi * frequency_hz / wave.rate_hz)
    return sampled(325.0 * np.sin(angle), 14.0 * np.sin(angle), wave)
