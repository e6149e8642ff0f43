"""Harmonics on request, against waveforms whose harmonics are known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from elec_meter.metrology import Harmonics, HarmonicsError, Metrology
from elec_meter.metrology.harmonics import HarmonicsRequest
from elec_meter.sampling import Converter, SampleBlock

from .waves import ANCHOR, Wave, metrology_for, parts, sampled

DISTORTED = Wave(
    lag_rad=0.5,
    frequency_hz=49.83,
    voltage_harmonics=((3, 0.05, 0.3), (5, 0.03, 1.0), (40, 0.01, 0.0)),
    current_harmonics=((3, 0.6, 0.1), (5, 0.4, 2.0), (39, 0.02, 0.0)),
    rate_hz=8000,
    converter=Converter(bits=24),
    seconds=1.0,
)


def harmonics_of(metrology: Metrology, block: SampleBlock, sizes: list[int]) -> Harmonics:
    """Asks, feeds the block in parts, and returns the answer."""
    metrology.request_harmonics()
    for part in parts(block, sizes):
        metrology.process(part)
    assert metrology.harmonics is not None
    return metrology.harmonics


@pytest.mark.parametrize("frequency_hz", [45.0, 49.83, 50.0, 65.0])
def test_orders(frequency_hz: float) -> None:
    """Every order to the 40th has its voltage, current and power, at any frequency."""
    wave = replace(DISTORTED, frequency_hz=frequency_hz)
    answer = harmonics_of(metrology_for(wave), wave.block(), [])
    volts, amperes, watts, vars_ = (np.zeros(41) for _ in range(4))
    volts[1], amperes[1] = 230.0, 10.0
    watts[1], vars_[1] = 2300 * math.cos(0.5), 2300 * math.sin(0.5)
    for order, share, phase in wave.voltage_harmonics:
        volts[order] = 230 * share
        for other, part, angle in wave.current_harmonics:
            if order == other:
                lag = phase + order * wave.lag_rad - angle
                watts[order] = 2300 * share * part * math.cos(lag)
                vars_[order] = 2300 * share * part * math.sin(lag)
    for order, share, _ in wave.current_harmonics:
        amperes[order] = 10 * share
    assert volts[1:] == pytest.approx(answer.voltage_v, abs=0.02)
    assert amperes[1:] == pytest.approx(answer.current_a, abs=0.002)
    assert watts[1:] == pytest.approx(answer.power_w, abs=0.3)
    assert vars_[1:] == pytest.approx(answer.reactive_var, abs=0.3)
    assert math.sqrt(0.05**2 + 0.03**2 + 0.01**2) == pytest.approx(answer.thd_voltage, rel=0.01)
    assert math.sqrt(0.6**2 + 0.4**2 + 0.02**2) == pytest.approx(answer.thd_current, rel=0.01)
    assert frequency_hz == pytest.approx(answer.frequency_hz, abs=0.005)
    assert 10 == answer.cycles


def test_any_cut() -> None:
    """Blocks shorter than a cycle give an answer too, of ten cycles in a row."""
    whole = harmonics_of(metrology_for(DISTORTED), DISTORTED.block(), [])
    cut = harmonics_of(metrology_for(DISTORTED), DISTORTED.block(), [61] * 100)
    assert whole.voltage_v == pytest.approx(cut.voltage_v, abs=0.01)
    assert cut.start_utc < whole.start_utc, "the answer comes with the first ten"


def test_phase_of_calibration() -> None:
    """A current channel that lags by a time is put right at every order."""
    lag_rad = 0.02
    delayed = tuple((n, share, at - n * lag_rad) for n, share, at in DISTORTED.current_harmonics)
    wave = replace(DISTORTED, current_harmonics=delayed)
    angle = wave.angle - wave.lag_rad - lag_rad
    shape = np.sin(angle)
    for n, share, at in DISTORTED.current_harmonics:
        shape = shape + share * np.sin(n * angle + at)
    block = sampled(wave.volts(), math.sqrt(2) * wave.current_a * shape, wave)
    straight = harmonics_of(metrology_for(DISTORTED), DISTORTED.block(), [])
    turned = harmonics_of(metrology_for(wave, phase_urad=20_000), block, [])
    assert straight.power_w == pytest.approx(turned.power_w, abs=0.5)
    assert straight.reactive_var == pytest.approx(turned.reactive_var, abs=0.5)


def test_low_rate() -> None:
    """At 2 kHz the orders beyond the converter's reach are left out, not made up."""
    wave = Wave(rate_hz=2000, voltage_harmonics=((19, 0.05, 0.0),))
    answer = harmonics_of(metrology_for(wave), wave.block(), [])
    assert 19 == len(answer.voltage_v)
    assert 11.5 == pytest.approx(answer.voltage_v[18], rel=0.01)


def test_faulty_cycles_are_passed_over() -> None:
    """Only cycles without a fault are measured, and a gap begins the count anew."""
    wave = Wave(seconds=1)
    volts = wave.volts()
    volts[600:900] = 0.0
    block = sampled(volts, wave.amperes(), wave)
    metrology = metrology_for(wave)
    metrology.request_harmonics()
    first, _, third = parts(block, [1100, 400])
    metrology.process(first)
    assert metrology.harmonics is None
    metrology.process(third)
    assert metrology.harmonics is not None
    assert metrology.harmonics.start_utc >= third.start_utc
    assert 230.0 == pytest.approx(metrology.harmonics.voltage_v[0], rel=1e-3)


def test_nothing_asked() -> None:
    """Without a request there is no answer; with one the block has it, and it stays."""
    wave = Wave(seconds=1)
    metrology = metrology_for(wave)
    first, second, third = parts(wave.block(), [2000, 1000])
    assert metrology.process(first).harmonics is None
    assert metrology.harmonics is None
    metrology.request_harmonics(3)
    answer = metrology.process(second).harmonics
    assert metrology.process(third).harmonics is None
    assert answer is metrology.harmonics
    assert metrology.harmonics is not None
    assert 3 == metrology.harmonics.cycles
    assert ANCHOR < metrology.harmonics.start_utc


def test_memory_is_bounded() -> None:
    """However long there are no ten cycles without a fault, no more than those are kept."""
    wave = Wave(seconds=4)
    volts = wave.volts()
    for at in range(400, volts.size, 640):
        volts[at : at + 160] = 0.0
    block = sampled(volts, wave.amperes(), wave)
    metrology = metrology_for(wave)
    request = HarmonicsRequest(10, metrology.calibration)
    for part in parts(block, [100] * 160):
        metrology.process(part)
        assert request.offer(part, metrology.cycles) is None
        # Ten cycles and the one under way, each a quarter longer than it should be.
        assert request._counts.shape[1] <= 11 * 100 + len(part)
        assert len(request._rows) <= 10


@pytest.mark.parametrize("cycles", [0, -1, 101, 1.5, math.nan])
def test_absurd_request(cycles: int) -> None:
    """Harmonics of no cycle, of a part of one, or of more than are kept, are refused."""
    with pytest.raises(HarmonicsError):
        metrology_for(Wave()).request_harmonics(cycles)


def test_registers_are_untouched() -> None:
    """A request changes no register."""
    plain, asked = metrology_for(DISTORTED), metrology_for(DISTORTED)
    asked.request_harmonics()
    block = DISTORTED.block()
    assert plain.process(block).import_mj.tolist() == asked.process(block).import_mj.tolist()
