"""The journal in SQLite: all that was told of units' counts, in the order of its stamps."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from operator import attrgetter
from typing import Any, Final

from shared.timegrid import from_unix_ms, unix_ms

from .advance import Advances, Heard
from .entries import (
    CountEntry,
    EndEntry,
    Entry,
    JournalEntry,
    LogEntry,
    LogTick,
    Pairing,
    Stamp,
    TelegramKey,
)
from .events import TelegramReceived
from .fleet import WINDOW
from .storage.counts import Counts
from .storage.logs import Logs
from .storage.past import Past
from .storage.tables import Tables

_ENTRY: Final = (
    "epoch, stamp_ms, boot, counter, earliest_ms, latest_ms, uptime_s, count, last_pulse_age_s,"
    " grid_count, grid_age_s, increments, error_flags, is_authentic"
)
_NEVER_MS: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class LastHeard:
    """What a unit told last.

    Attributes:
        key: the telegram sent last, of those heard.
        count: its count; the others are that telegram's too, except `heard_utc`.
        uptime_s: the unit's clock.
        battery_left_d: days that its battery will last.
        error_flags: `shared.wire.telegram.FLAG_...`.
        bearer: which bearer brought it.
        rssi_dbm: how strong.
        heard_utc: the latest reception of any telegram.
        grid_tick_s: the unit's clock at the newest tick of its 30-minute grid.
    """

    key: TelegramKey
    count: int
    uptime_s: int
    battery_left_d: int
    error_flags: int
    bearer: str
    rssi_dbm: int | None
    heard_utc: datetime
    grid_tick_s: int | None


class Journal:
    """What was accepted, on a connection that somebody else commits.

    Args:
        connection: as for `Tables`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._tables = Tables(connection)
        self._counts = Counts(connection)
        self._logs = Logs(connection)
        self._past = Past(connection)

    @property
    def epoch(self) -> int:
        """The epoch of the collector's clock; 0 before the first."""
        return int(self._tables.row("SELECT epoch FROM collector_clock")[0])

    @property
    def told_ms(self) -> int:
        """The latest time that the journal was told; only a clock that is set back lowers it."""
        return int(self._tables.row("SELECT told_ms FROM collector_clock")[0])

    def begin_epoch(self) -> int:
        """Begin an epoch, at power-up or when the clock was set; return its number."""
        self._tables.change("UPDATE collector_clock SET epoch = epoch + 1")
        return self.epoch

    def tell(self, now_ms: int) -> int:
        """Note a time; return the latest of all that were noted."""
        if now_ms > self.told_ms:
            self._tables.change("UPDATE collector_clock SET told_ms = ?", (now_ms,))
            return now_ms
        return self.told_ms

    def set_clock(self, now_ms: int) -> None:
        """Begin an epoch at a time that may be before what was told."""
        self.begin_epoch()
        self._tables.change("UPDATE collector_clock SET told_ms = ?", (now_ms,))

    def append(self, received: TelegramReceived, now: datetime) -> Stamp | None:
        """Append a telegram that was accepted.

        Returns:
            Its stamp; None if this telegram has been appended before: then nothing changes.
        """
        key = TelegramKey(received.boot, received.counter)
        if self._first(received.serial, key) is not None or self._past.has(received.serial, key):
            return None
        newest = self._newest_key(received.serial)
        # What a later telegram overtook was delayed, whatever its bearer says.
        is_overtaken = newest is not None and key < newest
        earliest_ms, latest_ms = _interval(
            received.received_utc, None if is_overtaken else received.delay_max_s
        )
        telegram = received.telegram
        stamp = self._next_stamp(now)
        self._tables.change(
            f"INSERT INTO collector_journal (serial, narrows, {_ENTRY},"
            f" battery_left_d, bearer, rssi_dbm) VALUES (?, 0{', ?' * 17})",
            (
                received.serial,
                *stamp,
                *key,
                earliest_ms,
                latest_ms,
                telegram.uptime_s,
                telegram.count,
                telegram.last_pulse_age_s,
                telegram.grid_count,
                telegram.grid_age_s,
                _packed(telegram.increments),
                telegram.error_flags,
                received.is_authentic,
                telegram.battery_left_d,
                received.bearer,
                received.rssi_dbm,
            ),
        )
        return stamp

    def narrow(
        self,
        serial: str,
        key: TelegramKey,
        received_utc: datetime,
        delay_max_s: int | None,
        now: datetime,
    ) -> Stamp | None:
        """Note a further reception of the newest telegram, if it tells more of when it was sent.

        A replay tells nothing: it comes later than the bearer's delay allows, or in an epoch whose
        clock has nothing to do with that of the first reception.

        Returns:
            The stamp of the new entry; None if there is none.
        """
        first = self._first(serial, key)
        if first is None or key != self._newest_key(serial) or delay_max_s is None:
            return None
        epoch, earliest_ms, latest_ms = first
        fresh_earliest_ms, fresh_latest_ms = _interval(received_utc, delay_max_s)
        assert fresh_earliest_ms is not None  # the delay is bounded
        is_later = earliest_ms is None or fresh_earliest_ms >= earliest_ms + 1000
        is_earlier = fresh_latest_ms <= latest_ms - 1000
        if epoch != self.epoch or fresh_earliest_ms > latest_ms or not (is_later or is_earlier):
            return None
        stamp = self._next_stamp(now)
        columns = _ENTRY.replace("epoch, stamp_ms", "").replace("earliest_ms, latest_ms", "?, ?")
        self._tables.change(
            f"INSERT INTO collector_journal (serial, narrows, {_ENTRY}, battery_left_d, bearer,"
            f" rssi_dbm) SELECT serial, 1, ?, ?{columns}, battery_left_d, bearer, rssi_dbm"
            " FROM collector_journal WHERE serial = ? AND boot = ? AND counter = ? AND narrows = 0",
            (*stamp, fresh_earliest_ms, fresh_latest_ms, serial, *key),
        )
        return stamp

    def append_count(
        self,
        serial: str,
        key: TelegramKey,
        count: int,
        received_utc: datetime,
        delay_max_s: int | None,
        now: datetime,
        *,
        is_authentic: bool = True,
        bearer: str = "",
    ) -> Stamp | None:
        """Append a reception that tells a count and no clock; see `append`."""
        if self._counts.has(serial, key) or self._past.has_count(serial, key):
            return None
        newest = self._counts.newest_keys(serial, 1)
        is_overtaken = bool(newest) and key < newest[0]
        interval_ms = _interval(received_utc, None if is_overtaken else delay_max_s)
        entry = CountEntry(self._next_stamp(now), key, *interval_ms, count, is_authentic)
        self._counts.put(serial, entry, bearer)
        return entry.stamp

    def append_log(self, serial: str, ticks: Iterable[LogTick], now: datetime) -> Stamp | None:
        """Append what was read of a unit's log, as far as it was not read before.

        Returns:
            Its stamp; None if all of it has been appended before: then nothing changes.
        """
        fresh = self._logs.unknown(serial, ticks)
        if not fresh:
            return None
        entry = LogEntry(self._next_stamp(now), fresh)
        self._logs.put(serial, entry)
        return entry.stamp

    def append_end(self, serial: str, ended_ms: int, pulses: int, now: datetime) -> Stamp | None:
        """Append that a unit was taken off its meter; None if it had been before."""
        if self._logs.end(serial) is not None:
            return None
        entry = EndEntry(self._next_stamp(now), ended_ms, pulses)
        self._logs.put_end(serial, entry)
        return entry.stamp

    def end(self, serial: str, before_ms: int = _NEVER_MS) -> EndEntry | None:
        """What took a unit off its meter; None if nothing did by a stamp before an instant."""
        end = self._logs.end(serial)
        return None if end is None or end.stamp.received_ms >= before_ms else end

    def entries(
        self, serial: str, since_ms: int = 0, before_ms: int = _NEVER_MS
    ) -> Iterator[Entry]:
        """A unit's entries stamped from one instant to before another, in that order.

        What is condensed is not among them.
        """
        end = self.end(serial, before_ms)
        ends = [] if end is None or end.stamp.received_ms < since_ms else [end]
        kinds: tuple[Iterable[Entry], ...] = (
            self._telegrams(serial, since_ms, before_ms),
            self._counts.entries(serial, since_ms, before_ms),
            self._logs.entries(serial, since_ms, before_ms),
            ends,
        )
        return merge(*kinds, key=attrgetter("stamp.received_ms"))

    def _telegrams(self, serial: str, since_ms: int, before_ms: int) -> Iterator[JournalEntry]:
        rows = self._tables.connection.execute(
            f"SELECT {_ENTRY} FROM collector_journal WHERE serial = ? AND stamp_ms >= ?"
            " AND stamp_ms < ? ORDER BY stamp_ms",
            (serial, since_ms, before_ms),
        )
        return map(_entry, rows)

    def window_keys(self, serial: str) -> list[TelegramKey]:
        """The newest telegrams: as many as a replay window can hold, and the one before."""
        rows = self._tables.connection.execute(
            "SELECT boot, counter FROM collector_journal WHERE serial = ? AND narrows = 0"
            " ORDER BY boot DESC, counter DESC LIMIT ?",
            (serial, WINDOW + 1),
        )
        return [TelegramKey(*row) for row in rows]

    def count_heard_ms(self, serial: str) -> int | None:
        """When such a frame came in last, in UNIX milliseconds; None if none did."""
        return self._counts.heard_ms(serial)

    def advances(self, serial: str, pairing: Pairing, before_ms: int = _NEVER_MS) -> Advances:
        """Pulses since the pairing, by all that a unit told until before a stamp."""
        advances = Advances(pairing, self._past.telegrams(serial), self._past.counts(serial))
        rows = self._tables.connection.execute(
            "SELECT boot, counter, count, uptime_s, latest_ms FROM collector_journal"
            " WHERE serial = ? AND narrows = 0 AND stamp_ms >= 0 AND stamp_ms < ?"
            " ORDER BY boot, counter",
            (serial, before_ms),
        )
        for boot, counter, *heard in rows:
            advances.telegrams.add(Heard(TelegramKey(boot, counter), *heard))
        for key, count, latest_ms in self._counts.in_order(serial, before_ms):
            advances.counts.add(Heard(key, count, None, latest_ms))
        end = self.end(serial, before_ms)
        if end is not None:
            advances.end(end.pulses)
        return advances

    def stamp_before_ms(self, serial: str, before_ms: int = _NEVER_MS) -> int | None:
        """The newest stamp of a unit's entries that is before an instant; None if there is none."""
        tables = ("collector_journal", "collector_count", "collector_log", "collector_end")
        stamps = (
            self._tables.row(
                f"SELECT max(stamp_ms) FROM {table} WHERE serial = ? AND stamp_ms >= 0"
                " AND stamp_ms < ?",
                (serial, before_ms),
            )[0]
            for table in tables
        )
        return max((stamp_ms for stamp_ms in stamps if stamp_ms is not None), default=None)

    def last_heard(self, serial: str) -> LastHeard | None:
        """What a unit told last; None if it was never heard."""
        newest = self._tables.row(
            "SELECT boot, counter, count, uptime_s, battery_left_d, error_flags, bearer, rssi_dbm,"
            " uptime_s - grid_age_s FROM collector_journal WHERE serial = ? AND narrows = 0"
            " ORDER BY boot DESC, counter DESC LIMIT 1",
            (serial,),
        )
        if newest is None:
            return None
        (heard_ms,) = self._tables.row(
            "SELECT latest_ms FROM collector_journal WHERE serial = ?"
            " ORDER BY stamp_ms DESC LIMIT 1",
            (serial,),
        )
        boot, counter, count, uptime_s, battery_left_d, error_flags, bearer, rssi_dbm, tick_s = (
            newest
        )
        return LastHeard(
            key=TelegramKey(boot, counter),
            count=count,
            uptime_s=uptime_s,
            battery_left_d=battery_left_d,
            error_flags=error_flags,
            bearer=bearer,
            rssi_dbm=rssi_dbm,
            heard_utc=from_unix_ms(heard_ms),
            grid_tick_s=tick_s,
        )

    def _next_stamp(self, now: datetime) -> Stamp:
        stamp_ms = max(unix_ms(now), self.told_ms + 1)
        self.tell(stamp_ms)
        return Stamp(self.epoch, stamp_ms)

    def _newest_key(self, serial: str) -> TelegramKey | None:
        row = self._tables.row(
            "SELECT boot, counter FROM collector_journal WHERE serial = ? AND narrows = 0"
            " ORDER BY boot DESC, counter DESC LIMIT 1",
            (serial,),
        )
        return None if row is None else TelegramKey(*row)

    def _first(self, serial: str, key: TelegramKey) -> tuple[int, int | None, int] | None:
        """Epoch and interval of a telegram's first reception."""
        row: tuple[int, int | None, int] | None = self._tables.row(
            "SELECT epoch, earliest_ms, latest_ms FROM collector_journal"
            " WHERE serial = ? AND boot = ? AND counter = ? AND narrows = 0",
            (serial, *key),
        )
        return row


def _interval(received_utc: datetime, delay_max_s: int | None) -> tuple[int | None, int]:
    """Between which UNIX milliseconds a frame was sent."""
    received_ms = unix_ms(received_utc)
    earliest_ms = None if delay_max_s is None else received_ms - delay_max_s * 1000
    return earliest_ms, received_ms + 1  # for the part of a millisecond


def _entry(row: tuple[Any, ...]) -> JournalEntry:
    epoch, stamp_ms, boot, counter, earliest_ms, latest_ms, uptime_s, count, age_s = row[:9]
    grid_count, grid_age_s, increments, error_flags, is_authentic = row[9:]
    return JournalEntry(
        stamp=Stamp(epoch, stamp_ms),
        key=TelegramKey(boot, counter),
        earliest_ms=earliest_ms,
        latest_ms=latest_ms,
        uptime_s=uptime_s,
        count=count,
        last_pulse_age_s=age_s,
        grid_count=grid_count,
        grid_age_s=grid_age_s,
        increments=_unpacked(increments),
        error_flags=error_flags,
        is_authentic=bool(is_authentic),
    )


def _packed(increments: Sequence[int]) -> bytes:
    size = 1 if max(increments, default=0) < 256 else 2
    return bytes([size]) + b"".join([pulses.to_bytes(size, "little") for pulses in increments])


def _unpacked(packed: bytes) -> Sequence[int]:
    if packed[0] == 1:
        return packed[1:]  # a fold keeps weeks of them: of all forms the smallest
    return struct.unpack(f"<{len(packed[1:]) // packed[0]}H", packed[1:])
