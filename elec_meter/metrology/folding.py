"""Compiled: cycles added up by UTC second, each where its sign puts it, and booked as energy.

`fold` and `book` are the entries; their arrays have a meter per first index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import float64, int64, none, types

from elec_meter.metrology.jit import kernel
from elec_meter.metrology.kernels import (
    ACTIVE,
    COUNT,
    END,
    FLAGS,
    IDLE,
    LENGTH,
    NO_SIGNAL,
    REACTIVE,
    SQUARE_I,
    SQUARE_V,
    UNLOCKED,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Row = NDArray[np.int64]
    Reals = NDArray[np.float64]
    # int64 when compiled; without the JIT, numpy.int64 or int as it comes.
    Int = Any

FLAGS_MASK = IDLE - 1

# One row per UTC second; ABNORMAL is how many cycles had a voltage outside of what is normal. What
# registers stands together: import, export, and reactive in the quadrants I to IV, none of them
# negative.
SECOND, SAMPLES, CYCLES, PERIODS, TOTAL_VV, TOTAL_II, TOTAL_FLAGS, ABNORMAL = range(8)
IMPORT, EXPORT, QUADRANT_1, QUADRANT_2, QUADRANT_3, QUADRANT_4 = range(8, 14)
SECOND_COLUMNS = 14
REGISTERS = SECOND_COLUMNS - IMPORT

# What a count^2 is worth: this ratio of millijoules. Its terms, and what is left of registers, are
# digits of LIMB_BITS bits, the lowest first; of a negative number the highest has its top bit set.
NUMERATOR, DENOMINATOR = range(2)
LIMB_BITS = 30
_LIMB = (1 << LIMB_BITS) - 1

# Mean squares of voltage between which it is normal, count^2, at most 2^46.
LEAST, MOST = range(2)

# When the stream's samples were taken: per second, and sample 0 at this UTC time.
RATE, ANCHOR_S, ANCHOR_US = range(3)
TIMING_SIZE = 3

_row, _tables = types.Array(int64, 1, "C"), types.Array(int64, 3, "C")
_gains = types.Array(float64, 1, "C")


# Given numbers only: a row of an array would be counted for each cycle, by atomic operations.
@kernel(inline=True)
def _places(active: Int, reactive: Int) -> tuple[Int, Int]:
    """Where one cycle's signs put its energies (the quadrants of IEC 62053-23, annex C)."""
    if active >= 0:
        return IMPORT, QUADRANT_1 if reactive >= 0 else QUADRANT_4
    return EXPORT, QUADRANT_2 if reactive >= 0 else QUADRANT_3


@kernel()
def _fold(
    cycles: Row, first: Int, used: Int, timing: Row, normal: Row, seconds: Row, rows: Int
) -> Int:
    """Add up one meter's cycles first..used-1; returns how many seconds there are."""
    rate, least, most = timing[RATE], normal[LEAST], normal[MOST]
    part = timing[ANCHOR_US] * rate
    until = np.int64(-1)
    if rows:
        second = seconds[rows - 1, SECOND] - timing[ANCHOR_S]
        until = (second + 1) * rate - part // 1_000_000
    for c in range(first, used):
        if cycles[c, END] > until:
            last = cycles[c, END] - 1
            whole = last // rate
            second = whole + ((last - whole * rate) * 1_000_000 + part) // (1_000_000 * rate)
            until = (second + 1) * rate - part // 1_000_000
            seconds[rows, :] = 0
            seconds[rows, SECOND] = timing[ANCHOR_S] + second
            rows += 1
        t = rows - 1
        flags = cycles[c, FLAGS]
        count, square_v = cycles[c, COUNT], cycles[c, SQUARE_V]
        seconds[t, SAMPLES] += count
        seconds[t, TOTAL_VV] += square_v
        seconds[t, ABNORMAL] += (square_v < least * count) | (square_v > most * count)
        seconds[t, TOTAL_II] += cycles[c, SQUARE_I]
        seconds[t, TOTAL_FLAGS] |= flags & FLAGS_MASK
        if flags & (NO_SIGNAL | UNLOCKED) == 0:
            seconds[t, CYCLES] += 1
            seconds[t, PERIODS] += cycles[c, LENGTH]
        if flags & (NO_SIGNAL | IDLE) == 0:
            active, reactive = cycles[c, ACTIVE], cycles[c, REACTIVE]
            side, quadrant = _places(active, reactive)
            seconds[t, side] += abs(active)
            seconds[t, quadrant] += abs(reactive)
    return rows


@kernel(none(_tables, _row, _row, _row, _row, _tables, _row))
def fold(
    cycles: Row, first: Row, used: Row, timing: Row, normal: Row, seconds: Row, filled: Row
) -> None:
    """Add up each meter's cycles `first` to `used` - 1 by the UTC second of their last sample.

    `filled` tells how many rows of `seconds` each meter has, before and then.
    """
    for m in range(used.size):
        filled[m] = _fold(cycles[m], first[m], used[m], timing, normal, seconds[m], filled[m])


@kernel(inline=True)
def _left(rests: Row, m: Int, r: Int, terms: Row, square: Int, energy: Int) -> Int:
    """What is left of a register once `square` came in and `energy` was taken; its highest digit.

    What lies beyond that digit is dropped: right is what fits, and what `book` ends with does. Two
    products of digits and what is carried are less than 2^62.
    """
    s0, s1, s2 = square & _LIMB, square >> LIMB_BITS & _LIMB, square >> 2 * LIMB_BITS
    e0, e1, e2 = energy & _LIMB, energy >> LIMB_BITS & _LIMB, energy >> 2 * LIMB_BITS
    total = n1 = n2 = d1 = d2 = digit = np.int64(0)
    for k in range(rests.shape[2]):
        n0, d0 = terms[m, NUMERATOR, k], terms[m, DENOMINATOR, k]
        total += rests[m, r, k] + (s0 * n0 - e0 * d0) + (s1 * n1 - e1 * d1) + (s2 * n2 - e2 * d2)
        digit = total & _LIMB
        rests[m, r, k] = digit
        total >>= LIMB_BITS
        n1, n2, d1, d2 = n0, n1, d0, d1
    return digit


@kernel(none(_tables, _row, _tables, _gains, _tables, _tables))
def book(seconds: Row, filled: Row, terms: Row, gains: Reals, rests: Row, energies: Row) -> None:
    """Turn what registers into whole millijoules; what is left of each register is carried.

    `gains` are the ratios of the terms, rounded: with them energy is guessed, to be put right until
    what is left is at least nothing and less than a millijoule. So it is exact whatever they are.
    """
    # Of the highest digit; at or above it, what is left is negative.
    sign, nothing, one = np.int64(1 << (LIMB_BITS - 1)), np.int64(0), np.int64(1)
    for m in range(filled.size):
        for t in range(filled[m]):
            for r in range(REGISTERS):
                square = seconds[m, t, IMPORT + r]
                energy = np.int64(0)
                if square != 0:
                    # One more than guessed is mostly one too many, and seldom more.
                    energy = np.int64(np.float64(square) * gains[m]) + 1
                    left = _left(rests, m, r, terms, square, energy)
                    while left < sign:
                        energy += 1
                        left = _left(rests, m, r, terms, nothing, one)
                    while left >= sign:
                        energy -= 1
                        left = _left(rests, m, r, terms, nothing, -one)
                energies[m, t, r] = energy
