from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from collector import Collector, MemoryKeystore
from collector.storage.eventlog import EventLog
from collector.storage.pairings import Pairings
from elec_meter.storage import DATABASE_NAME, Storage
from elec_meter.storage.salvage import DERIVED, ESSENTIAL, MENDABLE
from shared.timegrid import from_unix_s


def test_repair_knows_every_table_of_every_schema(tmp_path: Path) -> None:
    """Of each table that a program of ours makes it is written down whether rows may be lost."""
    with Storage.open(tmp_path) as storage:
        Collector(storage.connection, MemoryKeystore(), from_unix_s(0))
        Pairings(storage.connection).make()
        EventLog(storage.connection).make()
        storage.connection.commit()
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        made = {name for (name,) in connection.execute(query)}
    assert made == ESSENTIAL | MENDABLE | DERIVED
    assert len(made) == len(ESSENTIAL) + len(MENDABLE) + len(DERIVED)


def test_no_table_is_made_where_repair_does_not_look() -> None:
    """The four schemas that the test above opens are all there are."""
    root = Path(__file__).parents[2]
    makers = {
        str(path.relative_to(root))
        for package in ("collector", "elec_meter", "shared", "pulse_unit")
        for path in (root / package).rglob("*.py")
        if "CREATE TABLE" in path.read_text(encoding="utf-8")
    }
    assert makers == {
        "collector/storage/eventlog.py",
        "collector/storage/pairings.py",
        "collector/storage/tables.py",
        "elec_meter/storage/schema.py",
    }
