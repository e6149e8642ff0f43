"""Sags, swells and losses of the supply, from cycles and from whole waveforms."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.metrology import (
    CycleQuantities,
    MetrologyError,
    SupplyEvent,
    SupplyState,
    SupplyThresholds,
    SupplyWatch,
    ThresholdError,
)

from .waves import ANCHOR, Wave, metrology_for, parts, sampled

CYCLE = timedelta(milliseconds=20)
START_US = int(ANCHOR.timestamp()) * 1_000_000
NORMAL, SAG, SWELL, LOST = SupplyState


def cycles_of(volts: list[float], first: int = 0) -> CycleQuantities:
    """Cycles of 20 ms with these voltages, the first being cycle `first` since the anchor."""
    places = np.arange(first, first + len(volts) + 1) * 20_000 + START_US
    nothing = np.zeros(len(volts))
    return CycleQuantities(
        start_us=places[:-1],
        end_us=places[1:],
        v_rms_v=np.array(volts, np.float64),
        i_rms_a=nothing,
        power_w=nothing,
        reactive_var=nothing,
        apparent_va=nothing,
        power_factor=nothing,
        frequency_hz=nothing,
        flags=np.zeros(len(volts), np.int64),
    )


def over(events: list[SupplyEvent]) -> list[tuple[SupplyState, float, float, int]]:
    """Those that have ended: what, first cycle, cycle after the last, extreme in volts."""
    return [
        (event.state, (event.at - ANCHOR) / CYCLE, (event.until - ANCHOR) / CYCLE, event.extreme_mv)
        for event in events
        if event.until is not None
    ]


@pytest.mark.parametrize(
    ("volts", "expected"),
    [
        ([230, 207, 253, 230], []),
        ([230, 206, 180, 206, 230], [(SAG, 1, 4, 180_000)]),
        ([230, 206, 210, 211, 212], [(SAG, 1, 4, 206_000)]),
        ([230, 254, 260, 250, 248], [(SWELL, 1, 4, 260_000)]),
        ([230, 5, 0, 12, 17, 230], [(LOST, 1, 4, 0), (SAG, 4, 5, 17_000)]),
        ([230, 100, 0, 0, 230], [(SAG, 1, 2, 100_000), (LOST, 2, 4, 0)]),
        ([230, 260, 100, 230], [(SWELL, 1, 2, 260_000), (SAG, 2, 3, 100_000)]),
        ([230, 0, 300, 230], [(LOST, 1, 2, 0), (SWELL, 2, 3, 300_000)]),
    ],
)
def test_events(volts: list[float], expected: list[tuple[SupplyState, int, int, int]]) -> None:
    """An event spans its cycles, ends only beyond the hysteresis, and keeps its extreme."""
    watch = SupplyWatch()
    events = watch.feed(cycles_of(volts))
    assert expected == over(events)
    assert len(events) == 2 * len(expected), "each is told when it begins, too"
    assert watch.under_way is None


def test_under_way() -> None:
    """An event is told as it begins; until it ends its extreme goes on."""
    watch = SupplyWatch()
    begun = watch.feed(cycles_of([230, 200]))
    assert [SupplyEvent(SAG, ANCHOR + CYCLE, None, 200_000)] == begun
    assert [] == watch.feed(cycles_of([150, 190], first=2))
    assert SupplyEvent(SAG, ANCHOR + CYCLE, None, 150_000) == watch.under_way
    ended = watch.feed(cycles_of([230], first=4))
    assert [SupplyEvent(SAG, ANCHOR + CYCLE, ANCHOR + 4 * CYCLE, 150_000)] == ended


def test_missing_samples_end_an_event() -> None:
    """Where samples are missing an event ends with what was seen of it, and begins anew after."""
    watch = SupplyWatch()
    watch.feed(cycles_of([230, 0, 0]))
    events = watch.feed(cycles_of([0, 230], first=10))
    assert [(LOST, 1, 3, 0), (LOST, 10, 11, 0)] == over(events)


@given(st.lists(st.sampled_from([0, 13, 100, 208, 210, 230, 250, 256]), max_size=40), st.data())
def test_any_cut(volts: list[float], data: st.DataObject) -> None:
    """However cycles are cut into blocks, the events are the same."""
    whole = SupplyWatch().feed(cycles_of(volts))
    cut = data.draw(st.integers(0, len(volts)))
    watch = SupplyWatch()
    events = watch.feed(cycles_of(volts[:cut])) + watch.feed(cycles_of(volts[cut:], cut))
    assert over(whole) == over(events)
    assert [(event.state, event.at) for event in whole] == [
        (event.state, event.at) for event in events
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"lost_below_mv": -1},
        {"sag_below_mv": 212_000},
        {"sag_until_mv": 249_000},
        {"swell_until_mv": 254_000},
    ],
)
def test_contradicting_thresholds(change: dict[str, int]) -> None:
    """Thresholds out of order are refused."""
    with pytest.raises(ThresholdError) as refusal:
        replace(SupplyThresholds(), **change)
    assert isinstance(refusal.value, MetrologyError)


@pytest.mark.parametrize("size", [None, 300])
def test_waveform(size: int | None) -> None:
    """A dip to 60 % and a loss of ten cycles in a waveform are found to the cycle, in any cut."""
    wave = Wave(seconds=3)
    volts = wave.volts()
    volts[4000:4400] *= 0.6
    volts[8000:8800] = 0.0
    metrology, watch = metrology_for(wave), SupplyWatch()
    events = []
    block = sampled(volts, wave.amperes(), wave)
    for part in parts(block, [size] * 40 if size else []):
        metrology.process(part)
        events += watch.feed(metrology.cycle_quantities())
    ended = [event for event in over(events) if event[2] - event[1] > 2]
    assert [(SAG, 50, 55), (LOST, 100, 110)] == [
        (state, pytest.approx(first, abs=1.5), pytest.approx(end, abs=1.5))
        for state, first, end, _ in ended
    ]
    assert 138_000 == pytest.approx(ended[0][3], rel=0.02)
    assert ended[1][3] < 100
