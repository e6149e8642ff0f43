"""The event log of a collector of its own, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, Final

from collector.notes import Note
from shared.timegrid import DAY_MS, from_unix_ms, iso_utc, unix_ms

from .tables import Tables

DEPTH: Final = 5_000
"""Lines that are kept; the oldest leave."""

_TABLE: Final = """CREATE TABLE IF NOT EXISTS collector_event (
    number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    times INTEGER NOT NULL, kind TEXT NOT NULL, family TEXT NOT NULL, mark TEXT NOT NULL,
    serial TEXT, bearer TEXT, text TEXT NOT NULL)"""


class EventLog:
    """What happened, each thing once: what happens again within a day is counted in its line.

    Args:
        connection: as for `Tables`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._tables = Tables(connection)

    @property
    def exists(self) -> bool:
        """Whether the table has been made."""
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'collector_event'"
        return self._tables.row(query) is not None

    def make(self) -> None:
        """Make the table if it is missing."""
        if not self.exists:
            self._tables.change(_TABLE)

    def add(self, note: Note) -> bool:
        """Keep a line; tell whether it is a new one."""
        at_ms = unix_ms(note.at)
        number = self._same(note, at_ms)
        if number is not None:
            self._tables.change(
                "UPDATE collector_event SET times = times + 1, last_ms = max(last_ms, ?)"
                " WHERE number = ?",
                (at_ms, number),
            )
            return False
        self._tables.change(
            "INSERT INTO collector_event (at_ms, last_ms, times, kind, family, mark, serial,"
            " bearer, text) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?)",
            (at_ms, at_ms, note.kind, note.family, note.mark, note.serial, note.bearer, note.text),
        )
        self._tables.change(
            "DELETE FROM collector_event WHERE number <="
            " (SELECT max(number) FROM collector_event) - ?",
            (DEPTH,),
        )
        return True

    def newest(self, limit: int = DEPTH) -> Iterator[dict[str, Any]]:
        """The last lines, oldest first, plain enough for JSON."""
        if not self.exists:
            return
        rows = self._tables.connection.execute(
            "SELECT * FROM (SELECT number, at_ms, last_ms, times, kind, serial, bearer, text"
            " FROM collector_event ORDER BY number DESC LIMIT ?) ORDER BY number",
            (limit,),
        )
        for number, at_ms, last_ms, times, kind, serial, bearer, text in rows:
            yield {
                "number": number,
                "at": iso_utc(from_unix_ms(at_ms)),
                "last": iso_utc(from_unix_ms(last_ms)),
                "times": times,
                "event": kind,
                "serial": serial,
                "bearer": bearer,
                "text": text,
            }

    def _same(self, note: Note, at_ms: int) -> int | None:
        """The line that says the same already: of the last day, or until something else is said."""
        subject = (note.serial, note.bearer)
        same = self._tables.row(
            "SELECT number, at_ms FROM collector_event WHERE kind = ? AND mark = ?"
            " AND serial IS ? AND bearer IS ? ORDER BY number DESC LIMIT 1",
            (note.kind, note.mark, *subject),
        )
        if same is None:
            return None
        number, before_ms = int(same[0]), same[1]
        if at_ms - before_ms < DAY_MS:
            return number
        if not note.family:
            return None
        (newest,) = self._tables.row(
            "SELECT max(number) FROM collector_event WHERE family = ? AND serial IS ?"
            " AND bearer IS ?",
            (note.family, *subject),
        )
        return number if number == newest else None
