"""The database's schema, version by version.

`user_version` is the number of migrations applied. It is only ever written outside WAL mode, so
that the first hundred bytes of the file tell the truth about it at any time.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from elec_meter.errors import NewerSchemaError

APPLICATION_ID: Final = 0x48485931
"""`HHY1`: what tells our database from another program's."""

_VERSION_1: Final = (
    """CREATE TABLE meter_configuration (
        number INTEGER PRIMARY KEY, applied_s INTEGER NOT NULL, document TEXT NOT NULL) STRICT""",
    """CREATE TABLE meter_event (
        number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, code INTEGER NOT NULL,
        text TEXT NOT NULL) STRICT""",
    """CREATE TABLE meter_state (
        key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE ledger_instant (
        name TEXT PRIMARY KEY, at_s INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE ledger_account (
        channel TEXT PRIMARY KEY, total_wh INTEGER NOT NULL, aged_wh INTEGER NOT NULL,
        unallocated_wh INTEGER NOT NULL, residual_mj INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE ledger_rate (
        channel TEXT NOT NULL, rate INTEGER NOT NULL CHECK (rate BETWEEN 1 AND 48),
        quantity INTEGER NOT NULL,
        PRIMARY KEY (channel, rate)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE ledger_row (
        start_s INTEGER PRIMARY KEY, import_wh INTEGER NOT NULL, export_wh INTEGER NOT NULL,
        status INTEGER NOT NULL) STRICT""",
    """CREATE TABLE ledger_run (
        start_s INTEGER PRIMARY KEY, end_s INTEGER NOT NULL, status INTEGER NOT NULL) STRICT""",
    """CREATE TABLE ledger_pulse_channel (
        channel TEXT PRIMARY KEY, total INTEGER NOT NULL, aged INTEGER NOT NULL,
        booked_through_s INTEGER) STRICT, WITHOUT ROWID""",
    """CREATE TABLE ledger_pulse_row (
        channel TEXT NOT NULL, start_s INTEGER NOT NULL, pulses INTEGER NOT NULL,
        status INTEGER NOT NULL, rate INTEGER NOT NULL,
        PRIMARY KEY (channel, start_s)) STRICT, WITHOUT ROWID""",
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (_VERSION_1,)
"""The statements that lead from each version to the next; the first one from an empty file."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database of this or an earlier version up to the newest, one transaction each.

    Raises:
        NewerSchemaError: a later version of this program wrote it.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == len(MIGRATIONS):
        return
    if version > len(MIGRATIONS):
        raise NewerSchemaError(
            f"the database was written by a later version of this program (schema {version},"
            f" and this one knows {len(MIGRATIONS)})"
        )
    connection.execute("PRAGMA journal_mode = DELETE")
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
