"""Rows that were counted before the clock was set back into or before them, in SQLite.

What is counted when the clock passes them again is added to them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final, NamedTuple

from collector.bracket import STATUSES, PulseStatus

from .tables import Tables

_EPOCHS: Final = 1 << 19
_EPOCH_MS: Final = 1 << 43  # no stamp is later: until the year 2248
_STAMPED: Final = ("collector_journal", "collector_count", "collector_log", "collector_end")


class OvertakenRow(NamedTuple):
    """What a half-hour held, by its start."""

    start_s: int
    pulses: int
    status: PulseStatus


class Overtaken:
    """Such rows, and how the rest of a unit's tables is brought back to an instant.

    Args:
        connection: as for `Tables`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._tables = Tables(connection)

    def rows(self, serial: str) -> dict[int, OvertakenRow]:
        """All of a unit's, by their start."""
        found = self._tables.connection.execute(
            "SELECT start_s, pulses, status FROM collector_overtaken WHERE serial = ?", (serial,)
        )
        return {at_s: OvertakenRow(at_s, pulses, STATUSES[bits]) for at_s, pulses, bits in found}

    def add(self, serial: str, rows: Iterable[OvertakenRow]) -> None:
        """Keep rows, added to those that are kept of the same half-hours."""
        self._tables.begin()
        self._tables.connection.executemany(
            "INSERT INTO collector_overtaken VALUES (?, ?, ?, ?) ON CONFLICT (serial, start_s)"
            " DO UPDATE SET pulses = pulses + excluded.pulses, status = status | excluded.status",
            [(serial, row.start_s, row.pulses, int(row.status)) for row in rows],
        )

    def bring_back(self, serial: str, boundary_s: int) -> None:
        """Let what is final end with a boundary, for good: it cannot be folded again."""
        change = self._tables.change
        change(
            "INSERT OR REPLACE INTO collector_past SELECT * FROM collector_boundary"
            " WHERE serial = ?",
            (serial,),
        )
        change("DELETE FROM collector_past WHERE serial = ? AND at_s > ?", (serial, boundary_s))
        change(
            "UPDATE collector_past SET through_s = ?2 WHERE serial = ?1 AND through_s > ?2",
            (serial, boundary_s),
        )
        change(
            "INSERT INTO collector_past_flag SELECT * FROM collector_flag WHERE serial = ?"
            " ON CONFLICT (serial, start_s) DO UPDATE SET status = status | excluded.status",
            (serial,),
        )
        change(
            "DELETE FROM collector_past_flag WHERE serial = ? AND start_s >= ?",
            (serial, boundary_s),
        )

    def close(self, serial: str, epoch: int, now_ms: int, fewer: int) -> None:
        """Take a journal out of the fold; its telegrams are known again if they come again.

        Args:
            serial: the unit.
            epoch: that ends.
            now_ms: the clock's new time: all of it was received by then.
            fewer: pulses that are kept as rows.
        """
        # Stamps below 0 are in no fold; those of a later epoch are later.
        back_ms = (_EPOCHS - epoch) * _EPOCH_MS
        for table in ("collector_journal", "collector_count"):
            self._tables.change(
                f"UPDATE {table} SET latest_ms = min(latest_ms, ?) WHERE serial = ?",
                (now_ms, serial),
            )
        self._tables.change(
            "UPDATE collector_end SET ended_ms = min(ended_ms, ?), pulses = pulses - ?"
            " WHERE serial = ?",
            (now_ms, fewer, serial),
        )
        self._tables.change(
            "UPDATE collector_unit SET phased_ms = min(phased_ms, ?) WHERE serial = ?",
            (now_ms, serial),
        )
        for table in _STAMPED:
            self._tables.change(
                f"UPDATE {table} SET stamp_ms = stamp_ms - ? WHERE serial = ? AND stamp_ms >= 0",
                (back_ms, serial),
            )
