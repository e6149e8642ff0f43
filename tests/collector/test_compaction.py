"""Condensing a journal's beginning changes nothing that is asked of it, then or later."""

from __future__ import annotations

import sqlite3
import tracemalloc
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from collector import Collector, MemoryKeystore, PulseHalfHour, Readings, TelegramReceived
from collector.entries import LogTick, TelegramKey
from collector.journal import Journal
from collector.storage.registry import Registry
from collector.storage.tables import Tables
from collector.unit import PairedUnit
from shared.timegrid import from_unix_ms
from shared.wire.telegram import PulseTelegram
from tests.collector.frames import KEY, SERIAL, at, heard, record
from tests.collector.world import START_S, PaperUnit

WINDOW = 3
START_MS = START_S * 1000
HOUR_MS = 3_600_000
_lengths = pytest.mark.parametrize("examples", [20, pytest.param(1500, marks=pytest.mark.slow)])
_GAPS_S = st.sampled_from([1, 900, 901, 1800, 9000, 40_000, 150_000, 400_000])
_HAPPENINGS = st.sampled_from(
    ["send"] * 8
    + ["late", "count", "old count", "log", "reboot", "power up", "phase", "pass"]
    + ["roll back", "placeholder", "tamper", "compact", "compact", "restart", "end"]
)


@dataclass(frozen=True)
class Said:
    """A telegram, and where it is in the order of sending."""

    key: TelegramKey
    telegram: PulseTelegram


class Kept:
    """A unit's journal and fold on a database."""

    def __init__(self, *, is_log_readable: bool) -> None:
        self.connection = sqlite3.connect(":memory:")
        Tables(self.connection).make()
        self.journal = Journal(self.connection)
        self.journal.begin_epoch()
        self.record = record(base_count=(1 << 32) - 20, is_log_readable=is_log_readable)
        Registry(self.connection).add(self.record)
        self.restart()

    def restart(self) -> None:
        """Build it again from what the database has."""
        self.unit = PairedUnit(self.connection, self.record, writes=True)

    def hear(self, said: Said, now_ms: int, delay_max_s: int | None) -> None:
        """Accept a telegram."""
        received = TelegramReceived(
            received_utc=from_unix_ms(now_ms),
            serial=SERIAL,
            boot=said.key.boot,
            counter=said.key.counter,
            telegram=said.telegram,
            is_authentic=True,
            bearer="test",
            delay_max_s=delay_max_s,
            rssi_dbm=None,
        )
        self.unit.accept(received, from_unix_ms(now_ms))

    def count(self, counter: int, count: int, now_ms: int) -> None:
        """Accept a count without a clock."""
        key, now = TelegramKey(0, counter), from_unix_ms(now_ms)
        self.unit.accept_count(key, count, now, 30, now, is_authentic=True, bearer="test")

    def rows(self, now_ms: int) -> list[PulseHalfHour]:
        """All half-hours."""
        return self.unit.half_hours(START_S, now_ms // 1000)


class Twins:
    """The same life twice: one journal is condensed now and then, the other is not."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        readable = data.draw(st.integers(0, 4)) == 0
        self.whole = Kept(is_log_readable=readable)
        self.condensed = Kept(is_log_readable=readable)
        first_count = self.whole.record.base_count
        self.unit = PaperUnit([], first_count=first_count, boot_ms=START_MS - 5_000_000)
        self.unit.next_grid_s = 5000
        self.now_ms = START_MS
        self.said: list[Said] = []
        self.counters = [1]
        self.forgotten = 0

    def happen(self, happening: str) -> None:
        """Let something be told to both, or only the one be condensed, or a part of it."""
        now_ms, unit = self.now_ms, self.unit
        if happening == "compact":
            limit = self.data.draw(st.sampled_from([1, 4, 1_000]))
            self.forgotten += self.condensed.unit.compact(now_ms, limit) or 0
        elif happening == "restart":
            if self.data.draw(st.booleans()):
                self.condensed.connection.execute("DELETE FROM collector_boundary")
                self.condensed.connection.execute("DELETE FROM collector_flag")
            self.condensed.restart()
        elif happening == "reboot":
            unit.reboot(now_ms)
        elif happening == "phase":
            unit.set_phase(now_ms, now_ms % 1_800_000)
        elif happening != "pass":
            self._tell(happening)
        for each in self._both():
            each.unit.seal(each.journal.tell(now_ms))

    def _tell(self, happening: str) -> None:
        now_ms, unit = self.now_ms, self.unit
        if happening == "power up":
            for each in self._both():
                each.journal.begin_epoch()
        elif happening in ("count", "old count"):
            self.counters.append(self.counters[-1] + 1 if happening == "count" else 1)
            oldest = max(self.counters) - WINDOW + 1
            counter = max(self.counters[-1], oldest)
            count = (unit.first_count + unit.turned(now_ms)) % (1 << 32)
            for each in self._both():
                each.count(counter, count, now_ms)
        elif happening == "log":
            ticks = [LogTick(*tick) for tick in unit.log(now_ms)]
            for each in self._both():
                each.unit.accept_log(ticks, from_unix_ms(now_ms))
        elif happening == "end":
            for each in self._both():
                each.unit.end(unit.first_count + unit.turned(now_ms), from_unix_ms(now_ms))
        else:
            self._say(happening)

    def _say(self, happening: str) -> None:
        if happening == "late":
            fresh = [s for s in self.said if s.key.counter > self.said[-1].key.counter - WINDOW]
            for said in fresh:
                for each in self._both():
                    each.hear(said, self.now_ms, None)
            return
        telegram = self.unit.telegram(self.now_ms, error_flags=int(happening == "tamper"))
        if happening == "roll back":
            telegram.count = (telegram.count - 3) % (1 << 32)
        if happening == "placeholder":
            telegram.count = 0
        self.said.append(Said(TelegramKey(self.unit.boot, self.unit.counter), telegram))
        if self.data.draw(st.integers(0, 3)):
            for each in self._both():
                each.hear(self.said[-1], self.now_ms, 5)

    def compare(self) -> None:
        """Nobody can tell them apart."""
        rows = self.whole.rows(self.now_ms)
        assert self.whole.unit.register == self.condensed.unit.register
        assert rows == self.condensed.rows(self.now_ms)
        assert self.whole.unit.refold() == self.condensed.unit.refold()
        reader = PairedUnit(self.condensed.connection, self.condensed.record, writes=False)
        assert rows == reader.half_hours(START_S, self.now_ms // 1000)

    def _both(self) -> tuple[Kept, Kept]:
        return self.whole, self.condensed


@_lengths
def test_condensing_changes_nothing(examples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is told, whenever it is condensed, and whatever is told and comes late then."""
    monkeypatch.setattr("collector.storage.past.WINDOW", WINDOW)

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.data(),
        st.lists(st.tuples(_HAPPENINGS, _GAPS_S, st.integers(0, 4)), min_size=8, max_size=30),
    )
    def demand(data: st.DataObject, life: list[tuple[str, int, int]]) -> None:
        twins = Twins(data)
        for happening, gap_s, pulses in life:
            begin_ms, span_ms = twins.now_ms, gap_s * 1000
            twins.unit.pulses_ms += [
                begin_ms + span_ms * (n + 1) // (pulses + 1) for n in range(pulses)
            ]
            twins.now_ms += span_ms
            note(f"{happening} at {(twins.now_ms - START_MS) / 1000}")
            twins.happen(happening)
        twins.compare()

    demand()


class Wrong:
    """A unit whose collector's clock is days behind, and is set forward twice."""

    def __init__(self) -> None:
        self.kept = Kept(is_log_readable=False)
        self.block_ms = self.kept.record.pairing.block_days * 86_400_000
        self.begin_ms = START_MS // self.block_ms * self.block_ms + self.block_ms
        pulses_ms = range(START_MS, self.begin_ms + HOUR_MS, HOUR_MS // 2)
        first_count = self.kept.record.base_count
        boot_ms = START_MS - 5 * HOUR_MS
        self.unit = PaperUnit(pulses_ms, first_count=first_count, boot_ms=boot_ms)
        self.behind_ms = 0

    def live(self, *, condenses: bool) -> list[PulseHalfHour]:
        """Tell of it, read its log, restart after that was condensed; return all that is final."""
        kept, begin_ms = self.kept, self.begin_ms
        self._hear(START_MS + HOUR_MS)
        logged = self.unit.log(begin_ms - HOUR_MS)
        self._hear(begin_ms - HOUR_MS)
        self._hear(begin_ms - HOUR_MS // 4)
        self._set_forward(self.block_ms + HOUR_MS)
        self._hear(begin_ms)
        kept.unit.accept_log(logged, from_unix_ms(begin_ms + self.behind_ms))
        self._set_forward(self.block_ms)
        self._hear(begin_ms + HOUR_MS)
        now_ms = kept.journal.told_ms
        if condenses:
            assert 2 == kept.unit.compact(now_ms, 1_000)
            open_s = (now_ms // 1000 - 86_400, now_ms // 1000)
            before = kept.unit.half_hours(*open_s)
            kept.restart()
            assert before == kept.unit.half_hours(*open_s)
        later_ms = now_ms + self.block_ms
        kept.unit.seal(kept.journal.tell(later_ms))
        return kept.rows(later_ms)

    def _hear(self, utc_ms: int) -> None:
        telegram = self.unit.telegram(utc_ms, history=0)
        telegram.grid_count = telegram.grid_age_s = telegram.last_pulse_age_s = None
        telegram.increments = ()
        said = Said(TelegramKey(self.unit.boot, self.unit.counter), telegram)
        self.kept.hear(said, utc_ms + self.behind_ms, 5)

    def _set_forward(self, by_ms: int) -> None:
        self.behind_ms += by_ms
        self.kept.journal.set_clock(self.kept.journal.told_ms + by_ms)


def test_a_log_of_what_is_condensed_is_no_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock set forward a log's old ticks fall among open rows: condensing changes none."""
    monkeypatch.setattr("collector.storage.past.WINDOW", 1)
    assert Wrong().live(condenses=False) == Wrong().live(condenses=True)


def _settled(col: Collector | Readings, days: int) -> list[PulseHalfHour]:
    return col.half_hours(SERIAL, START_S, START_S + days * 86_400)


@pytest.mark.parametrize("days", [90, pytest.param(365, marks=pytest.mark.slow)])
def test_a_long_journal_becomes_short(days: int) -> None:
    """After months only as many telegrams are left as a replay window has; no row is another."""
    connection = sqlite3.connect(":memory:")
    col = Collector(connection, MemoryKeystore(), at(0))
    col.pair(record(), KEY, at(0))
    for counter, seconds in enumerate(range(1000, days * 86_400, 6 * 3600)):
        col.receive(heard(counter, seconds, 40 * counter), at(seconds))
    col.handle_timer(at(days * 86_400))
    rows, register = _settled(col, days - 1), col.register(SERIAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("collector.storage.past.WINDOW", 100)
        assert days * 3.6 - 100 < col.compact(at(days * 86_400))
        assert 0 == col.compact(at(days * 86_400))
    (left,) = connection.execute("SELECT count(*) FROM collector_journal").fetchone()
    assert 101 <= left < 130
    again = Collector(connection, MemoryKeystore({SERIAL: KEY}), at(days * 86_400))
    for source in (col, again, Readings(connection)):
        assert register == source.register(SERIAL)
        assert rows == _settled(source, days - 1)
        assert rows == source.refold(SERIAL)[: len(rows)]


def test_condensing_takes_no_more_memory_after_weeks() -> None:
    """A block of days takes as much while it is condensed in the sixth week as in the second."""
    day_s, early, late = 86_400, 10, 38
    col = Collector(sqlite3.connect(":memory:"), MemoryKeystore(), at(0))
    col.pair(record(), KEY, at(0))
    peaks = {}
    for day in range(late + 1):
        col.receive(heard(day, day * day_s + 1000, 40 * day), at(day * day_s + 1000))
        if day in (early, late):
            tracemalloc.start()
        col.compact(at(day * day_s + 1000))
        if day in (early, late):
            peaks[day] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    assert peaks[late] <= 1.5 * peaks[early]
