"""Folding years of a gas unit's journal, beside reading the same entries and doing nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any

from collector import Collector, MemoryKeystore, PulseStatus, UnitRecord
from collector.entries import JournalEntry, Pairing, Stamp, TelegramKey
from collector.halfhours import fold
from collector.journal import Journal
from collector.storage.tables import Tables
from shared.timegrid import DAY_S, HALF_HOUR_S, from_unix_s

BEGIN_S = 1_704_067_200  # 2024-01-01 00:00 UTC
PERIOD_S = 900
BOOT_S = BEGIN_S - 3_600
SERIAL = "00000001"
YEAR_D = 365
PULSES_A_HALF_HOUR = 14  # 20,000 a month
BEST_OF = 3


def rows() -> list[dict[str, Any]]:
    """A year and five, all heard and one in ten, and what condensing leaves."""
    table = []
    for years, heard in ((1, 1), (5, 1), (5, 10)):
        entries = _entries(years * YEAR_D, heard)
        pairing = _record().pairing
        now_ms = entries[-1].stamp.received_ms
        folded_s = _timed(lambda e=entries, p=pairing, n=now_ms: _folded(e, p, n))
        name = f"folding {years} year{'s' * (years > 1)} of telegrams, {_share(heard)}"
        table.append(_row(name, folded_s, "s", f"{len(entries):,} entries"))
    return [*table, *_database_rows()]


def _entries(days: int, heard: int) -> list[JournalEntry]:
    """A unit in phase that burns gas round the clock, each 900 s; every so many is heard."""
    entries = []
    for counter in range(0, days * DAY_S // PERIOD_S, heard):
        sent_s = BEGIN_S + 60 + counter * PERIOD_S
        uptime_s = sent_s - BOOT_S
        tick = uptime_s // HALF_HOUR_S
        count = uptime_s * PULSES_A_HALF_HOUR // HALF_HOUR_S
        grid_count = tick * PULSES_A_HALF_HOUR
        late_ms = counter * 7919 % 2_000  # within the bearer's delay, never twice the same
        entries.append(
            JournalEntry(
                stamp=Stamp(1, sent_s * 1000 + late_ms),
                key=TelegramKey(1, counter),
                earliest_ms=sent_s * 1000 + late_ms - 2_000,
                latest_ms=sent_s * 1000 + late_ms + 1,
                uptime_s=uptime_s,
                count=count,
                last_pulse_age_s=uptime_s * PULSES_A_HALF_HOUR % HALF_HOUR_S // PULSES_A_HALF_HOUR,
                grid_count=grid_count,
                grid_age_s=uptime_s - tick * HALF_HOUR_S,
                increments=(PULSES_A_HALF_HOUR,) * min(tick - 1, 96),
            )
        )
    return entries


def _folded(entries: list[JournalEntry], pairing: Pairing, now_ms: int) -> None:
    half_hours = fold(entries, pairing, now_ms)
    # A fast benchmark of a fold that measures nothing says nothing.
    unmeasured = sum(row.status != PulseStatus.MEASURED for row in half_hours[2:-2])
    assert unmeasured == 0, f"{unmeasured} of {len(half_hours)} rows are not measured"


def _database_rows() -> list[dict[str, Any]]:
    """Of a year on a database: resuming, a telegram more, folding all again, condensing."""
    connection = sqlite3.connect(":memory:")
    Tables(connection).make()
    now = from_unix_s(BEGIN_S + YEAR_D * DAY_S)
    keystore = MemoryKeystore()
    collector = Collector(connection, keystore, from_unix_s(BEGIN_S))
    collector.pair(_record(), bytes(range(16)), from_unix_s(BEGIN_S))
    entries = _entries(YEAR_D, 1)
    _put(connection, entries)
    connection.execute("DELETE FROM collector_boundary")
    refolded_s = _timed(lambda: Collector(connection, keystore, now))
    resumed_s = _best(lambda: Collector(connection, keystore, now))
    whole = _size(connection)
    collector = Collector(connection, keystore, now)
    register = collector.register(SERIAL)
    condensed_s = _timed(lambda: collector.compact(now))
    assert register == collector.register(SERIAL)
    read_s = _best(lambda: list(Journal(connection).entries(SERIAL)))
    return [
        _row("a year's journal folded into its tables again", refolded_s, "s"),
        _row("a collector resumed on a year's journal", resumed_s * 1e3, "ms"),
        _row("condensing a year's journal, once", condensed_s, "s", "a block of days otherwise"),
        _row("a year's telegrams in the journal", whole / len(entries), "bytes each"),
        _row("what condensing leaves of a year", _size(connection) / whole, "of it"),
        _row("reading what is left", read_s * 1e3, "ms"),
    ]


def _put(connection: sqlite3.Connection, entries: list[JournalEntry]) -> None:
    connection.executemany(
        "INSERT INTO collector_journal VALUES (?, 1, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, 0, 1,"
        " 7000, 'bench', -70)",
        (
            (
                entry.stamp.received_ms,
                SERIAL,
                *entry.key,
                entry.earliest_ms,
                entry.latest_ms,
                entry.uptime_s,
                entry.count,
                entry.last_pulse_age_s,
                entry.grid_count,
                entry.grid_age_s,
                b"\x01" + bytes(entry.increments),
            )
            for entry in entries
        ),
    )


def _size(connection: sqlite3.Connection) -> int:
    connection.commit()
    connection.execute("VACUUM")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages * size)


def _record() -> UnitRecord:
    base_count = (BEGIN_S - BOOT_S) * PULSES_A_HALF_HOUR // HALF_HOUR_S
    return UnitRecord(
        serial=SERIAL,
        channel="gas",
        paired_utc=from_unix_s(BEGIN_S),
        base_count=base_count,
        period_s=PERIOD_S,
    )


def _share(heard: int) -> str:
    return "all heard" if heard == 1 else f"one in {heard} heard"


def _best(work: Callable[[], object]) -> float:
    return min(_timed(work) for _ in range(BEST_OF))


def _timed(work: Callable[[], object]) -> float:
    begin_s = time.process_time()
    work()
    return time.process_time() - begin_s


def _row(name: str, value: float, unit: str, beside: str = "") -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "relative_to": beside}
