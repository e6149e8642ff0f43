from __future__ import annotations

import math
from datetime import timedelta
from fractions import Fraction

import numpy as np
import pytest

from elec_meter.metrology import Calibration, Flags, Measurement, Metrology, Quantities, kernels
from elec_meter.sampling import ConstantLoad, Converter, SampleBlock, SyntheticMains

from .waves import ANCHOR, Wave, energies, metrology_for, parts

START_S = int(ANCHOR.timestamp())


def quantities_of(wave: Wave) -> Quantities:
    """The last complete second's."""
    quantities = metrology_for(wave).process(wave.block()).quantities
    assert quantities is not None
    return quantities


def test_quantities() -> None:
    """A second's values are those of the waveform."""
    quantities = quantities_of(Wave(lag_rad=math.acos(0.8), frequency_hz=49.97, seconds=3))
    assert START_S + 1 == quantities.second_s
    assert 230.0 == pytest.approx(quantities.v_rms_v, rel=1e-4)
    assert 10.0 == pytest.approx(quantities.i_rms_a, rel=1e-4)
    assert 1840.0 == pytest.approx(quantities.power_w, rel=1e-4)
    assert 1380.0 == pytest.approx(quantities.reactive_var, rel=2e-4)
    assert 2300.0 == pytest.approx(quantities.apparent_va, rel=2e-4)
    assert 0.8 == pytest.approx(quantities.power_factor, rel=2e-4)
    assert 49.97 == pytest.approx(quantities.frequency_hz, abs=0.002)
    assert Flags(0) == quantities.flags


def test_signs() -> None:
    """Export is negative power, a capacitive load negative reactive power."""
    export = quantities_of(Wave(lag_rad=math.pi))
    assert -2300.0 == pytest.approx(export.power_w, rel=1e-4)
    assert -1.0 == pytest.approx(export.power_factor, rel=1e-4)
    assert -2300.0 == pytest.approx(quantities_of(Wave(lag_rad=-1.5708)).reactive_var, rel=1e-3)


def test_nothing_flows() -> None:
    """Without current there is no power, and the power factor is 1."""
    quantities = quantities_of(Wave(current_a=0.0))
    assert (0.0, 0.0, 1.0) == (
        quantities.power_w,
        quantities.reactive_var,
        quantities.power_factor,
    )


def test_no_quantities_before_a_complete_second() -> None:
    """Before the second second has begun there are none; then those of the first."""
    metrology = metrology_for(Wave())
    first, second, rest = parts(Wave().block(), [3900, 200])
    assert metrology.process(first).quantities is None
    process = metrology.process(second).quantities
    assert process is not None
    assert START_S == process.second_s
    assert process is metrology.process(rest).quantities


def test_energy_is_the_floor_of_an_exact_sum() -> None:
    """Millijoules are the floor of cycles x gain, kept exactly from block to block."""
    wave = Wave(seconds=4, current_a=0.05)
    calibration = Calibration(Fraction(9973, 811), Fraction(4583, 1009), starting_current_ma=1)
    metrology = Metrology(calibration, rate_hz=4000)
    total_mj = 0
    counts = 0
    for part in parts(wave.block(), [777] * 20):
        total_mj += int(metrology.process(part).import_mj.sum())
        counts += int(metrology.cycles[:, kernels.ACTIVE].sum())
        assert total_mj == int(counts * calibration.energy_mj_per_count(4000))


def test_import_and_export_stay_apart() -> None:
    """Each cycle counts as import or export by its own sign; neither makes up for the other."""
    wave = Wave(seconds=2)
    volts, amperes = wave.volts(), wave.amperes()
    amperes[4000:] *= -0.5
    converter = wave.converter
    block = SampleBlock(
        np.rint(volts * 1000 / float(converter.voltage_mv_per_count)).astype(np.int16),
        np.rint(amperes * 1000 / float(converter.current_ma_per_count)).astype(np.int16),
        0,
        4000,
        ANCHOR,
    )
    seconds = energies([metrology_for(wave).process(block)])
    assert (2_300_000, 0) == pytest.approx(seconds[START_S][:2], rel=0.03)
    assert (0, 1_150_000) == pytest.approx(seconds[START_S + 1][:2], rel=0.03)


@pytest.mark.parametrize("offset_us", [0, 1, 250_000, 999_999])
def test_a_cycle_belongs_to_the_second_of_its_last_sample(offset_us: int) -> None:
    """Wherever the anchor lies within a second, to the microsecond."""
    wave = Wave(seconds=2.5, frequency_hz=49.9)
    block = wave.block()
    anchor = ANCHOR + timedelta(microseconds=offset_us)
    metrology = metrology_for(wave)
    moved = SampleBlock(block.voltage, block.current, 0, 4000, anchor)
    measurement = metrology.process(moved)
    expected: dict[int, int] = {}
    for row in metrology.cycles.tolist():
        second_s = (
            START_S + (offset_us * 4000 + (row[kernels.END] - 1) * 1_000_000) // 4_000_000_000
        )
        expected[second_s] = expected.get(second_s, 0) + row[kernels.ACTIVE]
    gain = metrology.calibration.energy_mj_per_count(4000)
    assert list(expected) == measurement.second_s.tolist()
    floats_mj = [float(counts * gain) for counts in expected.values()]
    assert floats_mj == pytest.approx(measurement.import_mj.tolist(), abs=1.01)


def test_late_in_a_long_stream() -> None:
    """Ten years into a stream at 32 kHz the seconds are still right."""
    wave = Wave(rate_hz=32_000, seconds=1.2)
    block = wave.block()
    first = 315_360_000 * 32_000 + 7
    late = SampleBlock(block.voltage, block.current, first, 32_000, ANCHOR)
    measurement = metrology_for(wave).process(late)
    assert [START_S + 315_360_000, START_S + 315_360_001] == measurement.second_s.tolist()
    assert ANCHOR + timedelta(days=3650, seconds=1.2, microseconds=218) == measurement.end_utc


def test_empty_block() -> None:
    """An empty block measures nothing and changes nothing, first of all or between two others."""
    whole = metrology_for(Wave()).process(Wave().block())
    metrology = metrology_for(Wave())
    empty = np.zeros(0, np.int16)
    measurements: list[Measurement] = []
    for part in parts(Wave().block(), [4321]):
        at = metrology.next_sample
        nothing = metrology.process(SampleBlock(empty, empty, at, 4000, ANCHOR))
        assert (0, 0, Flags(0)) == (len(nothing.second_s), len(metrology.cycles), nothing.flags)
        assert (nothing.quantities is None) == (at == 0)
        measurements.append(metrology.process(part))
    assert energies([whole]) == energies(measurements)


def test_width_may_change() -> None:
    """A stream may go on in wider counts: the sums are the same."""
    block = Wave().block()
    wide = list(parts(block, [3000]))
    wide[1] = SampleBlock(
        wide[1].voltage.astype(np.int32), wide[1].current.astype(np.int32), 3000, 4000, ANCHOR
    )
    metrology = metrology_for(Wave())
    mixed = energies([metrology.process(part) for part in wide])
    assert energies([metrology_for(Wave()).process(block)]) == mixed


@pytest.mark.parametrize("converter", [Converter(), Converter(bits=24)], ids=["16", "24"])
@pytest.mark.parametrize("rate_hz", [2000, 6400, 32_000])
def test_synthetic_mains(converter: Converter, rate_hz: int) -> None:
    """What the synthetic mains says it supplies is what is measured, at any rate and width."""
    load = ConstantLoad(-1500.0, 700.0)
    mains = SyntheticMains(
        rate_hz=rate_hz, seed=3, anchor_utc=ANCHOR, load=load, converter=converter
    )
    metrology = Metrology(Calibration.for_converter(converter), rate_hz=rate_hz)
    for block in (mains.block(0, 2 * rate_hz), mains.block(2 * rate_hz, rate_hz)):
        measurement = metrology.process(block)
    quantities = measurement.quantities
    assert quantities is not None
    assert Flags(0) == measurement.flags
    assert -1500.0 == pytest.approx(quantities.power_w, rel=5e-4)
    assert 700.0 == pytest.approx(quantities.reactive_var, rel=2e-2)
    assert mains.voltage_rms_v(1) == pytest.approx(quantities.v_rms_v, rel=2e-4)
    assert mains.frequency_hz(1) == pytest.approx(quantities.frequency_hz, abs=0.005)


@pytest.mark.parametrize("cut", [4000, 4567])
def test_another_calibration_loses_no_cycle(cut: int) -> None:
    """Between two blocks counts come to be worth twice as much: all cycles that end later are."""
    wave = Wave(seconds=3, current_a=7.0)
    once, twice, changed = (
        Metrology(Calibration(voltage, Fraction(7)), rate_hz=4000)
        for voltage in (Fraction(12), Fraction(24), Fraction(12))
    )
    before, after = parts(wave.block(), [cut])
    changed.process(before)
    changed.recalibrate(twice.calibration)
    measured = [changed.process(after)]
    for metrology in (once, twice):
        metrology.process(before)
    expected = energies([twice.process(after)])
    for second_s, registers in energies(measured).items():
        assert expected[second_s] == pytest.approx(registers, abs=1)
    assert Flags(0) == measured[0].flags
    quantities = measured[0].quantities
    assert quantities is not None
    known = once.process(after).quantities
    assert known is not None
    assert 2 * known.v_rms_v == pytest.approx(quantities.v_rms_v, rel=1e-4)
    assert known.i_rms_a == pytest.approx(quantities.i_rms_a, rel=1e-4)


def test_what_is_asked_and_what_lasts_outlives_a_calibration() -> None:
    """Harmonics are those of the new one, and a sag that began before it is one of both."""
    wave = Wave(seconds=2, voltage_v=160.0)
    metrology = metrology_for(wave)
    metrology.request_harmonics(40)
    before, after = parts(wave.block(), [2000])
    lasting = metrology.process(before).supply_under_way
    known = metrology.calibration
    current = 2 * known.current_ma_per_count
    metrology.recalibrate(Calibration(known.voltage_mv_per_count, current))
    measurement = metrology.process(after)
    assert lasting is not None
    assert measurement.supply_under_way is not None
    assert lasting.at == measurement.supply_under_way.at
    assert measurement.harmonics is not None
    assert 2 * wave.current_a == pytest.approx(measurement.harmonics.current_a[0], rel=1e-3)


def test_normal_is_what_the_new_calibration_says() -> None:
    """The voltage is half of what it was taken for, which is a sag from the next cycle on."""
    wave = Wave(seconds=2)
    metrology = metrology_for(wave)
    before, after = parts(wave.block(), [2000])
    assert metrology.process(before).supply_under_way is None
    known = metrology.calibration
    half = known.voltage_mv_per_count / 2
    metrology.recalibrate(Calibration(half, known.current_ma_per_count))
    assert metrology.process(after).supply_under_way is not None
