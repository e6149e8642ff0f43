"""Compiled: cycles added up by UTC second, each where its sign puts it, and booked as energy.

`fold` and `book` are the entries; their arrays have a meter per first index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import int64, none, types

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

# What a count^2 is worth: this ratio of millijoules.
NUMERATOR, DENOMINATOR = range(2)
GAIN_SIZE = 2

# Mean squares of voltage between which it is normal, count^2, at most 2^46.
LEAST, MOST = range(2)
NORMAL_SIZE = 2

# When the stream's samples were taken: per second, and sample 0 at this UTC time.
RATE, ANCHOR_S, ANCHOR_US = range(3)
TIMING_SIZE = 3

_row, _table = types.Array(int64, 1, "C"), types.Array(int64, 2, "C")
_tables = types.Array(int64, 3, "C")


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


@kernel(none(_tables, _row, _table, _table, _tables))
def book(seconds: Row, filled: Row, gains: Row, rests: Row, energies: Row) -> None:
    """Turn what registers into whole millijoules; what is left of each register is carried.

    No intermediate exceeds int64: `Booking` sees to that.
    """
    for m in range(filled.size):
        numerator, denominator = gains[m, NUMERATOR], gains[m, DENOMINATOR]
        for t in range(filled[m]):
            for r in range(REGISTERS):
                count = seconds[m, t, IMPORT + r]
                energies[m, t, r] = 0
                if count != 0:
                    whole = count // denominator
                    product = (count - whole * denominator) * numerator + rests[m, r]
                    more = product // denominator
                    rests[m, r] = product - more * denominator
                    energies[m, t, r] = whole * numerator + more
