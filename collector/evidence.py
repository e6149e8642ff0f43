"""What receptions prove about the count at an instant of UTC: at least, at most, and nearby."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator

from .advance import Advances, CountKind
from .bracket import NEAR_DMS, TOLERANCE_DMS, Bound, Near
from .entries import CountEntry, EndEntry, Entry, JournalEntry, LogPlace, LogTick, TelegramKey
from .staircase import Ceiling, Floor
from .ticks import TickEvidence
from .timeline import DMS_PER_MS, FIRST_TICK_S, NO_TICK_S

_FROM_THE_FIRST_DMS = FIRST_TICK_S
_NEVER_DMS = NO_TICK_S


class Evidence:
    """All that a set of journal entries proves; entries are added in the order of their stamps.

    Ticks of different boots, and the collector's clock of different epochs, have nothing in common:
    each pair of them has a timeline of its own. Counts meet in UTC.

    What the unit logged before it sent a telegram that is left out is left out like that telegram:
    counts of that time may be condensed.

    Args:
        first: of all its telegrams, the one sent first; None if there are none.
    """

    def __init__(self, first: TelegramKey | None = None) -> None:
        self.first = first
        self._spells: dict[tuple[int, int], TickEvidence] = {}
        self._grids: dict[int, list[int]] = {}  # by boot: ticks of the unit's grid that were told
        self._instants = InstantEvidence()
        self._logged: dict[int, list[tuple[int, int]]] = {}  # by boot: ticks and their pulses
        self._waiting: list[LogTick] = []  # logged after the last telegram
        self._has_log = False
        self._end: Bound | None = None
        self._has_unproven = False

    @property
    def has_unproven(self) -> bool:
        """Whether an entry is without a MAC."""
        return self._has_unproven

    @property
    def has_log(self) -> bool:
        """Whether anything of the unit's log is among the entries."""
        return self._has_log

    @property
    def newest_dms(self) -> int:
        """After this instant nothing more is known to have been counted."""
        newest_dms = max((spell.newest_dms for spell in self._spells.values()), default=0)
        return max(newest_dms, self._instants.newest_dms)

    @property
    def logged_through_dms(self) -> int:
        """The latest instant at which a count of the unit's log may have been."""
        latest_dms = (
            spell.latest_dms(self._logged[boot][-1][0])
            for (boot, _), spell in self._spells.items()
            if boot in self._logged
        )
        return max(latest_dms, default=0)

    def add(self, entry: Entry, advances: Advances) -> int:
        """Add an entry, which has been added to ``advances``.

        Returns:
            An instant in tenths of a millisecond: no earlier one can be measured now that could not
            before.
        """
        if isinstance(entry, JournalEntry):
            return self._add_telegram(entry, advances)
        if isinstance(entry, CountEntry):
            self._has_unproven |= not entry.is_authentic
            pulses, kind = advances.of(entry)
            if kind is CountKind.PLACEHOLDER:
                return _NEVER_DMS
            return self._instants.add(entry, pulses)
        if isinstance(entry, EndEntry):
            self._end = Bound(entry.pulses, entry.ended_ms * DMS_PER_MS)
            return _FROM_THE_FIRST_DMS
        return self._add_log(entry.ticks, advances)

    def tick_interval_dms(
        self, key: TelegramKey, epoch: int, tick_s: int
    ) -> tuple[int, int] | None:
        """Between which instants a tick of that boot was, if they are known and agree."""
        spell = self._spells.get((key.boot, epoch))
        return None if spell is None else spell.tick_interval_dms(tick_s)

    def at_least(self, instant_dms: int, *, is_steady: bool = False) -> Bound | None:
        """The most pulses that surely were counted by then, and the latest proof of it."""
        bounds = [
            spell.at_least(instant_dms, is_steady=is_steady) for spell in self._spells.values()
        ]
        bounds.append(self._instants.at_least(instant_dms))
        if self._end is not None and instant_dms >= self._end.at_dms:
            bounds.append(self._end)
        return max((bound for bound in bounds if bound), default=None)

    def at_most(self, instant_dms: int, *, is_steady: bool = False) -> Bound | None:
        """The fewest pulses that surely were not exceeded by then, and the earliest proof."""
        bounds = [
            spell.at_most(instant_dms, is_steady=is_steady) for spell in self._spells.values()
        ]
        bounds.append(self._instants.at_most(instant_dms))
        if self._end is not None:
            bounds.append(self._end._replace(at_dms=max(self._end.at_dms, instant_dms)))
        return min((bound for bound in bounds if bound), default=None)

    def nearest(self, instant_dms: int, *, is_steady: bool = False) -> Near | None:
        """The count known nearest to an instant, surely within `NEAR_DMS`."""
        found = [spell.nearest(instant_dms, is_steady=is_steady) for spell in self._spells.values()]
        found.append(self._instants.nearest(instant_dms))
        return min((near for near in found if near), default=None)

    @property
    def first_boot(self) -> int | None:
        """The first boot of which a telegram tells when its ticks were; None if none does."""
        return min((boot for boot, _ in self._spells), default=None)

    def place_reached(self, instant_dms: int) -> LogPlace | None:
        """The tick that proves `at_least`, if one does."""
        reached = (
            (spell.at_least(instant_dms), boot, spell.tick_reached(instant_dms))
            for (boot, _), spell in self._spells.items()
        )
        places = [(bound, boot, tick_s) for bound, boot, tick_s in reached if bound and tick_s]
        if not places:
            return None
        _, boot, tick_s = max(places)
        return LogPlace(boot, tick_s)

    def _add_telegram(self, entry: JournalEntry, advances: Advances) -> int:
        boot, epoch = entry.key.boot, entry.stamp.epoch
        self._has_unproven |= not entry.is_authentic
        spell = self._spells.get((boot, epoch))
        if spell is not None:
            changed_dms = spell.add(entry, advances)
        else:
            grid = self._grids.setdefault(boot, [])
            spell = self._spells[boot, epoch] = TickEvidence(grid)
            changed_dms = spell.add(entry, advances)
            if boot in self._logged:
                changed_dms = _FROM_THE_FIRST_DMS
            for tick_s, pulses in self._logged.get(boot, ()):
                spell.add_logged(tick_s, pulses)
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            changed_dms = min(changed_dms, self._add_log(waiting, advances))
        return changed_dms

    def _add_log(self, ticks: Iterable[LogTick], advances: Advances) -> int:
        changed_dms, self._has_log = _NEVER_DMS, True
        left_out = None if self.first is None else advances.telegrams.place_before(self.first)
        for tick in ticks:
            if left_out is not None and (tick.boot, tick.tick_s) <= left_out:
                continue
            pulses = advances.at_tick(tick)
            if pulses is None:
                self._waiting.append(tick)
                continue
            insort(self._logged.setdefault(tick.boot, []), (tick.tick_s, pulses))
            for spell in self._of_boot(tick.boot):
                spell.add_logged(tick.tick_s, pulses)
                changed_dms = _FROM_THE_FIRST_DMS
        return changed_dms

    def _of_boot(self, boot: int) -> Iterator[TickEvidence]:
        return (spell for (of_boot, _), spell in self._spells.items() if of_boot == boot)


class InstantEvidence:
    """What frames prove that tell a count and no clock: only when they were received is known."""

    def __init__(self) -> None:
        self._floor = Floor()
        self._ceiling = Ceiling()
        self._known: list[tuple[int, int, int]] = []  # earliest, latest, pulses: close together

    @property
    def newest_dms(self) -> int:
        """See `Evidence.newest_dms`."""
        return self._floor.places[-1] if self._floor.places else 0

    def add(self, entry: CountEntry, pulses: int) -> int:
        """Add a reception; see `Evidence.add`."""
        latest_dms = entry.latest_ms * DMS_PER_MS
        self._floor.add(latest_dms, pulses)
        if entry.earliest_ms is None:
            return latest_dms
        earliest_dms = entry.earliest_ms * DMS_PER_MS
        changed_dms = self._ceiling.add(earliest_dms, pulses, _FROM_THE_FIRST_DMS)
        if latest_dms - earliest_dms <= 2 * NEAR_DMS:
            insort(self._known, (earliest_dms, latest_dms, pulses))
        nearest_dms = earliest_dms - TOLERANCE_DMS
        return nearest_dms if changed_dms is None else min(nearest_dms, changed_dms)

    def at_least(self, instant_dms: int) -> Bound | None:
        """See `Evidence.at_least`."""
        place = bisect_right(self._floor.places, instant_dms) - 1
        if place < 0:
            return None
        return Bound(self._floor.pulses[place], self._floor.places[place])

    def at_most(self, instant_dms: int) -> Bound | None:
        """See `Evidence.at_most`."""
        place = bisect_left(self._ceiling.places, instant_dms)
        if place == len(self._ceiling.places):
            return None
        return Bound(self._ceiling.pulses[place], self._ceiling.places[place])

    def nearest(self, instant_dms: int) -> Near | None:
        """See `Evidence.nearest`."""
        first = bisect_left(self._known, (instant_dms - NEAR_DMS,))
        best: Near | None = None
        for earliest_dms, latest_dms, pulses in self._known[first:]:
            if earliest_dms > instant_dms + NEAR_DMS:
                break
            distance_dms = max(abs(earliest_dms - instant_dms), abs(latest_dms - instant_dms))
            if distance_dms <= NEAR_DMS:
                found = Near(distance_dms, pulses)
                best = found if best is None else min(best, found)
        return best
