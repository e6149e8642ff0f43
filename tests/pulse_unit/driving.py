"""Trains of edges for a whole unit, or for its edge buffer and debouncer."""

from __future__ import annotations

import random

from pulse_unit.edges import TICK_MASK, EdgeBuffer
from pulse_unit.hal.virtual import VirtualBoard
from pulse_unit.unit import PulseUnit
from shared.wire.debounce import ReedDebouncer
from tests.pulse_unit.listening import run
from tests.shared.wire.trains import Train

_ROOM = 48  # edges at once that a unit is let to fall behind with
_LATE_MAX_MS = 5 * 86_400_000  # edges are taken within six days


def count_buffered(train: Train, rng: random.Random, start_ms: int = 0) -> int:
    """Count a train through an interrupt's buffer that is emptied now and then."""
    buffer = EdgeBuffer()
    reed = ReedDebouncer(train.closing_ms, train.opening_ms)
    pulses = waiting = oldest_ms = 0

    def drain(now_ms: int) -> None:
        nonlocal pulses
        while (edge_ms := buffer.next_ms(now_ms)) is not None:
            pulses += reed.edge(buffer.take(), edge_ms)
        pulses += reed.settle(now_ms)

    for at_ms, closed in train.edges:
        now_ms = start_ms + at_ms
        if waiting and (
            waiting >= _ROOM or now_ms - oldest_ms > _LATE_MAX_MS or rng.random() < 0.2
        ):
            drain(rng.randint(oldest_ms, min(now_ms, oldest_ms + _LATE_MAX_MS)))
            waiting = 0
        oldest_ms = oldest_ms if waiting else now_ms
        waiting += 1
        buffer.record(closed, now_ms & TICK_MASK)
    drain(start_ms + train.until_ms)
    return pulses


def drive(board: VirtualBoard, unit: PulseUnit, train: Train, late: random.Random | None) -> None:
    """Let a train happen to a unit that serves its timers when due, or also falls behind by chance.

    Args:
        board: where the edges happen.
        unit: the unit on it.
        train: from its uptime 0 on.
        late: None, or what decides when timers wait until the next edge; looks at a parked reed
            do not.
    """
    waiting = 0
    for at_ms, closed in train.edges:
        if late is None or board.is_parked or waiting >= _ROOM or late.random() < 0.5:
            if waiting:
                unit.handle_timer(at_ms)  # a late unit wakes now, not when it should have
            run(unit, at_ms)
            waiting = 0
        board.interrupt(closed, at_ms)
        waiting += not board.is_parked
        if late is None or late.random() < 0.5:
            unit.handle_timer(at_ms)
            waiting = 0
    if not waiting:
        run(unit, train.until_ms)
    unit.handle_timer(train.until_ms)
