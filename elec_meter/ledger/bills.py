"""Bills: what every channel counted and cost from one end of a billing period to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Final

from .books import Books
from .snapshots import DEPTHS, order_taken
from .state import DemandState, Snapshot

_NO_COST: Final = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class EnergyBill:
    """An energy channel's part of a bill; costs are in millionths of a penny.

    Attributes:
        rates: by rate, rate 1 first: Wh, or varh of reactive energy.
        energy_up: what the priced part of it cost.
        standing_up: standing charges of the local days that began in the period.
        unpriced: Wh for which no price was known; they cost nothing here.
        demand: the maxima that the end of the period found; None without maximum demand.
    """

    rates: tuple[int, ...]
    energy_up: int
    standing_up: int
    unpriced: int
    demand: DemandState | None = None

    @property
    def quantity(self) -> int:
        """All rates together."""
        return sum(self.rates)

    @property
    def total_up(self) -> int:
        """Energy and standing charges together."""
        return self.energy_up + self.standing_up


@dataclass(frozen=True, slots=True)
class Bill:
    """A billing period.

    Attributes:
        start_s: its beginning, the meter's time in UNIX seconds.
        end_s: its end; None while it runs.
        reason: why it ended; empty while it runs.
        energy: by energy channel.
        pulses: by pulse channel, pulses of each rate; None as long as half-hours of either end are
            pending.
    """

    start_s: int
    end_s: int | None
    reason: str
    energy: Mapping[str, EnergyBill]
    pulses: Mapping[str, tuple[int, ...] | None]


def bills(books: Books) -> list[Bill]:
    """The billing periods that have ended, in the order in which they did.

    There is one between any two snapshots that are kept, and one from the first power-up to the
    first snapshot as long as no snapshot has left. The months of a long outage, which share a
    snapshot, are in the bill that follows it. Where the clock was set back, a period may end before
    it began.
    """
    ends = sorted(books.snapshots("billing"), key=order_taken)
    if books.begun_s is not None and len(ends) < DEPTHS["billing"]:
        ends.insert(0, _nothing(books.begun_s))
    return [_bill(start, end, end.at_s, end.reason) for start, end in pairwise(ends)]


def running_bill(books: Books) -> Bill | None:
    """The billing period that has not ended; None before the first power-up.

    Pulses are those of half-hours that are final, None while any pulse is not.
    """
    if books.begun_s is None:
        return None
    newest = max(
        books.snapshots("billing"),
        key=order_taken,
        default=_nothing(books.begun_s),
    )
    now = Snapshot(
        0,
        0,
        0,
        "",
        {name: [books.total(name), *books.rates(name)] for name in books.energy_channels},
        {
            channel.name: None if channel.unrated else channel.counts
            for channel in books.pulse_channels
            if channel.is_paired
        },
        {name: list(books.cost(name)) for name in books.energy_channels},
        books.demand.maxima(),
    )
    return _bill(newest, now, None, "")


def _bill(start: Snapshot, end: Snapshot, end_s: int | None, reason: str) -> Bill:
    energy = {}
    for name, (_, *rates) in end.energy.items():
        before = start.cost.get(name, _NO_COST)
        energy_up, standing_up, unpriced = _advance(before, end.cost[name])
        counted = _advance(start.energy.get(name, [0])[1:], rates)
        demand = end.demand.get(name)
        energy[name] = EnergyBill(counted, energy_up, standing_up, unpriced, demand)
    pulses = {name: _pulses(start, name, counts) for name, counts in end.pulses.items()}
    return Bill(start.at_s, end_s, reason, energy, pulses)


def _pulses(start: Snapshot, name: str, counts: list[int] | None) -> tuple[int, ...] | None:
    before = start.pulses.get(name, [0])  # a unit that was not paired had counted nothing
    if before is None or counts is None:
        return None
    return _advance(before[1:], counts[1:])


def _advance(before: Sequence[int], after: Sequence[int]) -> tuple[int, ...]:
    """How far each register came; one that there was not yet began at 0."""
    return tuple(new - old for old, new in zip_longest(before, after, fillvalue=0))


def _nothing(at_s: int) -> Snapshot:
    """What the first power-up found."""
    return Snapshot(at_s, at_s, 0, "", {}, {}, {})
