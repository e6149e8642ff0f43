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

_VERSION_2: Final = (
    "ALTER TABLE meter_configuration ADD COLUMN author TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE meter_configuration ADD COLUMN level INTEGER NOT NULL DEFAULT 4",
    """CREATE TABLE clock_stretch (
        from_us INTEGER PRIMARY KEY, meter_us INTEGER NOT NULL, gain INTEGER NOT NULL,
        dating INTEGER NOT NULL) STRICT""",
    # Until now the meter's time was the host's.
    """INSERT INTO clock_stretch SELECT at_s * 1000000, at_s * 1000000, 0, 0
        FROM ledger_instant WHERE name = 'begun_s'""",
    """INSERT INTO ledger_instant SELECT 'reached_s', at_s
        FROM ledger_instant WHERE name = 'closed_s'""",
    "ALTER TABLE ledger_account DROP COLUMN unallocated_wh",
    "ALTER TABLE ledger_account ADD COLUMN cost_energy_up INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE ledger_account ADD COLUMN cost_standing_up INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE ledger_account ADD COLUMN cost_unpriced_wh INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE ledger_rate ADD COLUMN used INTEGER NOT NULL DEFAULT 0",
    """CREATE TABLE ledger_block (
        channel TEXT NOT NULL, rate INTEGER NOT NULL, block INTEGER NOT NULL,
        quantity INTEGER NOT NULL,
        PRIMARY KEY (channel, rate, block)) STRICT, WITHOUT ROWID""",
    "ALTER TABLE ledger_row ADD COLUMN reactive_q1_varh INTEGER",
    "ALTER TABLE ledger_row ADD COLUMN reactive_q2_varh INTEGER",
    "ALTER TABLE ledger_row ADD COLUMN reactive_q3_varh INTEGER",
    "ALTER TABLE ledger_row ADD COLUMN reactive_q4_varh INTEGER",
    "ALTER TABLE ledger_row ADD COLUMN revision INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE ledger_pulse_channel RENAME COLUMN booked_through_s TO through_us",
    "ALTER TABLE ledger_pulse_channel ADD COLUMN ahead INTEGER NOT NULL DEFAULT 0",
    "UPDATE ledger_pulse_channel SET through_us = through_us * 1000000",
    "UPDATE ledger_pulse_row SET rate = 0 WHERE pulses = 0",
    """CREATE TABLE ledger_pulse_run (
        channel TEXT NOT NULL, start_s INTEGER NOT NULL, end_s INTEGER NOT NULL,
        status INTEGER NOT NULL,
        PRIMARY KEY (channel, start_s)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE ledger_spell (
        from_us INTEGER PRIMARY KEY, to_us INTEGER) STRICT""",
    """CREATE TABLE ledger_unallocated (
        from_us INTEGER NOT NULL, channel TEXT NOT NULL, quantity INTEGER NOT NULL,
        PRIMARY KEY (from_us, channel)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE ledger_snapshot (
        kind TEXT NOT NULL, at_s INTEGER NOT NULL, document BLOB NOT NULL,
        PRIMARY KEY (kind, at_s)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE ledger_data_row (
        channel TEXT NOT NULL, start_s INTEGER NOT NULL, value INTEGER,
        PRIMARY KEY (start_s, channel)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE ledger_book (
        name TEXT PRIMARY KEY, document BLOB NOT NULL) STRICT, WITHOUT ROWID""",
)

_VERSION_3: Final = (
    "ALTER TABLE meter_event ADD COLUMN subject TEXT",
    # Until now a unit was named in the sentence alone, by its eight digits.
    """UPDATE meter_event SET subject = substr(text, instr(text, 'unit ') + 5, 8)
        WHERE code IN (100, 102, 103, 105, 210, 211, 212, 213, 214, 215, 216, 217)
        AND substr(text, instr(text, 'unit ')) GLOB
            'unit [0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]*'
        AND substr(text, instr(text, 'unit ') + 13, 1) IN ('', ' ', ':')""",
    """UPDATE meter_event SET subject = substr(text, 1, 8)
        WHERE code = 217
        AND text GLOB '[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9] log refused: *'""",
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (_VERSION_1, _VERSION_2, _VERSION_3)
"""The statements that lead from each version to the next; the first one from an empty file."""


def migrate(connection: sqlite3.Connection, through: int | None = None) -> None:
    """Bring a database of this or an earlier version up to the newest, one transaction each.

    Args:
        connection: without an open transaction.
        through: stop at this version.

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
    for number, statements in enumerate(MIGRATIONS[version:through], version + 1):
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
