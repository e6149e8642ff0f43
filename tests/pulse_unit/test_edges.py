from __future__ import annotations

import pytest

from pulse_unit.edges import TICK_MASK, EdgeBuffer


def taken(edges: EdgeBuffer, now_ms: int) -> list[tuple[int, bool]]:
    """All edges in a buffer."""
    found: list[tuple[int, bool]] = []
    while True:
        at_ms = edges.next_ms(now_ms)
        if at_ms is None:
            return found
        found.append((at_ms, edges.take()))


@pytest.mark.parametrize("start_ms", [0, TICK_MASK - 5, 5 * TICK_MASK + 17, 20 * 365 * 86_400_000])
def test_edges_come_back_as_uptime(start_ms: int) -> None:
    """Ticks of 30 bits become uptime again, over their wrap and after twenty years."""
    edges = EdgeBuffer(8)
    recorded = [(start_ms, True), (start_ms + 3, False), (start_ms + 9, True)]
    for at_ms, closed in recorded:
        edges.record(closed, at_ms & TICK_MASK)
    assert recorded == taken(edges, start_ms + 1_000)
    assert [] == taken(edges, start_ms + 1_000)
    assert 0 == edges.lost


def test_edge_after_the_time_asked_for_is_in_the_future() -> None:
    """An interrupt that comes while the core works does not look twelve days old."""
    edges = EdgeBuffer(8)
    edges.record(True, 1_005)
    assert 1_005 == edges.next_ms(1_000)


def test_ring_goes_round() -> None:
    """A buffer that is drained in time loses nothing, however many edges pass."""
    edges = EdgeBuffer(4)
    for at_ms in range(100):
        edges.record(at_ms % 2 == 0, at_ms)
        if at_ms % 3 == 2:
            assert 3 == len(taken(edges, at_ms))
    assert 0 == edges.lost


def test_overflow_counts_and_keeps_the_last_level() -> None:
    """What does not fit is counted, and the newest edge tells where the contact came to rest."""
    edges = EdgeBuffer(4)
    for at_ms in range(10):
        edges.record(at_ms % 2 == 0, at_ms)
    assert 7 == edges.lost
    assert [(0, True), (1, False), (2, True), (9, False)] == taken(edges, 20)
    edges.record(True, 30)
    assert [(30, True)] == taken(edges, 30)
    assert 7 == edges.lost


def test_edges_after_a_lost_one_do_not_overtake_it() -> None:
    """Edges that come while the core drains a full buffer are handed out in their order."""
    edges = EdgeBuffer(4)
    for at_ms in range(4):
        edges.record(at_ms % 2 == 0, at_ms)
    found: list[tuple[int | None, bool]] = [(edges.next_ms(10), edges.take())]
    edges.record(True, 5)
    edges.record(False, 6)
    found += taken(edges, 10)
    assert [(0, True), (1, False), (2, True), (6, False)] == found
    assert 3 == edges.lost
