"""Condensing the beginning of a unit's journal, without changing any row that it gives.

What became final by entries stamped before the edge of a block of days (`Pairing.block_days`) is
kept as it is. Entries that the fold remembers at that edge stay, and so do as many telegrams as a
replay window has: one that comes late takes its place among those. What precedes all of them in the
order of sending is condensed to where the count stood.
"""

from __future__ import annotations

from itertools import islice

from shared.timegrid import DAY_MS

from .bracket import BoundaryCount
from .entries import Pairing
from .halfhours import Fold, FoldStep, Start
from .journal import Journal
from .storage.derived import Derived
from .storage.past import Past


class Compaction:
    """One unit's journal with what is left of its beginning.

    Args:
        journal: of all units.
        past: likewise.
        serial: the unit.
        pairing: its pairing.
    """

    def __init__(self, journal: Journal, past: Past, serial: str, pairing: Pairing) -> None:
        self._journal = journal
        self._past = past
        self._serial = serial
        self._pairing = pairing

    @property
    def edge_ms(self) -> int:
        """The stamp before which the journal is condensed; 0 if it is whole."""
        return self._past.before_ms(self._serial)

    def resumed(self, finals: dict[int, BoundaryCount], before_ms: int | None = None) -> Fold:
        """The fold before a stamp, or after all of them.

        Args:
            finals: what was final then, as `Derived.newest_boundaries` has it.
            before_ms: the stamp.
        """
        bounds = {} if before_ms is None else {"before_ms": before_ms}
        advances = self._journal.advances(self._serial, self._pairing, **bounds)
        state = Fold(self._pairing, advances, finals)
        first_ms = self._first_remembered_ms(**bounds)
        if first_ms is not None:
            entries = self._journal.entries(self._serial, first_ms, **bounds)
            state.remember(entries, self._journal.end(self._serial, **bounds))
        return state

    def at_edge(self, derived: Derived) -> Fold:
        """The fold before all entries that can still be folded."""
        if not self.edge_ms:
            return Fold(self._pairing)
        finals = derived.newest_boundaries(self._serial, is_past=True)
        return self.resumed(finals, self.edge_ms)

    def start(self, derived: Derived) -> Start:
        """As `at_edge`, with all that was final then."""
        if not self.edge_ms:
            return Start.at_pairing(self._pairing)
        return Start(self.at_edge(derived), *derived.past(self._serial))

    def begin(self, now_ms: int, derived: Derived) -> Condensing | None:
        """Begin to condense what precedes the block of an instant; None if that has been done."""
        block_ms = self._pairing.block_days * DAY_MS
        edge_ms = now_ms // block_ms * block_ms
        if edge_ms <= max(self.edge_ms, self._pairing.paired_ms):
            return None
        return Condensing(self._journal, self._serial, self.at_edge(derived), self.edge_ms, edge_ms)

    def finish(self, condensing: Condensing, derived: Derived) -> int:
        """Keep what was folded, once all of it is; return how many entries are gone.

        Its fold is that of the newest entry then, and has forgotten the counts of those.
        """
        first = FoldStep({self._pairing.first_s: BoundaryCount.at_pairing()}, {})
        if not self.edge_ms:
            derived.put(self._serial, first, is_past=True)
        for step in condensing.past:
            derived.put(self._serial, step, is_past=True)
        derived.clear(self._serial)
        for step in condensing.since:
            derived.put(self._serial, step)
        first_ms = self._first_remembered_ms(condensing.edge_ms)
        kept = self._past.first_kept(
            self._serial, condensing.edge_ms if first_ms is None else first_ms
        )
        # What was told after the edge was sent after all that precedes these: it tells of none.
        told = condensing.state.advances
        forgotten = self._past.condense(
            self._serial, told.telegrams.base_before(kept[0]), told.counts.base_before(kept[1])
        )
        self._past.set_before_ms(self._serial, condensing.edge_ms)
        condensing.state.advances = self._journal.advances(self._serial, self._pairing)
        return forgotten

    def _first_remembered_ms(self, before_ms: int | None = None) -> int | None:
        """The stamp of the first entry that a fold remembers: the last before the window."""
        bounds = {} if before_ms is None else {"before_ms": before_ms}
        newest_ms = self._journal.stamp_before_ms(self._serial, **bounds)
        if newest_ms is None:
            return None
        window_ms = self._pairing.window_ms(newest_ms)
        return self._journal.stamp_before_ms(self._serial, window_ms) or window_ms


class Condensing:
    """A fold up to an edge and on to the newest entry, some entries at a time; nothing is written.

    Entries are stamped in order and never changed: what is appended meanwhile comes last.

    Args:
        journal: of all units.
        serial: the unit.
        state: the fold before all entries that can be folded.
        since_ms: the stamp of the first of them, or one before it.
        edge_ms: the stamp up to which they are condensed.

    Attributes:
        edge_ms: likewise.
        state: the fold after those that were folded.
        past: what was settled up to the edge.
        since: what was settled after it.
    """

    def __init__(
        self, journal: Journal, serial: str, state: Fold, since_ms: int, edge_ms: int
    ) -> None:
        self.edge_ms = edge_ms
        self.state = state
        self.past: list[FoldStep] = []
        self.since: list[FoldStep] = []
        self._journal = journal
        self._serial = serial
        self._next_ms = since_ms

    def go_on(self, limit: int) -> bool:
        """Fold so many entries; tell whether that was all."""
        entries = list(islice(self._journal.entries(self._serial, self._next_ms), limit))
        for entry in entries:
            step, stamp_ms = self.state.apply(entry), entry.stamp.received_ms
            if any(step):
                (self.past if stamp_ms < self.edge_ms else self.since).append(step)
            self._next_ms = stamp_ms + 1
        if len(entries) == limit:
            return False
        self.since.append(self.state.seal(self._journal.told_ms))
        return True
