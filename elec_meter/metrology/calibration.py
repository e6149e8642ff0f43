"""What a count means for one meter, in exact integers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from elec_meter.front_end import OFFSET_MAX_UW, PHASE_MAX_URAD
from elec_meter.metrology.errors import CalibrationError

if TYPE_CHECKING:
    from elec_meter.sampling.converter import Converter

BITS_MAX = 24
OFFSET_SHARE = 16
_PER_MILLI = 10**9


@dataclass(frozen=True, slots=True)
class Calibration:
    """Gains, phase and thresholds of one meter: exact ratios and integers.

    Args:
        voltage_mv_per_count: Millivolts that one count of voltage stands for.
        current_ma_per_count: Milliamperes that one count of current stands for.
        phase_urad: By how much the current channel lags the voltage channel, in microradians of the
            fundamental; what is measured is turned back by as much.
        power_offset_uw: Active power that the channels make of each other without any load, in
            microwatts; it is taken off what is measured.
        reactive_offset_uvar: The same of reactive power. Neither is more than 5 W, or than a
            sixteenth of what both channels have at full scale.
        full_scale_count: Counts at which both converters saturate, at most 2^23.
        starting_current_ma: The meter starts at this current (EN 50470-3: I_st) and registers
            nothing at less than three quarters of it.
        signal_min_mv: A voltage of lower amplitude is no mains at all.

    Raises:
        CalibrationError: For values out of range.
    """

    voltage_mv_per_count: Fraction
    current_ma_per_count: Fraction
    phase_urad: int = 0
    full_scale_count: int = 1 << 15
    starting_current_ma: int = 20
    signal_min_mv: int = 20_000
    power_offset_uw: int = 0
    reactive_offset_uvar: int = 0

    def __post_init__(self) -> None:
        for name in ("voltage_mv_per_count", "current_ma_per_count"):
            gain = getattr(self, name)
            if not isinstance(gain, Fraction) or gain <= 0:
                raise CalibrationError(f"{name} is {gain!r}, not a positive Fraction")
        if abs(self.phase_urad) > PHASE_MAX_URAD:
            raise CalibrationError(f"a phase of {self.phase_urad} urad is no calibration")
        if max(abs(self.power_offset_uw), abs(self.reactive_offset_uvar)) > OFFSET_MAX_UW:
            raise CalibrationError("an offset of more than 5 W is no calibration")
        if not 1 << 7 <= self.full_scale_count <= 1 << (BITS_MAX - 1):
            raise CalibrationError(f"full scale is 2^7 to 2^23, not {self.full_scale_count}")
        # What kernels take off each sample is a number of squares of counts, and bounded as such.
        if max(map(abs, self.offsets_q8)) * OFFSET_SHARE > self.full_scale_count**2 << 8:
            raise CalibrationError(
                f"an offset of more than 1/{OFFSET_SHARE} of full scale is no calibration"
            )
        if (
            not 0
            <= self.starting_current_ma
            < self.full_scale_count * self.current_ma_per_count / 16
        ):
            raise CalibrationError(f"a starting current of {self.starting_current_ma} mA is absurd")
        if not 0 < self.signal_min_mv < self.full_scale_count * self.voltage_mv_per_count:
            raise CalibrationError(f"a least signal of {self.signal_min_mv} mV is absurd")

    @classmethod
    def for_converter(
        cls,
        converter: Converter,
        *,
        phase_urad: int = 0,
        starting_current_ma: int = 20,
        signal_min_mv: int = 20_000,
    ) -> Calibration:
        """The calibration of a meter whose front end is exactly as `converter` states."""
        return cls(
            voltage_mv_per_count=converter.voltage_mv_per_count,
            current_ma_per_count=converter.current_ma_per_count,
            phase_urad=phase_urad,
            full_scale_count=converter.full_scale_count,
            starting_current_ma=starting_current_ma,
            signal_min_mv=signal_min_mv,
        )

    @classmethod
    def from_integers(
        cls,
        *,
        bits: int,
        voltage_pv_per_count: int,
        current_pa_per_count: int,
        phase_urad: int = 0,
        power_offset_uw: int = 0,
        reactive_offset_uvar: int = 0,
    ) -> Calibration:
        """The calibration as a meter stores it: gains in picovolts and picoamperes a count."""
        return cls(
            voltage_mv_per_count=Fraction(voltage_pv_per_count, _PER_MILLI),
            current_ma_per_count=Fraction(current_pa_per_count, _PER_MILLI),
            phase_urad=phase_urad,
            full_scale_count=1 << (bits - 1),
            power_offset_uw=power_offset_uw,
            reactive_offset_uvar=reactive_offset_uvar,
        )

    def energy_mj_per_count(self, rate_hz: int) -> Fraction:
        """Millijoules in one count of voltage times one of current, over one sample."""
        return self.voltage_mv_per_count * self.current_ma_per_count / (1000 * rate_hz)

    @property
    def signal_min_count(self) -> int:
        """Amplitude below which the voltage is no mains, in counts."""
        return max(int(self.signal_min_mv / self.voltage_mv_per_count), 2)

    @property
    def starting_square_q8(self) -> int:
        """Mean square of current, in count^2 / 256, below which nothing registers."""
        threshold = Fraction(3 * self.starting_current_ma, 4) / self.current_ma_per_count
        return int(threshold * threshold * 256)

    @property
    def turn_q30(self) -> tuple[int, int]:
        """Cosine and sine of the phase, in 1/2^30."""
        angle = self.phase_urad / 1e6
        return round(math.cos(angle) * (1 << 30)), round(math.sin(angle) * (1 << 30))

    @property
    def offsets_q8(self) -> tuple[int, int]:
        """Active and reactive power to take off each sample, in count^2 / 256."""
        # A millivolt times a milliampere is a microwatt.
        uw_per_count = self.voltage_mv_per_count * self.current_ma_per_count
        return (
            round(self.power_offset_uw / uw_per_count * 256),
            round(self.reactive_offset_uvar / uw_per_count * 256),
        )
