"""Metrology as a textbook has it: floats and fractions, one cycle after the other."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class NaiveCycle:
    """What one cycle amounts to, in counts."""

    v_rms: float
    i_rms: float
    power: float
    reactive: float


def naive_rises(voltage: list[float], zero: float) -> list[int]:
    """Where a clean voltage turns positive: a sample below its zero is followed by one above."""
    return [k for k in range(1, len(voltage)) if voltage[k - 1] < zero <= voltage[k]]


def naive_cycle(
    voltage: list[float], current: list[float], first: int, end: int, period: float
) -> NaiveCycle:
    """Root mean squares, active and reactive power of samples first..end-1, less their means.

    Reactive is the mean product with the voltage of a quarter period ago, to the nearest sample and
    less the same mean; what is lacking of the quarter is turned back.
    """
    lag = math.floor(period / 4 + 0.5)
    v, i = _without_mean(voltage[first:end]), _without_mean(current[first:end])
    power = math.fsum(a * b for a, b in zip(v, i, strict=True)) / len(v)
    mean = math.fsum(voltage[first:end]) / len(v)
    before = [value - mean for value in voltage[first - lag : end - lag]]
    delayed = math.fsum(a * b for a, b in zip(before, current[first:end], strict=True)) / len(v)
    error = math.tau * (period / 4 - lag) / period
    reactive = delayed / math.cos(error) - power * math.tan(error)
    return NaiveCycle(_rms(v), _rms(i), power, reactive)


def naive_registers(
    cycles: Iterable[tuple[int, int, int]], gain: Fraction, rate_hz: int, anchor_s: Fraction
) -> dict[int, list[int]]:
    """What import, export and quadrants I to IV register in each UTC second, in whole units.

    Args:
        cycles: sample after the last one, active and reactive, of cycles that register.
        gain: units to a count^2.
        rate_hz: samples per second.
        anchor_s: when sample 0 was taken.
    """
    exact = [Fraction(0)] * 6
    told = [0] * 6
    seconds: dict[int, list[int]] = {}
    for end, active, reactive in cycles:
        second = math.floor(anchor_s + Fraction(end - 1, rate_hz))
        is_import, is_positive = active >= 0, reactive >= 0
        quadrant = (2 if is_positive else 5) if is_import else (3 if is_positive else 4)
        exact[0 if is_import else 1] += abs(active) * gain
        exact[quadrant] += abs(reactive) * gain
        whole = [math.floor(each) for each in exact]
        row = seconds.setdefault(second, [0] * 6)
        seconds[second] = [a + b - c for a, b, c in zip(row, whole, told, strict=True)]
        told = whole
    return seconds


def _without_mean(values: list[float]) -> list[float]:
    mean = math.fsum(values) / len(values)
    return [value - mean for value in values]


def _rms(values: list[float]) -> float:
    return math.sqrt(math.fsum(value * value for value in values) / len(values))
