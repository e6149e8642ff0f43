"""Carrying out the type test."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from elec_meter.metrology import Flags, PulseOutput
from elec_meter.typetest.bench import NOISE_COUNT, RATES_HZ, WIDTHS_BITS, Bench, Reading
from elec_meter.typetest.rows import CURRENT_MAX_A, ROWS, Point, Quantity, Row
from elec_meter.typetest.waves import REFERENCE_V, SteadyWave

PULSES_PER_KWH: Final = 1_000
"""The meter constant with which the starting current and the absence of load are tested."""

_KWH_MJ: Final = 3_600_000_000
_ROUNDING_COUNT: Final = 1 / math.sqrt(12)


@dataclass(frozen=True, slots=True)
class Extent:
    """How long everything is measured.

    The noise of the converters spreads a result: a test lasts until its standard deviation is a
    small part of its limit, so that a pass or a failure is the meter's own.

    Attributes:
        certainty: how many standard deviations of the noise the limit is.
        least_s: how long a test lasts at least.
        pulses_per_kwh: the meter constant of the starting test: the higher, the shorter.
        no_load_s: how long no load is waited upon.
    """

    certainty: float
    least_s: int
    pulses_per_kwh: int
    no_load_s: int


LONG: Final = Extent(
    certainty=8.0,
    least_s=10,
    pulses_per_kwh=PULSES_PER_KWH,
    # 900 x 10^6 / (constant x Un x Imax) minutes: the longest that IEC 62053-22 (8.3.2) asks for.
    no_load_s=math.ceil(900e6 * 60 / (PULSES_PER_KWH * REFERENCE_V * CURRENT_MAX_A)),
)
SHORT: Final = Extent(certainty=5.0, least_s=2, pulses_per_kwh=100_000, no_load_s=20)


@dataclass(frozen=True, slots=True)
class PointResult:
    """What a meter made of one load: `value` is in the unit of the row's quantity.

    `flags` is whatever it had to say of it.
    """

    point: Point
    seconds: int
    value: float
    flags: Flags


@dataclass(frozen=True, slots=True)
class RowResult:
    """What meters of one kind made of a row.

    Attributes:
        row: what was tested.
        rate_hz: samples per second.
        bits: width of the converters.
        points: in the row's order.
    """

    row: Row
    rate_hz: int
    bits: int
    points: tuple[PointResult, ...]

    @property
    def worst(self) -> PointResult:
        """The point that is furthest from what it should be."""
        return max(self.points, key=lambda result: abs(result.value))

    @property
    def limit(self) -> float:
        """What our meter may be wrong by."""
        return self.row.limit(self.bits)

    @property
    def passed(self) -> bool:
        """Whether every point is within our limit, and has the flags that it should have."""
        return abs(self.worst.value) <= self.limit and not self.misflagged

    @property
    def flags(self) -> Flags:
        """Whatever the meters had to say of any point."""
        return functools.reduce(operator.or_, (result.flags for result in self.points))

    @property
    def misflagged(self) -> list[PointResult]:
        """Points with flags that they should not have, or without those that they should."""
        return [result for result in self.points if result.flags != result.point.flags]


def type_test(
    extent: Extent = LONG,
    *,
    rows: tuple[Row, ...] = ROWS,
    rates_hz: tuple[int, ...] = RATES_HZ,
    widths_bits: tuple[int, ...] = WIDTHS_BITS,
) -> Iterator[RowResult]:
    """Test rows at every rate and width, in the order of the table.

    Args:
        extent: how long everything is measured.
        rows: what is tested.
        rates_hz: samples per second of the meters.
        widths_bits: of their converters.
    """
    for number, row in enumerate(rows):
        for rate_hz in rates_hz:
            for bits in widths_bits:
                yield measure_row(row, Bench(rate_hz, bits, seed=number + 1), extent)


def result_count(rows: tuple[Row, ...] = ROWS) -> int:
    """How many results `type_test` has of rows."""
    return len(rows) * len(RATES_HZ) * len(WIDTHS_BITS)


def measure_row(row: Row, bench: Bench, extent: Extent = LONG) -> RowResult:
    """Test one row with meters of one kind."""
    measure = {
        Quantity.ACTIVE: _error,
        Quantity.REACTIVE: _reactive_error,
        Quantity.CHANGE: _change,
        Quantity.REACTIVE_CHANGE: _reactive_change,
        Quantity.START: _starting_ratio,
        Quantity.NO_LOAD: _pulses,
    }[row.quantity]
    results = []
    for number, point in enumerate(row.points):
        seconds = _duration_s(row, point, bench, extent)
        # Noise of its own for each point: what they have in common is the meter's.
        own = replace(bench, seed=1_000 * bench.seed + number)
        reading = own.read(point.wave, seconds)
        flags, against = reading.flags, None
        if point.reference is not None:
            against = replace(own, seed=own.seed + 500).read(point.reference, seconds)
            flags |= against.flags
        value = measure(point, reading, against, extent)
        results.append(PointResult(point, seconds, value, flags))
    return RowResult(row, bench.rate_hz, bench.bits, tuple(results))


def _duration_s(row: Row, point: Point, bench: Bench, extent: Extent) -> int:
    """How long to measure, in whole patterns."""
    wave = point.wave
    if row.quantity is Quantity.NO_LOAD:
        return extent.no_load_s
    if row.quantity is Quantity.START:
        return math.ceil(1.3 * _theory_s(wave, extent)) + 1
    converter = bench.converter
    is_reactive = row.quantity in (Quantity.REACTIVE, Quantity.REACTIVE_CHANGE)
    true_power = wave.reactive_var if is_reactive else wave.power_w
    power_count = true_power * 1e6
    power_count /= float(converter.voltage_mv_per_count * converter.current_ma_per_count)
    # Each channel's noise is multiplied with the other channel, sample by sample.
    noise_count = math.hypot(NOISE_COUNT, _ROUNDING_COUNT) * math.hypot(
        wave.voltage_v * 1e3 / float(converter.voltage_mv_per_count),
        wave.current_a * 1e3 / float(converter.current_ma_per_count),
    )
    both = math.sqrt(2) if point.reference is not None else 1.0
    spread_percent = 100 * both * noise_count / abs(power_count)
    certainty = extent.certainty / row.limit(bench.bits)
    samples = (certainty * spread_percent) ** 2
    # Whole millijoules are what a meter registers.
    whole_s = certainty / abs(10 * true_power)
    seconds = math.ceil(max(extent.least_s, samples / bench.rate_hz, whole_s))
    return -(-seconds // wave.pattern_s) * wave.pattern_s


_Against = Reading | None


def _error(point: Point, reading: Reading, _: _Against, __: Extent) -> float:
    return _percent(point.wave, reading)


def _percent(wave: SteadyWave, reading: Reading) -> float:
    true_mj = wave.power_w * 1000 * reading.seconds
    return 100 * (reading.net_mj - true_mj) / abs(true_mj)


def _reactive_error(point: Point, reading: Reading, _: _Against, __: Extent) -> float:
    return _reactive_percent(point.wave, reading)


def _reactive_percent(wave: SteadyWave, reading: Reading) -> float:
    true_mvars = wave.reactive_var * 1000 * reading.seconds
    return 100 * (reading.net_mvars - true_mvars) / abs(true_mvars)


def _change(point: Point, reading: Reading, against: _Against, _: Extent) -> float:
    assert point.reference is not None
    assert against is not None
    return _percent(point.wave, reading) - _percent(point.reference, against)


def _reactive_change(point: Point, reading: Reading, against: _Against, _: Extent) -> float:
    assert point.reference is not None
    assert against is not None
    return _reactive_percent(point.wave, reading) - _reactive_percent(point.reference, against)


def _starts_reactive(wave: SteadyWave) -> bool:
    return abs(wave.reactive_var) > abs(wave.power_w)


def _theory_s(wave: SteadyWave, extent: Extent) -> float:
    """When the first pulse is due, of the energy that there is most of."""
    power = max(abs(wave.reactive_var), abs(wave.power_w))
    return _KWH_MJ / extent.pulses_per_kwh / (power * 1000)


def _starting_ratio(point: Point, reading: Reading, _: _Against, extent: Extent) -> float:
    """Time to the first pulse, to the second, over the theoretical one."""
    wave = point.wave
    energies = reading.import_mj if wave.power_w > 0 else reading.export_mj
    if _starts_reactive(wave):
        # At a quarter turn noise decides to which of two quadrants each cycle belongs.
        sides = reading.reactive_mvars[:2] if wave.reactive_var > 0 else reading.reactive_mvars[2:]
        energies = [a + b for a, b in zip(*sides, strict=True)]
    output = PulseOutput(extent.pulses_per_kwh)
    for second, energy in enumerate(energies, 1):
        if output.add(energy):
            return second / _theory_s(wave, extent)
    return math.inf


def _pulses(_: Point, reading: Reading, __: _Against, extent: Extent) -> float:
    """Pulses of all registers; a part of one counts too, as nothing may register."""
    energy = sum(reading.import_mj) + sum(reading.export_mj)
    energy += sum(map(sum, reading.reactive_mvars))
    return energy * extent.pulses_per_kwh / _KWH_MJ
