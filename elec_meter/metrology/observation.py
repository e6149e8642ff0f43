"""What a front end shows of a steady load, in counts: one side of a calibration."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from elec_meter.metrology import kernels
from elec_meter.metrology.calibration import Calibration
from elec_meter.metrology.errors import ImplausibleError
from elec_meter.metrology.pipeline import Metrology
from elec_meter.metrology.quantities import Flags

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from elec_meter.metrology.harmonics import Harmonics
    from elec_meter.sampling.block import SampleBlock

CYCLES_MIN = 25
COUNT_MIN = 100.0
"""RMS of a channel in counts, from which on it can be calibrated by."""

_DEVIATION_MAX = 0.02  # of any cycle, its power as a share of the apparent power
_HARMONIC_CYCLES = 10
_FAULTS = {
    Flags.SATURATED: "a converter was at its limit",
    Flags.GAP: "samples are missing",
    Flags.NO_SIGNAL: "there is no mains voltage in it by converters of {bits} bits",
    Flags.UNLOCKED: "its voltage has no regular cycles",
    Flags.STUCK: "a converter showed one count only",
    Flags.DC: "a channel has a large mean",
}


@dataclass(frozen=True, slots=True)
class Fundamental:
    """The part of a load that has the frequency of the mains, in counts.

    Attributes:
        voltage_count: RMS.
        current_count: RMS.
        active_count2: mean product.
        reactive_count2: reactive power, inductive positive.
    """

    voltage_count: float
    current_count: float
    active_count2: float
    reactive_count2: float


@dataclass(frozen=True, slots=True)
class Observation:
    """What the converters showed of a steady load, in counts, the means of both left out.

    Attributes:
        bits: width of the converters.
        cycles: how many cycles it is over.
        voltage_count: RMS.
        current_count: RMS.
        active_count2: mean product.
        reactive_count2: that of the current with the voltage a quarter period ago; harmonics that
            both have are in it.
        fundamental: the same without any harmonics.
    """

    bits: int
    cycles: int
    voltage_count: float
    current_count: float
    active_count2: float
    reactive_count2: float
    fundamental: Fundamental


def observe(
    blocks: Iterable[SampleBlock], *, rate_hz: int, bits: int, nominal_hz: int = 50
) -> Observation:
    """Measure a steady load, or none, in counts.

    Args:
        blocks: of a stream, in order.
        rate_hz: its samples per second.
        bits: width of the converters.
        nominal_hz: 50 or 60.

    Raises:
        RateError: the rate is too low for the mains.
        ImplausibleError: what was recorded is no steady mains, or too short.
    """
    metrology = Metrology(_plain_counts(bits), rate_hz=rate_hz, nominal_hz=nominal_hz)
    parts = [np.zeros((0, kernels.CYCLE_COLUMNS), np.int64)]
    harmonics: list[Harmonics] = []
    for block in blocks:
        if not metrology.are_harmonics_awaited:
            metrology.request_harmonics(_HARMONIC_CYCLES)
        measurement = metrology.process(block)
        for fault, sentence in _FAULTS.items():
            if measurement.flags & fault:
                raise ImplausibleError(
                    f"nothing can be calibrated with the recording: {sentence.format(bits=bits)}"
                )
        parts.append(metrology.cycles)
        if measurement.harmonics is not None:
            harmonics.append(measurement.harmonics)
    rows = np.concatenate(parts)
    if len(rows) < CYCLES_MIN:
        raise ImplausibleError(
            f"the recording has {len(rows)} whole cycles, and a calibration takes {CYCLES_MIN}"
        )
    _refuse_unsteady(rows)
    samples = int(rows[:, kernels.COUNT].sum())
    return Observation(
        bits=bits,
        cycles=len(rows),
        voltage_count=math.sqrt(_total(rows, kernels.SQUARE_V) / samples),
        current_count=math.sqrt(_total(rows, kernels.SQUARE_I) / samples),
        active_count2=_total(rows, kernels.ACTIVE) / samples,
        reactive_count2=_total(rows, kernels.REACTIVE) / samples,
        fundamental=_fundamental_of(harmonics),
    )


def _plain_counts(bits: int) -> Calibration:
    """A count is a millivolt and a milliampere."""
    full_scale = 1 << (bits - 1)
    return Calibration(
        Fraction(1),
        Fraction(1),
        full_scale_count=full_scale,
        starting_current_ma=0,
        signal_min_mv=full_scale // 64,
    )


def _total(rows: NDArray[np.int64], column: int) -> int:
    return sum(rows[:, column].tolist())


def _fundamental_of(harmonics: list[Harmonics]) -> Fundamental:
    """The mean of what was measured in milli-units that are counts."""
    if not harmonics:
        raise ImplausibleError(
            f"the recording has no {_HARMONIC_CYCLES} whole cycles without a fault one after the"
            " other"
        )
    voltage, current, active, reactive = (
        math.fsum(values) / len(harmonics)
        for values in zip(
            *((h.voltage_v[0], h.current_a[0], h.power_w[0], h.reactive_var[0]) for h in harmonics),
            strict=True,
        )
    )
    return Fundamental(voltage * 1e3, current * 1e3, active * 1e6, reactive * 1e6)


def _refuse_unsteady(rows: NDArray[np.int64]) -> None:
    """A load that changes has no single reading beside it, even if it is gone for one cycle only.

    At its ends a cycle's voltage is nothing, so that its sums are those of its exact length.
    """
    lengths: NDArray[Any] = np.where(
        rows[:, kernels.LENGTH], rows[:, kernels.LENGTH] / 65536, rows[:, kernels.COUNT]
    )
    voltage = np.sqrt(rows[:, kernels.SQUARE_V] / lengths)
    deviations = [float(np.max(np.abs(voltage / np.mean(voltage) - 1)))]
    current_count = math.sqrt(float(np.mean(rows[:, kernels.SQUARE_I] / lengths)))
    if current_count >= COUNT_MIN:
        power = rows[:, kernels.ACTIVE] / lengths
        apparent = float(np.mean(voltage)) * current_count
        deviations.append(float(np.max(np.abs(power - np.mean(power)))) / apparent)
    if max(deviations) > _DEVIATION_MAX:
        raise ImplausibleError("the load was not steady while it was recorded")
