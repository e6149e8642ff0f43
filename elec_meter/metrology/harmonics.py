"""Harmonics of voltage and current over some whole cycles, when somebody asks for them."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from elec_meter.metrology import kernels
from elec_meter.metrology.errors import HarmonicsError
from elec_meter.sampling.block import sample_utc

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from elec_meter.metrology.calibration import Calibration
    from elec_meter.sampling.block import SampleBlock

ORDER_MAX = 40
CYCLES_MAX = 100


@dataclass(frozen=True, slots=True)
class Harmonics:
    """The periodic part of some whole cycles, order by order.

    Order n stands at index n - 1; orders that the sample rate cannot show are left out, so that
    there are fewer than 40 below 4,100 samples a second at 50 Hz.

    Attributes:
        start_utc: When the first of the cycles began.
        cycles: How many were measured together (10 at 50 Hz in IEC 61000-4-7).
        frequency_hz: Of the fundamental.
        voltage_v: RMS of each order.
        current_a: RMS of each order.
        power_w: Active power of each order, import positive.
        reactive_var: Reactive power of each order, positive where the current lags the voltage.
            The first is the fundamental's, which IEC 62053-24 calls the reactive power.
        thd_voltage: RMS of orders 2 and up, as a share of the fundamental's (THD-F).
        thd_current: Likewise; NaN without a fundamental.
    """

    start_utc: datetime
    cycles: int
    frequency_hz: float
    voltage_v: tuple[float, ...]
    current_a: tuple[float, ...]
    power_w: tuple[float, ...]
    reactive_var: tuple[float, ...]
    thd_voltage: float
    thd_current: float


class HarmonicsRequest:
    """Gathers blocks until they hold so many whole cycles without a fault, one after the other.

    Args:
        cycles: How many to measure together.
        calibration: What counts mean.

    Raises:
        HarmonicsError: For no cycles at all, a part of one, or more than `CYCLES_MAX`.
    """

    def __init__(self, cycles: int, calibration: Calibration) -> None:
        try:
            self.cycles = operator.index(cycles)
        except TypeError:
            raise HarmonicsError(f"harmonics are those of whole cycles, not {cycles}") from None
        if not 1 <= self.cycles <= CYCLES_MAX:
            raise HarmonicsError(f"harmonics are those of 1 to {CYCLES_MAX} cycles, not {cycles}")
        self._calibration = calibration
        self._first = self._end = 0
        self._counts = np.zeros((2, 0), np.int32)
        self._rows = np.zeros((0, kernels.CYCLE_COLUMNS), np.int64)

    def offer(self, block: SampleBlock, rows: NDArray[np.int64]) -> Harmonics | None:
        """What the last cycles have, once `block` and the cycles closed in it complete them."""
        counts = np.array([block.voltage, block.current], np.int32)
        if block.first_sample == self._end:
            self._counts = np.concatenate([self._counts, counts], axis=1)
            self._rows = np.concatenate([self._rows, rows])
        else:
            self._counts, self._rows, self._first = counts, rows, block.first_sample
        self._end = block.end_sample
        sound = self._sound()
        if sound is not None:
            return self._measured(sound, block)
        self._forget()
        return None

    def _sound(self) -> NDArray[np.int64] | None:
        """The latest rows that are whole, without fault and all in the samples at hand."""
        rows = self._rows
        is_sound = (rows[:, kernels.FLAGS] & ~kernels.IDLE == 0) & (rows[:, kernels.LENGTH] > 0)
        is_sound &= rows[:, kernels.END] - rows[:, kernels.COUNT] >= self._first
        for last in range(len(rows), self.cycles - 1, -1):
            if is_sound[last - self.cycles : last].all():
                return rows[last - self.cycles : last]
        return None

    def _forget(self) -> None:
        """Keep the last cycles, and the samples from the first of them on."""
        self._rows = self._rows[-self.cycles :]
        if len(self._rows):
            begin = int(self._rows[0, kernels.END] - self._rows[0, kernels.COUNT])
            self._counts = self._counts[:, max(begin - self._first, 0) :]
            self._first = max(begin, self._first)

    def _measured(self, rows: NDArray[np.int64], block: SampleBlock) -> Harmonics:
        begin, end = int(rows[0, kernels.END] - rows[0, kernels.COUNT]), int(rows[-1, kernels.END])
        turn = 2 * math.pi * 65536 * self.cycles / int(rows[:, kernels.LENGTH].sum())
        phasors = _phasors(self._counts[:, begin - self._first : end - self._first], turn)
        orders = np.arange(1, phasors.shape[1] + 1)
        # The channel's lag is one of time: of order n it is n times that of the fundamental.
        current = phasors[1] * np.exp(1j * orders * self._calibration.phase_urad / 1e6)
        voltage = phasors[0] * float(self._calibration.voltage_mv_per_count / 1000)
        current *= float(self._calibration.current_ma_per_count / 1000)
        power = voltage * current.conj()
        return Harmonics(
            start_utc=sample_utc(block.anchor_utc, begin, block.rate_hz),
            cycles=self.cycles,
            frequency_hz=turn * block.rate_hz / (2 * math.pi),
            voltage_v=tuple(np.abs(voltage).tolist()),
            current_a=tuple(np.abs(current).tolist()),
            power_w=tuple(power.real.tolist()),
            reactive_var=tuple(power.imag.tolist()),
            thd_voltage=_distortion(np.abs(voltage)),
            thd_current=_distortion(np.abs(current)),
        )


def _phasors(counts: NDArray[np.int32], turn: float) -> NDArray[np.complex128]:
    """RMS phasors of each channel and order, by least squares; `turn` is in radians a sample.

    A Fourier transform would need whole samples in the cycles. What is not periodic is left over.
    """
    orders = np.arange(1, min(ORDER_MAX, math.ceil(0.98 * math.pi / turn) - 1) + 1)
    angle = np.arange(counts.shape[1])[:, np.newaxis] * (turn * orders)
    basis = np.concatenate([np.ones((len(angle), 1)), np.cos(angle), np.sin(angle)], axis=1)
    shares = np.linalg.solve(basis.T @ basis, basis.T @ counts.T)[1:].T
    phasors: NDArray[np.complex128] = shares[:, : orders.size] - 1j * shares[:, orders.size :]
    return phasors / math.sqrt(2)


def _distortion(rms: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(rms[1:]) / rms[0]) if rms[0] else math.nan
