"""The demo's gas meter: when its reed closes, as a pure function of the seed and the day."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Protocol

from shared.timegrid import DAY_MS, DAY_S, HALF_HOUR_S
from shared.units import PulseWeight, gas_energy_wh

FLOW_MAX_L_PER_H = 6_000
CALORIFIC_VALUE_MJ_M3 = Fraction("39.5")


class GasFlow(Protocol):
    """Gas drawn by a house."""

    def bursts(self, day: int) -> list[tuple[int, int, float]]:
        """Burns that start in UTC day number `day`: (start_ms, end_ms, flow in litres per hour)."""


class GasTurns(Protocol):
    """When a gas meter completes a turn, and its reed closes."""

    def pulses(self, from_ms: int, to_ms: int) -> Iterable[int]:
        """Instants in `[from_ms, to_ms)`, UTC ms; rising."""


class RecordedTurns:
    """Turns that were recorded.

    Args:
        at_ms: when, UTC ms.
    """

    def __init__(self, at_ms: Iterable[int]) -> None:
        self._at_ms = sorted(at_ms)

    def pulses(self, from_ms: int, to_ms: int) -> Iterable[int]:
        """See `GasTurns.pulses`."""
        return self._at_ms[bisect_left(self._at_ms, from_ms) : bisect_left(self._at_ms, to_ms)]


class BoilerFlow:
    """A combi boiler and a hob; the same seed is the same family for ever."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def bursts(self, day: int) -> list[tuple[int, int, float]]:
        """Heating in the morning and evening, colder months more; taps and cooking between."""
        rng = random.Random(f"{self._seed}/gas/{day}")
        month = datetime.fromtimestamp(day * DAY_S, UTC).month
        cold = 1.0 if month in (11, 12, 1, 2, 3) else 0.6 if month in (4, 5, 9, 10) else 0.05
        burns: list[tuple[float, float, float]] = []
        for start_h, hours in ((6.2, 2.2), (16.5, 5.0)):
            at = start_h + rng.gauss(0, 0.2)
            end = at + hours * cold
            while at < end:
                on = rng.uniform(150, 500) / 3600
                burns.append((at, at + on, rng.uniform(1_000, 2_400)))
                at += on + rng.uniform(200, 1_000) / 3600
        for _ in range(rng.randint(4, 8)):
            at = rng.uniform(6.5, 22.5)
            burns.append((at, at + rng.uniform(0.03, 0.15), 4_500.0))
        cooking = 17.9 + rng.gauss(0, 0.3)
        burns.append((cooking, cooking + rng.uniform(0.3, 0.7), 300.0))
        hour_ms, day_ms = 3_600_000, day * DAY_MS
        return [(day_ms + int(a * hour_ms), day_ms + int(b * hour_ms), q) for a, b, q in burns]


class SeriesFlow:
    """A recorded half-hourly gas series, burnt evenly within each half-hour.

    Args:
        litres_by_start_s: Volume of each half-hour in litres, by its UTC start in UNIX seconds.
    """

    def __init__(self, litres_by_start_s: Mapping[int, Fraction]) -> None:
        self._litres = dict(litres_by_start_s)

    def bursts(self, day: int) -> list[tuple[int, int, float]]:
        """One burn for each half-hour of the day that used gas."""
        return [
            (start_s * 1000, (start_s + HALF_HOUR_S) * 1000, float(litres) * 2)
            for start_s in range(day * DAY_S, (day + 1) * DAY_S, HALF_HOUR_S)
            if (litres := self._litres.get(start_s))
        ]


def gas_litres(energy_wh: Fraction) -> Fraction:
    """The volume that a supplier's kWh stand for, at British standard conditions."""
    return energy_wh / gas_energy_wh(1, CALORIFIC_VALUE_MJ_M3)


class GasMeter:
    """A diaphragm meter: turns a flow into pulses of one weight.

    Args:
        flow: What the house burns.
        weight: Volume of one turn.
    """

    def __init__(self, flow: GasFlow, weight: PulseWeight) -> None:
        self._flow = flow
        self._pulse_l = float(weight.litres(1))
        self._day = -1
        self._pulses: list[int] = []

    def pulses(self, from_ms: int, to_ms: int) -> Iterator[int]:
        """Instants in `[from_ms, to_ms)`, UTC ms, at which the reed closes; rising."""
        for day in range(from_ms // DAY_MS, (to_ms - 1) // DAY_MS + 1):
            if day != self._day:
                self._day, self._pulses = day, self._turns(day)
            first = bisect_left(self._pulses, from_ms)
            yield from self._pulses[first : bisect_left(self._pulses, to_ms)]

    def _turns(self, day: int) -> list[int]:
        """Instants of one UTC day; overlapping burns add up to no more than the meter can pass."""
        edges = [e for a, b, q in self._flow.bursts(day) for e in ((a, q), (b, -q))]
        turns: list[int] = []
        flow, volume_l, at_ms = 0.0, self._pulse_l / 2, day * DAY_MS
        for edge_ms, change in sorted(edges):
            edge_in_day_ms = min(edge_ms, (day + 1) * DAY_MS)
            l_per_ms = min(flow, FLOW_MAX_L_PER_H) / 3_600_000
            while l_per_ms and volume_l + l_per_ms * (edge_in_day_ms - at_ms) >= self._pulse_l:
                at_ms += int((self._pulse_l - volume_l) / l_per_ms) + 1
                volume_l = 0.0
                turns.append(at_ms)
            volume_l += l_per_ms * max(0, edge_in_day_ms - at_ms)
            at_ms, flow = max(at_ms, edge_in_day_ms), max(0.0, flow + change)
        return [at for at in turns if at < (day + 1) * DAY_MS]
