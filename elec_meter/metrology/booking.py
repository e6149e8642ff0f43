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


# By how much a guess of energy in doubles may be wrong, in bits of 1 mJ: three roundings of 2^-53
# of what lies below 2^62, the whole part that is taken, and what was left over before.
_GUESS_BITS = 12


class Booking:
    """Keeps what is left of each register when a whole millijoule has been taken, for many meters.

    The energy booked of a register is at all times the floor of all its squares times the gain.

    Args:
        gains_mj: Of each meter, the millijoules that a count of voltage times one of current is
            worth over one sample.
        second_max: What a register of a second has at most, count^2 (`bounds.second_max`).

    Raises:
        CalibrationError: For a gain by which that exceeds int64.
    """

    def __init__(self, gains_mj: Sequence[Fraction], second_max: int) -> None:
        for gain_mj in gains_mj:
            if 2 * second_max * gain_mj >= INT64_BOUND:
                raise CalibrationError(f"a count^2 worth {gain_mj} mJ is absurd")
        longest = max(gain_mj.denominator for gain_mj in gains_mj)
        # And one for the sign.
        limbs = -(-(longest.bit_length() + _GUESS_BITS + 1) // folding.LIMB_BITS)
        self._terms = np.array(
            [
                (_digits(gain_mj.numerator, limbs), _digits(gain_mj.denominator, limbs))
                for gain_mj in gains_mj
            ],
            np.int64,
        )
        self._gains = np.array([float(gain_mj) for gain_mj in gains_mj])
        self._rests = np.zeros((len(gains_mj), folding.REGISTERS, limbs), np.int64)

    def book(self, seconds: NDArray[np.int64], filled: NDArray[np.int64]) -> NDArray[np.int64]:
        """Book the first `filled` rows of each meter's `seconds` (columns as in `folding`).

        Returns:
            Whole millijoules (millivar-seconds), int64, shape (meters, most rows, registers).
        """
        shape = (len(filled), int(filled.max()), folding.REGISTERS)
        energies = np.zeros(shape, np.int64)
        folding.book(seconds, filled, self._terms, self._gains, self._rests, energies)
        return energies


def _digits(number: int, limbs: int) -> list[int]:
    """The lowest digits as `folding` has them, the lowest first."""
    mask = (1 << folding.LIMB_BITS) - 1
    return [number >> folding.LIMB_BITS * k & mask for k in range(limbs)]
