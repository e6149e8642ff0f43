from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.config import demo_config
from elec_meter.errors import CheckpointFailedError
from elec_meter.events import EventCode
from elec_meter.ledger import Ledger, imbalances
from elec_meter.storage import DATABASE_NAME, Storage, event_table
from tests.elec_meter.ledger.meters import MIDNIGHT_S, all_rows, meter_config, powered_ledger
from tests.elec_meter.storage.house import House, audited

AT = datetime(2013, 1, 1, tzinfo=UTC)


def test_checkpoint_is_what_comes_back(tmp_path: Path) -> None:
    """Registers, rows, what is carried and the gas are after a restart what they were before."""
    with Storage.open(tmp_path) as storage:
        house = House(storage)
        house.live(60)
        totals, rows = house.totals, all_rows(house.ledger)
        residual_mj = house.ledger.residual_mj("import")
    with Storage.open(tmp_path) as storage:
        again = House(storage)
        assert totals == again.totals
        assert rows == all_rows(again.ledger)
        assert residual_mj == again.ledger.residual_mj("import")
    assert [] == audited(tmp_path)


def test_what_is_not_committed_is_gone_as_a_whole(tmp_path: Path) -> None:
    """Ledger, journal, states and events since the last checkpoint vanish together."""
    with Storage.open(tmp_path) as storage:
        house = House(storage)
        house.live(20)
        totals = house.totals
        for _ in range(5):
            house.step()
        storage.put_state("key", b"value")
        storage.record_event(EventCode.POWER_UP, "never", AT)
    with Storage.open(tmp_path) as storage:
        assert totals == House(storage).totals
        assert (None, []) == (storage.get_state("key"), storage.events())
    assert [] == audited(tmp_path)


def test_checkpoint_writes_only_what_changed() -> None:
    """A booking in the open half-hour costs one row, however many there are."""
    storage, ledger = Storage.in_memory(), powered_ledger()
    ledger.close_through(MIDNIGHT_S + 1000 * 1800)
    storage.checkpoint(ledger, MIDNIGHT_S + 1000 * 1800)
    ledger.book("import", 5, MIDNIGHT_S + 1000 * 1800)
    changes = ledger.changes()
    assert [MIDNIGHT_S + 1000 * 1800] == [row.start_s for row in changes.rows]
    assert ["import"] == [account.name for account in changes.accounts]
    assert ([], [], [], []) == (
        changes.gone_rows,
        changes.runs,
        changes.gone_runs,
        changes.pulses,
    )


def test_states_are_kept_under_their_names(tmp_path: Path) -> None:
    """A small state is what was put last, in this and in a later life."""
    with Storage.open(tmp_path) as storage:
        storage.put_state("unit", b"one")
        storage.put_state("unit", b"\x00\xff")
        storage.put_state("world", b"")
        storage.commit()
    with Storage.open(tmp_path, read_only=True) as storage:
        states = [storage.get_state(key) for key in ("unit", "world", "nothing")]
    assert [b"\x00\xff", b"", None] == states


def test_configuration_in_force_is_the_newest() -> None:
    """A directory knows its configuration, and those it had before."""
    storage = Storage.in_memory()
    assert storage.load_config() is None
    storage.save_config(demo_config(), MIDNIGHT_S)
    storage.save_config(meter_config(), MIDNIGHT_S + 1)
    assert meter_config() == storage.load_config()


def test_events_come_in_order_and_by_time() -> None:
    """The log keeps instant, code and sentence, and gives any range of time."""
    storage = Storage.in_memory()
    for second in range(5):
        storage.record_event(EventCode.POWER_UP, f"event {second}", AT.replace(second=second))
    first = storage.events()[0]
    assert (1, AT, EventCode.POWER_UP, "event 0", None) == first
    from_s = MIDNIGHT_S + 1
    assert ["event 1", "event 2"] == [e.text for e in storage.events(from_s, from_s + 2)]
    assert ["event 3", "event 4"] == [event.text for event in storage.events(newest=2)]


def test_oldest_events_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is bounded, whatever is recorded."""
    monkeypatch.setattr(event_table, "MAX_EVENTS", 3)
    storage = Storage.in_memory()
    for second in range(5):
        storage.record_event(EventCode.POWER_UP, "", AT.replace(second=second))
    assert [3, 4, 5] == [event.number for event in storage.events()]


def test_failed_checkpoint_leaves_the_one_before(tmp_path: Path) -> None:
    """Nothing of a checkpoint that failed is durable, however often it is tried again."""
    with Storage.open(tmp_path) as storage:
        ledger = powered_ledger()
        storage.checkpoint(ledger, MIDNIGHT_S)
        storage.connection.execute("PRAGMA max_page_count = 30")
        for n in range(20_000):
            ledger.book("import", 1, MIDNIGHT_S + n * 1800)
        for _ in range(2):
            with pytest.raises(CheckpointFailedError, match="full"):
                storage.checkpoint(ledger, MIDNIGHT_S + 1)
    with Storage.open(tmp_path) as storage:
        again = Ledger(meter_config(), storage.load())
    assert 0 == again.total("import")
    assert [] == imbalances(again)


def test_two_years_and_an_outage_of_five_load_at_once() -> None:
    """Everything that the depth holds comes back, and a long outage adds one entry."""
    storage, ledger = Storage.in_memory(), powered_ledger()
    end_s = MIDNIGHT_S + 731 * 86_400
    for start_s in range(MIDNIGHT_S, end_s, 1800):
        ledger.book("import", 500, start_s)
    storage.checkpoint(ledger, end_s)
    again = Ledger(ledger.config, storage.load())
    again.power_up(end_s + 5 * 365 * 86_400)
    assert [] == imbalances(again)
    changes = again.changes()
    assert (1, 1) == (len(changes.runs), len(changes.rows) - len(changes.gone_rows))


@pytest.fixture(scope="module")
def torn(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes, list[list[int]]]:
    """A database, the log beside it after some checkpoints, and the totals of each of those."""
    directory = tmp_path_factory.mktemp("torn")
    with Storage.open(directory) as storage:
        house, served = House(storage), []
        for _ in range(20):
            house.live(1)
            served.append(house.totals)
        database = directory / DATABASE_NAME
        log = Path(f"{database}-wal").read_bytes()
        return database.read_bytes(), log, served


@given(share=st.floats(0, 1), garbage=st.binary(max_size=64))
@settings(max_examples=25, deadline=None)
def test_torn_log_gives_an_earlier_checkpoint(
    torn: tuple[bytes, bytes, list[list[int]]],
    tmp_path_factory: pytest.TempPathFactory,
    share: float,
    garbage: bytes,
) -> None:
    """Wherever a power cut tore the log, what opens is one whole checkpoint, and it balances."""
    database, log, served = torn
    directory = tmp_path_factory.mktemp("cut")
    (directory / DATABASE_NAME).write_bytes(database)
    log_path = Path(f"{directory / DATABASE_NAME}-wal")
    log_path.write_bytes(log[: int(share * len(log))] + garbage)
    try:
        with Storage.open(directory) as storage:
            totals = House(storage).totals
    except sqlite3.Error as error:  # pragma: no cover - shows which cut it was
        pytest.fail(f"{share}: {error}")
    assert not any(totals) or totals in served


def test_nothing_is_left_behind_when_closed(tmp_path: Path) -> None:
    """After a close the directory holds the database and the lock's file alone."""
    with Storage.open(tmp_path) as storage:
        storage.checkpoint(powered_ledger(), MIDNIGHT_S)
    assert {DATABASE_NAME, "lock"} == {path.name for path in tmp_path.iterdir()}
