"""From squares of counts to whole millijoules, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from elec_meter.metrology import folding
from elec_meter.metrology.bounds import INT64_BOUND
from elec_meter.metrology.errors import CalibrationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from numpy.typing import NDArray


class Booking:
    """Keeps what is left of each register when a whole millijoule has been taken, for many meters.

    The energy booked of a register is at all times the floor of all its counts times the gain.

    Args:
        gains_mj: Of each meter, the millijoules that a count of voltage times one of current is
            worth over one sample. Where its terms are too long for int64 arithmetic, all meters are
            booked in Python's integers: slower, with the same result.
        second_max: What a register of a second has at most, count^2 (`bounds.second_max`).

    Raises:
        CalibrationError: For a gain by which that exceeds int64.
    """

    def __init__(self, gains_mj: Sequence[Fraction], second_max: int) -> None:
        for gain_mj in gains_mj:
            if gain_mj * second_max >= INT64_BOUND:
                raise CalibrationError(f"a count^2 worth {gain_mj} mJ is absurd")
        self._gains_mj = gains_mj
        self._rests: list[list[int]] | NDArray[np.int64]
        if all(_fits(gain_mj, second_max) for gain_mj in gains_mj):
            terms = [(gain_mj.numerator, gain_mj.denominator) for gain_mj in gains_mj]
            self._terms = np.array(terms, np.int64)
            self._rests = np.zeros((len(gains_mj), folding.REGISTERS), np.int64)
        else:
            self._rests = [[0] * folding.REGISTERS for _ in gains_mj]

    def book(self, seconds: NDArray[np.int64], filled: NDArray[np.int64]) -> NDArray[np.int64]:
        """Book the first `filled` rows of each meter's `seconds` (columns as in `folding`).

        Returns:
            Whole millijoules (millivar-seconds), int64, shape (meters, most rows, registers).
        """
        shape = (len(filled), int(filled.max()), folding.REGISTERS)
        energies = np.zeros(shape, np.int64)
        if isinstance(self._rests, np.ndarray):
            folding.book(seconds, filled, self._terms, self._rests, energies)
            return energies
        for m, (gain_mj, rests) in enumerate(zip(self._gains_mj, self._rests, strict=True)):
            for t in range(int(filled[m])):
                for r, count in enumerate(seconds[m, t, folding.IMPORT :].tolist()):
                    total = count * gain_mj.numerator + rests[r]
                    energies[m, t, r], rests[r] = divmod(total, gain_mj.denominator)
        return energies


def _fits(gain_mj: Fraction, second_max: int) -> bool:
    """Whether no intermediate of `folding.book` can exceed int64."""
    parts = (gain_mj.numerator + 1) * gain_mj.denominator
    return parts < INT64_BOUND and second_max * gain_mj + gain_mj.numerator < INT64_BOUND // 2
