"""One paired unit: its journal entries, folded to half-hours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from shared.timegrid import (
    HALF_HOUR_S,
    from_unix_ms,
    half_hour_ceiling_s,
    half_hour_floor_s,
    unix_ms,
)

from . import events
from .advance import CountKind
from .bracket import BoundaryCount
from .compaction import Compaction, Condensing
from .entries import LogPlace, LogTick, Stamp, TelegramKey, forward
from .events import Event, Replayed, TelegramReceived
from .fleet import UnitRecord
from .halfhours import Fold, FoldStep, fold
from .journal import Journal
from .remarks import Remarks
from .rows import PulseHalfHour, PulseRun, rows, single
from .setback import closing_step, overtaken_pulses, overtaken_rows, with_overtaken
from .silence import Silence, Standing
from .storage.derived import Derived
from .storage.overtaken import Overtaken
from .storage.past import Past
from .storage.registry import Registry

if TYPE_CHECKING:
    import sqlite3


class PairedUnit:
    """A unit's fold, resumed from the database and kept in step with it.

    Args:
        connection: the database; nothing is committed.
        record: the unit, as the registry has it.
        writes: whether anything may be written: what is derived and missing, for a beginning.
    """

    def __init__(self, connection: sqlite3.Connection, record: UnitRecord, *, writes: bool) -> None:
        self.record = record
        self._journal = Journal(connection)
        self._registry = Registry(connection)
        self._derived = Derived(connection)
        self._pairing = record.pairing
        self._past = Past(connection)
        self._overtaken = Overtaken(connection)
        self._overtaken_rows = self._overtaken.rows(record.serial)
        self._compaction = Compaction(self._journal, self._past, record.serial, self._pairing)
        self._condensing: Condensing | None = None
        self._fold = self._resumed(writes=writes)
        self.heard = self._journal.last_heard(record.serial)
        self._silence = Silence(self._registry.standing(record.serial), record.period_s, self._keep)
        self._remarks = Remarks(self._registry, record)

    @property
    def register(self) -> int:
        """Pulses since the pairing, by all that has been heard."""
        return self._fold.advances.total + overtaken_pulses(self._overtaken_rows)

    @property
    def is_silent(self) -> bool:
        """Whether it has not been heard for more than twice its period."""
        return self._silence.is_silent

    @property
    def alarms(self) -> int:
        """Its flags that a person must hear of, as far as they are up: `FLAG_...`."""
        return self._remarks.alarms(self.heard)

    @property
    def count(self) -> int:
        """The newest of its counts that is data."""
        return self._fold.advances.count

    @property
    def final_through_s(self) -> int:
        """The boundary up to which all half-hours are final."""
        return self._fold.final_through_s

    @property
    def final_pulses(self) -> int:
        """Pulses since the pairing up to `final_through_s`."""
        pulses = self._fold.boundary(self.final_through_s)[0].pulses
        assert pulses is not None  # what is final is not pending
        return pulses + overtaken_pulses(self._overtaken_rows, self.final_through_s)

    def accept(self, received: TelegramReceived, now: datetime) -> list[Event]:
        """Journal and fold a telegram; return what else there is to tell of it."""
        before, register = self.heard, self.register
        stamp = self._journal.append(received, now)
        if stamp is None:
            return []
        self._apply(stamp)
        self.heard = self._journal.last_heard(self.record.serial)
        self._silence.hear(unix_ms(self.heard_utc))
        key = TelegramKey(received.boot, received.counter)
        is_lower = self._fold.advances.telegrams.at(key).kind is CountKind.ROLLED_BACK
        pulses = self.register - register
        return list(self._remarks.of_telegram(received, before, pulses, is_lower=is_lower))

    def narrow(self, replayed: Replayed, now: datetime) -> None:
        """Take from a second reception what it tells of the first one's time."""
        key = TelegramKey(replayed.boot, replayed.counter)
        stamp = self._journal.narrow(
            self.record.serial, key, replayed.received_utc, replayed.delay_max_s, now
        )
        if stamp is not None:
            self._apply(stamp)

    def accept_count(
        self,
        key: TelegramKey,
        count: int,
        received_utc: datetime,
        delay_max_s: int | None,
        now: datetime,
        *,
        is_authentic: bool,
        bearer: str,
    ) -> list[Event]:
        """Journal and fold a reception that tells a count and no clock; see `accept`."""
        serial, register, heard_utc = self.record.serial, self.register, self.heard_utc
        stamp = self._journal.append_count(
            serial,
            key,
            count,
            received_utc,
            delay_max_s,
            now,
            is_authentic=is_authentic,
            bearer=bearer,
        )
        if stamp is None:
            return []
        self._apply(stamp)
        self._silence.hear(unix_ms(self.heard_utc))
        is_lower = self._fold.advances.counts.at(key).kind is CountKind.ROLLED_BACK
        pulses = self.register - register
        return list(
            self._remarks.of_count(received_utc, count, pulses, heard_utc, is_lower=is_lower)
        )

    def accept_flags(self, received_utc: datetime, error_flags: int) -> list[Event]:
        """Take the flags of an advert, or of another maker's meter; return what is to be told."""
        return list(self._remarks.of_flags(received_utc, error_flags, self.heard))

    def accept_log(self, ticks: Iterable[LogTick], now: datetime) -> None:
        """Journal and fold what was read of the unit's log."""
        stamp = self._journal.append_log(self.record.serial, ticks, now)
        if stamp is not None:
            self._apply(stamp)

    def end(self, count: int, now: datetime) -> None:
        """Journal and fold that the unit was taken off its meter."""
        pulses = self._fold.advances.total + max(0, forward(count, self.count))
        stamp = self._journal.append_end(self.record.serial, unix_ms(now), pulses, now)
        if stamp is not None:
            self._apply(stamp)

    def log_gap(self) -> LogPlace | None:
        """See `Collector.log_gap`."""
        return self._fold.log_gap() if self.record.is_log_readable else None

    def seal(self, now_ms: int) -> None:
        """Make final what has waited for long enough."""
        self._derived.put(self.record.serial, self._fold.seal(now_ms))

    def set_back(self, now_ms: int) -> None:
        """Close what was counted by a clock that is set back; the journal has not been told yet.

        What rows from there on hold stays theirs, and what comes is added to it.
        """
        serial, told_ms = self.record.serial, self._journal.told_ms
        boundary_s = max(half_hour_floor_s(now_ms // 1000), self._pairing.first_s)
        for step in closing_step(self._fold, told_ms, self._pairing.horizon_s, self._journal.epoch):
            self._derived.put(serial, step)
        advances = self._fold.advances
        last_s = max(boundary_s, half_hour_ceiling_s(told_ms // 1000 + 1))
        before = self._derived.boundaries(serial, boundary_s, boundary_s)[boundary_s].pulses
        assert before is not None  # it is final
        self._overtaken_rows = {}
        fewer = advances.total - before
        runs = list(self.runs(boundary_s, last_s))
        self._overtaken.add(serial, overtaken_rows(runs, boundary_s, fewer))
        self._past.close(serial, advances.telegrams.closed(fewer), advances.counts.closed(fewer))
        self._overtaken.bring_back(serial, boundary_s)
        self._overtaken.close(serial, self._journal.epoch, now_ms, fewer)
        self._past.set_before_ms(serial, now_ms)
        self._derived.clear(serial)
        self._overtaken_rows = self._overtaken.rows(serial)

    def listen_from(self, now_ms: int) -> None:
        """Power came, or a clock was set to this: the unit has not been silent for any time yet."""
        self._silence.listen_from(now_ms)

    def resume(self) -> None:
        """Go on after `set_back`, once the journal has been told."""
        self._condensing = None
        self._fold = self._refolded()
        self.heard = self._journal.last_heard(self.record.serial)

    def silence(self, now_ms: int) -> events.UnitSilent | None:
        """Tell of a silence that is news."""
        if self._journal.end(self.record.serial) is not None:
            return None
        if not self._silence.pass_time(unix_ms(self.heard_utc), now_ms):
            return None
        return events.UnitSilent(
            received_utc=from_unix_ms(now_ms),
            serial=self.record.serial,
            heard_utc=self.heard_utc,
        )

    def next_timer_ms(self) -> int:
        """When `seal` or `silence` will have something to do, in UNIX milliseconds."""
        sealed_ms = (self.final_through_s + HALF_HOUR_S + self._pairing.horizon_s) * 1000 + 1
        silent_ms = self._silence.next_timer_ms(unix_ms(self.heard_utc))
        if silent_ms is None or self._journal.end(self.record.serial) is not None:
            return sealed_ms
        return min(sealed_ms, silent_ms)

    def grid_tick_dms(self) -> tuple[int, int] | None:
        """Between which instants the newest tick of the unit's grid was, in tenths of a ms."""
        if self.heard is None or self.heard.grid_tick_s is None:
            return None
        tick_s, epoch = self.heard.grid_tick_s, self._journal.epoch
        return self._fold.evidence.tick_interval_dms(self.heard.key, epoch, tick_s)

    def half_hours(self, from_s: int, to_s: int) -> list[PulseHalfHour]:
        """The half-hours that start from one instant to before another, none before the pairing."""
        first_s = max(half_hour_ceiling_s(from_s), self._pairing.first_s)
        last_s = half_hour_ceiling_s(to_s)
        if first_s >= last_s:
            return []
        finals = self._derived.boundaries(self.record.serial, first_s, last_s)
        flags = self._derived.flags(self.record.serial, first_s, last_s)
        boundaries = (
            (at_s, finals[at_s], True) if at_s in finals else (at_s, *self._fold.boundary(at_s))
            for at_s in range(first_s, last_s + 1, HALF_HOUR_S)
        )
        folded = rows(boundaries, flags, self._pairing.pulses_max)
        return list(with_overtaken(folded, self._overtaken_rows))

    def runs(self, from_s: int, to_s: int) -> Iterator[PulseRun]:
        """As `half_hours`; a long silence comes as one, whatever its length."""
        first_s = max(half_hour_ceiling_s(from_s), self._pairing.first_s)
        end_s = half_hour_ceiling_s(to_s)
        for run_s, boundary in self._derived.silences(self.record.serial, first_s, end_s):
            yield from single(self.half_hours(first_s, run_s[0]))
            first_s, last_s = run_s[0], run_s[-1]
            apart_s = set(self._derived.flags(self.record.serial, first_s, last_s - 1))
            apart_s |= {at_s for at_s in self._overtaken_rows if first_s <= at_s < last_s}
            for flagged_s in sorted(apart_s):
                if first_s < flagged_s:
                    yield PulseRun(first_s, flagged_s, 0, boundary.status, final=True)
                first_s = flagged_s + HALF_HOUR_S
                yield from single(self.half_hours(flagged_s, first_s))
            if first_s < last_s:
                yield PulseRun(first_s, last_s, 0, boundary.status, final=True)
            first_s = last_s
        yield from single(self.half_hours(first_s, end_s))

    def refold(self) -> list[PulseHalfHour]:
        """All half-hours up to now, from the whole journal and nothing else."""
        entries = self._journal.entries(self.record.serial, self._compaction.edge_ms)
        start = self._compaction.start(self._derived)
        folded = fold(entries, self._pairing, self._journal.told_ms, start)
        return list(with_overtaken(folded, self._overtaken_rows))

    def compact(self, now_ms: int, limit: int) -> int | None:
        """See `Collector.compact`, of this unit: None while there is more to fold."""
        if self._condensing is None:
            self._condensing = self._compaction.begin(now_ms, self._derived)
        if self._condensing is None:
            return 0
        if not self._condensing.go_on(limit):
            return None
        forgotten = self._compaction.finish(self._condensing, self._derived)
        self._fold, self._condensing = self._condensing.state, None
        return forgotten

    def _resumed(self, *, writes: bool) -> Fold:
        serial = self.record.serial
        if not self._derived.has(serial):
            if not writes:
                self._derived = self._derived.in_memory(serial)
            return self._refolded()
        return self._compaction.resumed(self._derived.newest_boundaries(serial))

    def _refolded(self) -> Fold:
        """Fold all of the journal that can be, and keep what is derived from it."""
        serial, edge_ms = self.record.serial, self._compaction.edge_ms
        state = self._compaction.at_edge(self._derived)
        self._derived.clear(serial)
        if not edge_ms:
            paired = FoldStep({self._pairing.first_s: BoundaryCount.at_pairing()}, {})
            self._derived.put(serial, paired)
        for entry in self._journal.entries(serial, edge_ms):
            self._derived.put(serial, state.apply(entry))
        self._derived.put(serial, state.seal(self._journal.told_ms))
        return state

    def _apply(self, stamp: Stamp) -> None:
        # What is folded is what is in the journal, as a restart will find it.
        for entry in self._journal.entries(self.record.serial, stamp.received_ms):
            self._derived.put(self.record.serial, self._fold.apply(entry))

    @property
    def heard_utc(self) -> datetime:
        """When it was heard last; when it was paired, if it never was."""
        heard_utc = self.record.paired_utc if self.heard is None else self.heard.heard_utc
        count_ms = self._journal.count_heard_ms(self.record.serial)
        return heard_utc if count_ms is None else max(heard_utc, from_unix_ms(count_ms))

    def _keep(self, standing: Standing) -> None:
        self._registry.set_standing(self.record.serial, standing)
