"""Billing and daily snapshots: all billing registers at an instant, frozen."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final, Literal

from .state import Snapshot, decode_snapshot, encode_snapshot

Kind = Literal["billing", "daily"]

DEPTHS: Final[dict[Kind, int]] = {"billing": 24, "daily": 731}


class Snapshots:
    """Snapshots of one kind, one for an instant; the oldest leave beyond the depth.

    Midnights of a long outage, at which everything is the same, are one entry. What will hardly
    change any more is packed: two years of days are small.

    Args:
        kind: what they are.
        entries: as they were saved.
    """

    def __init__(self, kind: Kind, entries: Iterable[Snapshot] = ()) -> None:
        self.kind = kind
        kept = sorted(entries, key=lambda each: each.at_s)
        self._starts_s = [each.at_s for each in kept]
        self._ends_s = [each.through_s for each in kept]
        self._kept = [each if each.is_pending else encode_snapshot(each) for each in kept]
        self._touched: set[int] = set()
        self._pending = [each for each in kept if each.is_pending]

    @property
    def entries(self) -> tuple[Snapshot, ...]:
        """What is kept, in order of time."""
        return tuple(map(_whole, self._kept))

    @property
    def spans_s(self) -> list[tuple[int, int]]:
        """Of all that is kept, in order of time, the first and the last instant."""
        return list(zip(self._starts_s, self._ends_s, strict=True))

    def between(self, from_s: int, to_s: int) -> list[Snapshot]:
        """Those that stand for an instant in `[from_s, to_s]`, in order of time."""
        first = bisect_left(self._ends_s, from_s)
        return [_whole(each) for each in self._kept[first : bisect_right(self._starts_s, to_s)]]

    @property
    def is_pending(self) -> bool:
        """Whether any waits for pulses to become final."""
        return bool(self._pending)

    def has(self, at_s: int) -> bool:
        """Whether there is one of this instant."""
        place = bisect_right(self._starts_s, at_s) - 1
        return place >= 0 and at_s <= self._ends_s[place]

    def take(self, snapshot: Snapshot) -> None:
        """Keep a snapshot, of an instant of which there is none yet."""
        place = bisect_left(self._starts_s, snapshot.at_s)
        self._kept.insert(place, snapshot)
        self._starts_s.insert(place, snapshot.at_s)
        self._ends_s.insert(place, snapshot.through_s)
        self._touched.add(snapshot.at_s)
        if snapshot.is_pending:
            self._pending.append(snapshot)
        while len(self._kept) > DEPTHS[self.kind]:
            # After the clock was set far back, the furthest ahead goes before the oldest.
            at_s, first_s, last_s = snapshot.at_s, self._starts_s[0], self._starts_s[-1]
            leaving = -1 if last_s - at_s > at_s - first_s else 0
            gone = self._kept.pop(leaving)
            self._touched.add(self._starts_s.pop(leaving))
            self._ends_s.pop(leaving)
            self._pending = [each for each in self._pending if each is not gone]

    def extend(self, at_s: int, since_s: int) -> bool:
        """Let the newest before an instant stand for it too; False if it was before `since_s`."""
        place = bisect_left(self._starts_s, at_s) - 1
        if place < 0 or self._starts_s[place] <= since_s:
            return False
        snapshot = self._kept[place] = _whole(self._kept[place])
        snapshot.through_s = self._ends_s[place] = at_s
        self._touched.add(snapshot.at_s)
        return True

    def freeze(self, channel: str, next_edge_us: int, counts: list[int]) -> None:
        """A pulse channel is final up to the last boundary before an instant.

        Args:
            channel: the channel.
            next_edge_us: snapshots taken before this, the host's time, have what is final now.
            counts: what is final, then the final part of each rate.
        """
        for snapshot in self._pending:
            if snapshot.host_us < next_edge_us and snapshot.pulses.get(channel, ()) is None:
                snapshot.pulses[channel] = counts
                self._touched.add(snapshot.at_s)
        self._pending = [each for each in self._pending if each.is_pending]

    def changes(self) -> tuple[list[Snapshot], list[int]]:
        """Those that differ from what was saved, and instants of those that are gone."""
        if not self._touched:
            return [], []
        places = {at_s: bisect_left(self._starts_s, at_s) for at_s in sorted(self._touched)}
        here = {
            at_s: _whole(self._kept[place])
            for at_s, place in places.items()
            if self._starts_s[place : place + 1] == [at_s]
        }
        return list(here.values()), sorted(self._touched - here.keys())

    def mark_saved(self) -> None:
        """All changes are durable."""
        for at_s in self._touched:
            place = bisect_left(self._starts_s, at_s)
            if self._starts_s[place : place + 1] != [at_s]:
                continue
            snapshot = self._kept[place]
            if isinstance(snapshot, Snapshot) and not snapshot.is_pending:
                self._kept[place] = encode_snapshot(snapshot)
        self._touched.clear()


def _whole(kept: Snapshot | bytes) -> Snapshot:
    return kept if isinstance(kept, Snapshot) else decode_snapshot(kept)


def order_taken(snapshot: Snapshot) -> tuple[int, int]:
    """Sorts snapshots as they were taken: by the host's time, as the clock may be set back."""
    return snapshot.host_us, snapshot.at_s
