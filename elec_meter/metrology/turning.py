"""Compiled: a cycle's active and reactive power, turned by angles in 1/2^30 radian."""

from __future__ import annotations

from typing import Any

import numpy as np

from elec_meter.metrology.jit import kernel

# int64 when compiled; without the JIT, numpy.int64 or int as it comes.
Int = Any

_ONE, _HALF_PI = 1 << 30, 1_686_629_713


@kernel(inline=True)
def _scaled(value: Int, factor_q30: Int) -> Int:
    """`value` x `factor_q30` / 2^30 without overflow for |value| < 2^59, |factor| <= 2^31."""
    high = value >> 28
    low = value - (high << 28)
    return (high * factor_q30 >> 2) + (low * factor_q30 >> 30)


@kernel(inline=True)
def turned(
    active: Int, delayed: Int, lag: Int, period: Int, turn: tuple[Int, Int]
) -> tuple[Int, Int]:
    """Active and reactive from the sums with the voltage and with that of `lag` samples ago.

    What the latter lacks of a quarter period is undone as for a sine; both are then turned.
    """
    # A quotient of exact doubles is the same wherever it is computed.
    error = np.int64(np.float64(_HALF_PI * (period - (lag << 18))) / np.float64(period))
    square = error * error >> 30
    tangent = square * (_ONE // 3 + (square * (2 * _ONE // 15) >> 30)) >> 30
    tangent = error * (_ONE + tangent) >> 30
    secant = _ONE + (square >> 1) + (square * square >> 30) * 5 // 24
    reactive = _scaled(delayed, secant) - _scaled(active, tangent)
    cosine, sine = turn
    if sine == 0:
        return active, reactive
    turned = _scaled(active, cosine) + _scaled(reactive, sine)
    return turned, _scaled(reactive, cosine) - _scaled(active, sine)
