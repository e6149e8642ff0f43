"""Calibrations derived from a recording and a reference's readings."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest

from elec_meter.metrology import (
    Calibration,
    Derived,
    Fundamental,
    ImplausibleError,
    Metrology,
    Observation,
    RateError,
    ReferenceReading,
    derive,
    observe,
)
from elec_meter.sampling import Converter, SampleBlock

from .waves import ANCHOR, Wave, sampled

HALF = math.acos(0.5)
# Gains of a real front end, not quite as its drawing says; its current channel lags by 12 mrad.
WRONG_V, WRONG_A, LAG_RAD = 1.021, 0.964, 0.012
CROSSTALK_A = 0.004


@dataclass(frozen=True)
class FrontEnd:
    """Makes blocks of any load as an uncalibrated front end shows it."""

    bits: int = 16
    rate_hz: int = 4000
    crosstalk_a: float = 0.0
    lag_rad: float = LAG_RAD

    def block(self, wave: Wave, seed: int = 1) -> SampleBlock:
        """The voltage leaks into the current channel, then both gains and the phase are wrong."""
        wave = replace(wave, rate_hz=self.rate_hz, converter=Converter(bits=self.bits))
        leak = math.sqrt(2) * self.crosstalk_a * wave.volts() / (math.sqrt(2) * 230)
        late = replace(wave, lag_rad=wave.lag_rad + self.lag_rad)
        return sampled(wave.volts() / WRONG_V, (late.amperes() + leak) / WRONG_A, wave, seed)

    def observe(self, wave: Wave) -> Observation:
        """Its recording of a load."""
        return observe([self.block(wave)], rate_hz=self.rate_hz, bits=self.bits)


def reading(wave: Wave, **changes: Fraction | bool | None) -> ReferenceReading:
    """What a perfect reference reads, to its last digit."""
    apparent = wave.voltage_v * wave.current_a
    values: dict[str, Fraction | bool | None] = {
        "voltage_v": Fraction(f"{wave.voltage_v:.4f}"),
        "current_a": Fraction(f"{wave.current_a:.6f}"),
        "power_w": Fraction(f"{apparent * math.cos(wave.lag_rad):.4f}"),
        "reactive_var": Fraction(f"{apparent * math.sin(wave.lag_rad):.4f}"),
    }
    return ReferenceReading(**(values | changes))  # type: ignore[arg-type]  # by their names


LOAD = Wave(current_a=10.0, lag_rad=HALF, seconds=5)


def power_w(front_end: FrontEnd, derived: Derived, wave: Wave) -> tuple[float, float]:
    """Active and reactive power of a load by a meter that is calibrated so."""
    calibration = Calibration.from_integers(**derived.integers())
    metrology = Metrology(calibration, rate_hz=front_end.rate_hz)
    quantities = metrology.process(front_end.block(wave, seed=2)).quantities
    assert quantities is not None
    assert (wave.voltage_v, wave.current_a) == pytest.approx(
        (quantities.v_rms_v, quantities.i_rms_a), rel=1e-3
    )
    return quantities.power_w, quantities.reactive_var


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("lag_rad", [0.0, HALF, -math.acos(0.8), math.acos(0.25), 2.0])
def test_what_is_derived_measures_right(lag_rad: float, bits: int) -> None:
    """From one load, whatever its phase, the meter is within 0.05 % at all others."""
    front_end = FrontEnd(bits)
    wave = replace(LOAD, lag_rad=lag_rad)
    derived = derive(front_end.observe(wave), reading(wave))
    assert derived.phase_derived
    assert LAG_RAD * 1e6 == pytest.approx(derived.phase_urad, abs=40)
    nominal = Converter(bits=bits)
    for gain_pv, true_mv, wrong in (
        (derived.voltage_pv_per_count, nominal.voltage_mv_per_count, WRONG_V),
        (derived.current_pa_per_count, nominal.current_ma_per_count, WRONG_A),
    ):
        assert float(true_mv) * wrong == pytest.approx(gain_pv / 1e9, rel=1e-4)
    for angle in (0.0, HALF, -HALF, math.pi):
        other = replace(LOAD, lag_rad=angle, current_a=40.0)
        active_w, reactive_var = power_w(front_end, derived, other)
        assert 230 * 40 * math.cos(angle) == pytest.approx(active_w, abs=230 * 40 * 2e-4)
        assert 230 * 40 * math.sin(angle) == pytest.approx(reactive_var, abs=230 * 40 * 2e-4)


@pytest.mark.parametrize("leading", [False, True])
def test_without_reactive_power(leading: bool) -> None:
    """A power factor of a half, and the word whether it leads, tell the phase too."""
    wave = replace(LOAD, lag_rad=-HALF if leading else HALF)
    told = reading(wave, reactive_var=None, leading=leading)
    shunt = FrontEnd(lag_rad=0.003)
    derived = derive(shunt.observe(wave), told)
    assert 3_000 == pytest.approx(derived.phase_urad, abs=40)
    with pytest.raises(ImplausibleError, match="leading"):
        derive(shunt.observe(wave), replace(told, leading=not leading))


def test_power_alone_is_not_believed_everything() -> None:
    """A misread power would be a phase that no shunt has; more is believed where that is said."""
    shunt = FrontEnd(lag_rad=0.003).observe(LOAD)
    misread = reading(LOAD, reactive_var=None, power_w=Fraction(1200))
    with pytest.raises(ImplausibleError, match=r"alone the phase is 28.*5 mrad"):
        derive(shunt, misread)
    told = reading(LOAD, reactive_var=None)
    with pytest.raises(ImplausibleError, match=r"alone the phase is 12.*5 mrad"):
        derive(FrontEnd().observe(LOAD), told)
    derived = derive(FrontEnd().observe(LOAD), told, phase_limit_urad=20_000)
    assert LAG_RAD * 1e6 == pytest.approx(derived.phase_urad, abs=40)


@pytest.mark.parametrize("factor", [0.96, 0.99, 0.998, -0.97])
def test_power_factors_that_tell_nothing(factor: float) -> None:
    """Between 0.95 and 1 an unknown phase would be put into the gain: reactive power is needed."""
    wave = replace(LOAD, lag_rad=math.acos(factor))
    seen = FrontEnd(lag_rad=0.003).observe(wave)
    with pytest.raises(ImplausibleError, match="tells neither the phase"):
        derive(seen, reading(wave, reactive_var=None))
    derived = derive(seen, reading(wave))
    assert 3_000 == pytest.approx(derived.phase_urad, abs=40)


def test_unity_tells_no_phase() -> None:
    """At a power factor of 1 the phase is left alone, and that is said."""
    wave = replace(LOAD, lag_rad=0.0)
    derived = derive(FrontEnd().observe(wave), reading(wave, reactive_var=None))
    assert (False, 0) == (derived.phase_derived, derived.phase_urad)
    active_w, _ = power_w(FrontEnd(), derived, wave)
    assert 2300 == pytest.approx(active_w, rel=3e-4)


@pytest.mark.parametrize("bits", [16, 24])
def test_offsets(bits: int) -> None:
    """A current channel that shows 4 mA of voltage is told from a load by a recording without."""
    front_end = FrontEnd(bits, crosstalk_a=CROSSTALK_A)
    none = replace(LOAD, current_a=0.0, seconds=20)
    derived = derive(front_end.observe(LOAD), reading(LOAD), front_end.observe(none))
    leaked_uw = CROSSTALK_A * 230 * 1e6
    assert leaked_uw == pytest.approx(derived.power_offset_uw, rel=0.05)
    assert abs(derived.reactive_offset_uvar) < leaked_uw / 20
    small = replace(LOAD, current_a=0.1, seconds=20, lag_rad=0.0)
    calibration = Calibration.from_integers(**derived.integers())
    metrology = Metrology(calibration, rate_hz=4000)
    quantities = metrology.process(front_end.block(small, seed=3)).quantities
    assert quantities is not None
    assert 23.0 == pytest.approx(quantities.power_w, rel=0.01), "4 % more without the offset"


def test_an_offset_is_taken_off_exactly() -> None:
    """Every cycle has its power less by the offset's integer, both active and reactive."""
    wave = Wave(seconds=2)
    plain = Metrology(Calibration.for_converter(wave.converter), rate_hz=4000)
    watt = Calibration.for_converter(wave.converter)
    shifted = replace(watt, power_offset_uw=1_500_000, reactive_offset_uvar=-700_000)
    other = Metrology(shifted, rate_hz=4000)
    seen = [meter.process(wave.block()).quantities for meter in (plain, other)]
    assert seen[0] is not None
    assert seen[1] is not None
    assert 1.5 == pytest.approx(seen[0].power_w - seen[1].power_w, abs=1e-4)
    assert -0.7 == pytest.approx(seen[0].reactive_var - seen[1].reactive_var, abs=1e-4)


def test_where_the_readings_disagree_a_little() -> None:
    """Power is right: a reading of current that is 0.3 % high moves the gain of nothing."""
    told = reading(LOAD, current_a=Fraction("10.03"))
    active_w, reactive_var = power_w(FrontEnd(), derive(FrontEnd().observe(LOAD), told), LOAD)
    assert 1150 == pytest.approx(active_w, rel=2e-4)
    assert 1991.86 == pytest.approx(reactive_var, rel=4e-4)


PRODUCTS = 1e7 * math.cos(0.09), 1e7 * math.sin(0.09)
SINE = Fundamental(10_000.0, 1_000.0, *PRODUCTS)


def test_offsets_are_turned_with_the_phase() -> None:
    """Offsets are those of what is left after the phase was put right, as they are taken off."""
    load = Observation(16, 100, 10_000.0, 1_000.0, *PRODUCTS, SINE)
    none = Observation(16, 100, 10_000.0, 10.0, 20_000.0, 0.0, Fundamental(1e4, 10.0, 20_000.0, 0))
    told = ReferenceReading(Fraction(200), Fraction(10), Fraction(2_000), Fraction(0))
    derived = derive(load, told, none)
    turn = derived.phase_urad / 1e6
    assert 0.09 == pytest.approx(turn, abs=3e-4)
    offset_uw = 20_000.0 * (200 / 10_000) * (10 / 1_000) * 1e6
    assert offset_uw * math.cos(turn) == pytest.approx(derived.power_offset_uw, abs=1)
    assert -offset_uw * math.sin(turn) == pytest.approx(derived.reactive_offset_uvar, abs=1)


GOOD = FrontEnd().observe(LOAD)
READ = reading(LOAD)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"voltage_v": Fraction(0)}, "reads a voltage"),
        ({"current_a": Fraction(-10)}, "reads a voltage"),
        ({"power_w": Fraction(0)}, "reads a voltage"),
        ({"power_w": Fraction(11_500)}, "more than its voltage"),
        ({"power_w": Fraction(2_300)}, "more than its voltage"),
        ({"power_w": Fraction(-1_150)}, "degrees apart"),
        ({"reactive_var": Fraction(-1_991)}, "degrees apart"),
        ({"current_a": Fraction(11)}, "by the reference's voltage"),
        ({"voltage_v": Fraction("231.9")}, "by the reference's voltage"),
        ({"power_w": Fraction(1_000), "reactive_var": Fraction(1_732)}, "by the reference's"),
    ],
)
def test_readings_that_contradict(changes: dict[str, Fraction], word: str) -> None:
    """A reading that cannot be, or cannot be of this recording, is refused in one sentence."""
    with pytest.raises(ImplausibleError, match=word):
        derive(GOOD, replace(READ, **changes))


def test_a_point_in_the_wrong_place() -> None:
    """Readings that agree with each other and with no front end there is."""
    tenfold = replace(
        READ,
        voltage_v=READ.voltage_v * 10,
        power_w=READ.power_w * 10,
        reactive_var=(READ.reactive_var or 0) * 10,
    )
    with pytest.raises(ImplausibleError, match="reaches to"):
        derive(GOOD, tenfold)


def test_gains_that_are_not_those_of_the_front_end() -> None:
    """A point in the wrong place, or half the voltage, is told by what the gains have been."""
    present = Calibration.for_converter(Converter())
    derive(GOOD, READ).refuse_another_front_end(present)
    tenfold = replace(
        READ,
        current_a=READ.current_a * 10,
        power_w=READ.power_w * 10,
        reactive_var=(READ.reactive_var or 0) * 10,
    )
    with pytest.raises(ImplausibleError, match=r"current channel is 9\.6.* times"):
        derive(GOOD, tenfold).refuse_another_front_end(present)
    halved = replace(
        READ,
        voltage_v=READ.voltage_v / 2,
        power_w=READ.power_w / 2,
        reactive_var=(READ.reactive_var or 0) / 2,
    )
    with pytest.raises(ImplausibleError, match=r"voltage channel is 0\.51.* times"):
        derive(GOOD, halved).refuse_another_front_end(present)


@pytest.mark.parametrize("order", [3, 2])
def test_harmonics_that_both_have(order: int) -> None:
    """The phase is that of the fundamentals, whatever else voltage and current have in common."""
    wave = replace(
        LOAD,
        lag_rad=math.acos(0.8),
        voltage_harmonics=((order, 0.08, 0.0),),
        current_harmonics=((order, 0.4, 0.9),),
    )
    front_end = FrontEnd(lag_rad=0.003)
    read = replace(
        reading(wave),
        voltage_v=Fraction(f"{wave.voltage_v * math.hypot(1, 0.08):.4f}"),
        current_a=Fraction(f"{wave.current_a * math.hypot(1, 0.4):.4f}"),
        power_w=Fraction(f"{wave.power_w:.4f}"),
    )
    derived = derive(front_end.observe(wave), read)
    # The harmonics' part of the power is taken as recorded: late too, by a little of very little.
    assert 3_000 == pytest.approx(derived.phase_urad, abs=200)


def test_a_load_without_a_reading_of_its_phase() -> None:
    """A distorted load needs a reading of reactive power."""
    wave = replace(LOAD, current_harmonics=((3, 0.5, 0.0),))
    told = replace(READ, reactive_var=None, current_a=Fraction("11.1803"))
    with pytest.raises(ImplausibleError, match="no sine"):
        derive(FrontEnd().observe(wave), told)


def test_no_load_that_is_none() -> None:
    """Something connected, another voltage, or another front end, gives no offsets."""
    for other, word in (
        (replace(LOAD, current_a=0.5), "something is connected"),
        (replace(LOAD, current_a=0.0, voltage_v=120.0), "another voltage"),
    ):
        with pytest.raises(ImplausibleError, match=word):
            derive(GOOD, READ, FrontEnd().observe(other))
    wide = FrontEnd(24).observe(replace(LOAD, current_a=0.0))
    with pytest.raises(ImplausibleError, match="another width"):
        derive(GOOD, READ, wide)


def test_recordings_that_are_no_use() -> None:
    """Too short, saturated, at DC, no mains, with a gap, unsteady, or too small."""
    front_end = FrontEnd()
    for wave, word in (
        (replace(LOAD, seconds=0.4), "whole cycles"),
        (replace(LOAD, current_a=120.0), "at its limit"),
        (replace(LOAD, offset_a=60.0), "a large mean"),
        (replace(LOAD, voltage_v=2.0), "no mains voltage"),
    ):
        with pytest.raises(ImplausibleError, match=word):
            front_end.observe(wave)
    ramp = front_end.block(LOAD)
    current = (ramp.current * np.linspace(0.8, 1.0, len(ramp))).astype(np.int16)
    with pytest.raises(ImplausibleError, match="not steady"):
        observe([SampleBlock(ramp.voltage, current, 0, 4000, ANCHOR)], rate_hz=4000, bits=16)
    gap = ramp.current.copy()
    gap[8_000:8_080] = 0
    with pytest.raises(ImplausibleError, match="not steady"):
        observe([SampleBlock(ramp.voltage, gap, 0, 4000, ANCHOR)], rate_hz=4000, bits=16)
    late = SampleBlock(ramp.voltage, ramp.current, 30_000, 4000, ANCHOR)
    with pytest.raises(ImplausibleError, match="samples are missing"):
        observe([ramp, late], rate_hz=4000, bits=16)
    small = replace(LOAD, current_a=0.1)
    with pytest.raises(ImplausibleError, match="too small"):
        derive(front_end.observe(small), reading(small))


@pytest.mark.parametrize(("rate_hz", "frequency_hz"), [(2000, 60.3), (2000, 49.7), (32_000, 52.0)])
@pytest.mark.parametrize("lag_rad", [0.0, HALF, -1.3])
def test_cycles_of_a_steady_load_are_alike(
    rate_hz: int, frequency_hz: float, lag_rad: float
) -> None:
    """A load is steady however few samples its cycles have, and however many counts."""
    front_end = FrontEnd(rate_hz=rate_hz)
    wave = Wave(current_a=0.8, lag_rad=lag_rad, frequency_hz=frequency_hz, seconds=1)
    assert front_end.observe(wave).cycles > 40


def test_a_rate_that_is_too_low() -> None:
    """2 kHz is too little for 400 Hz mains."""
    with pytest.raises(RateError):
        observe([], rate_hz=2000, bits=16, nominal_hz=400)
