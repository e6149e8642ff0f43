"""From journal entries to half-hours of pulses: a pure fold (docs/half-hours.md).

Entries are folded in the order of their stamps. The count at a boundary between half-hours is

- *measured* when it is known to be the same at all instants that the boundary may be at, or known
  at an instant surely within 10 s of it;
- *interpolated* when there is evidence on both sides only: pulses are conserved, and placed evenly;
- *pending* before that.

It is final from the first stamp at which it is measured, else when a stamp or a timer is further
after it than the pairing's horizon, and then never changes. What has become final is evidence for
what has not. Entries stamped before `Pairing.window_ms` of the newest are left out, except the last
of them: boundaries that they could speak for are final. So a fold is resumed from there. With a
telegram all that the unit logged before it sent that is left out, whenever it is read.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Self

from shared.timegrid import HALF_HOUR_S, half_hour_floor_s
from shared.wire.telegram import FLAG_LOW_BATTERY, FLAG_MAGNET, FLAG_TAMPER

from .advance import Advances, CountKind
from .bracket import Bound, BoundaryCount, PulseStatus, bracketed, unheard
from .entries import CountEntry, EndEntry, Entry, JournalEntry, LogPlace, Pairing
from .evidence import Evidence
from .rows import PulseHalfHour, rows
from .timeline import DMS_PER_MS, DMS_PER_S


class Run(NamedTuple):
    """Successive boundaries that are alike; all that precede them are final too."""

    boundaries_s: range
    boundary: BoundaryCount


class FoldStep(NamedTuple):
    """What an entry or a timer settled.

    Attributes:
        finals: boundaries that are final from now on.
        flags: status bits of half-hours that are still running, by their start.
        silence: further boundaries: years of them are one thing.
    """

    finals: dict[int, BoundaryCount]
    flags: dict[int, PulseStatus]
    silence: Run | None = None

    @property
    def boundaries(self) -> dict[int, BoundaryCount]:
        """All boundaries that are final from now on, one by one."""
        silence = {} if self.silence is None else dict.fromkeys(*self.silence)
        return self.finals | silence


class Fold:
    """The fold's state: all that the next entry's meaning depends on.

    Args:
        pairing: the pairing.
        advances: what was told before the first entry that will be applied.
        finals: boundaries that became final before it, with the newest one up to which all are.
    """

    def __init__(
        self,
        pairing: Pairing,
        advances: Advances | None = None,
        finals: Mapping[int, BoundaryCount] | None = None,
    ) -> None:
        self._pairing = pairing
        self.advances = Advances(pairing) if advances is None else advances
        self._finals = dict(finals) if finals else {pairing.first_s: BoundaryCount.at_pairing()}
        self._finals_s = sorted(self._finals)
        self._entries: list[Entry] = []
        self._window_ms = 0
        self._end: EndEntry | None = None
        self._evidence = Evidence()
        self._settle()
        # What was forgotten leaves its room in a dict.
        self._finals = {at_s: self._finals[at_s] for at_s in self._finals_s}

    @property
    def final_through_s(self) -> int:
        """The boundary up to which all are final."""
        return self._finals_s[0]

    @property
    def evidence(self) -> Evidence:
        """What the entries of the window prove."""
        return self._evidence

    def remember(self, entries: Iterable[Entry], end: EndEntry | None = None) -> None:
        """Resume: take back entries that were applied before, in the order of their stamps.

        Their counts are in the advances that the fold was made with.

        Args:
            entries: those of the window, and the last before it.
            end: the entry that took the unit off its meter, if it was applied, whenever that was.
        """
        self._entries.extend(entries)
        self._end = end
        if self._entries:
            self._window_ms = self._pairing.window_ms(self._entries[-1].stamp.received_ms)
        self._rebuild()

    def apply(self, entry: Entry) -> FoldStep:
        """Fold the next entry."""
        finals, _, silence = self.seal(entry.stamp.received_ms)
        is_new = not self.advances.knows(entry)
        is_rebuilt = self.advances.add(entry) or (is_new and self._is_behind_log(entry))
        is_rebuilt = self._turn_to(entry.stamp.received_ms) or is_rebuilt
        is_rebuilt = self._note_first_sent(entry) or is_rebuilt
        if is_rebuilt:
            self._rebuild(entry)
        self._entries.append(entry)
        if isinstance(entry, EndEntry):
            self._end = entry
        changed_dms = self._evidence.add(entry, self.advances)
        changed_s = self._pairing.first_s if is_rebuilt else changed_dms // DMS_PER_S
        if self._end is not None:  # from there on to pass is all that a boundary takes
            changed_s = min(changed_s, self._end.ended_ms // 1000)
        for boundary_s in self._open_boundaries_s(changed_s, entry.stamp.received_ms // 1000):
            boundary = self._evaluated(boundary_s)
            if boundary.pulses is None:
                break
            if boundary.is_measured:
                finals[boundary_s] = boundary
                self._finish(boundary_s, boundary)
        self._settle()
        return FoldStep(finals, self._flags(entry) if is_new else {}, silence)

    def seal(self, now_ms: int) -> FoldStep:
        """Make final what was waited for long enough: nothing stamped from now on speaks for it."""
        finals: dict[int, BoundaryCount] = {}
        silence = None
        last_s = (now_ms - self._pairing.horizon_s * 1000 - 1) // 1000
        for boundary_s in self._open_boundaries_s(0, last_s):
            boundary = self._evaluated(boundary_s)
            is_unheard = boundary.pulses is None
            if is_unheard:
                boundary = self._unheard(boundary_s)
            is_last = boundary_s * DMS_PER_S >= self._evidence.newest_dms
            if is_last and (is_unheard or self._has_ended(boundary_s)):
                # Nothing else is known of any later one.
                silence = Run(range(boundary_s, last_s + 1, HALF_HOUR_S), boundary)
                self._finish(silence.boundaries_s[-1], boundary)
                self._forget_before(silence.boundaries_s[-1])
                break
            finals[boundary_s] = boundary
            self._finish(boundary_s, boundary)
        if finals:
            self._settle()
        return FoldStep(finals, {}, silence)

    def boundary(self, boundary_s: int) -> tuple[BoundaryCount, bool]:
        """The count at a boundary that is not before `final_through_s`, and whether it is final."""
        final = self._finals.get(boundary_s)
        if final is not None:
            return final, True
        return self._evaluated(boundary_s), False

    def log_gap(self) -> LogPlace | None:
        """The place in the unit's log behind which it may tell of boundaries that are not final.

        None where telegrams measure all that they tell of, or the log was read since: it has the
        counts of a silence, and it names the ticks that a history only places.
        """
        logged_dms = self._evidence.logged_through_dms
        newest_s = self._evidence.newest_dms // DMS_PER_S
        for boundary_s in self._open_boundaries_s(logged_dms // DMS_PER_S, newest_s):
            instant_dms = boundary_s * DMS_PER_S
            if self._evidence.at_most(instant_dms) is None:
                break
            if instant_dms > logged_dms and not self._evaluated(boundary_s).is_measured:
                place = self._evidence.place_reached(instant_dms)
                if place is None:  # no telegram is of before it
                    boot = self._evidence.first_boot
                    return None if boot is None else LogPlace(boot, 0)
                # The tick may be of a pulse: one entry more is asked for.
                return place._replace(tick_s=max(0, place.tick_s - HALF_HOUR_S))
        return None

    def _is_behind_log(self, entry: Entry) -> bool:
        """Whether a telegram was sent before another one, so that logged counts may go by it."""
        is_late = isinstance(entry, JournalEntry) and entry.key != self.advances.telegrams.newest
        return is_late and self._evidence.has_log

    def _note_first_sent(self, entry: Entry) -> bool:
        """Note what was sent before all others; tell whether a log is to be read again by that."""
        first = self._evidence.first
        if not isinstance(entry, JournalEntry) or (first is not None and entry.key >= first):
            return False
        self._evidence.first = entry.key
        return self._evidence.has_log

    def _has_ended(self, boundary_s: int) -> bool:
        return self._end is not None and boundary_s * 1000 >= self._end.ended_ms

    def _open_boundaries_s(self, first_s: int, last_s: int) -> Iterator[int]:
        first_s = max(half_hour_floor_s(first_s), self.final_through_s + HALF_HOUR_S)
        for boundary_s in range(first_s, last_s + 1, HALF_HOUR_S):
            if boundary_s not in self._finals:
                yield boundary_s

    def _finish(self, boundary_s: int, boundary: BoundaryCount) -> None:
        self._finals[boundary_s] = boundary
        self._finals_s.insert(bisect_left(self._finals_s, boundary_s), boundary_s)

    def _settle(self) -> None:
        """Forget final boundaries before the newest one up to which all are final."""
        settled_s = self._finals_s[0]
        while settled_s + HALF_HOUR_S in self._finals:
            settled_s += HALF_HOUR_S
        self._forget_before(settled_s)

    def _forget_before(self, boundary_s: int) -> None:
        forgotten = bisect_left(self._finals_s, boundary_s)
        for settled_s in self._finals_s[:forgotten]:
            del self._finals[settled_s]
        del self._finals_s[:forgotten]

    def _turn_to(self, stamp_ms: int) -> bool:
        """Leave out entries that have left the window; tell whether there were any."""
        window_ms = self._pairing.window_ms(stamp_ms)
        if window_ms == self._window_ms:
            return False
        self._window_ms = window_ms
        inside = bisect_left(self._entries, window_ms, key=lambda entry: entry.stamp.received_ms)
        left = max(0, inside - 1)
        del self._entries[:left]
        return left > 0

    def _rebuild(self, entry: Entry | None = None) -> None:
        """Add all entries anew, as they are worth beside one that will be added next."""
        entries = self._entries if entry is None else [*self._entries, entry]
        keys = (each.key for each in entries if isinstance(each, JournalEntry))
        self._evidence = Evidence(min(keys, default=None))
        if self._end is not None:
            self._evidence.add(self._end, self.advances)
        for entry in self._entries:
            self._evidence.add(entry, self.advances)

    def _evaluated(self, boundary_s: int) -> BoundaryCount:
        """The count at an open boundary, by what is known now."""
        boundary = self._bracketed(boundary_s)
        if boundary.is_measured or boundary.status != PulseStatus.INTERPOLATED:
            return self._marked(boundary)
        steady = self._bracketed(boundary_s, is_steady=True)
        return self._marked(steady if steady.is_measured else boundary)

    def _bracketed(self, boundary_s: int, *, is_steady: bool = False) -> BoundaryCount:
        instant_dms = boundary_s * DMS_PER_S
        least = self._least(instant_dms, is_steady=is_steady)
        most = self._evidence.at_most(instant_dms, is_steady=is_steady)
        near = None
        if most is not None and least.pulses < most.pulses:
            near = self._evidence.nearest(instant_dms, is_steady=is_steady)
        place = bisect_right(self._finals_s, boundary_s)
        before = self._final_bound(self._finals_s[place - 1])
        after = self._final_bound(self._finals_s[place]) if place < len(self._finals_s) else None
        return bracketed(instant_dms, least, most, near, before, after)

    def _unheard(self, boundary_s: int) -> BoundaryCount:
        place = bisect_right(self._finals_s, boundary_s)
        before = self._final_bound(self._finals_s[place - 1])
        return self._marked(unheard(self._least(boundary_s * DMS_PER_S), before))

    def _least(self, instant_dms: int, *, is_steady: bool = False) -> Bound:
        paired = Bound(0, self._pairing.paired_ms * DMS_PER_MS)
        heard = self._evidence.at_least(instant_dms, is_steady=is_steady)
        return paired if heard is None else max(paired, heard)

    def _final_bound(self, boundary_s: int) -> Bound:
        pulses = self._finals[boundary_s].pulses
        assert pulses is not None  # what is pending is not final
        return Bound(pulses, boundary_s * DMS_PER_S)

    def _marked(self, boundary: BoundaryCount) -> BoundaryCount:
        if boundary.pulses is None or not self._evidence.has_unproven:
            return boundary
        return boundary._replace(status=boundary.status | PulseStatus.UNAUTHENTICATED)

    def _flags(self, entry: Entry) -> dict[int, PulseStatus]:
        flags = PulseStatus.MEASURED
        if isinstance(entry, JournalEntry):
            if entry.error_flags & (FLAG_TAMPER | FLAG_MAGNET):
                flags |= PulseStatus.TAMPER
            if entry.error_flags & FLAG_LOW_BATTERY:
                flags |= PulseStatus.LOW_BATTERY
        if isinstance(entry, JournalEntry | CountEntry):
            is_rolled_back = self.advances.of(entry).kind is CountKind.ROLLED_BACK
            flags |= PulseStatus.COUNT_ROLLED_BACK if is_rolled_back else PulseStatus.MEASURED
        start_s = half_hour_floor_s(entry.stamp.received_ms // 1000)
        return {start_s: flags} if flags else {}


class Start(NamedTuple):
    """Where a fold begins that need not begin at the pairing.

    Attributes:
        state: the fold then.
        finals: all boundaries that were final by then.
        flags: status bits that were known by then.
    """

    state: Fold
    finals: dict[int, BoundaryCount]
    flags: dict[int, PulseStatus]

    @classmethod
    def at_pairing(cls, pairing: Pairing) -> Self:
        """The beginning of all."""
        return cls(Fold(pairing), {pairing.first_s: BoundaryCount.at_pairing()}, {})


def fold(
    entries: Iterable[Entry], pairing: Pairing, now_ms: int, start: Start | None = None
) -> list[PulseHalfHour]:
    """All half-hours from the pairing to ``now_ms``.

    Args:
        entries: the whole journal of one unit, in any order; they are folded in that of their
            stamps, each once.
        pairing: what its pairing fixed.
        now_ms: UNIX milliseconds; not before the newest stamp.
        start: what precedes all of the entries, if anything does.
    """
    state, finals, flags = Start.at_pairing(pairing) if start is None else start
    by_stamp = {entry.stamp: entry for entry in entries}
    for stamp in sorted(by_stamp):
        step = state.apply(by_stamp[stamp])
        finals.update(step.boundaries)
        for start_s, bits in step.flags.items():
            flags[start_s] = flags.get(start_s, PulseStatus.MEASURED) | bits
    finals.update(state.seal(now_ms).boundaries)
    boundaries = (
        (at_s, finals[at_s], True) if at_s in finals else (at_s, *state.boundary(at_s))
        for at_s in range(pairing.first_s, now_ms // 1000 + 1, HALF_HOUR_S)
    )
    return list(rows(boundaries, flags, pairing.pulses_max))
