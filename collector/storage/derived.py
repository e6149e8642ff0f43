"""Boundaries that are final, and what else is known of half-hours, kept in SQLite.

A row is a boundary, or a run of them that are alike: years without a word from a unit are one row.
All of it follows from the journal; it is kept so that a restart need not fold the past again.
"""

from __future__ import annotations

import sqlite3
from typing import Final, Self

from collector.bracket import STATUSES, BoundaryCount, PulseStatus
from collector.halfhours import FoldStep
from shared.timegrid import HALF_HOUR_S

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
        rows = [
            (serial, at_s, at_s, boundary.pulses, int(boundary.status))
            for at_s, boundary in step.finals.items()
        ]
        if step.silence is not None:
            run_s, boundary = step.silence
            rows.append((serial, run_s[0], run_s[-1], boundary.pulses, int(boundary.status)))
        if not rows and not step.flags:
            return
        self._tables.begin()
        self._tables.connection.executemany(
            "INSERT INTO collector_boundary VALUES (?, ?, ?, ?, ?)", rows
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
        found: dict[int, BoundaryCount] = {}
        for at_s, through_s, pulses, status in self._tables.connection.execute(
            "SELECT at_s, through_s, pulses, status FROM collector_boundary WHERE serial = ?"
            " ORDER BY at_s DESC LIMIT ?",
            (serial, _OUT_OF_ORDER_MAX),
        ):
            found[through_s] = BoundaryCount(pulses, STATUSES[status])
            if at_s < through_s:
                break  # all that precede a run are final
        return found

    def boundaries(self, serial: str, from_s: int, to_s: int) -> dict[int, BoundaryCount]:
        """Final boundaries from one boundary to another, both included."""
        found: dict[int, BoundaryCount] = {}
        for at_s, through_s, pulses, status in self._tables.connection.execute(
            "SELECT at_s, through_s, pulses, status FROM collector_boundary"
            " WHERE serial = ?1 AND at_s <= ?3 AND at_s >= coalesce((SELECT max(at_s)"
            " FROM collector_boundary WHERE serial = ?1 AND at_s <= ?2), ?2)",
            (serial, from_s, to_s),
        ):
            run_s = range(at_s, min(through_s, to_s) + 1, HALF_HOUR_S)
            boundary = BoundaryCount(pulses, STATUSES[status])
            found.update(dict.fromkeys(run_s[max(0, from_s - at_s) // HALF_HOUR_S :], boundary))
        return found

    def silences(self, serial: str, from_s: int, to_s: int) -> list[tuple[range, BoundaryCount]]:
        """Runs of final boundaries that are alike, within two boundaries, in order of time."""
        found = []
        for at_s, through_s, pulses, status in self._tables.connection.execute(
            "SELECT at_s, through_s, pulses, status FROM collector_boundary WHERE serial = ?"
            " AND at_s < through_s AND at_s < ? AND through_s > ? ORDER BY at_s",
            (serial, to_s, from_s),
        ):
            run_s = range(max(at_s, from_s), min(through_s, to_s) + 1, HALF_HOUR_S)
            found.append((run_s, BoundaryCount(pulses, STATUSES[status])))
        return found

    def flags(self, serial: str, from_s: int, to_s: int) -> dict[int, PulseStatus]:
        """Status bits of half-hours that start from one instant to another, by their start."""
        rows = self._tables.connection.execute(
            "SELECT start_s, status FROM collector_flag"
            " WHERE serial = ? AND start_s BETWEEN ? AND ?",
            (serial, from_s, to_s),
        )
        return {start_s: STATUSES[status] for start_s, status in rows}
