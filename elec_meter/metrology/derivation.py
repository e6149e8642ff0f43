"""Deriving a calibration: what a meter's converters show, against what a reference read."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from elec_meter.metrology import kernels
from elec_meter.metrology.calibration import OFFSET_MAX_UW, PHASE_MAX_URAD, Calibration
from elec_meter.metrology.errors import ImplausibleError
from elec_meter.metrology.pipeline import Metrology
from elec_meter.metrology.quantities import Flags

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from elec_meter.sampling.block import SampleBlock

CYCLES_MIN = 25
FACTOR_MAX = 0.95
"""Up to this power factor, power and voltage and current tell the phase well enough."""

_SPREAD_MAX = 0.02  # of a cycle's power, as a share of the apparent power
_AGREEMENT = 0.005
_SINE_MIN = 0.98
_COUNT_MIN = 100.0
_VOLTAGE_SCALE_V = (100.0, 2_000.0)
_CURRENT_SCALE_A = (1.0, 2_000.0)
_FAULTS = {
    Flags.SATURATED: "a converter was at its limit",
    Flags.GAP: "samples are missing",
    Flags.NO_SIGNAL: "there is no mains voltage in it",
    Flags.UNLOCKED: "its voltage has no regular cycles",
    Flags.STUCK: "a converter showed one count only",
    Flags.DC: "a channel has a large mean",
}


@dataclass(frozen=True, slots=True)
class Observation:
    """What the converters showed of a steady load, in counts, the means of both left out.

    Attributes:
        bits: width of the converters.
        cycles: how many cycles it is over.
        voltage_count: RMS.
        current_count: RMS.
        active_count2: mean product.
        reactive_count2: that of the fundamental with the voltage a quarter period later.
    """

    bits: int
    cycles: int
    voltage_count: float
    current_count: float
    active_count2: float
    reactive_count2: float


@dataclass(frozen=True, slots=True)
class ReferenceReading:
    """What the reference read of the same load.

    Args:
        voltage_v: RMS.
        current_a: RMS.
        power_w: import is positive.
        reactive_var: of the fundamental, inductive positive; None if the reference does not say.
        leading: whether the current leads, where no reactive power says so.
    """

    voltage_v: Fraction
    current_a: Fraction
    power_w: Fraction
    reactive_var: Fraction | None = None
    leading: bool = False

    @property
    def power_factor(self) -> float:
        """Active over apparent power."""
        return float(self.power_w / (self.voltage_v * self.current_a))


@dataclass(frozen=True, slots=True)
class Derived:
    """A calibration as a meter stores it; see `Calibration.from_integers`.

    Attributes:
        phase_derived: whether the readings told the phase, which is 0 otherwise.
    """

    bits: int
    voltage_pv_per_count: int
    current_pa_per_count: int
    phase_urad: int
    power_offset_uw: int
    reactive_offset_uvar: int
    phase_derived: bool

    def integers(self) -> dict[str, int]:
        """By name, as `Calibration.from_integers` takes them."""
        return {
            "bits": self.bits,
            "voltage_pv_per_count": self.voltage_pv_per_count,
            "current_pa_per_count": self.current_pa_per_count,
            "phase_urad": self.phase_urad,
            "power_offset_uw": self.power_offset_uw,
            "reactive_offset_uvar": self.reactive_offset_uvar,
        }


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
    full_scale = 1 << (bits - 1)
    counts = Calibration(
        Fraction(1),
        Fraction(1),
        full_scale_count=full_scale,
        starting_current_ma=0,
        signal_min_mv=full_scale // 64,
    )
    metrology = Metrology(counts, rate_hz=rate_hz, nominal_hz=nominal_hz)
    parts = [np.zeros((0, kernels.CYCLE_COLUMNS), np.int64)]
    for block in blocks:
        flags = metrology.process(block).flags
        for fault, sentence in _FAULTS.items():
            if flags & fault:
                raise ImplausibleError(f"nothing can be calibrated with the recording: {sentence}")
        parts.append(metrology.cycles)
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
    )


def _total(rows: NDArray[np.int64], column: int) -> int:
    return sum(rows[:, column].tolist())


def _refuse_unsteady(rows: NDArray[np.int64]) -> None:
    """A load that changes has no single reading beside it."""
    counts: NDArray[Any] = rows[:, kernels.COUNT]
    voltage, current = (
        np.sqrt(rows[:, column] / counts) for column in (kernels.SQUARE_V, kernels.SQUARE_I)
    )
    apparent = float(np.mean(voltage) * np.mean(current))
    loaded = float(np.mean(current)) >= _COUNT_MIN
    spreads = [float(np.std(voltage) / np.mean(voltage))]
    if loaded:
        spreads.append(float(np.std(rows[:, kernels.ACTIVE] / counts)) / apparent)
    if max(spreads) > _SPREAD_MAX:
        raise ImplausibleError("the load was not steady while it was recorded")


def derive(
    load: Observation, reading: ReferenceReading, no_load: Observation | None = None
) -> Derived:
    """The calibration with which the meter reads what the reference read.

    Args:
        load: of the load that the reference read.
        reading: what it read.
        no_load: of the voltage without any load, which tells the offsets of power.

    Raises:
        ImplausibleError: readings that contradict each other or the recording, or a calibration
            that no meter has.
    """
    _refuse_readings(reading)
    for name, count in (("voltage", load.voltage_count), ("current", load.current_count)):
        if count < _COUNT_MIN:
            raise ImplausibleError(f"the {name} of the recording is too small to calibrate by")
    volt = float(reading.voltage_v) / load.voltage_count
    ampere = float(reading.current_a) / load.current_count
    offset_w, offset_var = _offsets(no_load, load, volt * ampere)
    active_w = load.active_count2 * volt * ampere - offset_w
    reactive_var = load.reactive_count2 * volt * ampere - offset_var
    phase_rad = _phase_rad(reading, active_w, reactive_var)
    turn = phase_rad or 0.0
    turned_w = active_w * math.cos(turn) + reactive_var * math.sin(turn)
    agreement = float(reading.power_w) / turned_w if turned_w else 0.0
    if abs(agreement - 1) > _AGREEMENT:
        raise ImplausibleError(
            f"the recording has a power of {turned_w:.1f} W by the reference's voltage and current,"
            f" and the reference says {float(reading.power_w):.1f} W"
        )
    # What is billed is energy: where the three disagree a little, power is right.
    ampere *= agreement
    _refuse_scales(load.bits, volt, ampere)
    return Derived(
        bits=load.bits,
        voltage_pv_per_count=round(volt * 1e12),
        current_pa_per_count=round(ampere * 1e12),
        phase_urad=round(turn * 1e6),
        power_offset_uw=round((offset_w * math.cos(turn) + offset_var * math.sin(turn)) * 1e6),
        reactive_offset_uvar=round((offset_var * math.cos(turn) - offset_w * math.sin(turn)) * 1e6),
        phase_derived=phase_rad is not None,
    )


def _refuse_readings(reading: ReferenceReading) -> None:
    if reading.voltage_v <= 0 or reading.current_a <= 0 or not reading.power_w:
        raise ImplausibleError("a reference reads a voltage, a current and a power")
    if abs(reading.power_factor) > 1 + _AGREEMENT:
        raise ImplausibleError("the reference's power is more than its voltage times its current")
    if reading.reactive_var is not None:
        whole_w = math.hypot(reading.power_w, reading.reactive_var)
        if whole_w > float(reading.voltage_v * reading.current_a) * (1 + _AGREEMENT):
            raise ImplausibleError(
                "the reference's active and reactive power are more than its voltage times its"
                " current"
            )


def _offsets(no_load: Observation | None, load: Observation, watt: float) -> tuple[float, float]:
    """Active and reactive power without a load, W and var."""
    if no_load is None:
        return 0.0, 0.0
    if no_load.bits != load.bits:
        raise ImplausibleError("the recording without load is of converters of another width")
    if abs(no_load.voltage_count / load.voltage_count - 1) > 0.2:
        raise ImplausibleError("the recording without load is at another voltage")
    offsets = no_load.active_count2 * watt, no_load.reactive_count2 * watt
    if max(map(abs, offsets)) * 1e6 > OFFSET_MAX_UW:
        raise ImplausibleError(
            f"the recording without load has {offsets[0]:.1f} W and {offsets[1]:.1f} var:"
            " something is connected"
        )
    return offsets


def _phase_rad(reading: ReferenceReading, active_w: float, reactive_var: float) -> float | None:
    """By how much the current channel lags, or None where the readings do not tell."""
    if reading.reactive_var is not None:
        true_rad = math.atan2(reading.reactive_var, reading.power_w)
    elif abs(reading.power_factor) <= FACTOR_MAX:
        apparent_va = float(reading.voltage_v * reading.current_a)
        if math.hypot(active_w, reactive_var) < _SINE_MIN * apparent_va:
            raise ImplausibleError(
                "the load is no sine, so that its phase takes a reading of reactive power"
            )
        true_rad = math.acos(reading.power_factor) * (-1 if reading.leading else 1)
    else:
        return None
    turn = math.atan2(reactive_var, active_w) - true_rad
    turn = math.remainder(turn, 2 * math.pi)
    if abs(turn) * 1e6 > PHASE_MAX_URAD:
        raise ImplausibleError(
            f"the recording and the reference are {math.degrees(turn):.1f} degrees apart: is a"
            " conductor turned round, or the current leading and not lagging"
        )
    return turn


def _refuse_scales(bits: int, volt: float, ampere: float) -> None:
    full_scale = 1 << (bits - 1)
    for name, unit, scale, (least, most) in (
        ("voltage", "V", volt * full_scale, _VOLTAGE_SCALE_V),
        ("current", "A", ampere * full_scale, _CURRENT_SCALE_A),
    ):
        if not least <= scale <= most:
            raise ImplausibleError(
                f"by these readings the {name} channel reaches to {scale:.4g} {unit}: no meter's"
                f" is outside {least:g} to {most:g} {unit}"
            )
