"""The event log of the directory, as storage keeps it."""

from __future__ import annotations

from shared.timegrid import unix_s

from .objects import EventRow
from .storage import Event, Storage


class StoredEvents:
    """An `EventLog` over a data directory.

    Args:
        storage: where the entries are.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def newest(self) -> EventRow | None:
        """The last entry."""
        return next((_row(event) for event in self._storage.events(newest=1)), None)

    def count(self) -> int:
        """How many there are."""
        return self._storage.event_count()

    def rows(self, from_s: int | None, to_s: int | None) -> list[EventRow]:
        """Entries stamped in `[from_s, to_s)`, oldest first."""
        return [_row(event) for event in self._storage.events(from_s, to_s)]


def _row(event: Event) -> EventRow:
    return EventRow(unix_s(event.at), event.code, event.text)
