"""Blocks in, millijoules per second out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from elec_meter.metrology import folding, kernels
from elec_meter.metrology.calibration import Calibration
from elec_meter.metrology.cycles import CycleQuantities, cycle_quantities_of
from elec_meter.metrology.errors import RateError
from elec_meter.metrology.harmonics import Harmonics, HarmonicsRequest
from elec_meter.metrology.quantities import Flags, Quantities, quantities_of
from elec_meter.metrology.stage import Stage
from elec_meter.metrology.supply import SupplyEvent, SupplyThresholds, SupplyWatch
from elec_meter.sampling.block import SampleBlock
from shared.timegrid import EPOCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FLAGS = tuple(Flags(k) for k in range(folding.FLAGS_MASK + 1))


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
        supply: Sags, swells and losses that were over within this block, in order of time.
        supply_under_way: The one that lasts at its end.
        harmonics: The answer to a request, where this block completed it.
    """

    second_s: NDArray[np.int64]
    import_mj: NDArray[np.int64]
    export_mj: NDArray[np.int64]
    reactive_mvars: NDArray[np.int64]
    quantities: Quantities | None
    flags: Flags
    start_utc: datetime
    end_utc: datetime
    supply: tuple[SupplyEvent, ...] = ()
    supply_under_way: SupplyEvent | None = None
    harmonics: Harmonics | None = None


class Metrology:
    """Measures one stream of sample blocks.

    Exact: the energy registered after any number of blocks is the floor, in millijoules, of the sum
    of all cycles' energies, however the samples were cut into blocks. Memory is bounded by the
    largest block. One thread at a time; `process` lets go of the GIL while it computes.

    Args:
        calibration: What counts mean.
        rate_hz: Samples per second of every block, 2,000 to 32,000 and at least 32 per mains cycle.
        nominal_hz: 40 to 400; cycles of 0.8 to 1.4 times that frequency are measured.
        supply: Where events of the supply begin and end; those of EN 50160 without.

    Attributes:
        supply: What follows the voltage; its thresholds can be changed between blocks.

    Raises:
        CalibrationError: For a gain by which a second at full scale exceeds int64.
        RateError: For a rate that is too low or too high.
    """

    def __init__(
        self,
        calibration: Calibration,
        *,
        rate_hz: int,
        nominal_hz: int = 50,
        supply: SupplyThresholds | None = None,
    ) -> None:
        self.calibration = calibration
        self.rate_hz = rate_hz
        self.nominal_hz = nominal_hz
        self._stage = Stage([calibration], rate_hz=rate_hz, nominal_hz=nominal_hz)
        self._gains = _gains_of(calibration)
        self.supply = SupplyWatch(supply)
        self._thresholds: SupplyThresholds | None = None
        self._live: list[int] = []
        self._quantities: Quantities | None = None
        self._request: HarmonicsRequest | None = None
        self._harmonics: Harmonics | None = None

    def recalibrate(self, calibration: Calibration) -> None:
        """From the next block on, counts mean this: cycles that end in it or later, all of them.

        No cycle is lost. What was left over from whole millijoules is, and the live quantities of
        the second under way begin anew.

        Raises:
            CalibrationError: For a gain by which a second at full scale exceeds int64.
        """
        self._stage.recalibrate([calibration])
        self.calibration, self._gains = calibration, _gains_of(calibration)
        self._thresholds, self._live = None, []
        if self._request is not None:
            self.request_harmonics(self._request.cycles)

    def process(self, block: SampleBlock) -> Measurement:
        """Measure `block`; what it adds to the stream's seconds is returned.

        Raises:
            RateError: For a block of another rate.
            CountRangeError: For counts of more than 24 bits.
            RepeatedBlockError: For a block that starts before the end of the last one.
            After any of them the pipeline stands as if the block had not been offered.
        """
        if block.rate_hz != self.rate_hz:
            raise RateError(f"the block has {block.rate_hz} Hz, the pipeline {self.rate_hz} Hz")
        self._follow_thresholds()
        voltage, current = block.voltage[np.newaxis], block.current[np.newaxis]
        folded = self._stage.run(voltage, current, block.first_sample, block.anchor_utc)
        seconds, energies = folded.seconds[0], folded.energies[0]
        flags = folded.flags | int(np.bitwise_or.reduce(seconds[:, folding.TOTAL_FLAGS]))
        self._live_through(seconds)
        harmonics = self._answer(block)
        abnormal = int(seconds[:, folding.ABNORMAL].sum())
        supply = self._supply_events(abnormal or flags & kernels.UNLOCKED)
        return Measurement(
            second_s=seconds[:, folding.SECOND].copy(),
            import_mj=energies[:, 0],
            export_mj=energies[:, 1],
            reactive_mvars=energies[:, 2:],
            quantities=self._quantities,
            flags=_FLAGS[flags],
            start_utc=block.start_utc,
            end_utc=block.end_utc,
            supply=supply,
            supply_under_way=self.supply.under_way,
            harmonics=harmonics,
        )

    @property
    def next_sample(self) -> int:
        """The sample that a block must start with to continue the stream."""
        return self._stage.position.next_sample

    @property
    def cycles(self) -> NDArray[np.int64]:
        """A copy of the last block's rows, one per cycle closed in it; columns as in `kernels`."""
        return self._stage.cycles

    def cycle_quantities(self) -> CycleQuantities:
        """The values of each cycle closed in the last block."""
        anchor_utc = self._stage.position.anchor_utc
        return cycle_quantities_of(self._stage.cycles, self.calibration, self.rate_hz, anchor_utc)

    def request_harmonics(self, cycles: int = 10) -> None:
        """Ask for the harmonics of so many cycles of what comes; `harmonics` will have them.

        Only blocks from now on count, and only while the answer is open do they cost anything.

        Raises:
            HarmonicsError: For a number of cycles that cannot be measured together.
        """
        self._request = HarmonicsRequest(cycles, self.calibration)

    @property
    def are_harmonics_awaited(self) -> bool:
        """Whether a request is not answered yet."""
        return self._request is not None

    @property
    def harmonics(self) -> Harmonics | None:
        """The answer to the last request that was answered, None before there is one."""
        return self._harmonics

    def _answer(self, block: SampleBlock) -> Harmonics | None:
        if self._request is None:
            return None
        harmonics = self._request.offer(block, self._stage.cycles)
        if harmonics is not None:
            self._harmonics, self._request = harmonics, None
        return harmonics

    def _supply_events(self, abnormal: int) -> tuple[SupplyEvent, ...]:
        """Those that are over; a block in which all is normal is not looked at cycle by cycle."""
        if not abnormal and not self.supply.awaits_more:
            return ()
        told = self.supply.feed(self.cycle_quantities())
        return tuple(event for event in told if event.until is not None)

    def _follow_thresholds(self) -> None:
        """Tell the kernels what voltage is normal, where that has changed."""
        if self.supply.thresholds is not self._thresholds:
            limits = self._thresholds = self.supply.thresholds
            count_mv = 1000 * self._gains[0]
            # A millivolt inside, for the rounding of what is compared cycle by cycle.
            least, most = limits.sag_below_mv + 1, max(limits.swell_above_mv - 1, 0)
            self._stage.set_normal((least / count_mv) ** 2, (most / count_mv) ** 2)

    def _live_through(self, seconds: NDArray[np.int64]) -> None:
        """Add up the second under way; derive the quantities of the last one that is complete."""
        if not len(seconds):
            return
        rows = (seconds if len(seconds) < 4 else seconds[[0, -2, -1]]).tolist()
        if self._live and self._live[folding.SECOND] == rows[0][folding.SECOND]:
            rows[0] = _added(self._live, rows[0])
        elif self._live:
            rows.insert(0, self._live)
        self._live = rows[-1]
        if len(rows) > 1:
            self._quantities = quantities_of(rows[-2], *self._gains, self.rate_hz)


def _gains_of(calibration: Calibration) -> tuple[float, float]:
    """Volts and amperes per count."""
    voltage, current = calibration.voltage_mv_per_count, calibration.current_ma_per_count
    return float(voltage / 1000), float(current / 1000)


def _added(first: list[int], then: list[int]) -> list[int]:
    """Two rows of one second as one."""
    total = [a + b for a, b in zip(first, then, strict=True)]
    total[folding.SECOND] = first[folding.SECOND]
    total[folding.TOTAL_FLAGS] = first[folding.TOTAL_FLAGS] | then[folding.TOTAL_FLAGS]
    return total


def warm_cache() -> None:
    """Compile every kernel, or load it from the cache: no block then waits for the compiler."""
    calibration = Calibration(Fraction(12), Fraction(5))
    silence = np.zeros(4000, np.int16), np.zeros(4000, np.int32)
    for counts in silence:
        block = SampleBlock(counts, counts, 0, 4000, EPOCH)
        Metrology(calibration, rate_hz=4000).process(block)
