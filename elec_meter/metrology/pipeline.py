"""Blocks in, millijoules per second out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from elec_meter.metrology import folding, kernels
from elec_meter.metrology.calibration import Calibration
from elec_meter.metrology.errors import CountRangeError, RateError, RepeatedBlockError
from elec_meter.metrology.quantities import Flags, Quantities, quantities_of
from elec_meter.sampling.block import RATE_MAX_HZ, SampleBlock
from shared.timegrid import EPOCH, unix_s

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLES_PER_CYCLE_MIN = 32
_COUNT_BOUND = 1 << 23

_FLAGS = tuple(Flags(k) for k in range(folding.FLAGS_MASK + 1))

# Largest sum: a second of full-scale squares at the highest rate, and a cycle that hangs over, with
# room for what the quadrature's correction adds.
if 2 * RATE_MAX_HZ * _COUNT_BOUND * _COUNT_BOUND >= 1 << 63:
    raise OverflowError("int64 cannot hold one second's sums at this rate and width")


class _Energy:
    """Turns counts^2 into whole millijoules and keeps what is left over, exactly."""

    def __init__(self, gain_mj: Fraction) -> None:
        self._numerator = gain_mj.numerator
        self._denominator = gain_mj.denominator
        self._rest = 0

    def whole(self, counts: list[int]) -> list[int]:
        """What each of `counts` adds, the rest being carried from one to the next and on."""
        energies_mj = []
        for count in counts:
            energy_mj = 0
            if count:
                count_mj = count * self._numerator + self._rest
                energy_mj, self._rest = divmod(count_mj, self._denominator)
            energies_mj.append(energy_mj)
        return energies_mj


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """What one block added. A cycle belongs to the second of its last sample.

    A second whose cycles end in two blocks appears in both measurements; its parts add up.

    Attributes:
        second_s: UTC second (UNIX) of each entry, int64, shape (n,), not falling within a stream.
        import_mj: Active energy imported in that second, millijoules, int64, shape (n,).
        export_mj: Active energy exported in that second, millijoules, int64, shape (n,).
        reactive_mvars: Reactive energy of that second, millivar-seconds, int64, shape (n, 4): the
            quadrants I (import, inductive), II (export, Q positive), III (export, Q negative) and
            IV (import, capacitive) of IEC 62053-23, none of them negative. +Ri is column 0, +Rc 1,
            -Ri 2, -Rc 3; Q+ is the sum of columns 0 and 1, Q- that of 2 and 3.
        quantities: Of the last complete second, None before there is one.
        flags: Everything that was wrong with cycles that ended in this block.
        start_utc: When the block's first sample was taken.
        end_utc: When the sample after the block's last is due.
    """

    second_s: NDArray[np.int64]
    import_mj: NDArray[np.int64]
    export_mj: NDArray[np.int64]
    reactive_mvars: NDArray[np.int64]
    quantities: Quantities | None
    flags: Flags
    start_utc: datetime
    end_utc: datetime


class Metrology:
    """Measures one stream of sample blocks.

    Exact: the energy registered after any number of blocks is the floor, in millijoules, of the sum
    of all cycles' energies, however the samples were cut into blocks. Memory is bounded by the
    largest block. One thread at a time; `process` lets go of the GIL while it computes.

    Args:
        calibration: What counts mean.
        rate_hz: Samples per second of every block, at least 32 per mains cycle.
        nominal_hz: 50 or 60; cycles of 0.8 to 1.4 times that frequency are measured.

    Raises:
        RateError: For a rate that is too low or too high.
    """

    def __init__(self, calibration: Calibration, *, rate_hz: int, nominal_hz: int = 50) -> None:
        if not 40 <= nominal_hz <= 400:
            raise RateError(f"the mains has 40 to 400 Hz, not {nominal_hz} Hz")
        if not SAMPLES_PER_CYCLE_MIN * nominal_hz <= rate_hz <= RATE_MAX_HZ:
            raise RateError(
                f"{nominal_hz} Hz mains needs {SAMPLES_PER_CYCLE_MIN * nominal_hz} to {RATE_MAX_HZ}"
                f" samples a second, not {rate_hz}"
            )
        self.calibration = calibration
        self.rate_hz = rate_hz
        self.nominal_hz = nominal_hz
        gain = calibration.energy_mj_per_count(rate_hz)
        self._gains = (
            float(calibration.voltage_mv_per_count / 1000),
            float(calibration.current_ma_per_count / 1000),
        )
        self._registers = [_Energy(gain) for _ in range(folding.IMPORT, folding.SECOND_COLUMNS)]
        self._limits = _limits_of(calibration, rate_hz, nominal_hz)
        room = 2 * int(self._limits[kernels.BACK] + self._limits[kernels.ACQUIRE])
        room += int(self._limits[kernels.LONGEST] >> 16) + 16
        self._tail = np.zeros((2, room), np.int32)
        self._state = np.zeros(kernels.STATE_SIZE, np.int64)
        self._cycles = np.zeros((0, kernels.CYCLE_COLUMNS), np.int64)
        self._seconds = np.zeros((0, folding.SECOND_COLUMNS), np.int64)
        self._timing = np.zeros(folding.TIMING_SIZE, np.int64)
        self._timing[folding.RATE] = rate_hz
        self._live: list[int] = []
        self._quantities: Quantities | None = None
        self._size_max = -1
        self._expected: int | None = None
        self._anchor_utc = EPOCH
        self._start_stream(0)

    def process(self, block: SampleBlock) -> Measurement:
        """Measure `block`; what it adds to the stream's seconds is returned.

        Raises:
            RateError: For a block of another rate.
            CountRangeError: For counts of more than 24 bits.
            RepeatedBlockError: For a block that starts before the end of the last one.
            After any of them the pipeline stands as if the block had not been offered.
        """
        flags = self._admit(block)
        size = len(block)
        if size > self._size_max:
            self._make_room(size)
        self._state[kernels.ROWS] = rows = 0
        if size:
            used = kernels.advance(
                block.voltage,
                block.current,
                block.first_sample,
                self._tail,
                self._state,
                self._limits,
                self._cycles,
            )
            rows = folding.fold(self._cycles, used, self._timing, self._seconds)
        self._expected = block.first_sample + size
        seconds = self._seconds[:rows].tolist()
        for second in seconds:
            flags |= second[folding.TOTAL_FLAGS]
        registered = np.zeros((len(self._registers), rows), np.int64)
        for k, register in enumerate(self._registers):
            registered[k] = register.whole([second[folding.IMPORT + k] for second in seconds])
        self._live_through(seconds)
        return Measurement(
            second_s=self._seconds[:rows, folding.SECOND].copy(),
            import_mj=registered[0],
            export_mj=registered[1],
            reactive_mvars=registered[2:].T,
            quantities=self._quantities,
            flags=_FLAGS[flags],
            start_utc=block.start_utc,
            end_utc=block.end_utc,
        )

    @property
    def next_sample(self) -> int:
        """The sample that a block must start with to continue the stream."""
        return self._expected or 0

    @property
    def cycles(self) -> NDArray[np.int64]:
        """A copy of the last block's rows, one per cycle closed in it; columns as in `kernels`."""
        return self._cycles[: self._state[kernels.ROWS]].copy()

    def _admit(self, block: SampleBlock) -> int:
        """Refuse what cannot be measured; begin anew after a gap. Returns the flags."""
        if block.rate_hz != self.rate_hz:
            raise RateError(f"the block has {block.rate_hz} Hz, the pipeline {self.rate_hz} Hz")
        same_anchor = block.anchor_utc is self._anchor_utc or block.anchor_utc == self._anchor_utc
        flags = 0
        if block.first_sample != self._expected and self._expected is not None:
            if same_anchor and block.first_sample < self._expected:
                raise RepeatedBlockError(
                    f"the block starts at sample {block.first_sample}, but all before "
                    f"{self._expected} are measured"
                )
            flags = kernels.GAP
        wide = block.voltage.dtype == np.int32 and block.voltage.size
        if wide and kernels.bound(block.voltage, block.current) > _COUNT_BOUND:
            raise CountRangeError("the block has counts of more than 24 bits")
        if flags or self._expected is None:
            self._start_stream(block.first_sample)
        if not same_anchor:
            self._anchor_utc = block.anchor_utc
            self._timing[folding.ANCHOR_S] = unix_s(block.anchor_utc)
            self._timing[folding.ANCHOR_US] = block.anchor_utc.microsecond
        return flags

    def _start_stream(self, first_sample: int) -> None:
        self._state[:] = 0
        self._state[kernels.BASE] = first_sample
        self._state[kernels.START] = self._limits[kernels.BACK]
        self._state[kernels.TRACKED] = self._limits[kernels.NOMINAL]

    def _make_room(self, size: int) -> None:
        samples = size + self._tail.shape[1]
        cycles = 2 * (samples // int(self._limits[kernels.SHORTEST] >> 16)) + 4
        self._cycles = np.zeros((cycles, kernels.CYCLE_COLUMNS), np.int64)
        self._seconds = np.zeros((samples // self.rate_hz + 3, folding.SECOND_COLUMNS), np.int64)
        self._size_max = size

    def _live_through(self, seconds: list[list[int]]) -> None:
        """Add up the second under way; derive the quantities of the last one that is complete."""
        if not seconds:
            return
        if self._live and self._live[folding.SECOND] == seconds[0][folding.SECOND]:
            seconds[0] = _added(self._live, seconds[0])
        elif self._live:
            seconds.insert(0, self._live)
        self._live = seconds[-1]
        if len(seconds) > 1:
            self._quantities = quantities_of(seconds[-2], *self._gains, self.rate_hz)


def _added(first: list[int], then: list[int]) -> list[int]:
    """Two rows of one second as one."""
    total = [a + b for a, b in zip(first, then, strict=True)]
    total[folding.SECOND] = first[folding.SECOND]
    total[folding.TOTAL_FLAGS] = first[folding.TOTAL_FLAGS] | then[folding.TOTAL_FLAGS]
    return total


def _limits_of(calibration: Calibration, rate_hz: int, nominal_hz: int) -> NDArray[np.int64]:
    nominal = (rate_hz << 16) // nominal_hz
    longest = nominal * 5 // 4
    reach = nominal >> 19
    limits = np.zeros(kernels.LIMITS_SIZE, np.int64)
    limits[kernels.NOMINAL] = nominal
    limits[kernels.SHORTEST] = nominal * 5 // 7
    limits[kernels.LONGEST] = longest
    limits[kernels.BACK] = max((longest >> 18) + 1, reach) + 1
    limits[kernels.ACQUIRE] = 3 * (nominal >> 16) + 4 * reach + 4
    limits[kernels.SIGNAL] = calibration.signal_min_count
    limits[kernels.STARTING] = calibration.starting_square_q8
    limits[kernels.FULL_SCALE] = calibration.full_scale_count
    limits[kernels.DC_LIMIT] = calibration.full_scale_count // 4
    limits[kernels.COSINE], limits[kernels.SINE] = calibration.turn_q30
    limits[kernels.OFFSET_P], limits[kernels.OFFSET_Q] = calibration.offsets_q8
    return limits


def warm_cache() -> None:
    """Compile every kernel, or load it from the cache: no block then waits for the compiler."""
    calibration = Calibration(Fraction(12), Fraction(5))
    silence = np.zeros(4000, np.int16), np.zeros(4000, np.int32)
    for counts in silence:
        block = SampleBlock(counts, counts, 0, 4000, EPOCH)
        Metrology(calibration, rate_hz=4000).process(block)
