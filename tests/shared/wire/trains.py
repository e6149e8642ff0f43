"""Edges of a reed as a meter, its bounce and its surroundings make them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from shared.wire.debounce import ReedDebouncer, debounce_times, period_min_ms

CLOSING_BOUNCE_MS = 10
OPENING_BOUNCE_MS = 300
BOUNCE_STEP_MS = 60  # a level of a bouncing contact is shorter than any debounce time
HOUR_MS = 3_600_000

# Pulse weight in nl and maximum flow in l/h: 1 L, 10 L, 100 L and a cubic foot.
METERS = [
    (1_000_000_000, 6_000),
    (10_000_000_000, 6_000),
    (100_000_000_000, 40_000),
    (28_316_846_592, 6_000),
]

Edge = tuple[int, bool]


@dataclass
class Train:
    """Edges in order, (ms, closed), of so many pulses; all of them have settled at ``until_ms``."""

    closing_ms: int
    opening_ms: int
    edges: list[Edge] = field(default_factory=list)
    pulses: int = 0
    until_ms: int = 0


class Meter:
    """Turns a meter's dial: legal pulses, bounce, noise, and a magnet that parks at the reed.

    Args:
        weight_nl: the volume of one pulse.
        flow_max_l_per_h: the meter's maximum flow.
        seed: of everything that varies.
        rest_ms: how much longer than its debounce time a contact rests open at least.
        park_max_ms: how long a parked reed is held closed at most.
    """

    def __init__(
        self,
        weight_nl: int,
        flow_max_l_per_h: int,
        seed: int,
        *,
        rest_ms: int = 0,
        park_max_ms: int = 100 * HOUR_MS,
    ) -> None:
        self._rng = random.Random(seed)
        self._period_ms = period_min_ms(weight_nl, flow_max_l_per_h)
        self._train = Train(*debounce_times(weight_nl, flow_max_l_per_h))
        self._rest_ms = rest_ms
        self._park_max_ms = park_max_ms
        self._now_ms = 0

    def train(self, pulses: int) -> Train:
        """Return the edges of so many pulses."""
        train = self._train
        self._open()
        for _ in range(pulses):
            closed_ms = self._now_ms
            self._bounce(True, CLOSING_BOUNCE_MS)
            self._held()
            self._bounce(False, OPENING_BOUNCE_MS)
            self._now_ms += train.opening_ms + self._rest_ms
            self._now_ms = max(self._now_ms, closed_ms + self._period_ms)
            self._open()
            train.pulses += 1
        train.until_ms = self._now_ms + train.opening_ms + 1
        return train

    def _upto(self, most: int) -> int:
        return int(self._rng.random() * (most + 1))

    def _is_one_of(self, number: int) -> bool:
        return self._rng.random() * number < 1

    def _bounce(self, closed: bool, most_ms: int) -> None:
        """Change the level at once, and some more until it stays."""
        edges = self._train.edges
        end_ms = self._now_ms + self._upto(most_ms)
        edges.append((self._now_ms, closed))
        while True:
            away_ms = self._now_ms + 1 + self._upto(BOUNCE_STEP_MS - 1)
            back_ms = away_ms + 1 + self._upto(BOUNCE_STEP_MS - 1)
            if back_ms > end_ms:
                return
            edges.append((away_ms, not closed))
            edges.append((back_ms, closed))
            self._now_ms = back_ms

    def _held(self) -> None:
        """Hold the contact closed: just long enough, for seconds, or as a parked magnet does."""
        self._now_ms += self._train.closing_ms
        for _ in range(self._upto(2) if self._is_one_of(3) else 0):
            self._now_ms += self._upto(self._park_max_ms if self._is_one_of(6) else 2_000)
            self._burst(False, self._train.opening_ms)
        if self._is_one_of(2):
            self._now_ms += self._upto(self._park_max_ms if self._is_one_of(6) else 2_000)

    def _open(self) -> None:
        """Rest open: not at all, or for a while and with noise."""
        for _ in range(self._upto(2) if self._is_one_of(2) else 0):
            self._now_ms += self._upto(HOUR_MS if self._is_one_of(6) else 3_000)
            self._burst(True, self._train.closing_ms)

    def _burst(self, closed: bool, limit_ms: int) -> None:
        """Leave the level a few times, each shorter than what is accepted."""
        edges = self._train.edges
        for _ in range(1 + self._upto(3)):
            end_ms = self._now_ms + 1 + self._upto(limit_ms - 2)
            edges.append((self._now_ms, closed))
            edges.append((end_ms, not closed))
            self._now_ms = end_ms + 1 + self._upto(50)


def meter_of(case: int) -> tuple[int, int]:
    """Return the pulse weight and the maximum flow that a case is about."""
    return METERS[case % len(METERS)]


def train_of(case: int, *, rest_ms: int = 0, park_max_ms: int = 100 * HOUR_MS) -> Train:
    """Return the train of a case, a number that decides everything: one is drawn quickly."""
    meter = Meter(*meter_of(case), case, rest_ms=rest_ms, park_max_ms=park_max_ms)
    return meter.train(case // len(METERS) % 7)


def counted(reed: ReedDebouncer, train: Train, at_timers: bool) -> int:
    """Count a train with a debouncer alone, asked at its timers or at edges only."""
    pulses = 0
    for at_ms, closed in train.edges:
        due_ms = reed.next_timer() if at_timers else None
        if due_ms is not None and due_ms <= at_ms:
            pulses += reed.settle(due_ms)
        pulses += reed.edge(closed, at_ms)
    return pulses + reed.settle(train.until_ms)
