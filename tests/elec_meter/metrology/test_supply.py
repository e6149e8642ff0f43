"""Sags, swells and losses of the supply, from cycles and from whole waveforms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.metrology import (
    CycleQuantities,
    Flags,
    MetrologyError,
    SupplyEvent,
    SupplyState,
    SupplyThresholds,
    SupplyWatch,
    ThresholdError,
)

from .waves import ANCHOR, Reals, Wave, metrology_for, parts, sampled

CYCLE = timedelta(milliseconds=20)
START_US = int(ANCHOR.timestamp()) * 1_000_000
NORMAL, SAG, SWELL, LOST = SupplyState


def cycles_of(volts: list[float], first: int = 0) -> CycleQuantities:
    """Cycles of 20 ms with these voltages, the first being cycle `first` since the anchor.

    Those below zero are of that voltage without a sign, and unlocked.
    """
    places = np.arange(first, first + len(volts) + 1) * 20_000 + START_US
    nothing = np.zeros(len(volts))
    return CycleQuantities(
        start_us=places[:-1],
        end_us=places[1:],
        v_rms_v=np.abs(np.array(volts, np.float64)),
        i_rms_a=nothing,
        power_w=nothing,
        reactive_var=nothing,
        apparent_va=nothing,
        power_factor=nothing,
        frequency_hz=nothing,
        flags=np.array([Flags.UNLOCKED if rms < 0 else 0 for rms in volts], np.int64),
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
        # Unlocked: one by one in a dip, lost beside a loss, together where there are many.
        ([230, -150, -225, 230], [(SAG, 1, 2, 150_000)]),
        ([230, -120, 3, 2, -130, -228, 230], [(LOST, 1, 5, 2_000)]),
        ([230, -229, 3, 230], [(LOST, 2, 3, 3_000)]),
        ([100, -20, 100, 230], [(SAG, 0, 3, 20_000)]),
        ([230, -150, -250, -220, -235, -190, -185, 230], []),
        ([230, -229, -50, -50, -50, -50, 230], [(SAG, 1, 6, 50_000)]),
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


VOLTAGES = [0, 13, 100, 208, 210, 230, 250, 256, -60, -150, -229, -270]


@given(st.lists(st.sampled_from(VOLTAGES), max_size=40), st.data())
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


def told_of(wave: Wave, volts: Reals, sizes: Sequence[int] = ()) -> list[SupplyEvent]:
    """What a pipeline tells of the voltage; what lasts at the end is among it."""
    metrology = metrology_for(wave)
    events: list[SupplyEvent] = []
    for part in parts(sampled(volts, wave.amperes(), wave), sizes):
        measurement = metrology.process(part)
        events += measurement.supply
    lasting = measurement.supply_under_way
    return events if lasting is None else [*events, lasting]


@pytest.mark.parametrize("sizes", [[], [300] * 40], ids=["whole", "cut"])
def test_waveform(sizes: list[int]) -> None:
    """A dip to 60 % and a loss of ten cycles in a waveform are all that is told, in any cut."""
    wave = Wave(seconds=3)
    volts = wave.volts()
    volts[4000:4400] *= 0.6
    volts[8000:8800] = 0.0
    sag, lost = over(told_of(wave, volts, sizes))
    assert (SAG, 50, 55) == sag[:3]
    assert 138_000 == pytest.approx(sag[3], rel=0.001)
    assert (LOST, 100, 110) == lost[:3]
    assert 100 > lost[3]


@pytest.mark.parametrize("frequency_hz", [45.0, 47.3, 55.0, 65.0])
def test_one_loss_is_one_event(frequency_hz: float) -> None:
    """A loss between any two phases is one event: what its cycles have left is no sag beside it."""
    wave = Wave(frequency_hz=frequency_hz, seconds=1)
    for begin in range(1600, 1690, 15):
        volts = wave.volts()
        volts[begin : begin + 1000] = 0.0
        ((state, first, end, extreme_mv),) = over(told_of(wave, volts))
        assert state is LOST
        # In cycles of 20 ms: as long as the loss, and at most a cycle longer or shorter.
        assert begin / 80 == pytest.approx(first, abs=1.2)
        assert (begin + 1000) / 80 == pytest.approx(end, abs=1.2)
        assert 100 > extreme_mv


def test_a_loss_of_one_cycle() -> None:
    """From crossing to crossing it is a loss; across two cycles a sag, to half of their squares."""
    wave = Wave(seconds=1)
    aligned, across = wave.volts(), wave.volts()
    aligned[2000:2080] = 0.0
    across[2040:2120] = 0.0
    assert [(LOST, 25, 26)] == [event[:3] for event in over(told_of(wave, aligned))]
    ((state, _, _, extreme_mv),) = over(told_of(wave, across))
    assert state is SAG
    assert 120_000 < extreme_mv < 165_000


@pytest.mark.parametrize("frequency_hz", [36.0, 38.0, 72.0, 90.0])
@pytest.mark.parametrize("size", [None, 170])
def test_another_frequency_is_no_event(frequency_hz: float, size: int | None) -> None:
    """A steady voltage of a frequency that is no mains' is no sag and no swell, after mains too."""
    wave = Wave(frequency_hz=frequency_hz, seconds=2)
    volts = wave.volts()
    before = Wave(seconds=1).volts()
    sizes = [size] * 40 if size else []
    assert [] == told_of(wave, volts, sizes)
    volts[:4000] = before
    assert [] == told_of(wave, volts, sizes)
    volts[5000:] *= 0.5
    (sag,) = told_of(wave, volts, sizes)
    assert (SAG, None) == (sag.state, sag.until)
    assert 115_000 == pytest.approx(sag.extreme_mv, rel=0.1)
    assert 62.5 == pytest.approx((sag.at - ANCHOR) / CYCLE, abs=10)
