"""What measures the mains: calibration, the thresholds of the supply's events, the LED."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from elec_meter.front_end import OFFSET_MAX_UW, PHASE_MAX_URAD, unlikely_reach

from .base import Document

Millivolts = Annotated[int, Meta(ge=0, le=1_000_000)]


class CalibrationConfig(Document, frozen=True):
    """What a meter's front end was found to be; without one, what its drawing says.

    Attributes:
        bits: width of the converters.
        voltage_pv_per_count: picovolts that a count of voltage stands for.
        current_pa_per_count: picoamperes that a count of current stands for.
        phase_urad: by how much the current channel lags, in microradians of the fundamental.
        power_offset_uw: microwatts that the channels make of each other without a load.
        reactive_offset_uvar: likewise.
    """

    bits: Annotated[int, Meta(ge=16, le=24)]
    voltage_pv_per_count: Annotated[int, Meta(ge=1, le=10**12)]
    current_pa_per_count: Annotated[int, Meta(ge=1, le=10**12)]
    phase_urad: Annotated[int, Meta(ge=-PHASE_MAX_URAD, le=PHASE_MAX_URAD)] = 0
    power_offset_uw: Annotated[int, Meta(ge=-OFFSET_MAX_UW, le=OFFSET_MAX_UW)] = 0
    reactive_offset_uvar: Annotated[int, Meta(ge=-OFFSET_MAX_UW, le=OFFSET_MAX_UW)] = 0

    def __post_init__(self) -> None:
        unlikely = unlikely_reach(
            bits=self.bits,
            voltage_pv_per_count=self.voltage_pv_per_count,
            current_pa_per_count=self.current_pa_per_count,
        )
        if unlikely is not None:
            raise ValueError(unlikely)


class SupplyConfig(Document, frozen=True):
    """Where sags, swells and losses of the supply begin and end, in millivolts of a cycle's RMS.

    The values as they stand are those of EN 50160 for 230 V: 90 %, 110 % and 5 %, with a hysteresis
    of 2 %.

    Attributes:
        lost_below_mv: the supply is lost below this,
        lost_until_mv: and is back from here on.
        sag_below_mv: the voltage sags below this,
        sag_until_mv: until it is at least this.
        swell_until_mv: a swell lasts until the voltage is at most this,
        swell_above_mv: and begins above this.
    """

    lost_below_mv: Millivolts = 11_500
    lost_until_mv: Millivolts = 16_100
    sag_below_mv: Millivolts = 207_000
    sag_until_mv: Millivolts = 211_600
    swell_until_mv: Millivolts = 248_400
    swell_above_mv: Millivolts = 253_000

    def __post_init__(self) -> None:
        falling = self.lost_below_mv, self.lost_until_mv, self.sag_below_mv, self.sag_until_mv
        rising = self.swell_until_mv, self.swell_above_mv
        if list(falling + rising) != sorted(falling + rising):
            raise ValueError("thresholds rise from lost over sag to swell")
        if self.sag_until_mv == self.swell_until_mv:
            raise ValueError("the voltage has no normal range between sag and swell")


class LedConfig(Document, frozen=True):
    """The LED that flashes with the energy, import and export together.

    Attributes:
        imp_per_kwh: the meter constant; only the factory may change it.
    """

    imp_per_kwh: Annotated[int, Meta(ge=1, le=100_000)] = 1_000
