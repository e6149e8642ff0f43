"""Boundaries that are final, and what else is known of half-hours, kept in SQLite.

All of it follows from the journal; it is kept so that a restart need not fold the past again.
"""

from __future__ import annotations

import sqlite3
from typing import Final, Self

from collector.bracket import BoundaryCount, PulseStatus
from collector.halfhours import FoldStep

from .tables import Tables

# Boundaries that are final before all that precede them are: none is older than 48 hours.
_OUT_OF_ORDER_MAX: Final = 200


class Derived:
    """The fold's results.

    Args:
        connection: as for `Tables`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._tables = Tables(connection)

    @classmethod
    def in_memory(cls) -> Self:
        """Results that are kept nowhere else."""
        tables = Tables(sqlite3.connect(":memory:"))
        tables.make()
        return cls(tables.connection)

    def put(self, serial: str, step: FoldStep) -> None:
        """Keep what an entry or a timer settled."""
        if not step.finals and not step.flags:
            return
        self._tables.begin()
        self._tables.connection.executemany(
            "INSERT INTO collector_boundary VALUES (?, ?, ?, ?)",
            [
                (serial, at_s, boundary.pulses, int(boundary.status))
                for at_s, boundary in step.finals.items()
            ],
        )
        self._tables.connection.executemany(
            "INSERT INTO collector_flag VALUES (?, ?, ?) ON CONFLICT (serial, start_s)"
            " DO UPDATE SET status = status | excluded.status",
            [(serial, start_s, int(status)) for start_s, status in step.flags.items()],
        )

    def clear(self, serial: str) -> None:
        """Forget all of a unit's; it comes back by folding the journal."""
        self._tables.change("DELETE FROM collector_boundary WHERE serial = ?", (serial,))
        self._tables.change("DELETE FROM collector_flag WHERE serial = ?", (serial,))

    def newest_boundaries(self, serial: str) -> dict[int, BoundaryCount]:
        """Final boundaries from some boundary up to which all are, to the newest."""
        rows = self._tables.connection.execute(
            "SELECT at_s, pulses, status FROM collector_boundary WHERE serial = ?"
            " ORDER BY at_s DESC LIMIT ?",
            (serial, _OUT_OF_ORDER_MAX),
        )
        return _boundaries(rows)

    def boundaries(self, serial: str, from_s: int, to_s: int) -> dict[int, BoundaryCount]:
        """Final boundaries from one instant to another, both included."""
        rows = self._tables.connection.execute(
            "SELECT at_s, pulses, status FROM collector_boundary"
            " WHERE serial = ? AND at_s BETWEEN ? AND ?",
            (serial, from_s, to_s),
        )
        return _boundaries(rows)

    def flags(self, serial: str, from_s: int, to_s: int) -> dict[int, PulseStatus]:
        """Status bits of half-hours that start from one instant to another, by their start."""
        rows = self._tables.connection.execute(
            "SELECT start_s, status FROM collector_flag"
            " WHERE serial = ? AND start_s BETWEEN ? AND ?",
            (serial, from_s, to_s),
        )
        return {start_s: PulseStatus(status) for start_s, status in rows}


def _boundaries(rows: sqlite3.Cursor) -> dict[int, BoundaryCount]:
    return {at_s: BoundaryCount(pulses, PulseStatus(status)) for at_s, pulses, status in rows}
