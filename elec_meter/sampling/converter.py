"""What one count of the analogue-to-digital converters means."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from elec_meter.sampling.errors import BlockError


@dataclass(frozen=True, slots=True)
class Converter:
    """Two converters of equal width, one for voltage and one for current, behind ideal front ends.

    Full scale is `2**(bits-1)` counts: 16 bits travel as int16, 17 to 24 as int32.

    Args:
        voltage_peak_mv: Voltage at full scale, in millivolts.
        current_peak_ma: Current at full scale, in milliamperes.
        bits: Width of both converters, 16 to 24.

    Raises:
        BlockError: For a width or a full scale out of range.
    """

    voltage_peak_mv: int = 400_000
    current_peak_ma: int = 150_000
    bits: int = 16

    def __post_init__(self) -> None:
        if not 16 <= self.bits <= 24:
            raise BlockError(f"a converter has 16 to 24 bits, not {self.bits}")
        if self.voltage_peak_mv <= 0 or self.current_peak_ma <= 0:
            raise BlockError("a converter's full scale is more than nothing")

    @property
    def full_scale_count(self) -> int:
        """Counts at full scale, never quite reached on the positive side."""
        return 1 << (self.bits - 1)

    @property
    def dtype(self) -> np.dtype[np.int16] | np.dtype[np.int32]:
        """The type its counts travel in."""
        return np.dtype(np.int16) if self.bits == 16 else np.dtype(np.int32)

    @property
    def voltage_mv_per_count(self) -> Fraction:
        """Millivolts per count, exactly."""
        return Fraction(self.voltage_peak_mv, self.full_scale_count)

    @property
    def current_ma_per_count(self) -> Fraction:
        """Milliamperes per count, exactly."""
        return Fraction(self.current_peak_ma, self.full_scale_count)
