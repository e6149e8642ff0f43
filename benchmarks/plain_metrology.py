"""What metrology is measured beside: the same work as others would write it, and less of it.

All cut the samples at each rise of the voltage through zero, and have of each cycle the sums of
V^2, I^2 and V x I less their means. None of them finds a crossing among noise or harmonics, flags
what is no mains, knows a starting current, corrects a phase, keeps what is left of a millijoule or
knows to which second a cycle belongs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from elec_meter.sampling import SampleBlock

    Sums = NDArray[np.float64]

# Columns of what each cycle comes to.
SQUARE_V, SQUARE_I, ACTIVE, REACTIVE, COUNT, PEAK = range(6)
COLUMNS = 6

# Three arrays of as many doubles stay in the cache.
CACHED_PAIRS = 1 << 16


def by_numpy(block: SampleBlock, cycles: Sums, chunk_pairs: int) -> int:
    """Sums by reduceat, of so many pairs at once; each chunk ends where a cycle does.

    Reactive power is by the voltage of a quarter of the nominal period ago: right at 50 Hz only.
    The largest count of a cycle, of either sign and channel, is by reduceat too.

    Returns:
        How many rows of `cycles` it filled.
    """
    lag = block.rate_hz // 200
    size = block.voltage.size
    v, i, product = (np.empty(chunk_pairs) for _ in range(3))
    begin, rows = lag, 0
    while begin < size:
        end = min(begin + chunk_pairs, size)
        raw_v, raw_i = block.voltage[begin:end], block.current[begin:end]
        negative = raw_v < 0
        rises = np.flatnonzero(negative[:-1] & ~negative[1:]) + 1
        if rises.size < 2:
            break
        first, last = int(rises[0]), int(rises[-1])
        length = last - first
        starts, counts = rises[:-1] - first, np.diff(rises)
        volts, amperes, products = v[:length], i[:length], product[:length]
        volts[:], amperes[:] = raw_v[first:last], raw_i[first:last]
        into = cycles[rows : rows + counts.size]
        sum_v, sum_i = np.add.reduceat(volts, starts), np.add.reduceat(amperes, starts)
        for column, one, other, less in (
            (SQUARE_V, volts, volts, sum_v * sum_v),
            (SQUARE_I, amperes, amperes, sum_i * sum_i),
            (ACTIVE, volts, amperes, sum_v * sum_i),
        ):
            np.multiply(one, other, out=products)
            into[:, column] = np.add.reduceat(products, starts) - less / counts
        volts[:] = block.voltage[begin + first - lag : begin + last - lag]
        np.multiply(volts, amperes, out=products)
        into[:, REACTIVE] = np.add.reduceat(products, starts) - sum_v * sum_i / counts
        into[:, COUNT] = counts
        into[:, PEAK] = _peaks(raw_v[first:last], raw_i[first:last], starts)
        rows += counts.size
        begin += last - 1
    return rows


def _peaks(voltage: NDArray[Any], current: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[Any]:
    extremes = [
        np.abs(extreme.reduceat(counts, starts).astype(np.int64))
        for extreme in (np.maximum, np.minimum)
        for counts in (voltage, current)
    ]
    peaks: NDArray[Any] = np.maximum.reduce(extremes)
    return peaks


@njit(cache=True)
def by_loop(voltage: Any, current: Any, lag: Any, cycles: Any) -> Any:
    """One pass, one sample after the other; `lag` is that of the first cycle, in samples.

    Reactive power is by the voltage of a quarter of the last cycle ago, in whole samples. The
    largest count of each cycle, of either sign and channel, is kept.

    Returns:
        How many rows of `cycles` it filled.
    """
    rows, peak, count = np.int64(-1), np.int64(0), np.int64(0)
    sum_v = sum_i = sum_vv = sum_ii = sum_vi = sum_qi = np.int64(0)
    last = np.int16(0)
    for k in range(lag, voltage.size):
        v, i = np.int64(voltage[k]), np.int64(current[k])
        if last < 0 <= v:
            if rows >= 0:
                cycles[rows, SQUARE_V] = sum_vv - sum_v * sum_v / count
                cycles[rows, SQUARE_I] = sum_ii - sum_i * sum_i / count
                cycles[rows, ACTIVE] = sum_vi - sum_v * sum_i / count
                cycles[rows, REACTIVE] = sum_qi - sum_v * sum_i / count
                cycles[rows, COUNT], cycles[rows, PEAK] = count, peak
                lag = (count + 2) // 4
            # What came before the first rise is no cycle.
            rows += 1
            count = peak = sum_v = sum_i = sum_vv = sum_ii = sum_vi = sum_qi = np.int64(0)
        count += 1
        sum_v += v
        sum_i += i
        sum_vv += v * v
        sum_ii += i * i
        sum_vi += v * i
        sum_qi += np.int64(voltage[k - lag]) * i
        peak = max(peak, abs(v), abs(i))
        last = voltage[k]
    return max(rows, 0)


@njit(cache=True)
def by_short_loop(voltage: Any, current: Any, cycles: Any) -> Any:
    """As `by_loop`, but without reactive power and the largest count."""
    rows, count = np.int64(-1), np.int64(0)
    sum_v = sum_i = sum_vv = sum_ii = sum_vi = np.int64(0)
    last = np.int16(0)
    for k in range(voltage.size):
        v, i = np.int64(voltage[k]), np.int64(current[k])
        if last < 0 <= v:
            if rows >= 0:
                cycles[rows, SQUARE_V] = sum_vv - sum_v * sum_v / count
                cycles[rows, SQUARE_I] = sum_ii - sum_i * sum_i / count
                cycles[rows, ACTIVE] = sum_vi - sum_v * sum_i / count
                cycles[rows, COUNT] = count
            rows += 1
            count = sum_v = sum_i = sum_vv = sum_ii = sum_vi = np.int64(0)
        count += 1
        sum_v += v
        sum_i += i
        sum_vv += v * v
        sum_ii += i * i
        sum_vi += v * i
        last = voltage[k]
    return max(rows, 0)


def read(block: SampleBlock) -> None:
    """Look at every byte of both channels once, eight at a time (what is left over is not)."""
    whole = block.voltage.size // 4 * 4
    block.voltage[:whole].view(np.int64).max()
    block.current[:whole].view(np.int64).max()


def sines(count: int, rate_hz: int) -> None:
    """Voltage and current without harmonics or wander, a sine for each sample."""
    angle = np.arange(count) * (2 * np.pi * 50 / rate_hz)
    for amplitude, lag in ((27_000, 0.0), (2_000, 0.3)):
        np.rint(amplitude * np.sin(angle - lag)).astype(np.int16)
