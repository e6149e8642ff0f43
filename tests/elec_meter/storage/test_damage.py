from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from elec_meter.storage import DATABASE_NAME, Storage
from tests.elec_meter.storage.files import fingerprint
from tests.elec_meter.storage.house import House, audited

LAST_ROW = "(SELECT max(start_s) FROM ledger_row)"
MIDDLE_MS = "(SELECT avg(stamp_ms) FROM collector_journal)"
A_PULSE_ROW = "(SELECT start_s FROM ledger_pulse_row WHERE pulses > 0 LIMIT 1)"

DAMAGES = {
    "UPDATE ledger_account SET total_wh = total_wh + 1 WHERE channel = 'import'": (
        "import: the register is"
    ),
    "UPDATE ledger_account SET aged_wh = aged_wh - 1 WHERE channel = 'import'": "Wh aged",
    "INSERT INTO ledger_spell VALUES (1, 2);"
    "INSERT INTO ledger_unallocated VALUES (1, 'export', 1)": "1 Wh unallocated",
    "UPDATE ledger_rate SET quantity = quantity + 1 WHERE channel = 'import' AND rate = 1": (
        "its rates are"
    ),
    "UPDATE ledger_account SET residual_mj = 3600000 WHERE channel = 'import'": "mJ are carried",
    "DELETE FROM ledger_account WHERE channel = 'import'": "import: the register is 0 Wh",
    "UPDATE ledger_rate SET quantity = quantity - 1 WHERE channel = 'import' AND rate = 2": (
        "its rates are"
    ),
    "UPDATE ledger_rate SET quantity = -5 WHERE channel = 'export' AND rate = 3": "below zero",
    f"UPDATE ledger_row SET import_wh = import_wh + 1 WHERE start_s = {LAST_ROW}": (
        "import: the register is"
    ),
    f"UPDATE ledger_row SET export_wh = -1 WHERE start_s = {LAST_ROW}": "is below zero",
    f"UPDATE ledger_row SET status = 256 WHERE start_s = {LAST_ROW}": "has the unknown status 256",
    f"UPDATE ledger_row SET start_s = start_s + 1 WHERE start_s = {LAST_ROW}": (
        "does not start a period"
    ),
    f"UPDATE ledger_row SET start_s = 1 << 60 WHERE start_s = {LAST_ROW}": ("rows are missing"),
    f"DELETE FROM ledger_row WHERE start_s = {LAST_ROW}": "rows are missing",
    f"INSERT INTO ledger_run VALUES ({LAST_ROW} - 3600, {LAST_ROW}, 4)": "exists twice",
    "DELETE FROM ledger_instant WHERE name = 'begun_s'": "first power-up is missing",
    f"UPDATE ledger_pulse_row SET pulses = pulses + 1 WHERE start_s = {A_PULSE_ROW}": (
        "gas: the rates are"
    ),
    f"UPDATE ledger_pulse_row SET status = 4 WHERE start_s = {A_PULSE_ROW}": (
        "and the journal gives"
    ),
    f"UPDATE ledger_pulse_row SET rate = 3 - rate WHERE start_s = {A_PULSE_ROW}": (
        "and the journal gives"
    ),
    f"DELETE FROM ledger_pulse_row WHERE start_s = {A_PULSE_ROW}": "is missing",
    "UPDATE ledger_pulse_channel SET total = total - 1": "gas: the register is",
    "UPDATE ledger_pulse_channel SET aged = aged + 1": "gas: the rates are",
    "UPDATE ledger_rate SET quantity = quantity + 1 WHERE channel = 'gas' AND rate = 1": (
        "gas: rate 1 is"
    ),
    f"DELETE FROM collector_journal WHERE stamp_ms > {MIDDLE_MS}": "gas: the register is",
    f"UPDATE collector_boundary SET pulses = pulses + 1 WHERE at_s * 1000 > {MIDDLE_MS}": (
        "gas: the collector keeps"
    ),
    "DELETE FROM collector_unit": "gas: the register is",
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of a day and a half, with a depth of one."""
    directory = tmp_path_factory.mktemp("sound")
    with Storage.open(directory) as storage:
        house = House(storage)
        for _ in range(60):
            for _ in range(6):
                house.step()
            house.checkpoint()
    assert [] == audited(directory)
    return directory


@pytest.mark.parametrize(("damage", "named"), DAMAGES.items(), ids=list(DAMAGES))
def test_damage_is_found_and_named(sound: Path, tmp_path: Path, damage: str, named: str) -> None:
    """Whatever is edited behind the meter's back is in the audit, in words."""
    directory = tmp_path / "data"
    shutil.copytree(sound, directory)
    connection = sqlite3.connect(directory / DATABASE_NAME)
    for statement in damage.split(";"):
        assert connection.execute(statement).rowcount > 0
    connection.commit()
    connection.close()
    found = audited(directory)
    assert any(named in sentence for sentence in found), found
    assert all("\n" not in sentence for sentence in found)


def test_audit_touches_nothing(sound: Path) -> None:
    """The audit reads the database, and that is all it does to it."""
    before = fingerprint(sound)[DATABASE_NAME]
    audited(sound)
    assert before == fingerprint(sound)[DATABASE_NAME]


def test_audit_of_a_running_meter_is_of_one_moment(tmp_path: Path) -> None:
    """A directory that is being written balances whenever it is looked at."""
    with Storage.open(tmp_path) as storage:
        house = House(storage)
        for _ in range(8):
            house.step()
            assert [] == audited(tmp_path)
            house.step()
            house.checkpoint()
            assert [] == audited(tmp_path)
