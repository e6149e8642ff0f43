"""Receptions that tell a count and no clock, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from collector.entries import CountEntry, Stamp, TelegramKey

from .tables import Tables


class Counts:
    """Such receptions, of adverts and of other makers' meters.

    Args:
        connection: as for `Tables`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._tables = Tables(connection)

    def put(self, serial: str, entry: CountEntry, bearer: str) -> None:
        """Keep an entry."""
        self._tables.change(
            "INSERT INTO collector_count VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                entry.stamp.received_ms,
                entry.stamp.epoch,
                serial,
                *entry.key,
                entry.earliest_ms,
                entry.latest_ms,
                entry.count,
                entry.is_authentic,
                bearer,
            ),
        )

    def has(self, serial: str, key: TelegramKey) -> bool:
        """Whether a frame was received before."""
        query = "SELECT 1 FROM collector_count WHERE serial = ? AND boot = ? AND counter = ?"
        return self._tables.row(query, (serial, *key)) is not None

    def newest_keys(self, serial: str, limit: int) -> list[TelegramKey]:
        """The keys of the frames that were sent last, newest first."""
        rows = self._tables.connection.execute(
            "SELECT boot, counter FROM collector_count WHERE serial = ?"
            " ORDER BY boot DESC, counter DESC LIMIT ?",
            (serial, limit),
        )
        return [TelegramKey(*row) for row in rows]

    def entries(self, serial: str, since_ms: int, before_ms: int) -> Iterator[CountEntry]:
        """A unit's entries stamped from one instant to before another, in that order."""
        rows = self._tables.connection.execute(
            "SELECT stamp_ms, epoch, boot, counter, earliest_ms, latest_ms, count, is_authentic"
            " FROM collector_count WHERE serial = ? AND stamp_ms >= ? AND stamp_ms < ?"
            " ORDER BY stamp_ms",
            (serial, since_ms, before_ms),
        )
        for stamp_ms, epoch, boot, counter, earliest_ms, latest_ms, count, is_authentic in rows:
            yield CountEntry(
                stamp=Stamp(epoch, stamp_ms),
                key=TelegramKey(boot, counter),
                earliest_ms=earliest_ms,
                latest_ms=latest_ms,
                count=count,
                is_authentic=bool(is_authentic),
            )

    def in_order(self, serial: str, before_ms: int) -> Iterator[tuple[TelegramKey, int, int]]:
        """(key, count, latest instant in UNIX ms), in the order of sending.

        Of those that were stamped before an instant.
        """
        rows = self._tables.connection.execute(
            "SELECT boot, counter, count, latest_ms FROM collector_count"
            " WHERE serial = ? AND stamp_ms >= 0 AND stamp_ms < ? ORDER BY boot, counter",
            (serial, before_ms),
        )
        for boot, counter, count, latest_ms in rows:
            yield TelegramKey(boot, counter), count, latest_ms

    def heard_ms(self, serial: str) -> int | None:
        """When the last one came in, in UNIX milliseconds; None if none did."""
        query = (
            "SELECT latest_ms FROM collector_count WHERE serial = ? ORDER BY stamp_ms DESC LIMIT 1"
        )
        row = self._tables.row(query, (serial,))
        return None if row is None else int(row[0])
