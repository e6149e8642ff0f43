"""What counts may be, and how much int64 must hold of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from elec_meter.metrology.errors import CountRangeError, RateError

if TYPE_CHECKING:
    from numpy.typing import NDArray

COUNT_BOUND = 1 << 23
"""Counts lie within -2^23..2^23-1, whatever a calibration says that full scale is."""

SQUARE_MAX = COUNT_BOUND * COUNT_BOUND

# Of a cycle, per sample and in SQUARE_MAX: each channel has a variance of at most 1 and a mean at
# most 1 from the offset that is taken off, so that active power is 2 at most. The delayed voltage
# times the current is 1, and what the offsets take off that is 2. The delay lacks at most half a
# sample of the quarter of 22, and the phase is a tenth of a radian: turned by these, reactive power
# is 3.5 at most. A calibration's offset is 1 / OFFSET_SHARE at most, roundings are millionths.
SAMPLE_MAX = 29 * SQUARE_MAX // 8
"""What a sample adds to a register at most, in count^2."""

SCALED_BOUND = 1 << 59
"""What kernels multiply by a factor lies below this, in count^2 of one cycle."""

INT64_BOUND = 1 << 63


def second_max(rate_hz: int, stretch_samples: int) -> int:
    """What registers in a second at most, in count^2.

    Args:
        rate_hz: Samples per second.
        stretch_samples: How many are summed up together at most: so many hang over a second.

    Raises:
        RateError: For more than int64 can hold.
    """
    if SAMPLE_MAX * stretch_samples >= SCALED_BOUND:
        raise RateError(f"no sum of {stretch_samples} samples at 24 bits can be turned in int64")
    largest = SAMPLE_MAX * (rate_hz + stretch_samples)
    if largest >= INT64_BOUND:
        raise RateError(f"int64 cannot hold a second of {rate_hz} samples at 24 bits")
    return largest


def refuse_wide(counts: NDArray[np.int16] | NDArray[np.int32]) -> None:
    """Refuse counts whose sums could overflow.

    Raises:
        CountRangeError: For counts of more than 24 bits.
    """
    if counts.dtype == np.int32 and counts.size:
        low, high = int(counts.min()), int(counts.max())
        if low < -COUNT_BOUND or high >= COUNT_BOUND:
            raise CountRangeError(f"the block has counts from {low} to {high}, beyond 24 bits")
