from __future__ import annotations

from datetime import timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.clock import Clock, from_unix_us
from elec_meter.ledger.walk import HALF_HOUR_US, Run, Walk, edge_after, runs_of, snapped, stays
from tests.elec_meter.ledger.pulses import HalfHourOfPulses

HALF_HOUR_S = 1_800
BASE_S = 1_357_041_600
PLACED = 1
SECOND_US = 1_000_000


def us(half_hours: float) -> int:
    """UNIX microseconds, so many half-hours after the beginning."""
    return BASE_S * SECOND_US + round(half_hours * HALF_HOUR_US)


def told(*pulses: int | None, status: int = 0) -> list[HalfHourOfPulses]:
    """Half-hours from the beginning on; those without a number are pending."""
    return [
        HalfHourOfPulses(BASE_S + n * HALF_HOUR_S, each, status, each is not None)
        for n, each in enumerate(pulses)
    ]


def walk(*pulses: int | None, from_us: int | None = None, ahead: int = 0) -> Walk:
    """A walk from the beginning, or from further on."""
    return Walk(runs_of(told(*pulses)), us(0) if from_us is None else from_us, ahead, PLACED)


def test_whole_half_hours_are_as_they_were_told() -> None:
    """Nothing is placed, and nothing is marked."""
    walked = walk(3, 0, 5)
    counted = [walked.count_to(us(n)) for n in (1, 2, 3)]
    assert [(3, 0), (0, 0), (5, 0)] == [tuple(each or ()) for each in counted]


@pytest.mark.parametrize("off_s", [-10, -1, 0, 10])
def test_a_boundary_within_ten_seconds_has_the_collectors_count(off_s: int) -> None:
    """A clock that is so near is right."""
    counted = walk(7, 9).count_to(us(1) + off_s * SECOND_US)
    assert counted is not None
    assert (7, 0) == tuple(counted)
    assert us(1) == snapped(us(1) + off_s * SECOND_US)


@pytest.mark.parametrize("off_s", [-11, 11])
def test_further_away_pulses_are_placed_evenly(off_s: int) -> None:
    """1,800 pulses in a half-hour are one a second, and both sides say so."""
    walked = walk(1_800, 1_800)
    first, second = walked.count_to(us(1) + off_s * SECOND_US), walked.count_to(us(2))
    assert first is not None
    assert second is not None
    assert [1_800 + off_s, 1_800 - off_s] == [first.pulses, second.pulses]
    assert PLACED & first.status & second.status


def test_what_is_not_final_stops_the_walk() -> None:
    """What comes before it is counted, and nothing behind it."""
    walked = walk(4, None, 3)
    counted = walked.count_to(us(1))
    assert counted is not None
    assert (4, None) == (counted.pulses, walked.count_to(us(2)))


@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=6),
    st.lists(st.integers(0, 6 * 1_800), max_size=8),
)
def test_steps_lose_nothing_and_change_nothing(pulses: list[int], cuts_s: list[int]) -> None:
    """Any cuts give the same sums, also when the walk is begun anew at every one of them."""
    end_s = len(pulses) * HALF_HOUR_S
    cuts_us = sorted(
        {us(0) + min(cut_s, end_s) * SECOND_US for cut_s in cuts_s} | {us(len(pulses))}
    )
    whole, sums, at_us, ahead = walk(*pulses), [0, 0], us(0), 0
    for cut_us in cuts_us:
        skipped = (snapped(at_us) - us(0)) // HALF_HOUR_US
        part = Walk(runs_of(told(*pulses)[skipped:]), at_us, ahead, PLACED)
        for place, each in enumerate((whole, part)):
            counted = each.count_to(cut_us)
            assert counted is not None
            sums[place] += counted.pulses
        at_us, ahead = cut_us, part.ahead
    assert [sum(pulses)] * 2 == sums


def test_quiet_half_hours_that_are_alike_are_one_run() -> None:
    """Others stand alone, and so do pending ones."""
    assert [
        Run(BASE_S, BASE_S + HALF_HOUR_S, 2, 0, True),
        Run(BASE_S + HALF_HOUR_S, BASE_S + 3 * HALF_HOUR_S, 0, 0, True),
        Run(BASE_S + 3 * HALF_HOUR_S, BASE_S + 4 * HALF_HOUR_S, None, 0, False),
        Run(BASE_S + 4 * HALF_HOUR_S, BASE_S + 5 * HALF_HOUR_S, None, 0, False),
    ] == list(runs_of(told(2, 0, 0, None, None)))


def test_stays_go_through_the_meters_half_hours() -> None:
    """A setting cuts one short, and going back enters it again; unknown time ends them."""
    clock = Clock()
    start = from_unix_us(us(0))
    clock.power_up(start, 1)
    minute = timedelta(minutes=1)
    clock.set(start + 31 * minute, start + 40 * minute)
    clock.lose(start + 75 * minute)
    found = [
        ((each.start_s - BASE_S) // 60, (each.from_us - us(0)) // (60 * SECOND_US))
        for each in stays(clock, us(0))
    ]
    assert [(0, 0), (30, 30), (30, 40), (60, 69)] == found
    assert us(75 / 30) == edge_after(clock, us(70 / 30))
    assert us(80 / 30) == edge_after(clock, us(80 / 30))
    clock.set(start + 95 * minute, start + 90 * minute)
    dated = [(each.start_s - BASE_S) // 60 for each in islice(stays(clock, us(75 / 30)), 3)]
    assert [60, 90, 90] == dated


def test_an_adjustment_cuts_no_stay() -> None:
    """The half-hour in which it begins or ends is one, by its own two boundaries."""
    clock = Clock()
    clock.power_up(from_unix_us(us(0.5)), 1)
    clock.adjust(5, from_unix_us(us(2.2)))
    found = [(each.start_s - BASE_S) // HALF_HOUR_S for each in islice(stays(clock, us(0)), 6)]
    assert [0, 1, 2, 3, 4, 5] == found
    (third,) = islice(stays(clock, us(2)), 1)
    assert 3.99 == round((us(3) - third.to_us) / SECOND_US, 2)
