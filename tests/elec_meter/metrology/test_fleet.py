"""Many meters at once have the very integers of each alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.metrology import (
    BlockShapeError,
    Calibration,
    CountRangeError,
    Flags,
    Fleet,
    FleetMeasurement,
    Metrology,
    RateError,
    RepeatedBlockError,
)
from elec_meter.sampling import Converter

from .waves import ANCHOR, Wave, energies

WAVES = [
    Wave(lag_rad=0.4, frequency_hz=49.9),
    Wave(lag_rad=2.8, frequency_hz=50.2, current_a=3.0),
    Wave(current_a=150.0),
    Wave(voltage_v=0.0, current_a=2.0),
    Wave(frequency_hz=46.0, lag_rad=-1.0, offset_v=3.0),
]
METERS = 37  # more than one group of the kernel's
CALIBRATIONS = [
    Calibration.for_converter(Converter(), phase_urad=100 * m, starting_current_ma=5 * (m % 5))
    for m in range(METERS)
]
BLOCKS = [replace(WAVES[m % len(WAVES)], begin_rad=0.3 * m).block(seed=m) for m in range(METERS)]
VOLTAGE = np.array([block.voltage for block in BLOCKS])
CURRENT = np.array([block.current for block in BLOCKS])


def by_meter(measurements: list[FleetMeasurement], meter: int) -> dict[int, tuple[int, ...]]:
    """One meter's import, export and quadrants of each second, as `energies` has them."""
    seconds: dict[int, tuple[int, ...]] = {}
    for part in measurements:
        for k, second_s in enumerate(part.second_s.tolist()):
            added = [part.import_mj[meter, k], part.export_mj[meter, k]]
            added += part.reactive_mvars[meter, k].tolist()
            before = seconds.get(second_s, (0,) * 6)
            seconds[second_s] = tuple(a + int(b) for a, b in zip(before, added, strict=True))
    return {second_s: added for second_s, added in seconds.items() if any(added)}


def measured(fleet: Fleet, cuts: list[int], **changes: Any) -> list[FleetMeasurement]:
    """All samples through the fleet, cut at these places."""
    edges = [0, *sorted(cuts), VOLTAGE.shape[1]]
    stream = {"anchor_utc": ANCHOR, **changes}
    return [
        fleet.process(
            np.ascontiguousarray(VOLTAGE[:, first:end]),
            np.ascontiguousarray(CURRENT[:, first:end]),
            first_sample=first,
            **stream,
        )
        for first, end in pairwise(edges)
    ]


def alone(meter: int) -> tuple[dict[int, tuple[int, ...]], Flags]:
    """What a `Metrology` of its own gives."""
    measurement = Metrology(CALIBRATIONS[meter], rate_hz=4000).process(BLOCKS[meter])
    seconds = energies([measurement])
    return {second: added for second, added in seconds.items() if any(added)}, measurement.flags


@given(st.lists(st.integers(0, VOLTAGE.shape[1]), max_size=5))
def test_each_as_if_alone(cuts: list[int]) -> None:
    """Every meter's registers and flags are those of a pipeline of its own, whatever the cut."""
    measurements = measured(Fleet(CALIBRATIONS, rate_hz=4000), cuts)
    flags = np.bitwise_or.reduce([part.flags for part in measurements])
    for meter in range(METERS):
        seconds, own_flags = alone(meter)
        assert seconds == by_meter(measurements, meter)
        assert own_flags == flags[meter]


def test_threads_share_the_work() -> None:
    """Two halves in two threads have the integers of the whole."""
    whole = measured(Fleet(CALIBRATIONS, rate_hz=4000), [])[0]
    halves = slice(0, 20), slice(20, METERS)

    def half(meters: slice) -> FleetMeasurement:
        fleet = Fleet(CALIBRATIONS[meters], rate_hz=4000)
        return fleet.process(VOLTAGE[meters], CURRENT[meters], first_sample=0, anchor_utc=ANCHOR)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(half, halves)
    together = np.concatenate([first.reactive_mvars, second.reactive_mvars])
    assert whole.reactive_mvars.tolist() == together.tolist()
    assert whole.flags.tolist() == [*first.flags.tolist(), *second.flags.tolist()]


def test_long_gain() -> None:
    """A gain too long for the machine's arithmetic books what a single meter books."""
    long = replace(CALIBRATIONS[0], voltage_mv_per_count=Fraction(10**17 + 3, 10**16 + 61))
    fleet = Fleet([long, CALIBRATIONS[1]], rate_hz=4000)
    part = fleet.process(VOLTAGE[:2], CURRENT[:2], first_sample=0, anchor_utc=ANCHOR)
    own = Metrology(long, rate_hz=4000).process(BLOCKS[0])
    assert own.import_mj.tolist() == part.import_mj[0].tolist()
    assert alone(1)[0] == by_meter([part], 1)


def test_gap_and_repetition() -> None:
    """A gap is flagged in every meter, a repeated block refused."""
    fleet = Fleet(CALIBRATIONS, rate_hz=4000)
    measured(fleet, [])
    assert VOLTAGE.shape[1] == fleet.next_sample
    with pytest.raises(RepeatedBlockError):
        measured(fleet, [])
    after = fleet.process(VOLTAGE, CURRENT, first_sample=9000, anchor_utc=ANCHOR)
    assert np.all(after.flags & Flags.GAP)


@pytest.mark.parametrize(
    ("voltage", "current"),
    [
        (VOLTAGE.astype(np.float64), CURRENT.astype(np.float64)),
        (VOLTAGE[0], CURRENT[0]),
        (VOLTAGE[:3], CURRENT[:3]),
        (VOLTAGE[:, ::2], CURRENT[:, ::2]),
        (VOLTAGE, CURRENT[:, :-1].copy()),
        (VOLTAGE, CURRENT.astype(np.int32)),
        (VOLTAGE.tolist(), CURRENT.tolist()),
    ],
)
def test_wrong_type_or_shape(voltage: Any, current: Any) -> None:
    """Anything but two contiguous arrays of counts with a row for each meter is refused."""
    with pytest.raises(BlockShapeError):
        Fleet(CALIBRATIONS, rate_hz=4000).process(
            voltage, current, first_sample=0, anchor_utc=ANCHOR
        )


def test_wrong_time_and_range() -> None:
    """A naive time, a sample before the anchor, more than 24 bits, no meters: all are refused."""
    fleet = Fleet(CALIBRATIONS, rate_hz=4000)
    with pytest.raises(BlockShapeError):
        fleet.process(VOLTAGE, CURRENT, first_sample=0, anchor_utc=datetime(2024, 1, 1))  # noqa: DTZ001 - naive on purpose
    with pytest.raises(BlockShapeError):
        fleet.process(VOLTAGE, CURRENT, first_sample=-1, anchor_utc=ANCHOR)
    wide = VOLTAGE.astype(np.int32) << 10
    with pytest.raises(CountRangeError):
        fleet.process(wide, wide, first_sample=0, anchor_utc=ANCHOR)
    with pytest.raises(BlockShapeError):
        Fleet([], rate_hz=4000)
    with pytest.raises(RateError):
        Fleet(CALIBRATIONS, rate_hz=1000)
