"""The compiled part of metrology: cycle ends, then exact integer sums over contiguous slices.

Everything numba compiles lives in this one file, the layout of its arrays included: numba's cache looks
only at the file a kernel stands in, so a constant or a callee elsewhere could change unnoticed.

Kernels are private to the package, work in place, allocate nothing and never see bad input: `Metrology`
validates. All arithmetic is int64, so that the sums do not depend on how the samples were cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import boolean, int16, int32, int64, njit, types, void

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int16] | NDArray[np.int32]
    Integers = NDArray[np.int64]

# One row per mains cycle: where it ends (absolute sample index, exclusive), its samples, its raw sums
# (Q: voltage delayed by LAG samples), then what follows from them. Active and reactive are in count^2.
END, COUNT, SUM_V, SUM_I, SUM_VV, SUM_II, SUM_VI, SUM_QI, LAG, PERIOD, FLAGS = range(11)
SQUARE_V, SQUARE_I, ACTIVE, REACTIVE, REGISTERED = range(11, 16)
CYCLE_COLUMNS = 16

# One row per UTC second.
(
    SECOND,
    SAMPLES,
    CYCLES,
    PERIODS,
    TOTAL_VV,
    TOTAL_II,
    IMPORT,
    EXPORT,
    TOTAL_REACTIVE,
    TOTAL_FLAGS,
) = range(10)
SECOND_COLUMNS = 10

# What is carried from block to block: HELD samples in the tail (the first is sample BASE), the cycle
# that begins at START (a place in the tail), whether it began at a known crossing, the crossing's place
# relative to START, the tracked period (both in 1/65536 sample), the voltage's offset in counts.
HELD, BASE, START, LOCKED, FRESH, CROSSING, TRACKED, OFFSET = range(8)
STATE_SIZE = 8

# What a pipeline fixes when it is built.
(
    RATE,
    NOMINAL,
    SHORTEST,
    LONGEST,
    BACK,
    ACQUIRE,
    SIGNAL,
    STARTING,
    FULL_SCALE,
    DC_LIMIT,
    COSINE,
    SINE,
) = range(12)
LIMITS_SIZE = 12

GAP, SATURATED, NO_SIGNAL, STUCK, DC, UNLOCKED = 1, 2, 4, 8, 16, 32

ONE_Q30 = 1 << 30
_HALF_PI_Q30 = 1_686_629_713
_TWO_PI_Q30 = 6_746_518_852

_i16, _i32 = types.Array(int16, 1, "C"), types.Array(int32, 1, "C")
_row, _table = types.Array(int64, 1, "C"), types.Array(int64, 2, "C")


def _kernel(*signatures: Any) -> Any:
    return njit(list(signatures), cache=True, nogil=True)


@_kernel(int64(int64, int64))
def _scaled(value: int, factor_q30: int) -> int:
    """`value` x `factor_q30` / 2^30 without overflow for |value| < 2^59, |factor| <= 2^31."""
    high = value >> 28
    low = value - (high << 28)
    return (high * factor_q30 >> 2) + (low * factor_q30 >> 30)


@_kernel(int64(int64, int64, int64))
def _offset_product(sum_a: int, sum_b: int, count: int) -> int:
    """`sum_a` x `sum_b` / `count` without overflow: what the offsets add to a sum of products."""
    mean = sum_a // count
    rest = sum_a - mean * count
    return mean * sum_b + rest * sum_b // count


@_kernel(boolean(_i32, _i32, int64))
def beyond(voltage: Counts, current: Counts, bound: int) -> bool:
    """Whether any count lies outside -bound..bound-1, where sums could overflow."""
    outside = 0
    for k in range(voltage.size):
        outside |= (voltage[k] >= bound) | (voltage[k] < -bound)
        outside |= (current[k] >= bound) | (current[k] < -bound)
    return outside != 0


@_kernel(*(int64(a, int64, int64, int64, int64) for a in (_i16, _i32)))
def _rank(v: Counts, centre: int, reach: int, offset: int, signal: int) -> int:
    """Where the voltage turns positive within `reach` of `centre`, or -1 where it does not.

    Counting the negative samples puts the crossing in the middle of whatever noise and harmonics make
    of the zero; the levels at both ends tell a crossing from noise and from the opposite slope.
    """
    a = centre - reach
    b = centre + reach
    if np.int64(v[a]) + np.int64(v[a + 1]) > 2 * (offset - signal):
        return -1
    if np.int64(v[b - 2]) + np.int64(v[b - 1]) < 2 * (offset + signal):
        return -1
    negative = 0
    for k in range(a, b):
        negative += np.int64(v[k]) < offset
    return a + negative


@_kernel(*(int64(a, int64, int64, int64) for a in (_i16, _i32)))
def _crossing(v: Counts, end: int, reach: int, offset: int) -> int:
    """The crossing's place relative to `end` in 1/65536 sample, by the line through its surroundings."""
    area = 0
    for k in range(end - reach, end + reach):
        area += np.int64(v[k]) - offset
    rise = np.int64(v[end + reach - 1]) - np.int64(v[end - reach])
    if rise <= 0:
        return -32768
    place = -32768 - (area * (2 * reach - 1) << 16) // (2 * reach * rise)
    return min(max(place, -(reach << 16)), reach << 16)


@_kernel(*(int64(a, int64, int64, int64, int64, int64) for a in (_i16, _i32)))
def _scan(v: Counts, first: int, stop: int, reach: int, offset: int, signal: int) -> int:
    """The first crossing in first..stop-1 when nothing is known about where it lies, or -1."""
    for centre in range(first, stop):
        end = _rank(v, centre, reach, offset, signal)
        if end >= 0:
            return end
    return -1


@_kernel(*(void(a, a, int64, int64, int64, _row) for a in (_i16, _i32)))
def _sum(v: Counts, i: Counts, start: int, end: int, lag: int, row: Integers) -> None:
    """The raw sums of samples start..end-1. Slices, not offsets, let the loop vectorise."""
    a = v[start:end]
    b = i[start:end]
    c = v[start - lag : end - lag]
    sum_v = 0
    sum_i = 0
    sum_vv = 0
    sum_ii = 0
    sum_vi = 0
    sum_qi = 0
    for k in range(end - start):
        x = np.int64(a[k])
        y = np.int64(b[k])
        z = np.int64(c[k])
        sum_v += x
        sum_i += y
        sum_vv += x * x
        sum_ii += y * y
        sum_vi += x * y
        sum_qi += z * y
    row[COUNT] = end - start
    row[SUM_V] = sum_v
    row[SUM_I] = sum_i
    row[SUM_VV] = sum_vv
    row[SUM_II] = sum_ii
    row[SUM_VI] = sum_vi
    row[SUM_QI] = sum_qi
    row[LAG] = lag


@_kernel(*(boolean(a, int64, int64, int64) for a in (_i16, _i32)))
def _saturated(x: Counts, start: int, end: int, full_scale: int) -> bool:
    """Whether any sample of start..end-1 stands at the converter's limit."""
    part = x[start:end]
    low = part[0]
    high = part[0]
    for k in range(end - start):
        low = min(low, part[k])
        high = max(high, part[k])
    return np.int64(high) >= full_scale - 1 or np.int64(low) <= -full_scale


@_kernel(void(_row, int64, _row))
def _conclude(row: Integers, regular: int, limits: Integers) -> None:
    """What follows from a cycle's sums: offsets removed, phase corrected, faults flagged."""
    count = row[COUNT]
    sum_v = row[SUM_V]
    sum_i = row[SUM_I]
    square_v = row[SUM_VV] - _offset_product(sum_v, sum_v, count)
    square_i = row[SUM_II] - _offset_product(sum_i, sum_i, count)
    offsets = _offset_product(sum_v, sum_i, count)
    active = row[SUM_VI] - offsets
    # The delayed voltage lags by a quarter period less `error` radians; a sine's Q follows exactly.
    error = _HALF_PI_Q30 - (row[LAG] << 16) * _TWO_PI_Q30 // row[PERIOD]
    square = error * error >> 30
    tangent = (
        error + (error * square >> 30) // 3 + (error * square >> 30) * square * 2 // 15 // ONE_Q30
    )
    secant = ONE_Q30 + square // 2 + (square * square >> 30) * 5 // 24
    reactive = _scaled(row[SUM_QI] - offsets, secant) - _scaled(active, tangent)
    if limits[SINE] != 0:
        turned = _scaled(active, limits[COSINE]) + _scaled(reactive, limits[SINE])
        reactive = _scaled(reactive, limits[COSINE]) - _scaled(active, limits[SINE])
        active = turned
    flags = row[FLAGS]
    if 2 * square_v < limits[SIGNAL] * limits[SIGNAL] * count:
        flags |= NO_SIGNAL
    if square_v == 0 or (square_i == 0 and sum_i != 0):
        flags |= STUCK
    if abs(sum_v) > limits[DC_LIMIT] * count or abs(sum_i) > limits[DC_LIMIT] * count:
        flags |= DC
    if regular == 0 and flags & NO_SIGNAL == 0:
        flags |= UNLOCKED
    row[SQUARE_V] = square_v
    row[SQUARE_I] = square_i
    row[ACTIVE] = active
    row[REACTIVE] = reactive
    row[FLAGS] = flags
    started = square_i >= limits[STARTING] * count >> 16
    row[REGISTERED] = regular != 0 and started and flags & NO_SIGNAL == 0


@_kernel(*(void(a, a, int64, int64, int64, int64, _row, _row) for a in (_i16, _i32)))
def _close(
    v: Counts,
    i: Counts,
    start: int,
    end: int,
    period: int,
    regular: int,
    limits: Integers,
    row: Integers,
) -> None:
    """Fill the row of the cycle start..end-1."""
    _sum(v, i, start, end, (period + (1 << 17)) >> 18, row)
    full_scale = limits[FULL_SCALE]
    saturated = _saturated(v, start, end, full_scale)
    # One sample at the limit alone makes the sum of squares this large.
    if row[SUM_II] >= (full_scale - 1) * (full_scale - 1):
        saturated = saturated or _saturated(i, start, end, full_scale)
    row[PERIOD] = period
    row[FLAGS] = SATURATED if saturated else 0
    _conclude(row, regular, limits)


@_kernel(*(int64(a, a, int64, _row, _row, _table, int64) for a in (_i16, _i32)))
def _acquire(
    v: Counts, i: Counts, base: int, state: Integers, limits: Integers, cycles: Integers, used: int
) -> int:
    """Without a known crossing: find two, or let one nominal period pass as no cycle at all."""
    start = state[START]
    nominal = limits[NOMINAL]
    whole = nominal >> 16
    reach = nominal >> 19
    total = 0
    for k in range(start, start + 3 * whole):
        total += np.int64(v[k])
    offset = total // (3 * whole)
    first = _scan(v, start, start + whole + (whole >> 1), reach, offset, limits[SIGNAL])
    second = -1
    if first >= 0:
        second = _scan(
            v, first + (whole >> 1), first + whole + (whole >> 1), reach, offset, limits[SIGNAL]
        )
    period = (second - first) << 16
    if second < 0 or period < limits[SHORTEST] or period > limits[LONGEST]:
        _close(v, i, start, start + whole, nominal, 0, limits, cycles[used])
        cycles[used, END] = base + start + whole
        state[START] = start + whole
        state[FRESH] = 0
        return used + 1
    if first < start + reach:
        first = start
    elif state[FRESH] == 0:
        _close(v, i, start, first, nominal, 0, limits, cycles[used])
        cycles[used, END] = base + first
        used += 1
    _close(v, i, first, second, period, 1, limits, cycles[used])
    cycles[used, END] = base + second
    state[START] = second
    state[LOCKED] = 1
    state[FRESH] = 0
    state[TRACKED] = period
    state[OFFSET] = cycles[used, SUM_V] // cycles[used, COUNT]
    state[CROSSING] = _crossing(v, second, max(reach >> 2, 1), state[OFFSET])
    return used + 1


@_kernel(*(int64(a, a, int64, int64, _row, _row, _table, int64) for a in (_i16, _i32)))
def _measure(
    v: Counts,
    i: Counts,
    base: int,
    stop: int,
    state: Integers,
    limits: Integers,
    cycles: Integers,
    used: int,
) -> int:
    """Close every cycle that begins before `stop` and whose end can be decided within these samples.

    A decision reads at most ACQUIRE samples from START on and BACK samples before it, and waits until
    they are there: that is why the cut of the samples does not matter.
    """
    while state[START] < stop:
        start = state[START]
        if state[LOCKED] == 0:
            if start + limits[ACQUIRE] > v.size:
                break
            used = _acquire(v, i, base, state, limits, cycles, used)
            continue
        period = state[TRACKED]
        centre = start + ((state[CROSSING] + period + 32768) >> 16)
        reach = period >> 19
        near = max(reach >> 2, 1)
        if centre + reach + near > v.size:
            break
        end = _rank(v, centre, reach, state[OFFSET], limits[SIGNAL])
        if end < 0:
            state[LOCKED] = 0
            continue
        place = _crossing(v, end, near, state[OFFSET])
        length = ((end - start) << 16) + place - state[CROSSING]
        period += (length - period) >> 2
        period = min(max(period, limits[SHORTEST]), limits[LONGEST])
        _close(v, i, start, end, period, 1, limits, cycles[used])
        cycles[used, END] = base + end
        cycles[used, PERIOD] = length
        state[OFFSET] += (cycles[used, SUM_V] // cycles[used, COUNT] - state[OFFSET]) >> 2
        used += 1
        state[START] = end
        state[CROSSING] = place
        state[TRACKED] = period
    return used


@_kernel(*(int64(a, a, int64, _i32, _i32, _row, _row, _table) for a in (_i16, _i32)))
def advance(
    voltage: Counts,
    current: Counts,
    first_sample: int,
    tail_v: Counts,
    tail_i: Counts,
    state: Integers,
    limits: Integers,
    cycles: Integers,
) -> int:
    """Measure one block that continues the tail; returns how many rows of `cycles` were filled.

    Cycles that reach back into the tail are measured on a stitched copy, all others where they lie.
    """
    size = voltage.size
    held = state[HELD]
    joined = min(size, tail_v.size - held)
    for k in range(joined):
        tail_v[held + k] = voltage[k]
        tail_i[held + k] = current[k]
    length = held + joined
    base = state[BASE]
    back = limits[BACK]
    used = _measure(tail_v[:length], tail_i[:length], base, held + back, state, limits, cycles, 0)
    if joined == size:
        drop = max(state[START] - back, 0)
        for k in range(drop, length):
            tail_v[k - drop] = tail_v[k]
            tail_i[k - drop] = tail_i[k]
        state[HELD] = length - drop
        state[BASE] = base + drop
        state[START] -= drop
        return used
    state[START] -= held
    used = _measure(voltage, current, first_sample, size, state, limits, cycles, used)
    drop = state[START] - back
    for k in range(drop, size):
        tail_v[k - drop] = voltage[k]
        tail_i[k - drop] = current[k]
    state[HELD] = size - drop
    state[BASE] = first_sample + drop
    state[START] = back
    return used


@_kernel(int64(_table, int64, int64, int64, int64, _table))
def fold(
    cycles: Integers, used: int, rate: int, anchor_s: int, anchor_us: int, seconds: Integers
) -> int:
    """Add up cycles by the UTC second of their last sample; returns how many seconds there are."""
    rows = 0
    for c in range(used):
        cycle = cycles[c]
        last = cycle[END] - 1
        whole = last // rate
        rest = (anchor_us * rate + (last - whole * rate) * 1_000_000) // (rate * 1_000_000)
        second = anchor_s + whole + rest
        if rows == 0 or seconds[rows - 1, SECOND] != second:
            seconds[rows, :] = 0
            seconds[rows, SECOND] = second
            rows += 1
        total = seconds[rows - 1]
        total[SAMPLES] += cycle[COUNT]
        total[TOTAL_VV] += cycle[SQUARE_V]
        total[TOTAL_II] += cycle[SQUARE_I]
        total[TOTAL_FLAGS] |= cycle[FLAGS]
        if cycle[FLAGS] & (NO_SIGNAL | UNLOCKED) == 0:
            total[CYCLES] += 1
            total[PERIODS] += cycle[PERIOD]
        if cycle[REGISTERED] != 0:
            total[TOTAL_REACTIVE] += cycle[REACTIVE]
            if cycle[ACTIVE] >= 0:
                total[IMPORT] += cycle[ACTIVE]
            else:
                total[EXPORT] -= cycle[ACTIVE]
    return rows
