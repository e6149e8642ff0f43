"""A block of samples: the only thing metrology takes in."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from elec_meter.sampling.errors import BlockError

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE_MIN_HZ = 2_000
RATE_MAX_HZ = 32_000
SAMPLES_MAX = 1 << 48
"""Samples of a stream at most: 278 years at 32,000 a second."""


@dataclass(frozen=True, slots=True, eq=False)
class SampleBlock:
    """Voltage and current counts of the same instants, in the order they were taken.

    Sample k of the stream (k counts from the anchor, not from the block) was taken at
    `anchor_utc + k / rate_hz`. A block whose `first_sample` is not where the last block of the
    stream ended stands after a gap.

    Counts that cannot be written, as those of a memory map, are copied: kernels are compiled for
    arrays that can. Whole numbers of numpy become Python's.

    Args:
        voltage: int16 or int32, shape (n,), contiguous; at most 24 significant bits.
        current: Same type and shape as `voltage`.
        first_sample: Index in the stream of element 0; the stream ends before sample 2^48.
        rate_hz: Samples per second, 2,000 to 32,000.
        anchor_utc: When sample 0 of the stream was (or would have been) taken.

    Raises:
        BlockError: For anything else.
    """

    voltage: NDArray[np.int16] | NDArray[np.int32]
    current: NDArray[np.int16] | NDArray[np.int32]
    first_sample: int
    rate_hz: int
    anchor_utc: datetime

    def __post_init__(self) -> None:
        for name in ("voltage", "current"):
            given = getattr(self, name)
            counts = _plain_counts(name, given)
            if counts is not given:
                object.__setattr__(self, name, counts)
        if self.voltage.dtype != self.current.dtype or self.voltage.size != self.current.size:
            raise BlockError("voltage and current differ in type or length")
        for name in ("first_sample", "rate_hz"):
            number = getattr(self, name)
            if type(number) is not int:
                object.__setattr__(self, name, _whole(name, number))
        if self.first_sample < 0:
            raise BlockError(f"first_sample is {self.first_sample}, before the anchor")
        if self.end_sample > SAMPLES_MAX:
            raise BlockError(f"first_sample is {self.first_sample}: no stream is so long")
        if not RATE_MIN_HZ <= self.rate_hz <= RATE_MAX_HZ:
            raise BlockError(f"the rate is {self.rate_hz} Hz, not 2,000 to 32,000 Hz")
        self._refuse_anchor()

    def _refuse_anchor(self) -> None:
        anchor: object = self.anchor_utc
        if not isinstance(anchor, datetime) or anchor.utcoffset() != timedelta(0):
            raise BlockError("anchor_utc is not an aware UTC time")
        try:
            sample_utc(anchor, self.end_sample, self.rate_hz)
        except OverflowError:
            raise BlockError("the block ends after the year 9999") from None

    def __len__(self) -> int:
        return self.voltage.size

    @property
    def end_sample(self) -> int:
        """Index in the stream of the sample after the last."""
        return self.first_sample + self.voltage.size

    @property
    def start_utc(self) -> datetime:
        """When the first sample was taken."""
        return sample_utc(self.anchor_utc, self.first_sample, self.rate_hz)

    @property
    def end_utc(self) -> datetime:
        """When the sample after the last is due."""
        return sample_utc(self.anchor_utc, self.end_sample, self.rate_hz)


def _plain_counts(name: str, counts: Any) -> NDArray[Any]:
    """Them as the kernels take them."""
    if isinstance(counts, np.memmap):
        counts = counts.view(np.ndarray)
    if type(counts) is not np.ndarray:
        raise BlockError(f"{name} is a {type(counts).__name__}, not an array")
    if counts.dtype != np.int16 and counts.dtype != np.int32:
        raise BlockError(f"{name} is {counts.dtype}, not int16 or int32")
    if counts.ndim != 1:
        raise BlockError(f"{name} has {counts.ndim} dimensions, not one")
    flags = counts.flags
    if not flags.c_contiguous:
        raise BlockError(f"{name} is not contiguous")
    return counts if flags.writeable and flags.aligned else counts.copy()


def _whole(name: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise BlockError(f"{name} is {value}, not a whole number") from None


def sample_utc(anchor_utc: datetime, sample: int, rate_hz: int) -> datetime:
    """When `sample` of a stream was taken, to the microsecond (rounded down)."""
    whole_s, rest = divmod(sample, rate_hz)
    elapsed = timedelta(seconds=whole_s, microseconds=rest * 1_000_000 // rate_hz)
    return anchor_utc + elapsed
