"""Carrying out the type test."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from elec_meter.metrology import PulseOutput
from elec_meter.typetest.bench import NOISE_COUNT, RATES_HZ, WIDTHS_BITS, Bench
from elec_meter.typetest.limits import CLASSES, limit_percent
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
    """What a meter made of one load: `value` is in the unit of the row's quantity."""

    point: Point
    seconds: int
    value: float


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
        """Whether every point is within our limit."""
        return abs(self.worst.value) <= self.limit

    def class_limits(self) -> dict[str, float | None]:
        """The tightest limit of each class at any of the points; None where it has none."""
        tightest: dict[str, float | None] = {}
        for name in CLASSES:
            limits = [
                limit_percent(name, self.row.kind, result.point.wave.current_a)
                for result in self.points
            ]
            tightest[name] = min((each for each in limits if each is not None), default=None)
        return tightest


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
        Quantity.START: _starting_ratio,
        Quantity.NO_LOAD: _pulses,
    }[row.quantity]
    results = []
    for number, point in enumerate(row.points):
        seconds = _duration_s(row, point, bench, extent)
        # Noise of its own for each point: what they have in common is the meter's.
        own = replace(bench, seed=1_000 * bench.seed + number)
        results.append(PointResult(point, seconds, measure(own, point, seconds, extent)))
    return RowResult(row, bench.rate_hz, bench.bits, tuple(results))


def _duration_s(row: Row, point: Point, bench: Bench, extent: Extent) -> int:
    """How long to measure, in whole patterns."""
    wave = point.wave
    if row.quantity is Quantity.NO_LOAD:
        return extent.no_load_s
    if row.quantity is Quantity.START:
        return math.ceil(1.3 * _theory_s(wave, extent)) + 1
    converter = bench.converter
    true_power = wave.reactive_var if row.quantity is Quantity.REACTIVE else wave.power_w
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


def _error(bench: Bench, point: Point, seconds: int, _: Extent) -> float:
    return _percent(bench, point.wave, seconds)


def _percent(bench: Bench, wave: SteadyWave, seconds: int) -> float:
    true_mj = wave.power_w * 1000 * seconds
    return 100 * (bench.read(wave, seconds).net_mj - true_mj) / abs(true_mj)


def _reactive_error(bench: Bench, point: Point, seconds: int, _: Extent) -> float:
    true_mvars = point.wave.reactive_var * 1000 * seconds
    return 100 * (bench.read(point.wave, seconds).net_mvars - true_mvars) / abs(true_mvars)


def _change(bench: Bench, point: Point, seconds: int, _: Extent) -> float:
    assert point.reference is not None
    other = replace(bench, seed=bench.seed + 500)
    return _percent(bench, point.wave, seconds) - _percent(other, point.reference, seconds)


def _theory_s(wave: SteadyWave, extent: Extent) -> float:
    """When the first pulse is due."""
    return _KWH_MJ / extent.pulses_per_kwh / (abs(wave.power_w) * 1000)


def _starting_ratio(bench: Bench, point: Point, seconds: int, extent: Extent) -> float:
    """Time to the first pulse, to the second, over the theoretical one."""
    reading = bench.read(point.wave, seconds)
    energies = reading.import_mj if point.wave.power_w > 0 else reading.export_mj
    output = PulseOutput(extent.pulses_per_kwh)
    for second, energy_mj in enumerate(energies, 1):
        if output.add(energy_mj):
            return second / _theory_s(point.wave, extent)
    return math.inf


def _pulses(bench: Bench, point: Point, seconds: int, _: Extent) -> float:
    """Pulses of both directions; a part of one counts too, as nothing may register."""
    reading = bench.read(point.wave, seconds)
    return (sum(reading.import_mj) + sum(reading.export_mj)) * PULSES_PER_KWH / _KWH_MJ
