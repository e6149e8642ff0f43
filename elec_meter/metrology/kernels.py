"""Compiled: cycle ends, then exact integer sums over contiguous slices.

`advance` is the entry, whose signatures type the rest.

Kernels work in place, allocate nothing and never see bad input: `Metrology` validates. All sums are
int64, so that they do not depend on how the samples were cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import int16, int32, int64, none, types

from elec_meter.metrology.jit import kernel
from elec_meter.metrology.lanes import sums
from elec_meter.metrology.turning import turned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int16] | NDArray[np.int32]
    Row = NDArray[np.int64]
    # int64 when compiled; without the JIT, numpy.int64 or int as it comes.
    Int = Any

# One row per mains cycle: where it ends (absolute sample index, exclusive), its samples, from
# crossing to crossing in 1/65536 sample (0 without them), FLAGS, and its exact sums in count^2,
# offsets removed, phase corrected.
END, COUNT, LENGTH, FLAGS, SQUARE_V, SQUARE_I, ACTIVE, REACTIVE = range(8)
CYCLE_COLUMNS = 8

# Carried from block to block: HELD samples in the tail (the first is sample BASE of the stream),
# the cycle under way begins at START (a place in the tail), the crossing there lies CROSSING beside
# it, TRACKED is the period (both in 1/65536 sample), MEAN_V and MEAN_I are the offsets as tracked,
# in 1/256 count. ROWS is how many cycles were closed since it was last set to none.
HELD, BASE, START, LOCK, CROSSING, TRACKED, MEAN_V, MEAN_I, ROWS = range(9)
STATE_SIZE = 9

# Values of LOCK: no sample seen yet, no crossing known so far, none since one was lost (the tracked
# period goes on meanwhile), two crossings just found, following.
FRESH, LOST, COASTING, FOUND, FOLLOWING = range(5)

# What a pipeline fixes when it is built.
NOMINAL, SHORTEST, LONGEST, BACK, ACQUIRE, SIGNAL, STARTING, FULL_SCALE, DC_LIMIT = range(9)
COSINE, SINE, OFFSET_P, OFFSET_Q, LIMITS_SIZE = range(9, 14)

# The last one is only in a cycle's flags: nothing registers, the current being below the starting
# current or no crossing having been seen so far.
GAP, SATURATED, NO_SIGNAL, STUCK, DC, UNLOCKED, IDLE = (1 << bit for bit in range(7))

_PEAK = 6  # of the raw sums

_i16, _i32 = types.Array(int16, 2, "C"), types.Array(int32, 2, "C")
_table, _tables = types.Array(int64, 2, "C"), types.Array(int64, 3, "C")
_tails = types.Array(int32, 3, "C")


@kernel(inline=True)
def _rank(v: Counts, centre: Int, reach: Int, offset: Int, signal: Int) -> Int:
    """Where the voltage turns positive within `reach` of `centre`, or -1 where it does not.

    Counting the negative samples puts the crossing in the middle of whatever noise and harmonics
    make of the zero; the levels at both ends tell a crossing from noise and from a falling one.
    """
    part = v[centre - reach : centre + reach]
    if np.int64(part[0]) + np.int64(part[1]) > 2 * (offset - signal):
        return -1
    if np.int64(part[-2]) + np.int64(part[-1]) < 2 * (offset + signal):
        return -1
    # In 32 bits twice as many samples are compared at once.
    level, negative = np.int32(offset), np.int32(0)
    for k in range(2 * reach):
        negative = np.int32(negative + (np.int32(part[k]) < level))
    return centre - reach + np.int64(negative)


@kernel(inline=True)
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
    half, reach, signal = limits[NOMINAL] >> 17, limits[NOMINAL] >> 19, limits[SIGNAL]
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
def _saturated(v: Counts, i: Counts, start: Int, end: Int, full_scale: Int) -> Int:
    """SATURATED where one of samples start..end-1 stands at a converter's limit."""
    low = high = v[start]
    for x in (v[start:end], i[start:end]):
        for k in range(end - start):
            # min() and max() vectorise worse here.
            if x[k] < low:
                low = x[k]
            if x[k] > high:
                high = x[k]
    inside = np.int64(high) < full_scale - 1 and np.int64(low) > -full_scale
    return np.int64(0 if inside else SATURATED)


# What concludes a cycle is given numbers only: arrays are counted where a function that calls
# another takes them, by atomic operations that would cost more than the sums.
@kernel(inline=True)
def _around_mean(total: Int, squares: Int, count: Int, inverse: Int) -> tuple[Int, Int, Int]:
    """A whole number near the mean, what it leaves of the sum, and the squares around the mean.

    Any whole number near it will do: what it leaves is accounted for.
    """
    mean = (total * inverse + (1 << 31)) >> 32
    rest = total - mean * count
    return mean, rest, squares - mean * (total + rest) - (rest * rest * inverse >> 32)


@kernel(inline=True)
def _near(offset: Int, mean: Int, full_scale: Int) -> Int:
    """The offset, or what is nearest to it not further than full scale from the mean."""
    return min(max(offset, mean - full_scale), mean + full_scale)


@kernel(inline=True)
def _faults(
    flags: Int,
    square_v: Int,
    square_i: Int,
    direct: tuple[Int, Int, Int],
    count: Int,
    limits: tuple[Int, Int, Int],
) -> Int:
    """The flags, and those that the squares and the direct parts of voltage and current raise."""
    mean_v, mean_i, sum_i = direct
    signal, starting, dc_limit = limits
    if 2 * square_v < signal * signal * count:
        flags = (flags | NO_SIGNAL) & ~UNLOCKED
    if square_v == 0 or (square_i == 0 and sum_i != 0):
        flags |= STUCK
    if flags & UNLOCKED == 0 and max(abs(mean_v), abs(mean_i)) > dc_limit:
        flags |= DC
    if square_i < starting * count >> 8:
        flags |= IDLE
    return flags


@kernel(inline=True)
def _concluded(
    summed: tuple[Int, ...],
    where: tuple[Int, Int, Int],
    period: Int,
    flags: Int,
    tracked: tuple[Int, Int],
    settings: tuple[Int, ...],
) -> tuple[tuple[Int, ...], tuple[Int, Int]]:
    """The row of a cycle whose END, COUNT and LENGTH are given, and the offsets as tracked then."""
    sum_v, sum_i, sum_vv, sum_ii, sum_vi, sum_qi, _ = summed
    count, (tracked_v, tracked_i) = where[1], tracked
    signal, starting, dc_limit, cosine, sine, offset_p, offset_q = settings
    inverse = np.int64(4294967296.0 / np.float64(count)) + 1
    mean_v, rest_v, square_v = _around_mean(sum_v, sum_vv, count, inverse)
    mean_i, rest_i, square_i = _around_mean(sum_i, sum_ii, count, inverse)
    offset_v, offset_i = tracked_v >> 8, tracked_i >> 8
    if flags & UNLOCKED == 0 and abs(mean_v - offset_v) <= signal:
        direct = mean_v * sum_i + rest_v * mean_i + (rest_v * rest_i * inverse >> 32)
        tracked_i += ((sum_i * inverse >> 24) - tracked_i) >> 2
    else:
        # The means of what a dip left of a cycle are no offsets; those a full scale away are no
        # dip's.
        near_v, near_i = (
            _near(offset_v, mean_v, 4 * dc_limit),
            _near(offset_i, mean_i, 4 * dc_limit),
        )
        direct = near_v * sum_i + near_i * (sum_v - near_v * count)
        if near_v != offset_v or near_i != offset_i:
            flags |= DC
    lag = (period + (1 << 17)) >> 18
    active, reactive = turned(sum_vi - direct, sum_qi - direct, lag, period, (cosine, sine))
    means, limits = (mean_v, mean_i, sum_i), (signal, starting, dc_limit)
    flags = _faults(flags, square_v, square_i, means, count, limits)
    powers = active - (offset_p * count >> 8), reactive - (offset_q * count >> 8)
    # A dip leaves a mean that is no offset: follow slowly what is far away.
    drift = min(max((sum_v * inverse >> 24) - tracked_v, -(signal << 8)), signal << 8)
    return (*where, flags, square_v, square_i, *powers), (tracked_v + (drift >> 2), tracked_i)


@kernel(inline=True)
def _settings(limits: Row) -> tuple[Int, ...]:
    rest = limits[COSINE], limits[SINE], limits[OFFSET_P], limits[OFFSET_Q]
    return limits[SIGNAL], limits[STARTING], limits[DC_LIMIT], *rest


@kernel()
def _follow(v: Counts, i: Counts, stop: Int, state: Row, limits: Row, rows: Row) -> Int:
    """Measure cycle after cycle until a crossing is lost; returns whether to wait for samples."""
    start, crossing, tracked = state[START], state[CROSSING], state[TRACKED]
    means = (state[MEAN_V], state[MEAN_I])
    k, base = state[ROWS], state[BASE]
    shortest, longest, signal = limits[SHORTEST], limits[LONGEST], limits[SIGNAL]
    edge = limits[FULL_SCALE] - 1
    settings = _settings(limits)
    while start < stop:
        centre = start + ((crossing + tracked + 32768) >> 16)
        reach = tracked >> 19
        if centre + reach + (reach >> 2) + 1 > v.size:
            break
        offset = means[0] >> 8
        end = _rank(v, centre, reach, offset, signal)
        if end < 0:
            state[LOCK] = COASTING
            break
        place = _crossing(v, end, max(tracked >> 21, 1), offset)
        length = ((end - start) << 16) + place - crossing
        tracked = min(max(tracked + ((length - tracked) >> 2), shortest), longest)
        period = min(max(length, shortest), longest)
        summed = sums(v, i, start, end, (period + (1 << 17)) >> 18)
        flags = np.int64(0)
        if summed[_PEAK] >= edge * edge:
            flags = _saturated(v, i, start, end, edge + 1)
        where = (base + end, end - start, length)
        row, means = _concluded(summed, where, period, flags, means, settings)
        for column in range(CYCLE_COLUMNS):
            rows[k, column] = row[column]
        start, crossing = end, place
        k += 1
    state[START], state[CROSSING], state[TRACKED], state[ROWS] = start, crossing, tracked, k
    state[MEAN_V], state[MEAN_I] = means
    return int(state[LOCK] == FOLLOWING and start < stop)


@kernel()
def _step(v: Counts, i: Counts, state: Row, limits: Row, rows: Row) -> Int:
    """Measure one stretch while no crossing is known; returns whether to wait for samples."""
    lock, end = state[LOCK], _seek(v, state, limits)
    start = state[START]
    if end < 0 or end == start:
        return int(end < 0)
    length, period = np.int64(0), state[TRACKED]
    flags = np.int64(UNLOCKED if lock > LOST else UNLOCKED | IDLE)
    if state[LOCK] == FOLLOWING:
        place = _crossing(v, end, max(period >> 21, 1), state[MEAN_V] >> 8)
        length = ((end - start) << 16) + place - state[CROSSING]
        period = min(max(length, limits[SHORTEST]), limits[LONGEST])
        state[TRACKED], state[CROSSING] = period, place
        flags = np.int64(0)
    flags |= _saturated(v, i, start, end, limits[FULL_SCALE])
    means = (state[MEAN_V], state[MEAN_I])
    summed = sums(v, i, start, end, (period + (1 << 17)) >> 18)
    where = (state[BASE] + end, end - start, length)
    row, means = _concluded(summed, where, period, flags, means, _settings(limits))
    for column in range(CYCLE_COLUMNS):
        rows[state[ROWS], column] = row[column]
    state[MEAN_V], state[MEAN_I] = means
    state[ROWS] += 1
    state[START] = end
    return 0


@kernel()
def _measure(v: Counts, i: Counts, stop: Int, state: Row, limits: Row, rows: Row) -> None:
    """Sum every cycle that begins before `stop` and whose end can be decided in these samples.

    A decision reads at most ACQUIRE samples from START on and BACK samples before it, and waits
    until they are there: that is why the cut of the samples does not matter.
    """
    wait = 0
    while state[START] < stop and not wait:
        if state[LOCK] == FOLLOWING:
            wait = _follow(v, i, stop, state, limits, rows)
        else:
            wait = _step(v, i, state, limits, rows)


@kernel()
def _copy(pair: NDArray[np.int32], at: Int, v: Counts, i: Counts, first: Int, end: Int) -> None:
    """Samples first..end-1 of both to `pair`, from place `at` on."""
    a, b = pair[0, at : at + end - first], pair[1, at : at + end - first]
    x, y = v[first:end], i[first:end]
    for k in range(x.size):
        a[k], b[k] = x[k], y[k]


@kernel(*(none(a, a, int64, _i32, _tails, _table, _table, _tables) for a in (_i16, _i32)))
def advance(
    voltage: Counts,
    current: Counts,
    first_sample: Int,
    stitched: NDArray[np.int32],
    tails: NDArray[np.int32],
    states: Row,
    limits: Row,
    cycles: Row,
) -> None:
    """Measure a block of each meter, which continues its tail; all begin at `first_sample`.

    Arrays have a meter per first index. Cycles that reach back into the tail are measured on a
    stitched copy, made in `stitched`. The cycles closed go on from ROWS of the state.
    """
    for m in range(states.shape[0]):
        v, i, tail, state, rows = voltage[m], current[m], tails[m], states[m], cycles[m]
        back, held = limits[m, BACK], state[HELD]
        length = held + min(v.size, back + limits[m, ACQUIRE])
        _copy(stitched, 0, tail[0], tail[1], 0, held)
        _copy(stitched, held, v, i, 0, length - held)
        whole = length == held + v.size
        stop = length if whole else held + back
        _measure(stitched[0, :length], stitched[1, :length], stop, state, limits[m], rows)
        if whole:
            drop = max(state[START] - back, 0)
            _copy(tail, 0, stitched[0], stitched[1], drop, length)
        else:
            length, state[BASE] = v.size, first_sample
            state[START] -= held
            _measure(v, i, length, state, limits[m], rows)
            drop = state[START] - back
            _copy(tail, 0, v, i, drop, length)
        state[HELD], state[BASE] = length - drop, state[BASE] + drop
        state[START] -= drop
