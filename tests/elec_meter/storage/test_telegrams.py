"""What a repair makes of the collector's journal: telegrams, counts, logs and ends alike."""

from __future__ import annotations

import sqlite3

import pytest

from collector.storage.tables import Tables
from elec_meter.storage.telegrams import drop_from_the_future, tell_the_time

DURABLE_S = 1_767_225_600
DAY_MS = 86_400_000
STAMPED = {
    "collector_count": (
        "INSERT INTO collector_count VALUES (?1, 3, '00000001', 0, ?1, NULL, ?1, 7, 1, 'ble')"
    ),
    "collector_log": "INSERT INTO collector_log VALUES ('00000001', 1, 1800, 7, ?1, 3)",
    "collector_end": "INSERT INTO collector_end VALUES ('00000001', ?1, 3, ?1, 7)",
}


@pytest.fixture
def connection() -> sqlite3.Connection:
    """The collector's tables, empty."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    Tables(made).make()
    return made


@pytest.mark.parametrize("table", STAMPED)
def test_clock_goes_on_behind_everything_that_was_stamped(
    connection: sqlite3.Connection, table: str
) -> None:
    """The next stamp is later than any there is, and its epoch no earlier."""
    stamp_ms = DURABLE_S * 1000 + 5_000
    connection.execute(STAMPED[table], (stamp_ms,))
    tell_the_time(connection, DURABLE_S)
    told = connection.execute("SELECT told_ms, epoch FROM collector_clock").fetchone()
    assert (stamp_ms, 3) == told


@pytest.mark.parametrize("table", STAMPED)
def test_what_was_stamped_days_ahead_is_dropped(connection: sqlite3.Connection, table: str) -> None:
    """It makes no sense; what lies within a day of the last durable instant stays."""
    connection.execute(STAMPED[table], (DURABLE_S * 1000 + DAY_MS,))
    assert [] == drop_from_the_future(connection, DURABLE_S)
    assert ["1 telegrams made no sense and were dropped"] == drop_from_the_future(
        connection, DURABLE_S - 1
    )
    assert 0 == connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
