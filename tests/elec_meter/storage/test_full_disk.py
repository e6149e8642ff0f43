from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from elec_meter import Meter
from elec_meter.errors import CheckpointFailedError, StorageLostError
from elec_meter.events import EventCode
from elec_meter.objects import MeterFault
from elec_meter.runtime import Runtime
from elec_meter.storage import Storage, connection
from tests.elec_meter.ledger.meters import MIDNIGHT_S, meter_config, powered_ledger
from tests.elec_meter.storage.house import audited
from tests.elec_meter.storage.metered import BEGIN, MeteredHouse, told

ROOT = Path(__file__).parents[3]
CODES = [EventCode.STORAGE_FAILED, EventCode.STORAGE_RECOVERED]


def fill(storage: Storage) -> None:
    """Let the database grow no further."""
    (pages,) = storage.connection.execute("PRAGMA page_count").fetchone()
    storage.connection.execute(f"PRAGMA max_page_count = {pages}")


def free(storage: Storage) -> None:
    """Let it grow again."""
    sqlite3.Connection.execute(storage.connection, "PRAGMA max_page_count = 1000000")


def write_events(storage: Storage, how_many: int) -> None:
    """Fill the event log."""
    for _ in range(how_many):
        storage.record_event(EventCode.POWER_UP, "x" * 500, BEGIN)


def lived(directory: Path, way: str) -> Any:
    """What a process told whose disk was full for a while."""
    module = "tests.elec_meter.storage.full_disk"
    process = subprocess.run(
        [sys.executable, "-m", module, str(directory), way],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert "" == process.stderr
    return json.loads(process.stdout)


def assert_nothing_was_lost(directory: Path, lived: dict[str, list[object]]) -> None:
    """Everything is there after a restart, as in a house whose disk was never full."""
    refused, faults = lived.pop("refused"), lived.pop("faults")
    assert (40, MeterFault.STORAGE_FAILED) == (refused, faults & MeterFault.STORAGE_FAILED)
    with Storage.open(directory) as storage:
        durable_s = storage.load().durable_s
        assert durable_s is not None
        now = BEGIN + timedelta(seconds=durable_s - MIDNIGHT_S)
        meter = Meter(meter_config(), storage, now)
        assert lived == json.loads(json.dumps(told(meter)))
    assert [] == audited(directory)
    calm = MeteredHouse(Storage.in_memory())
    calm.live(81)
    calm.meter.checkpoint()
    expected = calm.told
    events = [event for event in lived["events"] if event[1] not in CODES]
    assert [event[1:] for event in expected.pop("events")] == [event[1:] for event in events]
    del lived["events"]
    assert expected == lived


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """Measured through hours of refused writes, everything is durable once there is room again."""
    assert_nothing_was_lost(tmp_path, lived(tmp_path, "limit"))


def test_a_full_file_system_loses_nothing(tmp_path: Path) -> None:
    """The same on a file system that really has no byte left."""
    mounted = tmp_path / "small"
    mounted.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "small", str(mounted)]
    try:
        mount = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if mount.returncode:
        pytest.skip(f"a small file system cannot be mounted: {mount.stderr.strip()}")
    try:
        assert_nothing_was_lost(mounted, lived(mounted, "ballast"))
    finally:
        subprocess.run(["umount", str(mounted)], check=True)


def test_a_killed_meter_starts_on_a_full_disk(tmp_path: Path) -> None:
    """It measures on with an alarm, says so, and is durable again once there is room."""
    sentences = lived(tmp_path, "start")
    assert ["a checkpoint failed"] == [each[:19] for each in sentences if "failed" in each]
    assert "all is durable" in sentences[-1]
    with Storage.open(tmp_path / "home") as storage:
        assert CODES == [event.code for event in storage.events() if event.code in CODES]
    assert [] == audited(tmp_path / "home")


def test_a_failure_is_one_event_and_its_end_another() -> None:
    """However often it was tried, the log has when it began and when it was over, and an alarm."""
    storage = Storage.in_memory()
    house = MeteredHouse(storage)
    house.live(40)
    fill(storage)
    for _ in range(3):
        with pytest.raises(CheckpointFailedError, match="full"):
            grow(house)
    assert storage.backlog is not None
    assert house.meter.objects["0-0:97.97.0"].value & MeterFault.STORAGE_FAILED
    free(storage)
    house.live(1)
    assert storage.backlog is None
    assert not house.meter.objects["0-0:97.97.0"].value & MeterFault.STORAGE_FAILED
    assert CODES == [event.code for event in storage.events() if event.code in CODES]


def grow(house: MeteredHouse) -> None:
    """Book more rows than a full database takes, and try to keep them."""
    ledger = house.meter.ledger
    for n in range(2_000):
        ledger.book("import", 1, MIDNIGHT_S + 100 * 86_400 + n * 1800)
    house.meter.checkpoint()


def test_more_than_is_remembered_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound nothing is durable any more, and the sentence says how to go on."""
    monkeypatch.setattr(connection, "WRITES_MAX", 50)
    with Storage.open(tmp_path) as storage:
        ledger = powered_ledger()
        ledger.book("import", 7, MIDNIGHT_S)
        storage.checkpoint(ledger, MIDNIGHT_S)
        write_events(storage, 60)
        ledger.book("import", 8, MIDNIGHT_S)
        fill(storage)
        for n in range(20_000):
            ledger.book("import", 1, MIDNIGHT_S + n * 1800)
        with pytest.raises(StorageLostError, match="last durable instant"):
            storage.checkpoint(ledger, MIDNIGHT_S)
        free(storage)
        with pytest.raises(StorageLostError, match="last durable instant"):
            storage.checkpoint(ledger, MIDNIGHT_S)
        with pytest.raises(StorageLostError):
            storage.record_event(EventCode.POWER_UP, "", BEGIN)
    with Storage.open(tmp_path) as storage:
        assert 7 == storage.load().accounts["import"].total
    assert [] == audited(tmp_path)


def test_more_than_is_remembered_is_no_matter_when_commits_succeed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The bound is between two commits; after one that succeeds everything is remembered again."""
    monkeypatch.setattr(connection, "WRITES_MAX", 50)
    storage = Storage.in_memory()
    write_events(storage, 60)
    storage.commit()
    assert storage.connection.is_repeatable
    assert 60 == storage.event_count()


def test_a_statement_that_the_disk_refuses_gives_up(tmp_path: Path) -> None:
    """What is undone in the middle of a transaction is never committed in part."""
    with Storage.open(tmp_path) as storage:
        storage.put_state("key", b"first")
        storage.commit()
        storage.put_state("key", b"second")
        fill(storage)
        with pytest.raises(StorageLostError, match="full"):
            write_events(storage, 10_000)
        free(storage)
        with pytest.raises(StorageLostError):
            storage.commit()
    with Storage.open(tmp_path) as storage:
        assert b"first" == storage.get_state("key")
        assert [] == storage.events()


def test_the_same_state_waits_once(tmp_path: Path) -> None:
    """A state that is put at every attempt takes the place of its earlier value."""
    with Storage.open(tmp_path) as storage:
        for n in range(100):
            storage.put_state("key", bytes([n]))
        assert 1 == storage.connection.writes
        storage.connection.repeat()
        storage.commit()
        assert bytes([99]) == storage.get_state("key")


def test_a_failed_checkpoint_refuses_the_reading_and_the_runtime_goes_on(tmp_path: Path) -> None:
    """Nothing undurable is served while the disk is full; afterwards everything is."""

    async def served() -> list[bool]:
        house = MeteredHouse(storage)
        house.live(3)
        answers = []
        async with Runtime(house.meter, lambda: house.now) as runtime:
            answers.append(runtime.is_durable())
            fill(storage)
            with pytest.raises(CheckpointFailedError):
                grow(house)
            with pytest.raises(CheckpointFailedError) as told:
                runtime.durable()
            assert str(tmp_path) not in str(told.value)  # strangers on a line are told, too
            answers += [runtime.is_durable(), runtime.stopping.is_set()]
            free(storage)
            answers.append(runtime.is_durable())
        return answers

    with Storage.open(tmp_path) as storage:
        assert [True, False, False, True] == asyncio.run(served())
    assert [] == audited(tmp_path)


def test_a_lost_storage_stops_the_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When no checkpoint can succeed any more, whoever runs the meter is told to start again."""

    async def served() -> None:
        house = MeteredHouse(storage)
        async with Runtime(house.meter, lambda: house.now) as runtime:
            monkeypatch.setattr(connection, "WRITES_MAX", 5)
            fill(storage)
            write_events(storage, 9)
            with pytest.raises(StorageLostError):
                grow(house)
            with pytest.raises(StorageLostError):
                runtime.durable()
            assert runtime.stopping.is_set()

    with Storage.open(tmp_path) as storage, pytest.raises(StorageLostError):
        asyncio.run(served())
    assert [] == audited(tmp_path)
