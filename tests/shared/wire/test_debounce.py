from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.wire.debounce import ReedDebouncer, debounce_times, period_min_ms

CLOSING_MS, OPENING_MS = 150, 400


def counted(edges: list[tuple[int, bool]], until_ms: int, reed: ReedDebouncer) -> list[int]:
    """When pulses are counted, asking the debouncer at its timers as a unit does."""
    pulses = []
    for at_ms, closed in [*edges, (until_ms, reed.closed)]:
        due_ms = reed.next_timer()
        if due_ms is not None and due_ms <= at_ms and reed.settle(due_ms):
            pulses.append(reed.settled_ms)
        if reed.edge(closed, at_ms):
            pulses.append(reed.settled_ms)
    return pulses


def toggles(level: bool, at_ms: int, lengths: list[int]) -> list[tuple[int, bool]]:
    """Edges that leave and come back to ``level`` after the given times."""
    edges = []
    for length_ms in lengths:
        level = not level
        edges.append((at_ms, level))
        at_ms += length_ms
    return edges


# A contact at rest, disturbed: (pause, disturbance) in ms, each disturbance shorter than its time.
SPIKES = st.lists(st.tuples(st.integers(1, 900), st.integers(1, CLOSING_MS - 1)), max_size=4)
GAPS = st.lists(st.tuples(st.integers(1, 900), st.integers(1, OPENING_MS - 1)), max_size=4)
# Bounce of any shape, an even number of edges, shorter than both times together.
BOUNCE = st.lists(st.integers(1, 30) | st.integers(1, 500), max_size=16).map(
    lambda lengths: [
        length
        for length, end in zip(lengths, accumulate(lengths), strict=True)
        if end < CLOSING_MS + OPENING_MS
    ]
)


@st.composite
def trains(draw: st.DrawFn) -> tuple[list[tuple[int, bool]], int, int]:
    """Edges of legal pulses with bounce and noise, how many there are, and the end."""
    edges: list[tuple[int, bool]] = []
    at_ms = draw(st.integers(0, 10_000))
    pulses = draw(st.integers(0, 6))

    def rest(level: bool, steady_ms: int, disturbances: list[tuple[int, int]]) -> None:
        nonlocal at_ms
        at_ms += steady_ms
        for pause_ms, length_ms in disturbances:
            at_ms += pause_ms
            edges.extend([(at_ms, not level), (at_ms + length_ms, level)])
            at_ms += length_ms
        at_ms += 1

    def change(level: bool) -> None:
        nonlocal at_ms
        edges.append((at_ms, level))
        lengths = draw(BOUNCE)
        for index, length_ms in enumerate(lengths[: len(lengths) // 2 * 2]):
            at_ms += length_ms
            edges.append((at_ms, level if index % 2 else not level))

    rest(False, 0, draw(SPIKES))
    for _ in range(pulses):
        change(True)
        rest(True, CLOSING_MS, draw(GAPS))
        change(False)
        rest(False, OPENING_MS, draw(SPIKES))
    return edges, pulses, at_ms + 1000


@pytest.mark.parametrize("examples", [80, pytest.param(3_000, marks=pytest.mark.slow)])
def test_any_legal_train_gives_the_exact_count(examples: int) -> None:
    """Legal pulses count once each through bounce and noise, whenever the debouncer is asked."""

    @settings(max_examples=examples)
    @given(trains(), st.booleans())
    def demand(train: tuple[list[tuple[int, bool]], int, int], at_timers: bool) -> None:
        edges, pulses, until_ms = train
        reed = ReedDebouncer(CLOSING_MS, OPENING_MS)
        if at_timers:
            assert pulses == len(counted(edges, until_ms, reed))
        else:
            at_edges = sum(reed.edge(closed, at_ms) for at_ms, closed in edges)
            assert pulses == at_edges + reed.settle(until_ms)

    demand()


def test_pulse_is_stamped_when_its_level_has_been_stable() -> None:
    """The instant of a pulse is its closing plus the closing time, however late it is asked for."""
    reed = ReedDebouncer(150, 400)
    assert not reed.edge(True, 1000)
    assert 1150 == reed.next_timer()
    assert not reed.settle(1149)
    assert reed.settle(99_000)
    assert 1150 == reed.settled_ms


def test_disturbance_counts_from_its_time_on_and_not_before() -> None:
    """149 ms closed are noise, 150 ms are a pulse."""
    for length_ms, pulses in ((149, 0), (150, 1)):
        reed = ReedDebouncer(150, 400)
        assert pulses == sum(
            reed.edge(*edge) for edge in ((True, 0), (False, length_ms), (False, 5000))
        )


def test_parked_reed_neither_counts_nor_wakes() -> None:
    """A contact that rests closed for days, gaps included, is one pulse and needs no timer."""
    reed = ReedDebouncer(150, 400)
    reed.edge(True, 0)
    assert reed.settle(150)
    assert None is reed.next_timer()
    day_ms = 86_400_000
    for day in range(1, 5):
        assert not reed.edge(False, day * day_ms)
        assert not reed.edge(True, day * day_ms + 399)
        assert None is reed.next_timer()
    assert reed.closed


def test_reed_found_closed_was_counted_before() -> None:
    """A unit that boots with its reed closed counts the next closing, not this one."""
    reed = ReedDebouncer(150, 400, closed=True)
    assert None is reed.next_timer()
    assert [] == counted([(10, False)], 2000, reed)
    assert [2150] == counted([(2000, True)], 3000, reed)


@pytest.mark.parametrize(
    ("weight_nl", "flow_max_l_per_h", "period_ms", "times"),
    [
        (10_000_000_000, 6_000, 6_000, (150, 400)),
        (1_000_000_000, 6_000, 600, (120, 120)),
        (100_000_000_000, 40_000, 9_000, (150, 400)),
        (28_316_846_592, 6_000, 16_990, (150, 400)),
        (1_000_000_000, 4_000, 900, (150, 180)),
    ],
)
def test_times_follow_from_the_meter(
    weight_nl: int, flow_max_l_per_h: int, period_ms: int, times: tuple[int, int]
) -> None:
    """Both times come from pulse weight and maximum flow."""
    assert period_ms == period_min_ms(weight_nl, flow_max_l_per_h)
    assert times == debounce_times(weight_nl, flow_max_l_per_h)


def test_pulses_too_fast_for_a_reed_are_refused() -> None:
    """A litre a pulse above 6 m3/h cannot be told from bounce."""
    with pytest.raises(ValueError, match="599 ms apart are too fast"):
        debounce_times(1_000_000_000, 6_001)


@given(st.integers(600, 60_000))
def test_a_pulse_with_the_longest_bounce_fits_the_shortest_period(period_ms: int) -> None:
    """10 ms of closing bounce, both times and 300 ms of opening bounce fit any period accepted."""
    closing_ms, opening_ms = debounce_times(period_ms * 1_000_000, 3_600)
    assert period_ms == period_min_ms(period_ms * 1_000_000, 3_600)
    assert 10 + closing_ms + 300 + opening_ms <= period_ms
