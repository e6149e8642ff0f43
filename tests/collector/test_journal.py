"""The journal: stamped, idempotent, and never committed by itself."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

import pytest

from collector import Journal, Stamp, TelegramReceived
from collector.entries import CountEntry, EndEntry, JournalEntry, LogEntry, LogTick
from collector.storage.registry import UNKNOWN_SERIALS_MAX, Registry
from collector.storage.tables import Tables
from shared.timegrid import unix_ms
from tests.collector.frames import SERIAL, at, key, telegram
from tests.collector.world import START_S


@pytest.fixture
def connection() -> sqlite3.Connection:
    """A database with the collector's tables."""
    connection = sqlite3.connect(":memory:")
    Tables(connection).make()
    return connection


def _event(counter: int, seconds: float, count: int = 5, **changes: object) -> TelegramReceived:
    fields = {
        "received_utc": at(seconds),
        "serial": SERIAL,
        "boot": 1,
        "counter": counter,
        "telegram": telegram(count, grid_count=3, grid_age_s=9, increments=(2, 300, 0)),
        "is_authentic": True,
        "bearer": "test",
        "delay_max_s": 2,
        "rssi_dbm": -70,
    }
    return TelegramReceived(**(fields | changes))


def _append(journal: Journal, counter: int, seconds: float, **changes: object) -> Stamp | None:
    return journal.append(_event(counter, seconds, **changes), at(seconds))


def test_entry_comes_back_as_it_went_in(connection: sqlite3.Connection) -> None:
    """An entry holds the telegram, its key, its stamp and when it can have been sent."""
    journal = Journal(connection)
    epoch = journal.begin_epoch()
    stamp = _append(journal, 7, 60)
    start_ms = START_S * 1000
    assert Stamp(epoch, start_ms + 60_000) == stamp
    expected = JournalEntry(
        stamp=stamp,
        key=key(7),
        earliest_ms=start_ms + 58_000,
        latest_ms=start_ms + 60_001,
        uptime_s=1000,
        count=5,
        grid_count=3,
        grid_age_s=9,
        increments=(2, 300, 0),
    )
    assert [expected] == list(journal.entries(SERIAL))


def test_telegram_is_appended_once(connection: sqlite3.Connection) -> None:
    """A telegram that is in the journal is not appended again."""
    journal = Journal(connection)
    assert _append(journal, 7, 60) is not None
    assert _append(journal, 7, 61.0) is None
    assert 1 == len(list(journal.entries(SERIAL)))


def test_second_reception_may_narrow_the_first(connection: sqlite3.Connection) -> None:
    """Of the newest telegram, a later reception that is still possible raises the lower bound."""
    journal = Journal(connection)
    _append(journal, 7, 60, delay_max_s=30)
    assert journal.narrow(SERIAL, key(7), at(62), 5, at(62)) is not None
    first, second = journal.entries(SERIAL)
    assert first.key == second.key
    assert second.earliest_ms == (START_S + 57) * 1000


@pytest.mark.parametrize(
    ("seconds", "delay_max_s"),
    [(3660, 5), (61, None), (60.5, 30)],
    ids=["an hour later", "from a store", "no news"],
)
def test_replay_narrows_nothing(
    connection: sqlite3.Connection, seconds: float, delay_max_s: int | None
) -> None:
    """What comes later than possible, or tells nothing new, leaves the journal as it is."""
    journal = Journal(connection)
    _append(journal, 7, 60, delay_max_s=30)
    assert journal.narrow(SERIAL, key(7), at(seconds), delay_max_s, at(seconds)) is None


def test_replay_after_a_power_up_narrows_nothing(connection: sqlite3.Connection) -> None:
    """Receptions of two epochs are not compared, nor is a telegram that another one overtook."""
    journal = Journal(connection)
    _append(journal, 7, 60, delay_max_s=30)
    journal.begin_epoch()
    assert journal.narrow(SERIAL, key(7), at(62), 5, at(62)) is None
    _append(journal, 8, 70, delay_max_s=30)
    _append(journal, 9, 80, delay_max_s=30)
    assert journal.narrow(SERIAL, key(8), at(72), 5, at(81)) is None


def test_overtaken_telegram_has_no_lower_bound(connection: sqlite3.Connection) -> None:
    """A telegram that comes after one sent later was delayed, whatever its bearer declares."""
    journal = Journal(connection)
    _append(journal, 8, 60)
    _append(journal, 7, 61)
    assert [START_S * 1000 + 58_000, None] == [
        entry.earliest_ms for entry in journal.entries(SERIAL)
    ]


def test_count_comes_back_as_it_went_in(connection: sqlite3.Connection) -> None:
    """A count without a clock is kept once, with when it can have been sent; overtaken, at most."""
    journal = Journal(connection)
    epoch = journal.begin_epoch()
    assert journal.append_count(SERIAL, key(7), 5, at(60), 30, at(60)) is not None
    assert journal.append_count(SERIAL, key(7), 5, at(61), 30, at(61)) is None
    journal.append_count(SERIAL, key(6), 4, at(62), 30, at(62), is_authentic=False)
    start_ms = START_S * 1000
    stamps = [Stamp(epoch, start_ms + 60_000), Stamp(epoch, start_ms + 62_000)]
    assert [
        CountEntry(stamps[0], key(7), start_ms + 30_000, start_ms + 60_001, 5),
        CountEntry(stamps[1], key(6), None, start_ms + 62_001, 4, is_authentic=False),
    ] == list(journal.entries(SERIAL))


def test_log_is_appended_once(connection: sqlite3.Connection) -> None:
    """What was read of a log before is not appended again; a reading is one entry."""
    journal = Journal(connection)
    ticks = [LogTick(1, 1800 * place, 7 * place) for place in range(4)]
    assert journal.append_log(SERIAL, ticks[:2], at(60)) is not None
    assert journal.append_log(SERIAL, ticks[:2], at(61)) is None
    assert journal.append_log(SERIAL, ticks[::-1], at(62)) is not None
    entries = list(journal.entries(SERIAL))
    assert [tuple(ticks[:2]), tuple(ticks[2:])] == [
        entry.ticks for entry in entries if isinstance(entry, LogEntry)
    ]


def test_all_kinds_come_in_the_order_of_their_stamps(connection: sqlite3.Connection) -> None:
    """Telegrams, counts, logs and an end are one journal; a unit ends once."""
    journal = Journal(connection)
    journal.append_log(SERIAL, [LogTick(1, 0, 0)], at(50))
    _append(journal, 7, 60)
    journal.append_count(SERIAL, key(7), 5, at(60), 30, at(60))
    assert journal.append_end(SERIAL, 9, 5, at(60)) is not None
    assert journal.append_end(SERIAL, 9, 6, at(60)) is None
    _append(journal, 8, 60)
    kinds = [LogEntry, JournalEntry, CountEntry, EndEntry, JournalEntry]
    assert kinds == [type(entry) for entry in journal.entries(SERIAL)]
    assert kinds[2:] == [type(e) for e in journal.entries(SERIAL, (START_S + 60) * 1000 + 1)]
    assert journal.told_ms == journal.stamp_before_ms(SERIAL)


def test_tables_of_an_earlier_version_are_read_and_added_to(
    connection: sqlite3.Connection,
) -> None:
    """Where an earlier version made fewer tables, the missing ones are empty, and then are made."""
    connection.execute("DROP TABLE collector_log")
    connection.execute("DROP TABLE collector_count")
    Tables(connection).stand_in()
    assert [] == list(Journal(connection).entries(SERIAL))
    Tables(connection).make()
    Journal(connection).append_log(SERIAL, [LogTick(1, 0, 0)], at(50))
    assert [(1,)] == list(connection.execute("SELECT count(*) FROM main.collector_log"))


def test_stamps_are_unique_and_rise(connection: sqlite3.Connection) -> None:
    """Even if the host's clock stands still or falls back, and across power-ups."""
    journal = Journal(connection)
    stamps: list[Stamp | None] = []
    for counter, seconds in enumerate((100, 100, 50, 200)):
        if counter == 2:
            journal.begin_epoch()
        stamps.append(_append(journal, counter, seconds))
    received_ms = [stamp.received_ms - START_S * 1000 for stamp in stamps if stamp]
    assert [100_000, 100_001, 100_002, 200_000] == received_ms
    assert [0, 0, 1, 1] == [stamp.epoch for stamp in stamps if stamp]


def test_window_is_found_again(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restart the replay window knows the telegrams that were sent last, as many as fit."""
    monkeypatch.setattr("collector.journal.WINDOW", 2)
    journal = Journal(connection)
    for counter, boot in [(3, 65_535), (9, 65_536), (8, 65_535), (5, 65_535)]:
        _append(journal, counter, 60, boot=boot)
    expected = [key(9, 65_536), key(8, 65_535), key(5, 65_535)]
    assert expected == journal.window_keys(SERIAL)
    assert [] == journal.window_keys("00000002")


def test_nothing_is_committed(tmp_path: Path) -> None:
    """What the collector wrote is gone when its owner rolls back, the tables included."""
    connection = sqlite3.connect(tmp_path / "meter.sqlite", isolation_level=None)
    Tables(connection).make()
    connection.commit()
    journal = Journal(connection)
    journal.begin_epoch()
    journal.tell(unix_ms(at(5)))
    _append(journal, 7, 60)
    Registry(connection).refuse(SERIAL, "BadMac", is_paired=True)
    assert connection.in_transaction
    connection.rollback()
    assert [] == list(journal.entries(SERIAL))
    assert (0, 0) == (journal.epoch, journal.told_ms)
    assert {} == Registry(connection).refusals(SERIAL)
    fresh = sqlite3.connect(tmp_path / "other.sqlite", isolation_level=None)
    Tables(fresh).make()
    fresh.rollback()
    assert not Tables(fresh).exist


def test_flood_of_invented_serials_is_bounded(connection: sqlite3.Connection) -> None:
    """Beyond the first few, unknown serials are counted together; paired ones never are."""
    registry = Registry(connection)
    for number in range(1000):
        registry.refuse(f"{number:08d}", "UnknownUnit", is_paired=False)
    registry = Registry(connection)
    registry.refuse("99999999", "UnknownUnit", is_paired=False)
    registry.refuse("88888888", "BadMac", is_paired=True)
    assert {"UnknownUnit": 1} == registry.refusals("00000000")
    assert {"UnknownUnit": 1001 - UNKNOWN_SERIALS_MAX} == registry.refusals("")
    assert {"BadMac": 1} == registry.refusals("88888888")


def test_naive_time_is_refused(connection: sqlite3.Connection) -> None:
    """A time of reception without its zone is our own mistake, and raised."""
    with pytest.raises(ValueError, match="time zone"):
        Journal(connection).append(_event(1, 5), datetime(2026, 1, 1))  # noqa: DTZ001 - the point
