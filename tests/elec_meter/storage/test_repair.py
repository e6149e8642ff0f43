from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from elec_meter.cli.main import main
from elec_meter.errors import (
    CorruptError,
    DirectoryInUseError,
    NotADataDirectoryError,
    RepairError,
    StorageError,
)
from elec_meter.events import EventCode
from elec_meter.storage import DATABASE_NAME, Storage, database
from elec_meter.storage.repair import repair
from tests.elec_meter.storage.house import House, audited
from tests.elec_meter.storage.repairs import (
    NOW,
    PAGE,
    Sound,
    assert_repaired,
    collector,
    damaged,
    files,
    registers,
    without_page,
)


def test_a_sound_directory_is_left_alone(tmp_path: Path, sound_database: Sound) -> None:
    """Nothing is written where nothing is wrong."""
    directory = damaged(tmp_path, sound_database.content)
    before = files(directory)
    assert repair(directory, NOW, collector).kept_as is None
    assert before == files(directory)


@pytest.mark.parametrize("table", ["ledger_row", "ledger_run", "meter_event", "meter_state"])
def test_lost_rows_are_aged_and_said(tmp_path: Path, sound_database: Sound, table: str) -> None:
    """Registers stay as they were to the Wh, whatever rows were lost."""
    directory = damaged(tmp_path, without_page(sound_database, table))
    with pytest.raises(CorruptError, match=f"elec-meter repair --data {directory}"):
        Storage.open(directory)
    report = assert_repaired(directory, sound_database)
    assert (sound_database.totals, sound_database.rates) == registers(directory)[:2]
    with Storage.open(directory) as storage:
        said = [e.text for e in storage.events() if e.code == EventCode.STORAGE_REPAIRED]
    assert table in said[0]
    assert said[1:] == report.changes
    lost = any("pulse inputs go on from what data channels" in each for each in report.changes)
    assert lost == (table == "meter_state")
    if table == "ledger_row":
        assert any("import" in each and "were aged" in each for each in report.changes)


@pytest.mark.parametrize(
    "table", ["collector_journal", "ledger_pulse_row", "ledger_pulse_channel", "collector_flag"]
)
def test_gas_follows_from_what_is_left(tmp_path: Path, sound_database: Sound, table: str) -> None:
    """Derived tables come back as they were, and pages of telegrams are found without the tree."""
    directory = damaged(tmp_path, without_page(sound_database, table))
    assert_repaired(directory, sound_database)
    assert (sound_database.totals, sound_database.rates, sound_database.rows) == registers(
        directory
    )


def test_lost_telegrams_lower_no_register(tmp_path: Path, sound_database: Sound) -> None:
    """When the newest telegrams are lost the register stays, and the unit's next one goes on."""
    content = bytearray(sound_database.content)
    begin = _page_of_newest_telegram(sound_database)
    content[begin : begin + PAGE] = bytes(PAGE)
    directory = damaged(tmp_path, bytes(content))
    report = assert_repaired(directory, sound_database)
    assert sound_database.totals == registers(directory)[0]
    assert any("telegrams of the last" in each for each in report.changes)
    with Storage.open(directory) as storage:
        house = House(storage)
        house.live(24)
        assert house.totals[-1] > sound_database.totals[-1]
    assert [] == audited(directory)


def _page_of_newest_telegram(sound_database: Sound) -> int:
    """Where the last leaf of the journal begins."""
    root = (sound_database.roots["collector_journal"] - 1) * PAGE
    right = int.from_bytes(sound_database.content[root + 8 : root + 12])
    return (right - 1) * PAGE


@pytest.mark.parametrize(
    "table",
    ["ledger_account", "ledger_rate", "collector_unit", "collector_end", "collector_past_flag"],
)
def test_lost_registers_are_refused_untouched(
    tmp_path: Path, sound_database: Sound, table: str
) -> None:
    """Where a register cannot be read nothing is made up, and nothing is touched."""
    directory = damaged(tmp_path, without_page(sound_database, table))
    before = files(directory)
    with pytest.raises(RepairError, match=table):
        repair(directory, NOW, collector)
    assert before == files(directory)


EDITS = {
    "UPDATE ledger_account SET total_wh = total_wh - 5 WHERE channel = 'import'": "its rates are",
    "UPDATE ledger_account SET aged_wh = aged_wh + 7 WHERE channel = 'import'": "put to rate 1",
    "UPDATE ledger_account SET aged_wh = aged_wh + (1 << 40)": "aged made no sense",
    "UPDATE ledger_account SET residual_mj = -1 WHERE channel = 'import'": "below a Wh",
    "UPDATE ledger_row SET import_wh = import_wh - 1 WHERE import_wh > 0": "were aged",
    "UPDATE ledger_row SET status = 256": "made no sense",
    "UPDATE ledger_row SET start_s = start_s + 1": "made no sense",
    "DELETE FROM ledger_row": "rows are lost",
    "DELETE FROM ledger_pulse_row": "",
    "DELETE FROM collector_clock": "",
    "UPDATE collector_boundary SET pulses = pulses + 1 WHERE pulses > 200": "",
}


@pytest.mark.parametrize(("edit", "said"), EDITS.items(), ids=list(EDITS))
def test_books_that_do_not_balance_are_balanced(
    tmp_path: Path, sound_database: Sound, edit: str, said: str
) -> None:
    """Values that contradict each other in a file that is sound are mended too, and said."""
    directory = damaged(tmp_path, sound_database.content)
    edited(directory, edit)
    report = assert_repaired(directory, sound_database)
    assert report.kept_as == f"{DATABASE_NAME}.damaged-1"
    assert any(said in each for each in [*report.changes, ""])


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE ledger_account SET total_wh = total_wh + 5 WHERE channel = 'import'",
        "UPDATE ledger_rate SET quantity = quantity - 5 WHERE channel = 'import' AND rate = 1",
        "UPDATE ledger_rate SET quantity = quantity + 5 WHERE channel = 'import' AND rate = 1",
        "UPDATE ledger_rate SET rate = 3 WHERE channel = 'import' AND rate = 2",
        "DELETE FROM ledger_account WHERE channel = 'import'",
        "DELETE FROM ledger_instant WHERE name = 'begun_s'",
        "DELETE FROM meter_configuration",
        "DELETE FROM collector_unit",
        "UPDATE ledger_pulse_channel SET total = total + 5",
        "UPDATE collector_unit SET base_count = base_count + 5",
    ],
)
def test_registers_that_contradict_each_other_are_refused(
    tmp_path: Path, sound_database: Sound, edit: str
) -> None:
    """No program can tell which of them is right."""
    directory = damaged(tmp_path, sound_database.content)
    edited(directory, edit)
    before = files(directory)
    with pytest.raises(RepairError, match="cannot be repaired"):
        repair(directory, NOW, collector)
    assert before == files(directory)


def edited(directory: Path, edit: str) -> None:
    """Change a database behind the meter's back."""
    connection = sqlite3.connect(directory / DATABASE_NAME)
    assert connection.execute(edit).rowcount > 0
    connection.commit()
    connection.close()


def test_the_log_beside_a_damaged_database_is_read(tmp_path: Path) -> None:
    """What was committed and is only in the log survives the repair, which keeps the log too."""
    with Storage.open(tmp_path) as storage:
        house = House(storage)
        house.live(30)
        storage.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        house.live(3)
        totals = house.totals
        for path in tmp_path.glob(f"{DATABASE_NAME}*"):
            shutil.copy(path, path.with_name(f"kept-{path.name}"))
        (root,) = storage.connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'ledger_run'"
        ).fetchone()
    for path in tmp_path.glob("kept-*"):
        path.replace(path.with_name(path.name.removeprefix("kept-")))
    content = bytearray((tmp_path / DATABASE_NAME).read_bytes())
    content[(root - 1) * PAGE : root * PAGE] = bytes(PAGE)
    (tmp_path / DATABASE_NAME).write_bytes(content)
    report = repair(tmp_path, NOW, collector)
    assert [] == audited(tmp_path)
    assert totals == registers(tmp_path)[0]
    assert (tmp_path / f"{report.kept_as}-wal").exists()
    assert not (tmp_path / f"{DATABASE_NAME}-wal").exists()


def test_a_repair_that_was_interrupted_goes_on(
    tmp_path: Path, sound_database: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the moment the new database is complete, whoever opens the directory finds it."""
    directory = damaged(tmp_path, without_page(sound_database, "ledger_row"))
    with monkeypatch.context() as patched:
        patched.setattr("elec_meter.storage.repair.finish_repair", _interrupted)
        with pytest.raises(InterruptedError):
            _switch_interrupted(directory)
    assert (directory / database.REPAIRED).exists()
    with pytest.raises(StorageError, match="was interrupted"):
        Storage.open(directory, read_only=True)
    assert sound_database.totals == registers(directory)[0]
    assert [] == audited(directory)


def _interrupted(path: Path) -> None:
    if path.with_name(database.REPAIRED).exists():
        raise KeyboardInterrupt


def _switch_interrupted(directory: Path) -> None:
    try:
        repair(directory, NOW, collector)
    except KeyboardInterrupt:
        raise InterruptedError from None


def test_a_second_repair_keeps_the_first_ones_files(tmp_path: Path, sound_database: Sound) -> None:
    """Damaged databases are numbered."""
    directory = damaged(tmp_path, without_page(sound_database, "ledger_row"))
    assert f"{DATABASE_NAME}.damaged-1" == repair(directory, NOW, collector).kept_as
    edited(directory, "DELETE FROM ledger_row")
    assert f"{DATABASE_NAME}.damaged-2" == repair(directory, NOW, collector).kept_as


def test_a_directory_in_use_is_not_repaired(tmp_path: Path) -> None:
    """The meter that has it open goes on undisturbed."""
    with Storage.open(tmp_path), pytest.raises(DirectoryInUseError):
        repair(tmp_path, NOW, collector)


def test_nothing_is_repaired_where_nothing_is(tmp_path: Path) -> None:
    """An empty directory, another program's file and an empty file are no meter's data."""
    with pytest.raises(NotADataDirectoryError):
        repair(tmp_path, NOW, collector)
    (tmp_path / DATABASE_NAME).write_bytes(b"")
    with pytest.raises(NotADataDirectoryError):
        repair(tmp_path, NOW, collector)
    (tmp_path / DATABASE_NAME).write_bytes(b"GIF89a" + bytes(9000))
    with pytest.raises(NotADataDirectoryError):
        repair(tmp_path, NOW, collector)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_permission_is_refused(tmp_path: Path, sound_database: Sound) -> None:
    """One sentence, and nothing is touched."""
    directory = damaged(tmp_path, sound_database.content)
    directory.chmod(0o500)
    with pytest.raises(StorageError, match="cannot be opened"):
        repair(directory, NOW, collector)
    directory.chmod(0o700)


def test_the_command_says_what_it_did(tmp_path: Path, sound_database: Sound) -> None:
    """In sentences and as JSON; a second run finds nothing to do."""
    directory = damaged(tmp_path, without_page(sound_database, "ledger_row"))
    words = ["repair", "--data", str(directory)]
    result = CliRunner().invoke(main, words)
    assert 0 == result.exit_code, result.output
    assert "were aged" in result.output
    assert "meter.sqlite.damaged-1" in result.output
    assert "sound" in CliRunner().invoke(main, words).output
    printed = json.loads(CliRunner().invoke(main, [*words, "--json"]).output)
    assert {"kept_as": None, "tables": [], "changes": []} == printed


def test_the_command_refuses_in_a_sentence(tmp_path: Path, sound_database: Sound) -> None:
    """Exit code 1 and what is wrong."""
    directory = damaged(tmp_path, without_page(sound_database, "ledger_account"))
    result = CliRunner().invoke(main, ["repair", "--data", str(directory)])
    assert 1 == result.exit_code
    assert "ledger_account" in result.output
