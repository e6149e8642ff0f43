"""The compiled part of metrology: cycle ends, then exact integer sums over contiguous slices.

Everything numba compiles lives in this one file, the layout of its arrays included: numba's cache
looks only at the file a kernel stands in, so that a constant elsewhere could change unnoticed.
`advance` and `bound` are the entries and have explicit signatures, which type the rest.

Kernels work in place, allocate nothing and never see bad input: `Metrology` validates. All
arithmetic is int64, so that the sums do not depend on how the samples were cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numba import int16, int32, int64, njit, types

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Counts = NDArray[np.int16] | NDArray[np.int32]
    Wide = NDArray[np.int32]
    Row = NDArray[np.int64]
    # int64 when compiled; without the JIT, numpy.int64 or int as it comes.
    Int = Any

_Kernel = TypeVar("_Kernel", bound="Callable[..., Any]")

# One row per mains cycle: where it ends (absolute sample index, exclusive), its samples, raw sums
# (Q: voltage delayed by LAG samples), the period from crossing to crossing and as tracked (both in
# 1/65536 sample), FLAGS; then what follows: offsets removed, phase corrected, in count^2.
END, COUNT, SUM_V, SUM_I, SUM_VV, SUM_II, SUM_VI, SUM_QI, LAG = range(9)
LENGTH, PERIOD, FLAGS = range(9, 12)
SQUARE_V, SQUARE_I, ACTIVE, REACTIVE = range(12, 16)
CYCLE_COLUMNS = 16

# One row per UTC second.
SECOND, SAMPLES, CYCLES, PERIODS, TOTAL_VV, TOTAL_II = range(6)
IMPORT, EXPORT, TOTAL_REACTIVE, TOTAL_FLAGS = range(6, 10)
SECOND_COLUMNS = 10

# Carried from block to block: HELD samples in the tail (the first is sample BASE of the stream),
# the cycle under way begins at START (a place in the tail), the crossing there lies CROSSING beside
# it, TRACKED is the period (both in 1/65536 sample), OFFSET the voltage's mean in 1/256 count. ROWS
# is how many cycles the last call closed.
HELD, BASE, START, LOCK, CROSSING, TRACKED, OFFSET, ROWS, ANCHOR_S, ANCHOR_US = range(10)
STATE_SIZE = 10

# Values of LOCK: no sample seen yet, no crossing known, two crossings just found, following.
FRESH, LOST, FOUND, FOLLOWING = range(4)

# What a pipeline fixes when it is built.
RATE, NOMINAL, SHORTEST, LONGEST, BACK, ACQUIRE, SIGNAL = range(7)
STARTING, FULL_SCALE, DC_LIMIT, COSINE, SINE = range(7, 12)
LIMITS_SIZE = 12

# The last one, below the starting current, is only in a cycle's flags.
GAP, SATURATED, NO_SIGNAL, STUCK, DC, UNLOCKED, IDLE = (1 << bit for bit in range(7))
FLAGS_MASK = IDLE - 1

_ONE, _HALF_PI = 1 << 30, 1_686_629_713
_THIRD, _TWO_FIFTEENTHS = _ONE // 3, 2 * _ONE // 15

_i16, _i32 = types.Array(int16, 1, "C"), types.Array(int32, 1, "C")
_row, _table = types.Array(int64, 1, "C"), types.Array(int64, 2, "C")
_tail = types.Array(int32, 2, "C")


def _kernel(*signatures: Any, inline: bool = False) -> Callable[[_Kernel], _Kernel]:
    # No divisor is ever zero: numba need not look.
    compiled = njit(
        list(signatures) or None, cache=True, nogil=True, error_model="numpy", forceinline=inline
    )
    return cast("Callable[[_Kernel], _Kernel]", compiled)


@_kernel()
def _scaled(value: Int, factor_q30: Int) -> Int:
    """`value` x `factor_q30` / 2^30 without overflow for |value| < 2^59, |factor| <= 2^31."""
    high = value >> 28
    low = value - (high << 28)
    return (high * factor_q30 >> 2) + (low * factor_q30 >> 30)


@_kernel(inline=True)
def _rank(v: Counts, centre: Int, reach: Int, offset: Int, signal: Int) -> Int:
    """Where the voltage turns positive within `reach` of `centre`, or -1 where it does not.

    Counting the negative samples puts the crossing in the middle of whatever noise and harmonics
    make of the zero; the levels at both ends tell a crossing from noise and from a falling one.
    """
    part = v[centre - reach : centre + reach]
    size = 2 * reach
    if np.int64(part[0]) + np.int64(part[1]) > 2 * (offset - signal):
        return -1
    if np.int64(part[size - 2]) + np.int64(part[size - 1]) < 2 * (offset + signal):
        return -1
    negative = np.int64(0)
    for k in range(size):
        negative += np.int64(part[k]) < offset
    return centre - reach + negative


@_kernel()
def _crossing(v: Counts, end: Int, reach: Int, offset: Int) -> Int:
    """The crossing's place beside `end`, in 1/65536 sample, on the line across its surroundings."""
    before = np.int64(v[end - reach]) - offset
    after = np.int64(v[end + reach - 1]) - offset
    rise = after - before
    if rise <= 0:
        return -32768
    place = -32768 - (((after + before) * (2 * reach - 1) << 15) // rise)
    return min(max(place, -(reach << 16)), reach << 16)


@_kernel()
def _scan(v: Counts, first: Int, stop: Int, reach: Int, offset: Int, signal: Int) -> Int:
    """The first crossing near first..stop-1 when nothing is known about where it lies, or -1."""
    for centre in range(first, stop):
        end = _rank(v, centre, reach, offset, signal)
        if end >= 0:
            return end
    return -1


@_kernel()
def _acquire(v: Counts, state: Row, limits: Row) -> Int:
    """Without a known crossing, look for two. Returns where the stretch without cycles ends."""
    start = state[START]
    whole = limits[NOMINAL] >> 16
    half = whole >> 1
    reach = limits[NOMINAL] >> 19
    total = np.int64(0)
    for k in range(start, start + 3 * whole):
        total += np.int64(v[k])
    offset = total // (3 * whole)
    signal = limits[SIGNAL]
    first = _scan(v, start, start + whole + half, reach, offset, signal)
    if first < 0:
        return start + whole
    second = _scan(v, first + half, first + whole + half, reach, offset, signal)
    period = (second - first) << 16
    if second < 0 or period < limits[SHORTEST] or period > limits[LONGEST]:
        return start + whole
    begin = first if first >= start + reach else start
    state[OFFSET] = offset << 8
    state[TRACKED] = (second - begin) << 16
    state[CROSSING] = ((first - begin) << 16) + _crossing(v, first, max(reach >> 2, 1), offset)
    return begin


@_kernel()
def _sum(v: Counts, i: Counts, start: Int, end: Int, lag: Int, rows: Row, k: Int) -> None:
    """The raw sums of samples start..end-1. Slices, not offsets, let the loop vectorise."""
    a, b, c = v[start:end], i[start:end], v[start - lag : end - lag]
    sum_v = sum_i = np.int64(0)
    sum_vv = sum_ii = sum_vi = sum_qi = np.int64(0)
    for j in range(end - start):
        x = np.int64(a[j])
        y = np.int64(b[j])
        z = np.int64(c[j])
        sum_v += x
        sum_i += y
        sum_vv += x * x
        sum_ii += y * y
        sum_vi += x * y
        sum_qi += z * y
    rows[k, COUNT] = end - start
    rows[k, SUM_V] = sum_v
    rows[k, SUM_I] = sum_i
    rows[k, SUM_VV] = sum_vv
    rows[k, SUM_II] = sum_ii
    rows[k, SUM_VI] = sum_vi
    rows[k, SUM_QI] = sum_qi
    rows[k, LAG] = lag


@_kernel()
def _peak(x: Counts) -> Int:
    """The least bound for which all of `x` lies within -bound..bound-1."""
    low = x[0]
    high = x[0]
    for k in range(x.size):
        # min() and max() vectorise worse here.
        if x[k] < low:
            low = x[k]
        if x[k] > high:
            high = x[k]
    return max(np.int64(high) + 1, -np.int64(low))


@_kernel()
def _conclude(rows: Row, used: Int, limits: Row) -> None:
    """What follows from the sums: offsets removed, Q from the delayed voltage, faults."""
    for k in range(used):
        count = rows[k, COUNT]
        sum_v = rows[k, SUM_V]
        sum_i = rows[k, SUM_I]
        # Any whole number near the mean will do: what it leaves of the sum is accounted for.
        inverse = (1 << 32) // count + 1
        mean_v = (sum_v * inverse + (1 << 31)) >> 32
        mean_i = (sum_i * inverse + (1 << 31)) >> 32
        rest_v = sum_v - mean_v * count
        rest_i = sum_i - mean_i * count
        rows[k, SQUARE_V] = (
            rows[k, SUM_VV] - mean_v * (sum_v + rest_v) - (rest_v * rest_v * inverse >> 32)
        )
        rows[k, SQUARE_I] = (
            rows[k, SUM_II] - mean_i * (sum_i + rest_i) - (rest_i * rest_i * inverse >> 32)
        )
        offsets = mean_v * sum_i + rest_v * mean_i + (rest_v * rest_i * inverse >> 32)
        active = rows[k, SUM_VI] - offsets
        # The delayed voltage lags a quarter period less `error` radians: exact for a sine.
        period = rows[k, PERIOD]
        error = _HALF_PI * (period - (rows[k, LAG] << 18)) // period
        square = error * error >> 30
        tangent = square * (_THIRD + (square * _TWO_FIFTEENTHS >> 30)) >> 30
        tangent = error * (_ONE + tangent) >> 30
        secant = _ONE + (square >> 1) + (square * square >> 30) * 5 // 24
        reactive = _scaled(rows[k, SUM_QI] - offsets, secant) - _scaled(active, tangent)
        sine = limits[SINE]
        if sine != 0:
            cosine = limits[COSINE]
            turned = _scaled(active, cosine) + _scaled(reactive, sine)
            reactive = _scaled(reactive, cosine) - _scaled(active, sine)
            active = turned
        rows[k, ACTIVE] = active
        rows[k, REACTIVE] = reactive
        flags = rows[k, FLAGS]
        if 2 * rows[k, SQUARE_V] < limits[SIGNAL] * limits[SIGNAL] * count:
            flags = (flags | NO_SIGNAL) & ~UNLOCKED
        if rows[k, SQUARE_V] == 0 or (rows[k, SQUARE_I] == 0 and sum_i != 0):
            flags |= STUCK
        if flags & UNLOCKED == 0 and max(abs(mean_v), abs(mean_i)) > limits[DC_LIMIT]:
            flags |= DC
        if rows[k, SQUARE_I] < limits[STARTING] * count >> 8:
            flags |= IDLE
        rows[k, FLAGS] = flags


@_kernel()
def _seek(v: Counts, state: Row, limits: Row) -> Int:
    """Where the stretch at START ends, no crossing known; START to look again, -1 to wait."""
    start = state[START]
    lock = state[LOCK]
    end = np.int64(-1)
    if lock == FOUND:
        state[LOCK] = FOLLOWING
        end = start + (state[TRACKED] >> 16)
    elif start + limits[ACQUIRE] <= v.size:
        state[TRACKED] = 0
        end = _acquire(v, state, limits)
        state[LOCK] = FOUND if state[TRACKED] != 0 else LOST
        if lock == FRESH and state[LOCK] == FOUND:
            # What came before the first crossing is no cycle, and nothing is wrong with it.
            state[START] = end
    return end


@_kernel()
def _measure(v: Counts, i: Counts, stop: Int, state: Row, limits: Row, rows: Row) -> None:
    """Sum every cycle that begins before `stop` and whose end can be decided in these samples.

    A decision reads at most ACQUIRE samples from START on and BACK samples before it, and waits
    until they are there: that is why the cut of the samples does not matter.
    """
    full_scale = limits[FULL_SCALE]
    suspect = max(_peak(v), _peak(i)) >= full_scale
    while state[START] < stop:
        end = np.int64(-1)
        lock = state[LOCK]
        if lock == FOLLOWING:
            centre = state[START] + ((state[CROSSING] + state[TRACKED] + 32768) >> 16)
            reach = state[TRACKED] >> 19
            if centre + reach + (reach >> 2) + 1 > v.size:
                break
            end = _rank(v, centre, reach, state[OFFSET] >> 8, limits[SIGNAL])
        if end < 0:
            state[LOCK] = LOST if lock == FOLLOWING else lock
            end = _seek(v, state, limits)
            if end < 0:
                break
        start = state[START]
        if end == start:
            continue
        k = state[ROWS]
        period = limits[NOMINAL]
        flags = np.int64(UNLOCKED)
        if state[LOCK] == FOLLOWING:
            place = _crossing(v, end, max(state[TRACKED] >> 21, 1), state[OFFSET] >> 8)
            rows[k, LENGTH] = ((end - start) << 16) + place - state[CROSSING]
            period = rows[k, LENGTH]
            if lock == FOLLOWING:
                period = state[TRACKED] + ((period - state[TRACKED]) >> 2)
            period = min(max(period, limits[SHORTEST]), limits[LONGEST])
            state[TRACKED] = period
            state[CROSSING] = place
            flags = np.int64(0)
        if suspect and max(_peak(v[start:end]), _peak(i[start:end])) >= full_scale:
            flags |= SATURATED
        _sum(v, i, start, end, (period + (1 << 17)) >> 18, rows, k)
        if flags & UNLOCKED == 0:
            state[OFFSET] += ((rows[k, SUM_V] << 8) // rows[k, COUNT] - state[OFFSET]) >> 2
        rows[k, PERIOD] = period
        rows[k, FLAGS] = flags
        rows[k, END] = state[BASE] + end
        state[ROWS] += 1
        state[START] = end


@_kernel()
def _keep(tail: Wide, v: Counts, i: Counts, first: Int) -> None:
    """Make the samples from `first` on the tail (which may be where they already are)."""
    for k in range(first, v.size):
        tail[0, k - first] = v[k]
        tail[1, k - first] = i[k]


@_kernel()
def _fold(cycles: Row, state: Row, limits: Row, seconds: Row) -> Int:
    """Add up cycles by the UTC second of their last sample; returns how many seconds there are."""
    rate = limits[RATE]
    part = state[ANCHOR_US] * rate
    rows = 0
    until = np.int64(-1)
    for c in range(state[ROWS]):
        if cycles[c, END] > until:
            last = cycles[c, END] - 1
            whole = last // rate
            second = whole + ((last - whole * rate) * 1_000_000 + part) // (1_000_000 * rate)
            until = (second + 1) * rate - part // 1_000_000
            seconds[rows, :] = 0
            seconds[rows, SECOND] = state[ANCHOR_S] + second
            rows += 1
        t = rows - 1
        flags = cycles[c, FLAGS]
        seconds[t, SAMPLES] += cycles[c, COUNT]
        seconds[t, TOTAL_VV] += cycles[c, SQUARE_V]
        seconds[t, TOTAL_II] += cycles[c, SQUARE_I]
        seconds[t, TOTAL_FLAGS] |= flags & FLAGS_MASK
        if flags & (NO_SIGNAL | UNLOCKED) == 0:
            seconds[t, CYCLES] += 1
            seconds[t, PERIODS] += cycles[c, LENGTH]
        if flags & (NO_SIGNAL | UNLOCKED | IDLE) == 0:
            seconds[t, TOTAL_REACTIVE] += cycles[c, REACTIVE]
            seconds[t, IMPORT] += max(cycles[c, ACTIVE], 0)
            seconds[t, EXPORT] -= min(cycles[c, ACTIVE], 0)
    return rows


@_kernel(*(int64(a, a, int64, _tail, _row, _row, _table, _table) for a in (_i16, _i32)))
def advance(
    voltage: Counts,
    current: Counts,
    first_sample: Int,
    tail: Wide,
    state: Row,
    limits: Row,
    cycles: Row,
    seconds: Row,
) -> Int:
    """Measure a block that continues the tail; returns how many rows of `seconds` were filled.

    Cycles that reach back into the tail are measured on a stitched copy, all others in place.
    """
    size = voltage.size
    back = limits[BACK]
    held = state[HELD]
    length = min(held + size, tail.shape[1])
    for k in range(length - held):
        tail[0, held + k] = voltage[k]
        tail[1, held + k] = current[k]
    stitched_v = tail[0, :length]
    stitched_i = tail[1, :length]
    whole = length == held + size
    state[ROWS] = 0
    _measure(stitched_v, stitched_i, length if whole else held + back, state, limits, cycles)
    if whole:
        drop = max(state[START] - back, 0)
        _keep(tail, stitched_v, stitched_i, drop)
    else:
        length = size
        state[START] -= held
        state[BASE] = first_sample
        _measure(voltage, current, size, state, limits, cycles)
        drop = state[START] - back
        _keep(tail, voltage, current, drop)
    state[HELD] = length - drop
    state[BASE] += drop
    state[START] -= drop
    _conclude(cycles, state[ROWS], limits)
    return _fold(cycles, state, limits, seconds)


@_kernel(int64(_i32, _i32))
def bound(voltage: Counts, current: Counts) -> Int:
    """The least bound for which all counts lie within -bound..bound-1."""
    return max(_peak(voltage), _peak(current))
