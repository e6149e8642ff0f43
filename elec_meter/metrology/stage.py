"""The arrays of one meter or many, and the kernels run on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from elec_meter.metrology import folding, kernels, lanes
from elec_meter.metrology.booking import Booking
from elec_meter.metrology.bounds import SQUARE_MAX, refuse_wide, second_max
from elec_meter.metrology.errors import RateError
from elec_meter.metrology.position import StreamPosition
from elec_meter.sampling.block import RATE_MAX_HZ, RATE_MIN_HZ
from shared.timegrid import unix_s

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from elec_meter.metrology.calibration import Calibration

    Counts = NDArray[np.int16] | NDArray[np.int32]

SAMPLES_PER_CYCLE_MIN = 32
# As many meters as have their cycles in the cache at once.
_GROUP = 32
_PIECE = 1 << 20


class Folded(NamedTuple):
    """What a block added, meter by meter.

    Attributes:
        seconds: Columns as in `folding`, int64, shape (meters, rows, columns).
        filled: How many of its rows each meter has, int64, shape (meters,).
        energies: Millijoules and millivar-seconds, int64, shape (meters, rows, registers).
        flags: GAP where the block stands after one, or 0.
    """

    seconds: NDArray[np.int64]
    filled: NDArray[np.int64]
    energies: NDArray[np.int64]
    flags: int


class _Group(NamedTuple):
    meters: slice
    tails: NDArray[np.int32]
    states: NDArray[np.int64]
    limits: NDArray[np.int64]


class Stage:
    """Measures one stream of each of its meters, all with the same clock.

    Args:
        calibrations: What counts mean, of each meter.
        rate_hz: Samples per second, 2,000 to 32,000 and at least 32 per mains cycle.
        nominal_hz: 40 to 400; cycles of 0.8 to 1.4 times that frequency are measured.

    Attributes:
        position: Where the streams stand.

    Raises:
        CalibrationError: For a gain by which a second at full scale exceeds int64.
        RateError: For a rate that is too low or too high.
    """

    def __init__(
        self, calibrations: Sequence[Calibration], *, rate_hz: int, nominal_hz: int
    ) -> None:
        if not 40 <= nominal_hz <= 400:
            raise RateError(f"the mains has 40 to 400 Hz, not {nominal_hz} Hz")
        lowest_hz = max(SAMPLES_PER_CYCLE_MIN * nominal_hz, RATE_MIN_HZ)
        if not lowest_hz <= rate_hz <= RATE_MAX_HZ:
            raise RateError(
                f"{nominal_hz} Hz mains needs {lowest_hz} to {RATE_MAX_HZ} samples a second,"
                f" not {rate_hz}"
            )
        self.meters = len(calibrations)
        self._rate_hz, self._nominal_hz = rate_hz, nominal_hz
        self._limits = np.zeros((self.meters, kernels.LIMITS_SIZE), np.int64)
        self._second_max = second_max(rate_hz, _stretch_max(rate_hz, nominal_hz))
        self.recalibrate(calibrations)
        self._common = self._limits[0]
        # A cycle waits for less than ACQUIRE samples from its begin on: so many are held at most,
        # and BACK before them. As many of a block's are stitched to them.
        self._held_max = int(self._common[kernels.BACK] + self._common[kernels.ACQUIRE])
        self._stitched = np.zeros((2, 2 * self._held_max), np.int32)
        tails = np.zeros((self.meters, 2, self._held_max), np.int32)
        self._states = np.zeros((self.meters, kernels.STATE_SIZE), np.int64)
        spans = [slice(m, min(m + _GROUP, self.meters)) for m in range(0, self.meters, _GROUP)]
        self._groups = [_Group(at, tails[at], self._states[at], self._limits[at]) for at in spans]
        self._timing = np.zeros(folding.TIMING_SIZE, np.int64)
        self._timing[folding.RATE] = rate_hz
        self._normal = np.array([0, SQUARE_MAX])
        self._filled = np.zeros(self.meters, np.int64)
        self._size_max = -1
        self._make_room(0)
        self.position = StreamPosition()

    @property
    def cycles(self) -> NDArray[np.int64]:
        """A copy of the only meter's cycles closed by the last block; columns as in `kernels`."""
        return self._cycles[0, : self._states[0, kernels.ROWS]].copy()

    def recalibrate(self, calibrations: Sequence[Calibration]) -> None:
        """From the next block on, the counts of each meter mean this; less than 1 mJ is lost.

        Raises:
            CalibrationError: For a gain by which a second at full scale exceeds int64.
        """
        rate_hz, nominal_hz = self._rate_hz, self._nominal_hz
        gains_mj = [each.energy_mj_per_count(rate_hz) for each in calibrations]
        self._booking = Booking(gains_mj, self._second_max)
        self._limits[:] = [_limits_of(each, rate_hz, nominal_hz) for each in calibrations]

    def _start_stream(self, first_sample: int) -> None:
        """Forget what is unfinished: a stream begins at `first_sample`."""
        self._states[:] = 0
        self._states[:, kernels.BASE] = first_sample
        self._states[:, kernels.START] = self._common[kernels.BACK]
        self._states[:, kernels.TRACKED] = self._common[kernels.NOMINAL]

    def _set_anchor(self, anchor_utc: datetime) -> None:
        """From now on, sample 0 was taken at `anchor_utc`."""
        self._timing[folding.ANCHOR_S] = unix_s(anchor_utc)
        self._timing[folding.ANCHOR_US] = anchor_utc.microsecond

    def set_normal(self, least: float, most: float) -> None:
        """From now on, a cycle's mean square of voltage, count^2, is normal between these.

        What lies near to a limit may be told as abnormal.
        """
        self._normal[:] = min(int(least) + 1, SQUARE_MAX), min(int(most), SQUARE_MAX)

    def run(
        self, voltage: Counts, current: Counts, first_sample: int, anchor_utc: datetime
    ) -> Folded:
        """Measure a block of each meter; shape (meters, samples).

        Raises:
            CountRangeError: For counts of more than 24 bits.
            RepeatedBlockError: For a block that starts before the end of the last one.
            After either the stage stands as if the block had not been offered.
        """
        arrival = self.position.arrival(first_sample, anchor_utc)
        refuse_wide(voltage)
        refuse_wide(current)
        if arrival.begins:
            self._start_stream(first_sample)
        if arrival.is_dated:
            self._set_anchor(anchor_utc)
        size = voltage.shape[1]
        if size > self._size_max:
            self._make_room(size)
        self._filled[:] = self._states[:, kernels.ROWS] = 0
        # A single meter's block goes piece by piece, so that its cycles are folded from the cache.
        piece = _PIECE if self.meters == 1 else max(size, 1)
        for group in self._groups:
            for first in range(0, size, piece):
                part = (group.meters, slice(first, first + piece))
                self._run(group, voltage[part], current[part], first_sample + first)
        self.position.advance(first_sample + size, anchor_utc)
        energies = self._booking.book(self._seconds, self._filled)
        seconds = self._seconds[:, : energies.shape[1]]
        return Folded(seconds, self._filled, energies, kernels.GAP if arrival.is_gap else 0)

    def _run(self, group: _Group, voltage: Counts, current: Counts, first_sample: int) -> None:
        closed = group.states[:, kernels.ROWS].copy()
        kernels.advance(
            voltage,
            current,
            first_sample,
            self._stitched,
            group.tails,
            group.states,
            group.limits,
            self._cycles,
        )
        folding.fold(
            self._cycles,
            closed,
            group.states[:, kernels.ROWS].copy(),
            self._timing,
            self._normal,
            self._seconds[group.meters],
            self._filled[group.meters],
        )

    def _make_room(self, size: int) -> None:
        samples = size + self._held_max
        # Cycles are longer than half the shortest period. Only a stretch before a crossing that was
        # looked for is not, and a cycle of a whole period at least follows it.
        cycles = 2 * samples // int(self._common[kernels.SHORTEST] >> 16) + 1
        # So many samples begin in one second, and end in another, with whole ones between.
        seconds = samples // self._rate_hz + 2
        columns = kernels.CYCLE_COLUMNS, folding.SECOND_COLUMNS
        self._cycles = np.zeros((min(self.meters, _GROUP), cycles, columns[0]), np.int64)
        self._seconds = np.zeros((self.meters, seconds, columns[1]), np.int64)
        self._size_max = size


def _stretch_max(rate_hz: int, nominal_hz: int) -> int:
    """How many samples are summed up together at most: ends lie less than two periods away.

    Raises:
        RateError: For more than sums of 32 bits can hold.
    """
    stretch = 2 * (rate_hz // nominal_hz)
    if stretch > lanes.STRETCH_MAX:
        raise RateError(f"no stretch of {stretch} samples can be summed up")
    return stretch


def _limits_of(calibration: Calibration, rate_hz: int, nominal_hz: int) -> NDArray[np.int64]:
    nominal = (rate_hz << 16) // nominal_hz
    longest = nominal * 5 // 4
    reach = nominal >> 19
    limits = np.zeros(kernels.LIMITS_SIZE, np.int64)
    limits[kernels.NOMINAL] = nominal
    limits[kernels.SHORTEST] = nominal * 5 // 7
    limits[kernels.LONGEST] = longest
    # The longest delay, before which lanes read on; where crossings are looked for is nearer.
    lag = (longest + (1 << 17)) >> 18
    limits[kernels.BACK] = lag + lanes.LANES - 1
    # Two crossings are looked for in three periods, either of them as far beyond its place as
    # `reach`, and less than that beyond them tells where the line across the second one lies.
    limits[kernels.ACQUIRE] = 3 * (nominal >> 16) + 3 * reach
    limits[kernels.SIGNAL] = calibration.signal_min_count
    limits[kernels.STARTING] = calibration.starting_square_q8
    limits[kernels.FULL_SCALE] = calibration.full_scale_count
    limits[kernels.DC_LIMIT] = calibration.full_scale_count // 4
    limits[kernels.COSINE], limits[kernels.SINE] = calibration.turn_q30
    limits[kernels.OFFSET_P], limits[kernels.OFFSET_Q] = calibration.offsets_q8
    return limits
