"""The event logs of the directory, as storage keeps them."""

from __future__ import annotations

from shared.timegrid import unix_s

from .events import Log, log_of
from .objects import EventRow
from .storage import Event, Storage


class StoredEvents:
    """An `EventLog` over a data directory.

    Args:
        storage: where the entries are.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def newest(self, log: Log) -> EventRow | None:
        """The last entry of a log."""
        return next((_row(event) for event in self._storage.events(newest=1, log=log)), None)

    def count(self, log: Log, subject: str | None = None) -> int:
        """How many a log has, or how many of them are about a unit."""
        return self._storage.event_count(log, subject)

    def total(self, log: Log) -> int:
        """How many a log was ever given."""
        totals = self._storage.event_totals().items()
        return sum(count for code, count in totals if log_of(code) is log)

    def happened(self, code: int) -> int:
        """How many of one code there ever were."""
        return self._storage.event_totals().get(code, 0)

    def rows(
        self, log: Log, from_s: int | None, to_s: int | None, subject: str | None = None
    ) -> list[EventRow]:
        """Entries of a log stamped in `[from_s, to_s)`, oldest first; those about a unit alone."""
        found = self._storage.events(from_s, to_s, log=log, subject=subject)
        return [_row(event) for event in found]


def _row(event: Event) -> EventRow:
    return EventRow(unix_s(event.at), event.code, event.text, event.subject)
