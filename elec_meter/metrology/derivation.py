"""Deriving a calibration: what a meter's converters show, against what a reference read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from elec_meter.front_end import (
    OFFSET_MAX_UW,
    PHASE_ALONE_MAX_URAD,
    PHASE_MAX_URAD,
    unlikely_reach,
)
from elec_meter.metrology.calibration import Calibration
from elec_meter.metrology.errors import ImplausibleError
from elec_meter.metrology.observation import COUNT_MIN, Fundamental, Observation

FACTOR_MAX = 0.95
"""Up to this power factor, power and voltage and current tell the phase well enough."""

GAIN_MOVE_MAX = 0.1
"""By how much a front end's gain may differ from what it was; parts are within a few percent."""

_AGREEMENT = 0.005
_SINE_MIN = 0.98
# At this angle 5 mrad of phase that nothing tells change the current's gain by 0.02 %.
_UNITY_MAX_RAD = 0.03


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

    def refuse_another_front_end(self, present: Calibration) -> None:
        """Refuse gains that a front end which has been calibrated, or drawn, so can not have.

        A reading with its point in the wrong place agrees with itself; only this tells.

        Raises:
            ImplausibleError: a gain differs by more than `GAIN_MOVE_MAX`.
        """
        for name, gain_p, present_m in (
            ("voltage", self.voltage_pv_per_count, present.voltage_mv_per_count),
            ("current", self.current_pa_per_count, present.current_ma_per_count),
        ):
            factor = float(gain_p / (present_m * 10**9))
            if abs(factor - 1) > GAIN_MOVE_MAX:
                raise ImplausibleError(
                    f"by these readings the gain of the {name} channel is {factor:.4g} times what"
                    " it has been: is a point in the wrong place"
                )


def derive(
    load: Observation,
    reading: ReferenceReading,
    no_load: Observation | None = None,
    *,
    phase_limit_urad: int = PHASE_ALONE_MAX_URAD,
) -> Derived:
    """The calibration with which the meter reads what the reference read.

    Args:
        load: of the load that the reference read.
        reading: what it read.
        no_load: of the voltage without any load, which tells the offsets of power.
        phase_limit_urad: the most that power alone is believed about the phase.

    Raises:
        ImplausibleError: readings that contradict each other or the recording, or a calibration
            that no meter has.
    """
    _refuse_readings(reading)
    for name, count in (("voltage", load.voltage_count), ("current", load.current_count)):
        if count < COUNT_MIN:
            raise ImplausibleError(f"the {name} of the recording is too small to calibrate by")
    v_per_count = float(reading.voltage_v) / load.voltage_count
    a_per_count = float(reading.current_a) / load.current_count
    w_per_count2 = v_per_count * a_per_count
    _refuse_no_load(no_load, load, w_per_count2)
    offset_w = no_load.active_count2 * w_per_count2 if no_load else 0.0
    offset_var = no_load.reactive_count2 * w_per_count2 if no_load else 0.0
    active_w = load.active_count2 * w_per_count2 - offset_w
    reactive_var = load.reactive_count2 * w_per_count2 - offset_var
    phase_rad = _phase_rad(reading, load, no_load, phase_limit_urad)
    turn = phase_rad or 0.0
    turned_w = active_w * math.cos(turn) + reactive_var * math.sin(turn)
    agreement = float(reading.power_w) / turned_w if turned_w else 0.0
    if abs(agreement - 1) > _AGREEMENT:
        raise ImplausibleError(
            f"the recording has a power of {turned_w:.1f} W by the reference's voltage and current,"
            f" and the reference says {float(reading.power_w):.1f} W"
        )
    derived = Derived(
        bits=load.bits,
        voltage_pv_per_count=round(v_per_count * 1e12),
        # What is billed is energy: where the three disagree a little, power is right.
        current_pa_per_count=round(a_per_count * agreement * 1e12),
        phase_urad=round(turn * 1e6),
        power_offset_uw=round((offset_w * math.cos(turn) + offset_var * math.sin(turn)) * 1e6),
        reactive_offset_uvar=round((offset_var * math.cos(turn) - offset_w * math.sin(turn)) * 1e6),
        phase_derived=phase_rad is not None,
    )
    unlikely = unlikely_reach(
        bits=derived.bits,
        voltage_pv_per_count=derived.voltage_pv_per_count,
        current_pa_per_count=derived.current_pa_per_count,
    )
    if unlikely is not None:
        raise ImplausibleError(f"by these readings {unlikely}")
    return derived


def _refuse_readings(reading: ReferenceReading) -> None:
    if reading.voltage_v <= 0 or reading.current_a <= 0 or not reading.power_w:
        raise ImplausibleError("a reference reads a voltage, a current and a power")
    if abs(reading.power_factor) > 1 + _AGREEMENT:
        raise ImplausibleError("the reference's power is more than its voltage times its current")
    if reading.reactive_var is not None:
        apparent_va = math.hypot(reading.power_w, reading.reactive_var)
        if apparent_va > float(reading.voltage_v * reading.current_a) * (1 + _AGREEMENT):
            raise ImplausibleError(
                "the reference's active and reactive power are more than its voltage times its"
                " current"
            )


def _refuse_no_load(no_load: Observation | None, load: Observation, w_per_count2: float) -> None:
    if no_load is None:
        return
    if no_load.bits != load.bits:
        raise ImplausibleError("the recording without load is of converters of another width")
    if abs(no_load.voltage_count / load.voltage_count - 1) > 0.2:
        raise ImplausibleError("the recording without load is at another voltage")
    offset_w = no_load.active_count2 * w_per_count2
    offset_var = no_load.reactive_count2 * w_per_count2
    if max(abs(offset_w), abs(offset_var)) * 1e6 > OFFSET_MAX_UW:
        raise ImplausibleError(
            f"the recording without load has {offset_w:.1f} W and {offset_var:.1f} var:"
            " something is connected"
        )


def _phase_rad(
    reading: ReferenceReading,
    load: Observation,
    no_load: Observation | None,
    limit_urad: int,
) -> float | None:
    """By how much the current channel lags, or None where the readings do not tell.

    Both angles are those of the fundamental. The harmonics' part of the power, which the reference
    does not tell, is taken from the recording.
    """
    fundamental = _without_offsets(load, no_load)
    active, reactive = fundamental.active_count2, fundamental.reactive_count2
    recorded_rad = math.atan2(reactive, active)
    offset = no_load.active_count2 if no_load else 0.0
    power_w = float(reading.power_w) * active / ((load.active_count2 - offset) or math.inf)
    if reading.reactive_var is not None:
        true_rad = math.atan2(reading.reactive_var, power_w)
    elif abs(math.remainder(recorded_rad, math.pi)) <= _UNITY_MAX_RAD:
        return None
    elif abs(reading.power_factor) <= FACTOR_MAX:
        true_rad = _angle_by_power(reading, load, power_w) * (-1 if reading.leading else 1)
    else:
        raise ImplausibleError(
            f"at a power factor of {abs(reading.power_factor):.3f} power alone tells neither the"
            f" phase, which takes one up to {FACTOR_MAX}, nor the gain, which takes one of 1:"
            " it takes a reading of reactive power"
        )
    turn = math.remainder(recorded_rad - true_rad, 2 * math.pi)
    if abs(turn) * 1e6 > PHASE_MAX_URAD:
        raise ImplausibleError(
            f"the recording and the reference are {math.degrees(turn):.1f} degrees apart: is a"
            " conductor turned round, or the current leading and not lagging"
        )
    if reading.reactive_var is None and abs(turn) * 1e6 > limit_urad:
        raise ImplausibleError(
            f"by the reference's power alone the phase is {turn * 1e3:.1f} mrad, and more than"
            f" {limit_urad / 1e3:g} mrad takes a reading of reactive power: is the power misread"
        )
    return turn


def _without_offsets(load: Observation, no_load: Observation | None) -> Fundamental:
    if no_load is None:
        return load.fundamental
    return Fundamental(
        load.fundamental.voltage_count,
        load.fundamental.current_count,
        load.fundamental.active_count2 - no_load.fundamental.active_count2,
        load.fundamental.reactive_count2 - no_load.fundamental.reactive_count2,
    )


def _angle_by_power(reading: ReferenceReading, load: Observation, power_w: float) -> float:
    """By how much the current of the fundamental lags, if it does, by its power alone."""
    first = load.fundamental
    sine = first.voltage_count * first.current_count / (load.voltage_count * load.current_count)
    if sine < _SINE_MIN:
        raise ImplausibleError(
            "the load is no sine, so that its phase takes a reading of reactive power"
        )
    apparent_va = float(reading.voltage_v * reading.current_a) * sine
    return math.acos(max(-1.0, min(1.0, power_w / apparent_va)))
