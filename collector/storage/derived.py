"""Boundaries that are final, and what else is known of half-hours, kept in SQLite.

A row is a boundary, or a run of them that are alike: years without a word from a unit are one row.
All of it follows from the journal; it is kept so that a restart need not fold the past again. What
follows from the part of the journal that was condensed is in tables of its own, and stays.
"""

from __future__ import annotations

import sqlite3
from typing import Final, Self

from collector.bracket import STATUSES, BoundaryCount, PulseStatus
from collector.halfhours import FoldStep
from shared.timegrid import HALF_HOUR_S

from .tables import Tables

# Boundaries that are final before all that precede them are: none is older than 31 days.
_OUT_OF_ORDER_MAX: Final = 1_600

_BOUNDARIES: Final = (
    "(SELECT * FROM collector_boundary UNION ALL SELECT * FROM collector_past) AS boundary"
)
_FLAGS: Final = "(SELECT * FROM collector_flag UNION ALL SELECT * FROM collector_past_flag) AS flag"


class Derived:
    """The fold's results.

    Args:
        connection: as for `Tables`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._tables = Tables(connection)

    def in_memory(self, serial: str) -> Self:
        """A unit's results that are kept nowhere else, but for what cannot be folded again."""
        tables = Tables(sqlite3.connect(":memory:"))
        tables.make()
        tables.begin()
        for table, marks in (
            ("collector_past", "?, ?, ?, ?, ?"),
            ("collector_past_flag", "?, ?, ?"),
        ):
            query = f"SELECT * FROM {table} WHERE serial = ?"
            rows = self._tables.connection.execute(query, (serial,))
            tables.connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        return type(self)(tables.connection)

    def has(self, serial: str) -> bool:
        """Whether anything of a unit's is kept that can be cleared."""
        query = "SELECT 1 FROM collector_boundary WHERE serial = ? LIMIT 1"
        return self._tables.row(query, (serial,)) is not None

    def put(self, serial: str, step: FoldStep, *, is_past: bool = False) -> None:
        """Keep what an entry or a timer settled; for good, if the journal forgets why."""
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
            f"INSERT INTO {'collector_past' if is_past else 'collector_boundary'}"
            " VALUES (?, ?, ?, ?, ?)",
            rows,
        )
        self._tables.connection.executemany(
            f"INSERT INTO {'collector_past_flag' if is_past else 'collector_flag'}"
            " VALUES (?, ?, ?) ON CONFLICT (serial, start_s)"
            " DO UPDATE SET status = status | excluded.status",
            [(serial, start_s, int(status)) for start_s, status in step.flags.items()],
        )

    def clear(self, serial: str) -> None:
        """Forget what comes back by folding the journal."""
        self._tables.change("DELETE FROM collector_boundary WHERE serial = ?", (serial,))
        self._tables.change("DELETE FROM collector_flag WHERE serial = ?", (serial,))

    def newest_boundaries(self, serial: str, *, is_past: bool = False) -> dict[int, BoundaryCount]:
        """Final boundaries from some boundary up to which all are, to the newest.

        Args:
            serial: the unit.
            is_past: to the newest of those that cannot be folded again.
        """
        source = "collector_past" if is_past else _BOUNDARIES
        found: dict[int, BoundaryCount] = {}
        for at_s, through_s, pulses, status in self._tables.connection.execute(
            f"SELECT * FROM (SELECT at_s, through_s, pulses, status FROM {source} WHERE serial = ?"
            " ORDER BY at_s DESC LIMIT ?) ORDER BY at_s",
            (serial, _OUT_OF_ORDER_MAX),
        ):
            # All that precede a run are final, and so are those before the first gap.
            if at_s < through_s or found.keys() == {at_s - HALF_HOUR_S}:
                found.clear()
            found[through_s] = BoundaryCount(pulses, STATUSES[status])
        return found

    def boundaries(self, serial: str, from_s: int, to_s: int) -> dict[int, BoundaryCount]:
        """Final boundaries from one boundary to another, both included."""
        found: dict[int, BoundaryCount] = {}
        for table in ("collector_past", "collector_boundary"):
            for at_s, through_s, pulses, status in self._tables.connection.execute(
                f"SELECT at_s, through_s, pulses, status FROM {table}"
                " WHERE serial = ?1 AND at_s <= ?3 AND at_s >= coalesce((SELECT max(at_s)"
                f" FROM {table} WHERE serial = ?1 AND at_s <= ?2), ?2)",
                (serial, from_s, to_s),
            ):
                run_s = range(at_s, min(through_s, to_s) + 1, HALF_HOUR_S)
                boundary = BoundaryCount(pulses, STATUSES[status])
                found.update(dict.fromkeys(run_s[max(0, from_s - at_s) // HALF_HOUR_S :], boundary))
        return found

    def past(self, serial: str) -> tuple[dict[int, BoundaryCount], dict[int, PulseStatus]]:
        """All boundaries and status bits that cannot be folded again."""
        finals: dict[int, BoundaryCount] = {}
        for at_s, through_s, pulses, status in self._tables.connection.execute(
            "SELECT at_s, through_s, pulses, status FROM collector_past WHERE serial = ?", (serial,)
        ):
            boundary = BoundaryCount(pulses, STATUSES[status])
            finals.update(dict.fromkeys(range(at_s, through_s + 1, HALF_HOUR_S), boundary))
        rows = self._tables.connection.execute(
            "SELECT start_s, status FROM collector_past_flag WHERE serial = ?", (serial,)
        )
        return finals, {start_s: STATUSES[status] for start_s, status in rows}

    def silences(self, serial: str, from_s: int, to_s: int) -> list[tuple[range, BoundaryCount]]:
        """Runs of final boundaries that are alike, within two boundaries, in order of time."""
        found = []
        for at_s, through_s, pulses, status in self._tables.connection.execute(
            f"SELECT at_s, through_s, pulses, status FROM {_BOUNDARIES} WHERE serial = ?"
            " AND at_s < through_s AND at_s < ? AND through_s > ? ORDER BY at_s",
            (serial, to_s, from_s),
        ):
            run_s = range(max(at_s, from_s), min(through_s, to_s) + 1, HALF_HOUR_S)
            found.append((run_s, BoundaryCount(pulses, STATUSES[status])))
        return found

    def flags(self, serial: str, from_s: int, to_s: int) -> dict[int, PulseStatus]:
        """Status bits of half-hours that start from one instant to another, by their start."""
        rows = self._tables.connection.execute(
            f"SELECT start_s, status FROM {_FLAGS} WHERE serial = ? AND start_s BETWEEN ? AND ?",
            (serial, from_s, to_s),
        )
        flags: dict[int, PulseStatus] = {}
        for start_s, status in rows:
            flags[start_s] = flags.get(start_s, PulseStatus.MEASURED) | status
        return flags
