"""What people see of a second: floats, derived from the integer sums and used for nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntFlag

from elec_meter.metrology import folding, kernels


class Flags(IntFlag):
    """What was wrong with some of the samples of a block or second; 0 is a clean measurement."""

    GAP = kernels.GAP
    """The block did not continue the last one; the unfinished cycle was dropped."""
    SATURATED = kernels.SATURATED
    """A converter stood at its limit: true values are higher."""
    NO_SIGNAL = kernels.NO_SIGNAL
    """No mains voltage; nothing was registered."""
    STUCK = kernels.STUCK
    """A converter gave one count, other than a current of nothing, for a whole cycle."""
    DC = kernels.DC
    """A mean of more than a quarter of full scale on a channel, which was removed, or one that
    jumped by more than full scale, of which so much was left."""
    UNLOCKED = kernels.UNLOCKED
    """Voltage without regular cycles; it registers only once there have been some."""


@dataclass(frozen=True, slots=True)
class Quantities:
    """One second's values, over the cycles that ended in it.

    Power counts as registered: it is nothing below the starting current. Import and inductive are
    positive. The power factor is 1.0 where nothing registers, the frequency NaN where no cycle was
    found.
    """

    second_s: int
    v_rms_v: float
    i_rms_a: float
    power_w: float
    reactive_var: float
    apparent_va: float
    power_factor: float
    frequency_hz: float
    flags: Flags


def quantities_of(second: list[int], volt: float, ampere: float, rate_hz: int) -> Quantities:
    """The quantities of one row of seconds (columns as in `folding`), given what a count means."""
    samples = second[folding.SAMPLES]
    v_rms_v = math.sqrt(second[folding.TOTAL_VV] / samples) * volt
    i_rms_a = math.sqrt(second[folding.TOTAL_II] / samples) * ampere
    watt = volt * ampere / samples
    power_w = (second[folding.IMPORT] - second[folding.EXPORT]) * watt
    inductive = second[folding.QUADRANT_1] + second[folding.QUADRANT_2]
    capacitive = second[folding.QUADRANT_3] + second[folding.QUADRANT_4]
    apparent_va = v_rms_v * i_rms_a
    periods = second[folding.PERIODS]
    return Quantities(
        second_s=second[folding.SECOND],
        v_rms_v=v_rms_v,
        i_rms_a=i_rms_a,
        power_w=power_w,
        reactive_var=(inductive - capacitive) * watt,
        apparent_va=apparent_va,
        power_factor=power_w / apparent_va if apparent_va and power_w else 1.0,
        frequency_hz=rate_hz * 65536 * second[folding.CYCLES] / periods if periods else math.nan,
        flags=Flags(second[folding.TOTAL_FLAGS]),
    )
