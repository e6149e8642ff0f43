"""The collector of a meter: all paired units, from received frames to half-hours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from shared.timegrid import from_unix_ms, unix_ms

from .bearers.base import ReceivedFrame
from .entries import LogPlace, LogTick, TelegramKey
from .events import (
    CountReceived,
    Event,
    HeardAfterEnd,
    Refusal,
    Replayed,
    StateReceived,
    UnitEnded,
)
from .fleet import Fleet, FleetUnit, UnitRecord, boot_near
from .ingest import Ingest
from .keys import Keys
from .phasing import Phasing
from .readings import Readings
from .storage.tables import Tables
from .unit import PairedUnit

if TYPE_CHECKING:
    import sqlite3

    from .particulars import PairingOutcome


_ALL: Final = 1 << 62  # entries


class Collector(Readings):
    """Takes frames, journals what is authentic, and folds it into half-hours of pulses.

    Everything is kept through the connection and nothing is committed: its owner commits, and lets
    readings and replies out after that. After a roll-back, build another collector. A collector
    that is built again on the same database goes on exactly where it was.

    Args:
        connection: the database; missing tables are made.
        keystore: the units' keys.
        now: the host's UTC. A new epoch of the clock begins: clocks before and after a power-up
            are not compared, and no unit has been silent for any time yet: nobody listened.
    """

    _writes = True

    def __init__(self, connection: sqlite3.Connection, keystore: Keys, now: datetime) -> None:
        Tables(connection).make()
        super().__init__(connection)
        self._keystore = keystore
        self._journal.begin_epoch()
        self._fleet = Fleet(self._at_gate(unit) for unit in self._units.values())
        self._ingest = Ingest(self._fleet, keystore)
        self._phasing = Phasing(self._registry, keystore)
        self._leaving = [each for each in self.serials if self.ended_utc(each) is not None]
        now_ms = self._journal.tell(unix_ms(now))
        self._listen_from(now_ms)
        self._seal(now_ms)

    @property
    def epoch(self) -> int:
        """The number of the clock's epoch that began with this collector; never used before."""
        return self._journal.epoch

    def pair(self, record: UnitRecord, key: bytes | None, now: datetime) -> None:
        """Pair a unit: its pulses count from the record's base on.

        Args:
            record: the pairing.
            key: the unit's; None for one that enciphers nothing.
            now: the host's UTC.

        Raises:
            UnitPairedError: it is paired already.
            KeystoreError: the key is none, or could not be kept.
        """
        self._fleet.refuse_known(record)
        # A key without a unit does no harm; the other way round, nothing could be received.
        if key is not None:
            self._keystore.put(record.serial, key)
        self._registry.add(record)
        unit = self._units[record.serial] = PairedUnit(self._connection, record, writes=True)
        self._fleet.add(self._at_gate(unit))
        self._seal(self._journal.tell(unix_ms(now)))

    def amend(self, record: UnitRecord, now: datetime) -> None:
        """Change what a unit's pairing fixed, except its beginning (`UnitRecord.after`).

        Raises:
            UnitUnknownError: the unit is not paired.
            UnitRecordError: its register could not go on.
            UnitPairedError: another unit advertises from its address.
        """
        record = record.after(self._paired(record.serial).record)
        unit = PairedUnit(self._connection, record, writes=True)
        unit.listen_from(self._listening_ms)
        self._fleet.replace(self._at_gate(unit))
        self._units[record.serial] = unit
        self._registry.amend(record)
        self._seal(self._journal.tell(unix_ms(now)))

    def receive(self, frame: ReceivedFrame, now: datetime) -> list[Event]:
        """Take a frame from a bearer; whatever its bytes are, nothing is raised for them.

        Args:
            frame: as it came in.
            now: the host's UTC.

        Returns:
            The telegram that was accepted or the refusal, and what else is to be told.
        """
        outcome = self._ingest.receive(frame)
        if isinstance(outcome, Refusal):
            return [outcome, *self._refuse(outcome, now)]
        unit = self._units[outcome.serial]
        alone = unit.record.allow_unauthenticated and not outcome.is_advert
        self._registry.remember(
            outcome.serial, outcome.key, is_advert=outcome.is_advert, alone=alone
        )
        if isinstance(outcome, StateReceived):
            return [outcome, *self._flag_remarks(outcome)]
        if isinstance(outcome, CountReceived):
            remarks = self._flag_remarks(outcome)
            remarks += self.receive_count(
                outcome.serial,
                outcome.key,
                outcome.count,
                outcome.received_utc,
                outcome.delay_max_s,
                now,
                is_authentic=outcome.is_authentic,
                bearer=outcome.bearer,
            )
            return [outcome, *remarks]
        remarks = unit.accept(outcome, now)
        if frame.two_way:
            self._phasing.listens(outcome.serial)
        self._seal(self._journal.told_ms)
        return [outcome, *remarks]

    def receive_count(
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
    ) -> list[Event]:
        """Take a count that came without the unit's clock: of an advert, or another maker's meter.

        Args:
            serial: the unit.
            key: the frame's place in the order of sending among its like; telegrams are apart.
            count: pulses, modulo 2^32.
            received_utc: when it was received.
            delay_max_s: the most that can lie between sending and that; None if unlimited.
            now: the host's UTC.
            is_authentic: whether a MAC or MIC proves it.
            bearer: which bearer brought it.

        Returns:
            What else is to be told. One that was taken before changes nothing.

        Raises:
            UnitUnknownError: the unit is not paired.
        """
        remarks = self._paired(serial).accept_count(
            key, count, received_utc, delay_max_s, now, is_authentic=is_authentic, bearer=bearer
        )
        self._seal(self._journal.told_ms)
        return remarks

    def receive_log(
        self, serial: str, entries: Iterable[tuple[int, int, int]], now: datetime
    ) -> None:
        """Take what was read of a unit's log, once `LogReader` has found it authentic.

        Counts are placed as far as telegrams tell when their ticks were; the register does not
        move. What was taken before changes nothing.

        Args:
            serial: the unit.
            entries: (boot, tick in seconds of uptime, count).
            now: the host's UTC.

        Raises:
            UnitUnknownError: the unit is not paired.
        """
        unit = self._paired(serial)
        near = None if unit.heard is None else unit.heard.key.boot
        ticks = (
            # A telegram tells the low half of the boot's number, which the collector went on from.
            LogTick(boot if near is None else boot_near(boot & 0xFFFF, near), tick_s, count)
            for boot, tick_s, count in entries
        )
        unit.accept_log(ticks, now)
        self._seal(self._journal.told_ms)

    def log_gap(self, serial: str) -> LogPlace | None:
        """Behind which place a unit's log should be read; None where it would tell nothing new.

        That is so where half-hours wait to be measured though telegrams were heard after them:
        after a long silence, or a restart of the unit that no telegram came before.

        Raises:
            UnitUnknownError: the unit is not paired.
        """
        return self._paired(serial).log_gap()

    def note_commands(self, outcome: PairingOutcome) -> None:
        """Go on from the commands that a unit was sent while it was being paired.

        Raises:
            UnitUnknownError: the unit is not paired.
        """
        self._paired(outcome.record.serial)
        self._phasing.go_on(outcome)

    def end(self, serial: str, count: int | None, now: datetime) -> None:
        """A unit was taken off its meter: nothing that it tells counts for more than this.

        Its half-hours go on without pulses, and its frames are refused. The unit that takes its
        place is paired with its own first count as the base.

        Args:
            serial: the unit.
            count: its last, read from it; None, or one below what was received, stands for that.
            now: the host's UTC.

        Raises:
            UnitUnknownError: the unit is not paired.
        """
        unit = self._paired(serial)
        unit.end(unit.count if count is None else count, now)
        self._fleet.end(serial)
        self._leaving.append(serial)
        self._seal(self._journal.told_ms)

    def keep_key(self, serial: str, key: bytes) -> None:
        """Keep the key of a unit that is about to be paired: without the unit it does no harm.

        Raises:
            KeystoreError: it is none, or could not be kept.
        """
        self._keystore.put(serial, key)

    def forget_ended_keys(self) -> None:
        """Forget the keys of units that have ended, once that is durable.

        Raises:
            KeystoreError: one could not be forgotten; the next call tries again.
        """
        while self._leaving:
            self._keystore.remove(self._leaving[-1])
            self._leaving.pop()

    def replies(self, now: datetime) -> list[tuple[str, bytes]]:
        """What is to be sent into the reply windows of what was received since the last call.

        Returns:
            (serial, command) for each unit whose phase is due; to be sent at once, after a commit.
        """
        return self._phasing.commands(self._units, unix_ms(now))

    def next_timer(self) -> datetime | None:
        """When `handle_timer` will have something to do; None while no unit is paired."""
        timers_ms = [unit.next_timer_ms() for unit in self._units.values()]
        return from_unix_ms(min(timers_ms)) if timers_ms else None

    def handle_timer(self, now: datetime) -> list[Event]:
        """Make final what has waited for long enough; tell of units that have fallen silent."""
        now_ms = self._journal.tell(unix_ms(now))
        self._seal(now_ms)
        silences = (unit.silence(now_ms) for unit in self._units.values())
        return [silence for silence in silences if silence is not None]

    @property
    def told(self) -> datetime:
        """The latest time that was noted, as the clock went then."""
        return from_unix_ms(self._journal.told_ms)

    def set_clock(self, now: datetime) -> None:
        """The host's clock was set, or has been found to be behind: an epoch begins.

        What is received from now on counts as of the new time, in rows that are final too.

        Args:
            now: the host's UTC, as it is now.
        """
        now_ms, told_ms = unix_ms(now), self._journal.told_ms
        back = self._units.values() if now_ms < told_ms else ()
        for unit in back:
            unit.set_back(now_ms)
        self._journal.set_clock(now_ms)
        for unit in back:
            unit.resume()
        self._listen_from(now_ms)
        self._seal(now_ms)

    def compact(self, now: datetime) -> int:
        """Let the journal forget what is final and proves nothing that is not; once a day will do.

        No row, register or later row is any other than without it.

        Returns:
            How many entries are gone.
        """
        return sum(self.compact_some(serial, now, _ALL) or 0 for serial in self.serials)

    def compact_some(self, serial: str, now: datetime, limit: int = 50) -> int | None:
        """As `compact`, of one unit, and no more of it at a time than others can wait for.

        Args:
            serial: the unit.
            now: the host's UTC.
            limit: so many entries are folded in this call; others can wait for the default.

        Returns:
            How many entries are gone; None as long as it is to be called again.

        Raises:
            UnitUnknownError: the unit is not paired.
        """
        unit = self._paired(serial)
        now_ms = self._journal.tell(unix_ms(now))
        self._seal(now_ms)
        return unit.compact(now_ms, limit)

    def _refuse(self, refusal: Refusal, now: datetime) -> list[Event]:
        serial, kind = refusal.serial, type(refusal).__name__
        is_first = isinstance(refusal, UnitEnded) and kind not in self.refusals(serial or "")
        self._registry.refuse(serial, kind, is_paired=serial in self._units)
        if isinstance(refusal, Replayed) and not refusal.is_advert:
            self._units[refusal.serial].narrow(refusal, now)
            self._seal(self._journal.told_ms)
        return [HeardAfterEnd(received_utc=now, serial=serial)] if is_first else []

    def _flag_remarks(self, said: StateReceived | CountReceived) -> list[Event]:
        gate = self._fleet.get(said.serial)
        assert gate is not None  # it was let in just now
        if said.error_flags is None or gate.is_late(said.key, is_advert=said.is_advert):
            return []
        return self._units[said.serial].accept_flags(said.received_utc, said.error_flags)

    def _at_gate(self, unit: PairedUnit) -> FleetUnit:
        serial = unit.record.serial
        keys = self._journal.window_keys(serial)
        keys += self._registry.seen(serial, is_advert=False)
        adverts = self._registry.seen(serial, is_advert=True)
        has_ended = self._journal.end(serial) is not None
        return FleetUnit(unit.record, keys, unit.count, adverts, has_ended=has_ended)

    def _listen_from(self, now_ms: int) -> None:
        self._listening_ms = now_ms
        for unit in self._units.values():
            unit.listen_from(now_ms)

    def _seal(self, now_ms: int) -> None:
        for unit in self._units.values():
            unit.seal(now_ms)
