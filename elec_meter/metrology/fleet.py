"""Many meters at once: blocks with a row per meter in, millijoules per meter and second out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from elec_meter.metrology import folding
from elec_meter.metrology.errors import BlockShapeError
from elec_meter.metrology.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from elec_meter.metrology.calibration import Calibration

    Counts = NDArray[np.int16] | NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class FleetMeasurement:
    """What one block added to each meter. A cycle belongs to the second of its last sample.

    Attributes:
        second_s: UTC seconds (UNIX) that have cycles of any meter, int64, shape (n,), rising.
        import_mj: Active energy imported, millijoules, int64, shape (meters, n).
        export_mj: Active energy exported, millijoules, int64, shape (meters, n).
        reactive_mvars: Reactive energy in the quadrants I to IV, millivar-seconds, int64, shape
            (meters, n, 4).
        flags: What was wrong with cycles that ended in this block, values as in `Flags`, uint8,
            shape (meters,).
    """

    second_s: NDArray[np.int64]
    import_mj: NDArray[np.int64]
    export_mj: NDArray[np.int64]
    reactive_mvars: NDArray[np.int64]
    flags: NDArray[np.uint8]


class Fleet:
    """Measures as many streams as there are meters, all sampled at the same instants.

    Each meter's integers are those that a `Metrology` of its own would give. One thread at a time;
    `process` lets go of the GIL while it computes, so threads with a fleet each share the work.

    Args:
        calibrations: What counts mean, one of each meter.
        rate_hz: Samples per second of every block, 2,000 to 32,000 and at least 32 per mains cycle.
        nominal_hz: 40 to 400; cycles of 0.8 to 1.4 times that frequency are measured.

    Raises:
        BlockShapeError: For no meter at all.
        CalibrationError: For a gain by which a second at full scale exceeds int64.
        RateError: For a rate that is too low or too high.
    """

    def __init__(
        self, calibrations: Sequence[Calibration], *, rate_hz: int, nominal_hz: int = 50
    ) -> None:
        if not calibrations:
            raise BlockShapeError("a fleet has at least one meter")
        self.meters = len(calibrations)
        self.rate_hz = rate_hz
        self._stage = Stage(calibrations, rate_hz=rate_hz, nominal_hz=nominal_hz)

    @property
    def next_sample(self) -> int:
        """The sample that a block must start with to continue the streams."""
        return self._stage.position.next_sample

    def process(
        self, voltage: Counts, current: Counts, *, first_sample: int, anchor_utc: datetime
    ) -> FleetMeasurement:
        """Measure a block of every meter; what it adds to each one's seconds is returned.

        Args:
            voltage: int16 or int32, shape (meters, samples), contiguous; at most 24 bits.
            current: Same type and shape as `voltage`.
            first_sample: Index in the streams of column 0.
            anchor_utc: When sample 0 of the streams was (or would have been) taken.

        Raises:
            BlockShapeError: For another type or shape, or a time that is not UTC.
            CountRangeError: For counts of more than 24 bits.
            RepeatedBlockError: For a block that starts before the end of the last one.
            After any of them the fleet stands as if the block had not been offered.
        """
        self._check(voltage, current, first_sample, anchor_utc)
        seconds, filled, energies, gap = self._stage.run(voltage, current, first_sample, anchor_utc)
        is_filled = np.arange(seconds.shape[1]) < filled[:, np.newaxis]
        second_s, place = np.unique(seconds[:, :, folding.SECOND][is_filled], return_inverse=True)
        registered = np.zeros((self.meters, second_s.size, folding.REGISTERS), np.int64)
        registered[np.nonzero(is_filled)[0], place] = energies[is_filled]
        told = np.where(is_filled, seconds[:, :, folding.TOTAL_FLAGS], 0)
        flags = np.bitwise_or.reduce(told, axis=1) | gap
        return FleetMeasurement(
            second_s=second_s,
            import_mj=registered[:, :, 0],
            export_mj=registered[:, :, 1],
            reactive_mvars=registered[:, :, 2:],
            flags=flags.astype(np.uint8),
        )

    def _check(
        self, voltage: Counts, current: Counts, first_sample: int, anchor_utc: datetime
    ) -> None:
        for name, counts in (("voltage", voltage), ("current", current)):
            if not isinstance(counts, np.ndarray):
                raise BlockShapeError(f"{name} is no array")
            if counts.dtype != np.int16 and counts.dtype != np.int32:
                raise BlockShapeError(f"{name} is {counts.dtype}, not int16 or int32")
            if counts.ndim != 2 or len(counts) != self.meters or not counts.flags.c_contiguous:
                raise BlockShapeError(f"{name} is not contiguous with a row for each meter")
        if voltage.dtype != current.dtype or voltage.shape != current.shape:
            raise BlockShapeError("voltage and current differ in type or shape")
        if first_sample < 0:
            raise BlockShapeError(f"first_sample is {first_sample}, before the anchor")
        if anchor_utc.utcoffset() != timedelta(0):
            raise BlockShapeError("anchor_utc is not an aware UTC time")
