"""Metrology as a textbook has it: floats, one cycle after the other, nothing clever."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class NaiveCycle:
    """What one cycle amounts to, in counts."""

    v_rms: float
    i_rms: float
    power: float


def naive_rises(voltage: list[float]) -> list[int]:
    """Where a clean voltage turns positive: a sample below the mean is followed by one above."""
    mean = math.fsum(voltage) / len(voltage)
    return [k for k in range(1, len(voltage)) if voltage[k - 1] < mean <= voltage[k]]


def naive_cycle(voltage: list[float], current: list[float]) -> NaiveCycle:
    """Root mean squares and active power of one cycle, each channel without its mean."""
    v, i = _without_mean(voltage), _without_mean(current)
    power = math.fsum(a * b for a, b in zip(v, i, strict=True)) / len(v)
    return NaiveCycle(_rms(v), _rms(i), power)


def _without_mean(values: list[float]) -> list[float]:
    mean = math.fsum(values) / len(values)
    return [value - mean for value in values]


def _rms(values: list[float]) -> float:
    return math.sqrt(math.fsum(value * value for value in values) / len(values))
