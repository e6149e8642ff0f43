"""The collector's tables in SQLite, on a connection that its owner commits.

The collector never commits: its journal and the meter's ledger become durable together or not at
all. `collector_boundary` and `collector_flag` are derived: deleted, they come back from the rest by
folding. `collector_past` and `collector_past_flag` are not: the entries that they came from may be
gone.
"""

from __future__ import annotations

import sqlite3
from typing import Any, Final

_TABLES: Final = {
    "collector_clock": """(
        id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, told_ms INTEGER NOT NULL)""",
    "collector_unit": """(
        serial TEXT PRIMARY KEY, manufacturer TEXT NOT NULL, channel TEXT NOT NULL,
        medium INTEGER NOT NULL, litres_per_pulse TEXT NOT NULL, max_flow_l_h INTEGER NOT NULL,
        period_s INTEGER NOT NULL, allow_unauthenticated INTEGER NOT NULL,
        paired_ms INTEGER NOT NULL, base_count INTEGER NOT NULL,
        base_boot INTEGER, base_counter INTEGER,
        command_counter INTEGER NOT NULL DEFAULT 0, phased_ms INTEGER, phased_boot INTEGER,
        phasings INTEGER NOT NULL DEFAULT 0, is_silent INTEGER NOT NULL DEFAULT 0)""",
    "collector_journal": """(
        stamp_ms INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, serial TEXT NOT NULL,
        boot INTEGER NOT NULL, counter INTEGER NOT NULL, narrows INTEGER NOT NULL,
        earliest_ms INTEGER, latest_ms INTEGER NOT NULL, uptime_s INTEGER NOT NULL,
        count INTEGER NOT NULL, last_pulse_age_s INTEGER, grid_count INTEGER, grid_age_s INTEGER,
        increments BLOB NOT NULL, error_flags INTEGER NOT NULL, is_authentic INTEGER NOT NULL,
        battery_left_d INTEGER NOT NULL, bearer TEXT NOT NULL, rssi_dbm INTEGER)""",
    "collector_count": """(
        stamp_ms INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, serial TEXT NOT NULL,
        boot INTEGER NOT NULL, counter INTEGER NOT NULL,
        earliest_ms INTEGER, latest_ms INTEGER NOT NULL, count INTEGER NOT NULL,
        is_authentic INTEGER NOT NULL, bearer TEXT NOT NULL)""",
    "collector_log": """(
        serial TEXT NOT NULL, boot INTEGER NOT NULL, tick_s INTEGER NOT NULL,
        count INTEGER NOT NULL, stamp_ms INTEGER NOT NULL, epoch INTEGER NOT NULL,
        PRIMARY KEY (serial, boot, tick_s)) WITHOUT ROWID""",
    "collector_end": """(
        serial TEXT PRIMARY KEY, stamp_ms INTEGER NOT NULL, epoch INTEGER NOT NULL,
        ended_ms INTEGER NOT NULL, pulses INTEGER NOT NULL) WITHOUT ROWID""",
    "collector_condensed": "(serial TEXT PRIMARY KEY, before_ms INTEGER NOT NULL) WITHOUT ROWID",
    "collector_base": """(
        serial TEXT NOT NULL, kind TEXT NOT NULL, boot INTEGER NOT NULL, counter INTEGER NOT NULL,
        uptime_s INTEGER, count INTEGER NOT NULL, count_boot INTEGER,
        count_counter INTEGER, count_uptime_s INTEGER, pulses INTEGER NOT NULL,
        PRIMARY KEY (serial, kind)) WITHOUT ROWID""",
    "collector_past": """(
        serial TEXT NOT NULL, at_s INTEGER NOT NULL, through_s INTEGER NOT NULL,
        pulses INTEGER NOT NULL, status INTEGER NOT NULL,
        PRIMARY KEY (serial, at_s)) WITHOUT ROWID""",
    "collector_past_flag": """(
        serial TEXT NOT NULL, start_s INTEGER NOT NULL, status INTEGER NOT NULL,
        PRIMARY KEY (serial, start_s)) WITHOUT ROWID""",
    "collector_overtaken": """(
        serial TEXT NOT NULL, start_s INTEGER NOT NULL, pulses INTEGER NOT NULL,
        status INTEGER NOT NULL, PRIMARY KEY (serial, start_s)) WITHOUT ROWID""",
    "collector_refusal": """(
        serial TEXT NOT NULL, kind TEXT NOT NULL, refused INTEGER NOT NULL,
        PRIMARY KEY (serial, kind)) WITHOUT ROWID""",
    "collector_boundary": """(
        serial TEXT NOT NULL, at_s INTEGER NOT NULL, through_s INTEGER NOT NULL,
        pulses INTEGER NOT NULL, status INTEGER NOT NULL,
        PRIMARY KEY (serial, at_s)) WITHOUT ROWID""",
    "collector_flag": """(
        serial TEXT NOT NULL, start_s INTEGER NOT NULL, status INTEGER NOT NULL,
        PRIMARY KEY (serial, start_s)) WITHOUT ROWID""",
    "collector_seen": """(
        serial TEXT NOT NULL, is_advert INTEGER NOT NULL, counter INTEGER NOT NULL,
        boot INTEGER NOT NULL, PRIMARY KEY (serial, is_advert, counter)) WITHOUT ROWID""",
}
_ADDED_COLUMNS: Final = (
    ("collector_unit", "address", "BLOB"),
    ("collector_unit", "selector", "TEXT NOT NULL DEFAULT 'count'"),
    ("collector_unit", "wh_per_count", "INTEGER NOT NULL DEFAULT 1"),
    ("collector_unit", "max_power_w", "INTEGER NOT NULL DEFAULT 23000"),
    ("collector_unit", "is_log_readable", "INTEGER NOT NULL DEFAULT 0"),
    ("collector_unit", "alarms", "INTEGER"),
    ("collector_unit", "base_advert", "INTEGER"),
)
"""What tables have besides what they were first made with."""

_INDICES: Final = (
    """CREATE UNIQUE INDEX IF NOT EXISTS collector_journal_key
        ON collector_journal (serial, boot, counter) WHERE narrows = 0""",
    "CREATE INDEX IF NOT EXISTS collector_journal_stamp ON collector_journal (serial, stamp_ms)",
    """CREATE UNIQUE INDEX IF NOT EXISTS collector_count_key
        ON collector_count (serial, boot, counter)""",
    "CREATE INDEX IF NOT EXISTS collector_count_stamp ON collector_count (serial, stamp_ms)",
    "CREATE INDEX IF NOT EXISTS collector_log_stamp ON collector_log (serial, stamp_ms)",
)


class Tables:
    """The connection, and the tables on it.

    Args:
        connection: an open database. Where no transaction is open, the first change begins one.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    @property
    def exist(self) -> bool:
        """Whether the tables have been made, if only by an earlier version of this program."""
        return "collector_clock" not in self._missing()

    def make(self) -> None:
        """Make the tables and columns that are missing."""
        missing = self._missing()
        for name in missing:
            self.change(f"DROP TABLE IF EXISTS temp.{name}")
            self.change(f"CREATE TABLE {name} {_whole(name)}")
        if missing:
            for statement in _INDICES:
                self.change(statement)
        if "collector_clock" in missing:
            self.change("INSERT INTO collector_clock VALUES (1, 0, 0)")
        for table, column, kind in _ADDED_COLUMNS:
            if column not in self.columns(table):
                self.change(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
        logged = self.logged()
        if logged is not None:
            for serial in logged:
                statement = "UPDATE collector_unit SET is_log_readable = 1 WHERE serial = ?"
                self.change(statement, (serial,))
            self.change("DROP TABLE collector_logged")

    def logged(self) -> frozenset[str] | None:
        """Units whose log can be read, where an earlier version kept them apart; else None."""
        query = (
            "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = 'collector_logged'"
        )
        if self.row(query) is None:
            return None
        rows = self.connection.execute("SELECT serial FROM collector_logged")
        return frozenset(serial for (serial,) in rows)

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns of a table, in their order."""
        rows = self.connection.execute(f"PRAGMA table_info({table})")
        return tuple(name for _, name, *_ in rows)

    def stand_in(self) -> None:
        """Let tables that an earlier version did not make be read as empty; nothing is written."""
        for name in self._missing():
            self.connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS {name} {_TABLES[name]}")

    def change(self, statement: str, values: tuple[object, ...] = ()) -> None:
        """Execute a statement that writes, within the owner's transaction."""
        self.begin()
        self.connection.execute(statement, values)

    def begin(self) -> None:
        """Begin a transaction where none is open: otherwise SQLite would commit every change."""
        if not self.connection.in_transaction:
            self.connection.execute("BEGIN")

    def row(self, query: str, values: tuple[object, ...] = ()) -> Any:
        """The first row of a query, or None."""
        return self.connection.execute(query, values).fetchone()

    def _missing(self) -> list[str]:
        query = "SELECT name FROM main.sqlite_master WHERE type = 'table'"
        made = {name for (name,) in self.connection.execute(query)}
        return [name for name in _TABLES if name not in made]


def _whole(name: str) -> str:
    """The columns of a new table, those that were added later at its end, as in an old one."""
    added = "".join(f", {column} {kind}" for table, column, kind in _ADDED_COLUMNS if table == name)
    return f"{_TABLES[name].removesuffix(')')}{added})" if added else _TABLES[name]
