"""What the database keeps of units and of what was accepted."""

from __future__ import annotations

import sqlite3

import pytest

from collector import Collector, MemoryKeystore, Readings, UnitPairedError
from collector.fleet import WINDOW
from collector.storage.registry import Registry
from collector.storage.tables import Tables
from tests.collector.frames import KEY, SERIAL, at, key, record

ADDRESS = bytes.fromhex("C0FFEE123456")


@pytest.fixture
def registry() -> Registry:
    """A registry on a fresh database."""
    connection = sqlite3.connect(":memory:")
    Tables(connection).make()
    return Registry(connection)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"base_key": key(7), "address": ADDRESS},
        {"manufacturer": "ELS", "selector": "energy", "wh_per_count": 100, "max_power_w": 9_000},
        {"manufacturer": "ELS", "selector": "0c14", "allow_unauthenticated": True},
        {"is_log_readable": True},
    ],
)
def test_pairing_comes_back_as_it_was(registry: Registry, changes: dict[str, object]) -> None:
    """Every field of a unit's record is kept."""
    paired = record(**changes)
    registry.add(paired)
    assert [paired] == list(registry.units())


def test_units_of_an_earlier_version_are_read_and_brought_up() -> None:
    """Without the newer columns and tables a unit has their defaults; a collector adds them."""
    connection = sqlite3.connect(":memory:")
    Collector(connection, MemoryKeystore(), at(0)).pair(record(), KEY, at(0))
    for column in ("address", "selector", "wh_per_count", "max_power_w"):
        connection.execute(f"ALTER TABLE collector_unit DROP COLUMN {column}")
    connection.execute("DROP TABLE collector_seen")
    connection.commit()
    assert record() == Readings(connection).unit(SERIAL)
    assert record() == Collector(connection, MemoryKeystore({SERIAL: KEY}), at(9)).unit(SERIAL)
    assert {"address", "selector"} < set(Tables(connection).columns("collector_unit"))
    assert [] == Registry(connection).seen(SERIAL, is_advert=True)


def test_units_with_a_log_of_an_earlier_version_keep_it() -> None:
    """Whose log can be read stood apart: it is read there, and moves into the unit's record."""
    connection = sqlite3.connect(":memory:")
    col = Collector(connection, MemoryKeystore(), at(0))
    for serial in (SERIAL, "00000002"):
        col.pair(record(serial=serial), KEY, at(0))
    connection.execute("ALTER TABLE collector_unit DROP COLUMN is_log_readable")
    connection.execute("CREATE TABLE collector_logged (serial TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.execute("INSERT INTO collector_logged VALUES (?)", (SERIAL,))
    connection.commit()
    earlier = Readings(connection)
    later = Collector(connection, MemoryKeystore({SERIAL: KEY}), at(9))
    for source in (earlier, later, Readings(connection)):
        assert record(is_log_readable=True) == source.unit(SERIAL)
        assert record(serial="00000002") == source.unit("00000002")
    assert Tables(connection).logged() is None


def test_window_is_kept_and_no_more(registry: Registry) -> None:
    """What a window needs is there, in each order of sending, and what is behind it is not."""
    for counter in range(1, WINDOW + 500):
        registry.remember(SERIAL, key(counter), is_advert=False, alone=False)
    registry.remember(SERIAL, key(3, boot=0), is_advert=True, alone=False)
    seen = registry.seen(SERIAL, is_advert=False)
    assert sorted(map(key, range(499, WINDOW + 500))) == sorted(seen)
    assert [key(3, boot=0)] == registry.seen(SERIAL, is_advert=True)
    assert [] == registry.seen("00000002", is_advert=False)


def test_unit_without_counters_has_one_place(registry: Registry) -> None:
    """Where telegrams must rise, only the newest is kept, also when its boot begins anew."""
    for place in (key(900), key(5, boot=2), key(5, boot=3)):
        registry.remember(SERIAL, place, is_advert=False, alone=True)
    assert [key(5, boot=3)] == registry.seen(SERIAL, is_advert=False)


def test_pairing_that_cannot_be_changes_nothing() -> None:
    """A second unit at an address is refused before anything of it is kept."""
    connection, keys = sqlite3.connect(":memory:"), MemoryKeystore()
    col = Collector(connection, keys, at(0))
    col.pair(record(address=ADDRESS), KEY, at(0))
    with pytest.raises(UnitPairedError, match="c0:ff:ee"):
        col.pair(record(serial="00000002", address=ADDRESS), KEY, at(0))
    assert ((SERIAL,), None) == (col.serials, keys.get("00000002"))
