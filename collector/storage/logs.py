"""What was read of units' own logs, in SQLite, and what is to come of a unit that was taken off."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from collector.entries import EndEntry, LogEntry, LogPlace, LogTick, Stamp

from .tables import Tables


class Logs:
    """Logs by unit, each tick of them once.

    Args:
        connection: as for `Tables`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._tables = Tables(connection)

    def unknown(self, serial: str, ticks: Iterable[LogTick]) -> tuple[LogTick, ...]:
        """Those ticks that were not read before, each once, in order."""
        query = "SELECT boot, tick_s FROM collector_log WHERE serial = ?"
        known = {LogPlace(*row) for row in self._tables.connection.execute(query, (serial,))}
        found = {LogPlace(tick.boot, tick.tick_s): tick for tick in ticks}
        return tuple(sorted(tick for place, tick in found.items() if place not in known))

    def put(self, serial: str, entry: LogEntry) -> None:
        """Keep an entry, of ticks that were not read before."""
        self._tables.begin()
        self._tables.connection.executemany(
            "INSERT INTO collector_log VALUES (?, ?, ?, ?, ?, ?)",
            [(serial, *tick, entry.stamp.received_ms, entry.stamp.epoch) for tick in entry.ticks],
        )

    def entries(self, serial: str, since_ms: int, before_ms: int) -> Iterator[LogEntry]:
        """A unit's entries stamped from one instant to before another, in that order."""
        rows = self._tables.connection.execute(
            "SELECT epoch, stamp_ms, boot, tick_s, count FROM collector_log"
            " WHERE serial = ? AND stamp_ms >= ? AND stamp_ms < ? ORDER BY stamp_ms, boot, tick_s",
            (serial, since_ms, before_ms),
        )
        for stamp, ticks in groupby(rows, itemgetter(0, 1)):
            yield LogEntry(Stamp(*stamp), tuple(LogTick(*tick[2:]) for tick in ticks))

    def end(self, serial: str) -> EndEntry | None:
        """What took a unit off its meter; None if nothing did."""
        row = self._tables.row(
            "SELECT epoch, stamp_ms, ended_ms, pulses FROM collector_end WHERE serial = ?",
            (serial,),
        )
        return None if row is None else EndEntry(Stamp(row[0], row[1]), row[2], row[3])

    def put_end(self, serial: str, entry: EndEntry) -> None:
        """Keep that a unit was taken off."""
        self._tables.change(
            "INSERT INTO collector_end VALUES (?, ?, ?, ?, ?)",
            (serial, entry.stamp.received_ms, entry.stamp.epoch, entry.ended_ms, entry.pulses),
        )
