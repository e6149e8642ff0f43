"""What one boot's telegrams prove about the count, by ticks of the unit's clock."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from operator import eq
from typing import NamedTuple, TypeVar

from shared.timegrid import HALF_HOUR_S
from shared.wire.telegram import LAST_PULSE_AGE_MAX_S

from .advance import Advances, CountKind
from .bracket import NEAR_DMS, TOLERANCE_DMS, Bound, Near
from .entries import JournalEntry, forward
from .staircase import Ceiling, Floor
from .timeline import (
    DMS_PER_S,
    FIRST_TICK_S,
    NO_TICK_S,
    RESOLUTION_S,
    SteadyTimeline,
    Timeline,
)

HISTORY_MOVE_MAX_S = 10
"""A history ends where the unit's grid was moved by more in all."""

GRID_DRIFT_MAX_S = 90
"""A unit that is not told the phase moves its grid by no more in all, second by second."""


class _Known(NamedTuple):
    """The count was this at some tick of an interval; ordered by its end."""

    end_s: int
    start_s: int
    pulses: int


class _History(NamedTuple):
    """Counts that a telegram told: before ``tick_s``, at which there were this many pulses."""

    tick_s: int
    pulses: int
    increments: Sequence[int]
    named: int  # ticks up to that one that the unit's grid was known to have

    def shared(self, newer: _History, named: int) -> range:
        """Those places of a newer history that are in this one with the same counts.

        Args:
            newer: on the same grid, or there are none.
            named: what is ``named`` here, as it is by now.
        """
        steps, moved_s = divmod(newer.tick_s - self.tick_s, HALF_HOUR_S)
        told = newer.increments[max(0, steps) :][: len(self.increments)]
        is_same = (
            steps >= 0
            and not moved_s
            and named == self.named
            and newer.pulses - sum(newer.increments[:steps]) == self.pulses
            and all(map(eq, told, self.increments))
        )
        return range(steps, steps + len(told)) if is_same else range(0)


class TickEvidence:
    """What one boot's telegrams prove in one epoch, by ticks; its timeline turns them into UTC.

    Args:
        grid_ticks_s: ticks of the unit's grid that telegrams of this boot named, in any epoch.
    """

    def __init__(self, grid_ticks_s: list[int]) -> None:
        self._timeline = Timeline()
        self._unchanged_s = NO_TICK_S  # up to this tick the last entry changed nothing
        self._boot_grid_ticks_s = grid_ticks_s
        self._floor = Floor()
        self._ceiling = Ceiling()
        self._known: list[_Known] = []
        self._told: set[_Known] = set()  # those of them that are counts, and not a pulse's place
        self._history = _History(NO_TICK_S, 0, (), 0)  # the last

    @property
    def newest_dms(self) -> int:
        """See `Evidence.newest_dms`."""
        return self.latest_dms(self._floor.places[-1]) if self._floor.places else 0

    def latest_dms(self, tick_s: int) -> int:
        """The instant after which a tick cannot have been."""
        return self._timeline.latest_dms(tick_s)

    def add(self, entry: JournalEntry, advances: Advances) -> int:
        """Add a reception's pair of clocks, and what its telegram says; see `Evidence.add`."""
        self._unchanged_s = self._timeline.add(entry.uptime_s, entry.earliest_ms, entry.latest_ms)
        pulses, kind = advances.of(entry)
        if kind is not CountKind.PLACEHOLDER:
            self._know(entry.uptime_s, entry.uptime_s + RESOLUTION_S, pulses)
            self._add_last_pulse(entry, pulses)
            self._add_grid(entry, pulses)
        if self._unchanged_s in (FIRST_TICK_S, NO_TICK_S):
            return self._unchanged_s
        earliest_dms = self._timeline.earliest_dms(self._unchanged_s)
        if earliest_dms is None:
            return self._timeline.latest_dms(self._unchanged_s)
        return earliest_dms - TOLERANCE_DMS

    def add_logged(self, tick_s: int, pulses: int) -> None:
        """Add a count that the unit's own log has at a tick of this boot."""
        self._know(tick_s, tick_s + RESOLUTION_S, pulses)

    def at_least(self, instant_dms: int, *, is_steady: bool = False) -> Bound | None:
        """See `Evidence.at_least`."""
        timeline = self._by(is_steady)
        place = self._reached(instant_dms, timeline)
        return None if place is None else _bound(self._floor, place, timeline, timeline.latest_dms)

    def at_most(self, instant_dms: int, *, is_steady: bool = False) -> Bound | None:
        """See `Evidence.at_most`."""
        ticks_s = self._ceiling.places
        if not ticks_s or not self._timeline.has_earliest:
            return None
        timeline = self._by(is_steady)
        earliest_dms = _earliest_by(timeline)
        place = bisect_left(ticks_s, timeline.tick_near(instant_dms))
        while place and earliest_dms(ticks_s[place - 1]) >= instant_dms:
            place -= 1
        while place < len(ticks_s) and earliest_dms(ticks_s[place]) < instant_dms:
            place += 1
        if place == len(ticks_s):
            return None
        return _bound(self._ceiling, place, timeline, earliest_dms)

    def tick_reached(self, instant_dms: int) -> int | None:
        """The last tick that surely was by then and at which more pulses were known than before."""
        place = self._reached(instant_dms, self._timeline)
        return None if place is None else self._floor.places[place]

    def nearest(self, instant_dms: int, *, is_steady: bool = False) -> Near | None:
        """See `Evidence.nearest`."""
        if not self._known or not self._timeline.has_earliest:
            return None
        timeline = self._by(is_steady)
        earliest_dms = _earliest_by(timeline)
        tick_s = timeline.tick_near(instant_dms)
        reach_s = NEAR_DMS // DMS_PER_S + 2
        best: Near | None = None
        for place in range(bisect_left(self._known, (tick_s - reach_s, 0, 0)), len(self._known)):
            known = self._known[place]
            if known.end_s > tick_s + reach_s:
                break
            latest_dms = timeline.latest_dms(known.end_s)
            distance_dms = max(
                abs(latest_dms - instant_dms), abs(earliest_dms(known.start_s) - instant_dms)
            )
            if distance_dms <= NEAR_DMS and not timeline.is_doubtful(known.end_s):
                found = Near(distance_dms, known.pulses)
                best = found if best is None else min(best, found)
        return best

    def tick_interval_dms(self, tick_s: int) -> tuple[int, int] | None:
        """See `Evidence.tick_interval_dms`."""
        if not self._timeline.has_earliest or self._timeline.is_doubtful(tick_s):
            return None
        return _earliest_by(self._timeline)(tick_s), self._timeline.latest_dms(tick_s)

    def _by(self, is_steady: bool) -> Timeline | SteadyTimeline:
        return self._timeline.steady() if is_steady else self._timeline

    def _add_last_pulse(self, entry: JournalEntry, pulses: int) -> None:
        age_s = entry.last_pulse_age_s
        if age_s is None or age_s > entry.uptime_s:  # unknown, or in another boot
            return
        tick_s = entry.uptime_s - age_s
        if age_s >= LAST_PULSE_AGE_MAX_S:  # at least so long ago
            self._least(tick_s + RESOLUTION_S, pulses)
            return
        start_s, end_s = tick_s, tick_s + RESOLUTION_S
        self._least(end_s, pulses)
        self._near(_Known(end_s, start_s, pulses))
        if pulses:
            self._most(start_s, pulses - 1)
            self._near(_Known(end_s, start_s, pulses - 1))

    def _add_grid(self, entry: JournalEntry, pulses: int) -> None:
        """Add the newest tick of the unit's grid, and the history before it.

        Telegrams tell most of it again. But none of them tells all that one before it did, or only
        what none did: a history is as long as found room beside the size of its increments.
        """
        if entry.grid_count is None or entry.grid_age_s is None:
            return
        tick_s = entry.uptime_s - entry.grid_age_s
        behind = forward(entry.count, entry.grid_count)
        if behind < 0 or tick_s < 0:
            return
        pulses -= behind
        self._know(tick_s, tick_s + RESOLUTION_S, max(0, pulses))
        _insert_new(self._boot_grid_ticks_s, tick_s)
        named_s = self._boot_grid_ticks_s
        history = _History(tick_s, pulses, entry.increments, bisect_right(named_s, tick_s))
        before, self._history = self._history, history
        told = before.shared(history, bisect_right(named_s, before.tick_s))
        place = 0
        while place < len(entry.increments):
            if told and place == told.start:
                tick_s -= HALF_HOUR_S * len(told)
                pulses -= sum(entry.increments[told.start : told.stop])
                place = told.stop
                continue
            tick_s -= HALF_HOUR_S
            pulses -= entry.increments[place]
            place += 1
            if tick_s <= 0:
                break
            start_s, end_s = self._placed(tick_s)
            self._know(start_s, end_s + RESOLUTION_S, max(0, pulses))

    def _placed(self, tick_s: int) -> tuple[int, int]:
        """Between which ticks an entry of a history is that has this place in it.

        The unit's grid may have been moved since, by a few seconds. If the tick itself was named by
        a telegram, it is known; else it is where the nearest named ticks on either side, half-hours
        away, have it, or between. Where those are so far apart that it was moved at once, the
        history ends with the move: all that it has is on the newer grid.
        """
        named_s = self._boot_grid_ticks_s
        at = bisect_left(named_s, tick_s - HISTORY_MOVE_MAX_S)
        above = bisect_right(named_s, tick_s + HISTORY_MOVE_MAX_S)  # at the latest the newest tick
        if at < above:
            return named_s[at], named_s[above - 1]
        place_s = _snapped(named_s[above], tick_s)
        if not above:
            return place_s - HISTORY_MOVE_MAX_S, place_s + HISTORY_MOVE_MAX_S
        other_s = _snapped(named_s[above - 1], tick_s)
        if abs(other_s - place_s) > GRID_DRIFT_MAX_S:
            return place_s, place_s
        moved_s = max(-HISTORY_MOVE_MAX_S, min(HISTORY_MOVE_MAX_S, other_s - place_s))
        return place_s + min(0, moved_s), place_s + max(0, moved_s)

    def _know(self, start_s: int, end_s: int, pulses: int) -> None:
        """The count was ``pulses`` at some tick from ``start_s`` to ``end_s``."""
        known = _Known(end_s, start_s, pulses)
        if known in self._told:
            return
        self._told.add(known)
        self._least(end_s, pulses)
        self._most(start_s, pulses)
        self._near(known)

    def _near(self, known: _Known) -> None:
        if _insert_new(self._known, known):
            self._unchanged_s = min(self._unchanged_s, known.start_s)

    def _least(self, tick_s: int, pulses: int) -> None:
        if self._floor.add(tick_s, pulses):
            self._unchanged_s = min(self._unchanged_s, tick_s)

    def _most(self, tick_s: int, pulses: int) -> None:
        # It speaks for all that lies between the point before it and itself.
        changed_s = self._ceiling.add(tick_s, pulses, FIRST_TICK_S)
        if changed_s is not None:
            self._unchanged_s = min(self._unchanged_s, changed_s)

    def _reached(self, instant_dms: int, timeline: Timeline | SteadyTimeline) -> int | None:
        ticks_s = self._floor.places
        latest_dms = timeline.latest_dms
        if not ticks_s:
            return None
        place = bisect_right(ticks_s, timeline.tick_near(instant_dms))
        while place < len(ticks_s) and latest_dms(ticks_s[place]) <= instant_dms:
            place += 1
        while place and latest_dms(ticks_s[place - 1]) > instant_dms:
            place -= 1
        return place - 1 if place else None


def _bound(
    steps: Floor | Ceiling,
    place: int,
    timeline: Timeline | SteadyTimeline,
    dms: Callable[[int], int],
) -> Bound:
    tick_s = steps.places[place]
    return Bound(steps.pulses[place], dms(tick_s), timeline.is_doubtful(tick_s))


def _earliest_by(timeline: Timeline | SteadyTimeline) -> Callable[[int], int]:
    def earliest_dms(tick_s: int) -> int:
        earliest_dms = timeline.earliest_dms(tick_s)
        assert earliest_dms is not None  # asked for only where a bearer declared its delay
        return earliest_dms

    return earliest_dms


def _snapped(grid_tick_s: int, tick_s: int) -> int:
    """The tick of a grid through ``grid_tick_s`` that is nearest to a place."""
    half_s = HALF_HOUR_S // 2
    return tick_s + (grid_tick_s - tick_s + half_s) % HALF_HOUR_S - half_s


_Item = TypeVar("_Item", int, _Known)


def _insert_new(ordered: list[_Item], item: _Item) -> bool:
    place = bisect_left(ordered, item)
    is_new = place == len(ordered) or ordered[place] != item
    if is_new:
        ordered.insert(place, item)
    return is_new
