"""Compiled: cycle ends, then exact integer sums over contiguous slices.

Each file that numba compiles stands alone, the layout of its arrays included: numba's cache looks
only at the file a kernel stands in, so that a constant elsewhere could change unnoticed.
`advance` and `bound` are the entries and have explicit signatures, which type the rest.

Kernels work in place, allocate nothing and never see bad input: `Metrology` validates. All
arithmetic is int64, so that the sums do not depend on how the samples were cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import int16, int32, int64, types

from elec_meter.metrology.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int16] | NDArray[np.int32]
    Wide = NDArray[np.int32]
    Row = NDArray[np.int64]
    # int64 when compiled; without the JIT, numpy.int64 or int as it comes.
    Int = Any

# One row per mains cycle: where it ends (absolute sample index, exclusive), its samples, raw sums
# (Q: voltage delayed by LAG samples), the period from crossing to crossing (0 without them) and as
# tracked (both in 1/65536 sample), FLAGS; then what follows: offsets removed, phase corrected, in
# count^2. OFFSET is the voltage's as tracked before, in counts.
END, COUNT, SUM_V, SUM_I, SUM_VV, SUM_II, SUM_VI, SUM_QI, LAG = range(9)
LENGTH, PERIOD, FLAGS = range(9, 12)
SQUARE_V, SQUARE_I, ACTIVE, REACTIVE, OFFSET = range(12, 17)
CYCLE_COLUMNS = 17

# Carried from block to block: HELD samples in the tail (the first is sample BASE of the stream),
# the cycle under way begins at START (a place in the tail), the crossing there lies CROSSING beside
# it, TRACKED is the period (both in 1/65536 sample), MEAN_V and MEAN_I are the offsets as tracked,
# in 1/256 count. ROWS is how many cycles the last call closed.
HELD, BASE, START, LOCK, CROSSING, TRACKED, MEAN_V, MEAN_I, ROWS = range(9)
STATE_SIZE = 9

# Values of LOCK: no sample seen yet, no crossing known so far, none since one was lost (the tracked
# period goes on meanwhile), two crossings just found, following.
FRESH, LOST, COASTING, FOUND, FOLLOWING = range(5)

# What a pipeline fixes when it is built.
NOMINAL, SHORTEST, LONGEST, BACK, ACQUIRE, SIGNAL = range(6)
STARTING, FULL_SCALE, DC_LIMIT, COSINE, SINE, OFFSET_P, OFFSET_Q = range(6, 13)
LIMITS_SIZE = 13

# The last one is only in a cycle's flags: nothing registers, the current being below the starting
# current or no crossing having been seen so far.
GAP, SATURATED, NO_SIGNAL, STUCK, DC, UNLOCKED, IDLE = (1 << bit for bit in range(7))

_ONE, _HALF_PI = 1 << 30, 1_686_629_713
_THIRD, _TWO_FIFTEENTHS = _ONE // 3, 2 * _ONE // 15

_i16, _i32 = types.Array(int16, 1, "C"), types.Array(int32, 1, "C")
_row, _table = types.Array(int64, 1, "C"), types.Array(int64, 2, "C")
_tail = types.Array(int32, 2, "C")


@kernel()
def _scaled(value: Int, factor_q30: Int) -> Int:
    """`value` x `factor_q30` / 2^30 without overflow for |value| < 2^59, |factor| <= 2^31."""
    high = value >> 28
    low = value - (high << 28)
    return (high * factor_q30 >> 2) + (low * factor_q30 >> 30)


@kernel(inline=True)
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


@kernel()
def _crossing(v: Counts, end: Int, reach: Int, offset: Int) -> Int:
    """The crossing's place beside `end`, in 1/65536 sample, on the line across its surroundings."""
    before = np.int64(v[end - reach]) - offset
    after = np.int64(v[end + reach - 1]) - offset
    rise = after - before
    if rise <= 0:
        return -32768
    place = -32768 - (((after + before) * (2 * reach - 1) << 15) // rise)
    return min(max(place, -(reach << 16)), reach << 16)


@kernel()
def _scan(v: Counts, first: Int, stop: Int, reach: Int, offset: Int, signal: Int) -> Int:
    """The first crossing near first..stop-1 when nothing is known about where it lies, or -1."""
    for centre in range(first, stop):
        end = _rank(v, centre, reach, offset, signal)
        if end >= 0:
            return end
    return -1


@kernel()
def _mean(x: Counts) -> Int:
    """In 1/256 count."""
    total = np.int64(0)
    for k in range(x.size):
        total += np.int64(x[k])
    return (total << 8) // x.size


@kernel()
def _acquire(v: Counts, state: Row, limits: Row) -> Int:
    """Without a known crossing, look for two. Returns where the first lies, or -1."""
    start = state[START]
    half, reach = limits[NOMINAL] >> 17, limits[NOMINAL] >> 19
    signal = limits[SIGNAL]
    # The cycles before a dip tell more of the offset than what the dip left.
    known = state[LOCK] == COASTING
    mean = state[MEAN_V] if known else _mean(v[start : start + 6 * half])
    first = _scan(v, start, start + 3 * half, reach, mean >> 8, signal)
    if first < 0:
        return first
    second = _scan(v, first + half, first + 3 * half, reach, mean >> 8, signal)
    period = (second - first) << 16
    if second < 0 or period < limits[SHORTEST] or period > limits[LONGEST]:
        return -1
    begin = first if first >= start + reach else start
    mean = mean if known else _mean(v[first:second])
    place = _crossing(v, first, max(reach >> 2, 1), mean >> 8)
    state[MEAN_V] = mean
    state[TRACKED] = (second - begin) << 16
    state[CROSSING] = ((first - begin) << 16) + place
    return begin


@kernel()
def _seek(v: Counts, state: Row, limits: Row) -> Int:
    """Where the stretch at START ends, no crossing known; START to look again, -1 to wait."""
    start, lock = state[START], state[LOCK]
    if lock == FOUND:
        state[LOCK] = FOLLOWING
        return start + (state[TRACKED] >> 16)
    if start + limits[ACQUIRE] > v.size:
        return -1
    end = _acquire(v, state, limits)
    state[LOCK] = FOUND if end >= 0 else max(lock, LOST)
    if end < 0:
        place = state[CROSSING] + state[TRACKED]
        end = start + ((place + 32768) >> 16)
        state[CROSSING] = place - ((end - start) << 16)
    elif lock == FRESH:
        # What came before the first crossing is no cycle, and nothing is wrong with it.
        state[START] = end
    return end


@kernel()
def _sum(v: Counts, i: Counts, start: Int, end: Int, lag: Int, rows: Row, k: Int) -> None:
    """The raw sums of samples start..end-1. Slices, not offsets, let the loop vectorise."""
    a, b, c = v[start:end], i[start:end], v[start - lag : end - lag]
    sum_v = sum_i = sum_vv = sum_ii = sum_vi = sum_qi = np.int64(0)
    for j in range(end - start):
        x, y, z = np.int64(a[j]), np.int64(b[j]), np.int64(c[j])
        sum_v += x
        sum_i += y
        sum_vv += x * x
        sum_ii += y * y
        sum_vi += x * y
        sum_qi += z * y
    rows[k, COUNT], rows[k, LAG] = end - start, lag
    rows[k, SUM_V], rows[k, SUM_I] = sum_v, sum_i
    rows[k, SUM_VV], rows[k, SUM_II] = sum_vv, sum_ii
    rows[k, SUM_VI], rows[k, SUM_QI] = sum_vi, sum_qi


@kernel()
def _peak(x: Counts) -> Int:
    """The least bound for which all of `x` lies within -bound..bound-1."""
    low = high = x[0]
    for k in range(x.size):
        # min() and max() vectorise worse here.
        if x[k] < low:
            low = x[k]
        if x[k] > high:
            high = x[k]
    return max(np.int64(high) + 1, -np.int64(low))


@kernel()
def _conclude(rows: Row, used: Int, state: Row, limits: Row) -> None:
    """What follows from the sums: offsets removed, Q from the delayed voltage, faults."""
    held_i = state[MEAN_I]
    for k in range(used):
        count, sum_v, sum_i, flags = rows[k, COUNT], rows[k, SUM_V], rows[k, SUM_I], rows[k, FLAGS]
        # Any whole number near the mean will do: what it leaves of the sum is accounted for.
        inverse = (1 << 32) // count + 1
        mean_v = (sum_v * inverse + (1 << 31)) >> 32
        mean_i = (sum_i * inverse + (1 << 31)) >> 32
        rest_v = sum_v - mean_v * count
        rest_i = sum_i - mean_i * count
        square_v = rows[k, SUM_VV] - mean_v * (sum_v + rest_v) - (rest_v * rest_v * inverse >> 32)
        square_i = rows[k, SUM_II] - mean_i * (sum_i + rest_i) - (rest_i * rest_i * inverse >> 32)
        offset = rows[k, OFFSET]
        if flags & UNLOCKED == 0 and abs(mean_v - offset) <= limits[SIGNAL]:
            offsets = mean_v * sum_i + rest_v * mean_i + (rest_v * rest_i * inverse >> 32)
            held_i += ((sum_i * inverse >> 24) - held_i) >> 2
        else:
            # The means of what a dip left of a cycle are no offsets.
            offsets = offset * sum_i + (held_i >> 8) * (sum_v - offset * count)
        active = rows[k, SUM_VI] - offsets
        # The delayed voltage lags a quarter period less `error` radians: exact for a sine.
        period = rows[k, PERIOD]
        error = _HALF_PI * (period - (rows[k, LAG] << 18)) // period
        square = error * error >> 30
        tangent = square * (_THIRD + (square * _TWO_FIFTEENTHS >> 30)) >> 30
        tangent = error * (_ONE + tangent) >> 30
        secant = _ONE + (square >> 1) + (square * square >> 30) * 5 // 24
        reactive = _scaled(rows[k, SUM_QI] - offsets, secant) - _scaled(active, tangent)
        cosine, sine = limits[COSINE], limits[SINE]
        if sine != 0:
            turned = _scaled(active, cosine) + _scaled(reactive, sine)
            reactive = _scaled(reactive, cosine) - _scaled(active, sine)
            active = turned
        if 2 * square_v < limits[SIGNAL] * limits[SIGNAL] * count:
            flags = (flags | NO_SIGNAL) & ~UNLOCKED
        if square_v == 0 or (square_i == 0 and sum_i != 0):
            flags |= STUCK
        if flags & UNLOCKED == 0 and max(abs(mean_v), abs(mean_i)) > limits[DC_LIMIT]:
            flags |= DC
        if square_i < limits[STARTING] * count >> 8:
            flags |= IDLE
        rows[k, SQUARE_V], rows[k, SQUARE_I], rows[k, FLAGS] = square_v, square_i, flags
        rows[k, ACTIVE] = active - (limits[OFFSET_P] * count >> 8)
        rows[k, REACTIVE] = reactive - (limits[OFFSET_Q] * count >> 8)
    state[MEAN_I] = held_i


@kernel()
def _measure(v: Counts, i: Counts, stop: Int, state: Row, limits: Row, rows: Row) -> None:
    """Sum every cycle that begins before `stop` and whose end can be decided in these samples.

    A decision reads at most ACQUIRE samples from START on and BACK samples before it, and waits
    until they are there: that is why the cut of the samples does not matter.
    """
    full_scale = limits[FULL_SCALE]
    # A dip leaves a mean that is no offset: follow slowly what is far away.
    most = limits[SIGNAL] << 8
    suspect = max(_peak(v), _peak(i)) >= full_scale
    while state[START] < stop:
        end = np.int64(-1)
        lock = state[LOCK]
        if lock == FOLLOWING:
            centre = state[START] + ((state[CROSSING] + state[TRACKED] + 32768) >> 16)
            reach = state[TRACKED] >> 19
            if centre + reach + (reach >> 2) + 1 > v.size:
                break
            end = _rank(v, centre, reach, state[MEAN_V] >> 8, limits[SIGNAL])
        if end < 0:
            state[LOCK] = COASTING if lock == FOLLOWING else lock
            end = _seek(v, state, limits)
            if end < 0:
                break
        start = state[START]
        if end == start:
            continue
        length, period = np.int64(0), state[TRACKED]
        flags = np.int64(UNLOCKED if lock > LOST else UNLOCKED | IDLE)
        if state[LOCK] == FOLLOWING:
            place = _crossing(v, end, max(period >> 21, 1), state[MEAN_V] >> 8)
            length = ((end - start) << 16) + place - state[CROSSING]
            period = length if lock == FOUND else period + ((length - period) >> 2)
            period = min(max(period, limits[SHORTEST]), limits[LONGEST])
            state[TRACKED], state[CROSSING] = period, place
            flags = np.int64(0)
        if suspect and max(_peak(v[start:end]), _peak(i[start:end])) >= full_scale:
            flags |= SATURATED
        k = state[ROWS]
        _sum(v, i, start, end, (period + (1 << 17)) >> 18, rows, k)
        rows[k, LENGTH], rows[k, PERIOD], rows[k, FLAGS] = length, period, flags
        rows[k, OFFSET] = state[MEAN_V] >> 8
        inverse = (1 << 32) // rows[k, COUNT] + 1
        drift = (rows[k, SUM_V] * inverse >> 24) - state[MEAN_V]
        state[MEAN_V] += min(max(drift, -most), most) >> 2
        rows[k, END] = state[BASE] + end
        state[ROWS], state[START] = k + 1, end


@kernel()
def _keep(tail: Wide, v: Counts, i: Counts, first: Int) -> None:
    """Make the samples from `first` on the tail (which may be where they already are)."""
    for k in range(first, v.size):
        tail[0, k - first], tail[1, k - first] = v[k], i[k]


@kernel(*(int64(a, a, int64, _tail, _row, _row, _table) for a in (_i16, _i32)))
def advance(
    voltage: Counts,
    current: Counts,
    first_sample: Int,
    tail: Wide,
    state: Row,
    limits: Row,
    cycles: Row,
) -> Int:
    """Measure a block that continues the tail; returns how many rows of `cycles` were filled.

    Cycles that reach back into the tail are measured on a stitched copy, all others in place.
    """
    size = voltage.size
    back = limits[BACK]
    held = state[HELD]
    length = min(held + size, tail.shape[1])
    for k in range(length - held):
        tail[0, held + k], tail[1, held + k] = voltage[k], current[k]
    stitched_v, stitched_i = tail[0, :length], tail[1, :length]
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
    _conclude(cycles, state[ROWS], state, limits)
    return state[ROWS]


@kernel(int64(_i32, _i32))
def bound(voltage: Counts, current: Counts) -> Int:
    """The least bound for which all counts lie within -bound..bound-1."""
    return max(_peak(voltage), _peak(current))
