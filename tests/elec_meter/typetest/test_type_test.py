"""Our meters in the short form of the type test; and meters that must not pass it."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from elec_meter.metrology import Calibration, Flags
from elec_meter.sampling import Converter
from elec_meter.typetest import (
    CURVES,
    NOT_CLAIMED,
    RATES_HZ,
    ROWS,
    SHORT,
    STARTING_A,
    WIDTHS_BITS,
    Bench,
    Quantity,
    Row,
    Shape,
    SteadyWave,
    limit_percent,
    measure_row,
    result_count,
    type_test,
)

NAMES = {row.name: row for row in ROWS}
BENCH = Bench(4000, 16)


@pytest.mark.parametrize("bits", WIDTHS_BITS)
@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_holds(row: Row, rate_hz: int, bits: int) -> None:
    """Every row of the accuracy table holds at 4 and 8 kHz, with 16 and 24 bits."""
    result = measure_row(row, Bench(rate_hz, bits, seed=11), SHORT)
    assert result.passed, f"{result.worst}"


def test_the_table() -> None:
    """The limits are those that we promise, at the loads that we promise them for."""
    limits = {(row.quantity, row.limits) for row in ROWS}
    assert limits == {
        (Quantity.ACTIVE, (0.2, 0.02)),
        (Quantity.ACTIVE, (0.05, 0.05)),
        (Quantity.ACTIVE, (0.1, 0.1)),
        (Quantity.REACTIVE, (0.1, 0.1)),
        (Quantity.CHANGE, (0.05, 0.05)),
        (Quantity.REACTIVE_CHANGE, (0.05, 0.05)),
        (Quantity.START, (1.2, 1.2)),
        (Quantity.NO_LOAD, (0.0, 0.0)),
    }
    waves = {name: [point.wave for point in row.points] for name, row in NAMES.items()}
    assert 0.02 == min(wave.current_a for wave in waves["0.02-0.1 A, PF 1"])
    unity = [wave.current_a for wave in waves["0.1-100 A, PF 1"]]
    assert (0.1, 100.0) == (min(unity), max(unity))
    for name, factor in (
        ("0.5 inductive", 0.5),
        ("0.8 capacitive", 0.8),
        ("0.25 inductive", 0.25),
        ("0.5 capacitive", 0.5),
    ):
        shifted = waves[f"0.25-100 A, PF {name}"]
        assert (0.25, 100.0) == (shifted[0].current_a, shifted[-1].current_a)
        assert all(factor == pytest.approx(math.cos(wave.lag_rad)) for wave in shifted)
        assert all((wave.lag_rad > 0) == ("ind" in name) for wave in shifted)
    for name, sine in (("sin 1", 1.0), ("sin 0.5", 0.5), ("sin 0.25", 0.25)):
        reactive = waves[f"reactive, {name}, 45-65 Hz"]
        assert {45, 50, 65} <= {wave.frequency_hz for wave in reactive}
        assert all(sine == pytest.approx(abs(math.sin(wave.lag_rad))) for wave in reactive)
    assert set(Shape) == {wave.shape for each in waves.values() for wave in each}
    assert 264.5 == pytest.approx(waves["no load at 115 % of voltage"][0].voltage_v)
    assert {0.02} == {wave.current_a for wave in waves["starting current 0.02 A"]}


def with_calibration(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Let every meter on the bench have another calibration than its converter asks for."""

    def calibration(converter: Converter) -> Calibration:
        values: dict[str, Any] = {
            "voltage_mv_per_count": converter.voltage_mv_per_count,
            "current_ma_per_count": converter.current_ma_per_count,
            "full_scale_count": converter.full_scale_count,
        }
        return Calibration(**(values | changes))

    monkeypatch.setattr(Calibration, "for_converter", calibration)


@pytest.mark.parametrize("row", [row for row in ROWS if row.quantity is Quantity.ACTIVE])
def test_a_wrong_gain_misses(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """A meter that registers half a percent too much fails every row of active energy."""
    gain = Fraction(1005, 1000) * Converter().voltage_mv_per_count
    with_calibration(monkeypatch, voltage_mv_per_count=gain)
    result = measure_row(row, BENCH, SHORT)
    assert not result.passed
    assert 0.5 == pytest.approx(abs(result.worst.value), abs=0.1)


@pytest.mark.parametrize("row", [row for row in ROWS if "ductive" in row.kind and "PF" in row.name])
def test_a_wrong_phase_misses(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """A phase that is wrong by 2 mrad shows at every low power factor, not in what changes."""
    with_calibration(monkeypatch, phase_urad=2_000)
    assert (row.quantity is Quantity.CHANGE) == measure_row(row, BENCH, SHORT).passed


@pytest.mark.parametrize("kind", ["sin 1", "sin 0.5"])
def test_reactive_power_by_a_fixed_delay_misses(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A meter whose quarter period is that of 50 Hz has an error that changes with frequency."""

    def delayed(wave: SteadyWave) -> float:
        early_rad = math.pi / 2 * (wave.frequency_hz / 50 - 1)
        sine, cosine = math.sin(wave.lag_rad), math.cos(wave.lag_rad)
        return (
            wave.voltage_v
            * wave.current_a
            * (sine * math.cos(early_rad) - cosine * math.sin(early_rad))
        )

    row = NAMES[f"reactive, frequency +-2 %, {kind}"]
    assert measure_row(row, BENCH, SHORT).passed
    monkeypatch.setattr(SteadyWave, "reactive_var", property(delayed))
    assert not measure_row(row, BENCH, SHORT).passed


def test_a_wrong_start_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A meter that starts at 40 mA never shows a pulse at 20; one that always runs shows some."""
    with_calibration(monkeypatch, starting_current_ma=40)
    assert math.inf == measure_row(NAMES["starting current 0.02 A"], BENCH, SHORT).worst.value
    with_calibration(monkeypatch, starting_current_ma=0)
    assert not measure_row(NAMES["no load at 115 % of voltage"], BENCH, SHORT).passed


def test_offsets_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The converters of the bench have offsets, and no meter takes their product for a load."""
    offset = replace(BENCH, offsets_count=(700, -500))
    block = next(offset.blocks(SteadyWave(0.0), 1))
    assert (700, -500) == (round(float(block.voltage.mean())), round(float(block.current.mean())))
    with_calibration(monkeypatch, starting_current_ma=0)
    reading = offset.read(SteadyWave(0.0), 3)
    converter = offset.converter
    offsets_w = 350_000 * converter.voltage_mv_per_count * converter.current_ma_per_count / 10**6
    assert 2e-3 * 3 * 1000 * offsets_w > abs(reading.net_mj)
    assert reading.flags == Flags(0)


def test_order_and_number() -> None:
    """Results come row by row, each at every rate and width, and there are as many as was said."""
    rows = (NAMES["fifth harmonic"], NAMES["half-wave"])
    results = list(type_test(SHORT, rows=rows))
    assert result_count(rows) == len(results) == 8
    assert [(row, hz, bits) for row in rows for hz in RATES_HZ for bits in WIDTHS_BITS] == [
        (result.row, result.rate_hz, result.bits) for result in results
    ]


def test_class_limits() -> None:
    """A row has the tightest limit of each class at its points; none where the class has none."""
    unity = NAMES["0.1-100 A, PF 1"].class_limits()
    assert {"A": 2.0, "B": 1.0, "C": 0.5, "0.2S": 0.2, "0.5S": 0.5, "1": 1.0, "2": 2.0} == {
        name: limit for name, limit in unity.items() if limit is not None
    }
    small = NAMES["0.02-0.1 A, PF 1"].class_limits()
    assert (None, 0.4) == (small["C"], small["0.2S"])
    reactive = NAMES["reactive, sin 1, 45-65 Hz"].class_limits()
    assert (None, 2.0, 3.0) == (reactive["C"], reactive["var 2"], reactive["var 3"])


def test_our_limits_are_tighter() -> None:
    """Wherever a class of ours has a limit, ours is at most half of class C's."""
    for row in ROWS:
        limit = row.class_limits()["C"]
        assert limit is None or row.limit(16) <= limit / 2
    assert 7 == len(CURVES)


def test_limits_end_where_a_class_ends() -> None:
    """Class 1 has a limit at a power factor of 0.25 up to the basic current, and none beyond."""
    assert [None, 3.5, 3.5, None] == [
        limit_percent("1", "PF 0.25 inductive", current_a) for current_a in (0.5, 1.0, 5.0, 20.0)
    ]
    assert 0.5 == limit_percent("0.2S", "PF 0.25 inductive", 100.0)


def test_what_is_not_claimed() -> None:
    """Classes that start below our 20 mA are not claimed, whatever the errors are."""
    assert ("0.2S", "0.5S") == NOT_CLAIMED
    assert {0.02} == {STARTING_A[name] for name in ("B", "C", "1")}


def test_flags_are_looked_at() -> None:
    """A row whose load raises a flag that it should not, or none that it should, has not passed."""
    large = NAMES["half-wave"].points[1]
    for expected in (Flags(0), Flags.DC, Flags.DC | Flags.STUCK):
        row = replace(NAMES["half-wave"], points=(replace(large, flags=expected),))
        result = measure_row(row, BENCH, SHORT)
        assert Flags.DC == result.flags
        assert (expected == Flags.DC) == result.passed
    assert {Flags(0), Flags.DC} == {point.flags for row in ROWS for point in row.points}
