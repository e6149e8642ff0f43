from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from collector import DialReading
from collector.segments import Segment
from collector.storage.pairings import Pairings
from elec_meter.errors import RepairError
from elec_meter.storage import DATABASE_NAME
from elec_meter.storage.repair import repair
from elec_meter.storage.salvage import DERIVED
from shared.units import PULSE_10_L
from tests.elec_meter.storage.files import fingerprint
from tests.elec_meter.storage.house import SERIAL, audited
from tests.elec_meter.storage.repairs import NOW, PAGE, Sound, collector, damaged

KEPT_BESIDE = (
    "collector_pairing",
    "collector_certificate",
    "collector_dial_offset",
    "collector_calorific_value",
    "collector_correction",
)


@pytest.fixture
def collected(tmp_path: Path, sound_database: Sound) -> Path:
    """A directory that a collector had paired its unit in before the meter took it over."""
    directory = damaged(tmp_path, sound_database.content)
    with closing(sqlite3.connect(directory / DATABASE_NAME)) as connection:
        pairings = Pairings(connection)
        pairings.make()
        pairings.begin(
            Segment(
                serial=SERIAL,
                channel="gas",
                mprn="3938424403",
                meter_serial="G4A1",
                weight=PULSE_10_L,
                dial=DialReading(Fraction(1_234_567), "m3"),
                from_utc=NOW,
                from_pulses=0,
            )
        )
        pairings.certify(1, "pairing", SERIAL, {"kind": "pairing", "unit": {"serial": SERIAL}})
        pairings.log_offset("gas", 1, Fraction(1_234_567), Fraction(7, 3))
        pairings.set_calorific_value(date(2026, 1, 1), Fraction("39.5"))
        pairings.set_correction("gas", Fraction("1.02264"))
        connection.execute("CREATE TABLE collector_later (serial TEXT NOT NULL, blob BLOB)")
        connection.execute("INSERT INTO collector_later VALUES ('00000001', x'00FF')")
        connection.commit()
        connection.execute("PRAGMA journal_mode = DELETE")
    return directory


def rows(directory: Path) -> dict[str, list[object]]:
    """All rows of all tables of the collector that are not derived, and its indexes."""
    with closing(sqlite3.connect(directory / DATABASE_NAME)) as connection:
        query = (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'collector_%'"
            " ORDER BY name"
        )
        names = [name for (name,) in connection.execute(query) if name not in DERIVED]
        found: dict[str, list[object]] = {
            name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names
        }
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name"
        found["indexes"] = connection.execute(query).fetchall()
    return found


def without(directory: Path, table: str) -> None:
    """Destroy the first page of a table."""
    path = directory / DATABASE_NAME
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        (root,) = connection.execute(query, (table,)).fetchone()
    content = bytearray(path.read_bytes())
    content[(root - 1) * PAGE : root * PAGE] = bytes(PAGE)
    path.write_bytes(content)


def test_every_table_of_a_collector_is_carried(collected: Path) -> None:
    """Pairings, certificates, dials, calorific values, and tables of later versions stay whole."""
    before = rows(collected)
    assert all(before[name] for name in KEPT_BESIDE)
    without(collected, "ledger_row")
    report = repair(collected, NOW, collector)
    assert report.kept_as is not None
    after = rows(collected)
    before.pop("collector_clock")  # it goes on
    after.pop("collector_clock")
    assert before == after
    assert [] == audited(collected)


@pytest.mark.parametrize(
    "table",
    ["collector_pairing", "collector_dial_offset", "collector_correction", "collector_later"],
)
def test_what_makes_a_dial_of_a_register_is_not_lost(collected: Path, table: str) -> None:
    """Where a weight, an offset, a factor, or what nobody knows cannot be read, it is refused."""
    without(collected, table)
    before = {name: each for name, each in fingerprint(collected).items() if name != "lock"}
    with pytest.raises(RepairError, match=table):
        repair(collected, NOW, collector)
    after = {name: each for name, each in fingerprint(collected).items() if name != "lock"}
    assert before == after


@pytest.mark.parametrize("table", ["collector_certificate", "collector_calorific_value"])
def test_a_lost_certificate_is_said(collected: Path, table: str) -> None:
    """What a person can write again is lost and said, and everything else stays."""
    before = rows(collected)
    without(collected, table)
    report = repair(collected, NOW, collector)
    assert [1] == [each.unreadable for each in report.tables if each.name == table]
    after = rows(collected)
    assert [] == after[table]
    for name in (*KEPT_BESIDE, "collector_later"):
        if name != table:
            assert before[name] == after[name]


def test_a_table_that_cannot_be_made_again_is_refused(collected: Path, tmp_path: Path) -> None:
    """A statement that damage has changed loses no table in silence."""
    path = collected / DATABASE_NAME
    content = path.read_bytes()
    shutil.copy(path, tmp_path / "kept")
    assert 1 == content.count(b"TABLE collector_later")
    path.write_bytes(content.replace(b"TABLE collector_later", b"TABLE collector lat~r"))
    with pytest.raises(RepairError, match="cannot be made again"):
        repair(collected, NOW, collector)
