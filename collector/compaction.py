"""Condensing the beginning of a unit's journal, without changing any row that it gives.

What became final by entries stamped before the edge of a block of days (`Pairing.block_days`) is
kept as it is. Entries that the fold remembers at that edge stay, and so do as many telegrams as a
replay window has: one that comes late takes its place among those. What precedes all of them in the
order of sending is condensed to where the count stood.
"""

from __future__ import annotations

from copy import deepcopy
from itertools import islice

from shared.timegrid import DAY_MS

from .advance import Advances
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
        """Keep what was folded, once all of it is; return how many entries are gone."""
        assert condensing.at_edge is not None  # all was folded
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
        forgotten = self._past.condense(
            self._serial,
            condensing.at_edge.telegrams.base_before(kept[0]),
            condensing.at_edge.counts.base_before(kept[1]),
        )
        self._past.set_before_ms(self._serial, condensing.edge_ms)
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
        past: what was settled up to the edge.
        since: what was settled after it.
        at_edge: what was told up to the edge; None until the fold is there.
    """

    def __init__(
        self, journal: Journal, serial: str, state: Fold, since_ms: int, edge_ms: int
    ) -> None:
        self.edge_ms = edge_ms
        self.past: list[FoldStep] = []
        self.since: list[FoldStep] = []
        self.at_edge: Advances | None = None
        self._journal = journal
        self._serial = serial
        self._state = state
        self._next_ms = since_ms

    def go_on(self, limit: int) -> bool:
        """Fold so many entries; tell whether that was all."""
        if self.at_edge is None:
            if not self._fold(self.past, limit, self.edge_ms):
                return False
            self.at_edge = deepcopy(self._state.advances)
            self._next_ms = self.edge_ms
        if not self._fold(self.since, limit):
            return False
        self.since.append(self._state.seal(self._journal.told_ms))
        return True

    def _fold(self, steps: list[FoldStep], limit: int, before_ms: int | None = None) -> bool:
        bounds = {} if before_ms is None else {"before_ms": before_ms}
        entries = list(islice(self._journal.entries(self._serial, self._next_ms, **bounds), limit))
        for entry in entries:
            steps.append(self._state.apply(entry))
            self._next_ms = entry.stamp.received_ms + 1
        return len(entries) < limit
