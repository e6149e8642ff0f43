"""What a disturbance of the voltage costs: its own energy, and nothing of the cycles around it."""

from __future__ import annotations

import numpy as np
import pytest

from elec_meter.metrology import Flags, kernels

from .waves import Reals, Wave, energies, metrology_for, parts, sampled

DIPPED_CYCLES = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.3, 20.0]
PHASES = [k / 16 for k in range(16)]


def without_voltage(wave: Wave, begin_cycle: float, cycles: float) -> Reals:
    """1 where there is voltage, 0 in the dip."""
    period = wave.rate_hz / wave.frequency_hz
    present = np.ones(wave.angle.size)
    present[round(begin_cycle * period) : round((begin_cycle + cycles) * period)] = 0.0
    return present


def missing_cycles(wave: Wave, volts: Reals, amperes: Reals) -> float:
    """Energy that the samples have from the first crossing on but the registers not, in cycles."""
    block = sampled(volts, amperes, wave)
    metrology = metrology_for(wave)
    measurement = metrology.process(block)
    rows = metrology.cycles
    seen = slice(rows[0, kernels.END] - rows[0, kernels.COUNT], rows[-1, kernels.END])
    # The wave's own offsets are none of the line's energy.
    converter = wave.converter
    v = block.voltage[seen] - wave.offset_v * 1000 / float(converter.voltage_mv_per_count)
    i = block.current[seen] - wave.offset_a * 1000 / float(converter.current_ma_per_count)
    gain = float(metrology.calibration.energy_mj_per_count(wave.rate_hz))
    registered_mj = int(measurement.import_mj.sum() - measurement.export_mj.sum())
    cycle_mj = wave.voltage_v * wave.current_a * 1000 / wave.frequency_hz
    return (float(np.dot(v, i)) * gain - registered_mj) / cycle_mj


@pytest.mark.parametrize("frequency_hz", [45.0, 50.0, 65.0])
@pytest.mark.parametrize("cycles", DIPPED_CYCLES)
def test_dip(frequency_hz: float, cycles: float) -> None:
    """A dip costs its own energy at any phase, be the current that of a motor or of a heater."""
    for lag_rad in (0.0, 1.2):
        wave = Wave(frequency_hz=frequency_hz, lag_rad=lag_rad, current_a=46.0, seconds=1.6)
        for phase in PHASES:
            present = without_voltage(wave, 30 + phase, cycles)
            volts, amperes = wave.volts() * present, wave.amperes()
            assert 0.0 == pytest.approx(missing_cycles(wave, volts, amperes), abs=0.02)
            assert 0.0 == pytest.approx(missing_cycles(wave, volts, amperes * present), abs=0.03)


@pytest.mark.parametrize("cycles", [0.5, 1.0, 2.2])
def test_dip_on_top_of_offsets(cycles: float) -> None:
    """The converters' offsets, tracked before the dip, are none of its energy."""
    wave = Wave(offset_v=20.0, offset_a=-5.0, current_a=5.0)
    for phase in PHASES:
        present = without_voltage(wave, 40 + phase, cycles)
        volts = (wave.volts() - wave.offset_v) * present + wave.offset_v
        assert 0.0 == pytest.approx(missing_cycles(wave, volts, wave.amperes()), abs=0.05)


def test_jump_of_phase() -> None:
    """A jump of phase costs nothing at all."""
    wave = Wave(lag_rad=0.5)
    for jump in range(5, 80, 5):
        volts, amperes = wave.volts(), wave.amperes()
        for values in (volts, amperes):
            values[4000:] = np.roll(values, jump)[4000:]
        assert 0.0 == pytest.approx(missing_cycles(wave, volts, amperes), abs=0.02)


def test_dips_one_after_the_other() -> None:
    """A second with a dip in every other cycle loses no more than the dips' own energy."""
    wave = Wave(seconds=3)
    present = np.ones(wave.angle.size)
    for begin in range(4000, 8000, 130):
        present[begin : begin + 30] = 0.0
    amperes = wave.amperes() * present
    assert 0.0 == pytest.approx(missing_cycles(wave, wave.volts() * present, amperes), abs=0.2)


def test_a_dip_is_flagged() -> None:
    """The stretch without crossings is told by its flag, cut into cycles of the tracked period."""
    wave = Wave(frequency_hz=45.0)
    block = sampled(wave.volts() * without_voltage(wave, 40, 0.4), wave.amperes(), wave)
    metrology = metrology_for(wave)
    assert Flags.UNLOCKED == metrology.process(block).flags
    unlocked = metrology.cycles[metrology.cycles[:, kernels.FLAGS] == kernels.UNLOCKED]
    assert 1 <= len(unlocked) <= 3
    assert {88, 89, 90} >= set(unlocked[:, kernels.COUNT].tolist())
    assert {0} == set(unlocked[:, kernels.LENGTH].tolist())


def test_cycles_go_on_in_a_dip() -> None:
    """However long the dip, cycles end where they would have ended without it."""
    wave = Wave(frequency_hz=65.0)
    metrology = metrology_for(wave)
    metrology.process(sampled(wave.volts() * without_voltage(wave, 30, 40), wave.amperes(), wave))
    ends = metrology.cycles[:, kernels.END] * wave.frequency_hz / wave.rate_hz
    assert 1.5 / 61 > np.abs(ends - np.rint(ends))[:70].max()


@pytest.mark.parametrize("frequency_hz", [45.0, 47.5, 52.5, 65.0])
def test_first_cycle(frequency_hz: float) -> None:
    """The first cycle is measured like all others, though no offset was known before it."""
    for begin_rad in (0.0, 1.0, 2.0, 4.0):
        wave = Wave(frequency_hz=frequency_hz, begin_rad=begin_rad, offset_a=3.0, seconds=0.5)
        metrology = metrology_for(wave)
        metrology.process(wave.block())
        period = 65536 * wave.rate_hz / frequency_hz
        assert period == pytest.approx(metrology.cycles[:, kernels.LENGTH], rel=1e-3)
        assert 0.0 == pytest.approx(missing_cycles(wave, wave.volts(), wave.amperes()), abs=0.005)


def test_stretch_after_a_gap() -> None:
    """Voltage without cycles registers where the period is known, but not after a gap."""
    wave, slow = Wave(seconds=1), Wave(seconds=2, frequency_hz=20.0)
    volts = np.concatenate([wave.volts(), slow.volts()])
    amperes = np.concatenate([wave.amperes(), slow.amperes()])
    # Of a hundred.
    assert 0.0 == pytest.approx(missing_cycles(wave, volts, amperes), abs=1.0)
    before, _, after = parts(sampled(volts, amperes, wave), [4000, 3000])
    metrology = metrology_for(wave)
    metrology.process(before)
    measurement = metrology.process(after)
    assert Flags.GAP | Flags.UNLOCKED == measurement.flags
    assert 0 == measurement.import_mj.sum() + measurement.export_mj.sum()


def test_long_without_voltage() -> None:
    """Once the voltage is gone, at nothing or at DC, not a millijoule more registers."""
    wave = Wave(seconds=4)
    for level_v in (0.0, 300.0):
        volts, amperes = wave.volts(), wave.amperes() + 5.0
        volts[4040:12_000] = level_v
        seconds = energies([metrology_for(wave).process(sampled(volts, amperes, wave))])
        lost_s, back_s = sorted(seconds)[1:3], sorted(seconds)[3]
        assert sum(seconds[lost_s[0]][:2]) < wave.power_w * 1000 / 25
        assert (0,) * 6 == seconds[lost_s[1]]
        assert wave.power_w * 1000 == pytest.approx(sum(seconds[back_s][:2]), rel=0.03)
