"""A running collector reads from a unit's log what telegrams left out, as seldom as it can."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from collector import (
    LogAnswered,
    LogPlace,
    LogUnanswered,
    PulseHalfHour,
    PulseStatus,
    ReceivedFrame,
    UnitUnreached,
)
from collector.backfill import ANSWER_MAX, PAUSE, PAUSE_MAX, Backfill
from collector.bearers.reports import BearerReport
from collector.pairing import PairingSession
from collector.particulars import PairingPlan
from collector.runtime import Runtime
from collector.storage.directory import DataDirectory
from pulse_unit.log_answer import LogAnswer
from shared.crypto.backend_cryptography import AesBlock
from shared.timegrid import from_unix_ms, unix_ms
from shared.wire.gatt import LogRequest, encode_log_request
from shared.wire.log_pieces import LogWriter
from shared.wire.wmbus import frame_a
from tests.collector.bench import BEGIN_MS, LABEL, Bench
from tests.collector.frames import KEY, SERIAL
from tests.collector.house import House, LiveUnit

SILENCE_S = 5 * 86_400
UNMEASURED = ~(PulseStatus.TAMPER | PulseStatus.LOW_BATTERY)


class Visited(LiveUnit):
    """A unit whose radio reaches nobody, and whose log is read when somebody comes by."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self.asked: list[LogPlace] = []
        self.reports: list[BearerReport] = []
        self.frames: list[ReceivedFrame] = []
        self.is_near = True
        self.change: Callable[[LogAnswered], BearerReport] = lambda answer: answer

    def receive_until(self, utc_ms: int) -> list[ReceivedFrame]:
        """What came over a connection."""
        super().receive_until(utc_ms)
        frames, self.frames = self.frames, []
        return frames

    def take_reports(self) -> list[BearerReport]:
        """What has become of what was asked."""
        reports, self.reports = self.reports, []
        return reports

    def contact(self, now_ms: int) -> None:
        """Connect, and read a telegram."""
        unit = self.bench.unit
        frame = frame_a(unit.unit.seal(unit.uptime_ms(now_ms)))
        self.frames.append(ReceivedFrame(frame, from_unix_ms(now_ms), self.name, 1))

    def reads_log(self, serial: str) -> bool:
        """Only the bench's own."""
        return self.is_near and serial == SERIAL

    def ask_log(self, serial: str, *, boot: int = 0, tick_s: int = 0, **_: Any) -> None:
        """It is read at once."""
        self.asked.append(LogPlace(boot, tick_s))
        request = LogRequest(0x5EED + len(self.asked), boot, tick_s)
        data = encode_log_request(request)
        answer = LogAnswer(self.bench.unit.unit.history, AesBlock, KEY, request, data)
        pieces = []
        while not answer.is_done:
            piece = answer.next_piece(244)
            if piece is not None:
                pieces.append(piece)
        at = from_unix_ms(self.bench.now_ms)
        self.reports.append(
            self.change(
                LogAnswered(
                    at_utc=at, bearer=self.name, serial=serial, request=data, pieces=tuple(pieces)
                )
            )
        )


class Home(House):
    """A house whose unit's log can be read, and a bearer that does."""

    def __init__(self, directory: DataDirectory) -> None:
        super().__init__(directory)
        session = PairingSession(self.station.plan(PairingPlan()))
        self.bench.pair(session)
        outcome = session.outcome()
        record = replace(outcome.record, is_log_readable=True)
        self.station.commit(replace(outcome, record=record), self.bench.now)
        self.now = self.bench.now
        self.paired_ms = self.bench.now_ms
        self.live = Visited(self.bench)
        self.run = self.runtime(self.live)
        self.run.step()
        self.turned: list[int] = []

    def go_silent(self, seconds: int = SILENCE_S) -> None:
        """Let gas flow now and then, and nothing be heard of it."""
        end_ms = self.bench.now_ms + seconds * 1000
        while self.bench.now_ms < end_ms:
            self.bench.turn(4)
            self.turned += [self.bench.now_ms + 1 + n * 6_000 for n in range(4)]
            self.bench.now_ms += 7_200_000
            self.bench.unit.advance(self.bench.now_ms)
        self.now = self.bench.now
        self.run.step()

    def meet(self) -> None:
        """Come by with a telegram; then let a minute pass."""
        self.live.contact(unix_ms(self.now))
        self.step(self.run, 60)

    def rows(self) -> list[PulseHalfHour]:
        """All half-hours that have ended."""
        until_s = unix_ms(self.now) // 1_800_000 * 1800
        return self.station.collector.half_hours(SERIAL, BEGIN_MS // 1000, until_s)

    def logged(self) -> list[tuple[str, int]]:
        """The event log: kinds, and how often each was."""
        return [(row["event"], row["times"]) for row in self.station.event_rows()]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A house whose unit was heard, and then was not."""
    with DataDirectory.open(tmp_path / "home") as directory:
        yield Home(directory)


def _is_filled(home: Home) -> bool:
    """Whether the log has told every half-hour of the silence, and most are measured and final.

    In the middle of five days a crystal of 100 ppm leaves some 20 s open: where gas flows beside a
    boundary there, its count is the log's and called interpolated.
    """
    first_s = home.paired_ms // 1000 // 1800 * 1800 + 1800  # before that is the test burn
    last_s = (BEGIN_MS // 1000) + SILENCE_S - 10_800
    rows = [row for row in home.rows() if first_s <= row.start_s < last_s]
    assert len(rows) > 200
    counts = Counter(at_ms // 1_800_000 * 1800 for at_ms in home.turned)
    measured = [row for row in rows if not row.status & UNMEASURED]
    assert all(row.final for row in measured)
    return all(row.pulses == counts[row.start_s] for row in rows) and len(measured) > 100


def test_five_days_of_silence_are_read_from_the_log(home: Home) -> None:
    """At the first contact, once; every half-hour is then true, and final at last as it is."""
    home.go_silent()
    assert [] == home.live.asked
    home.meet()
    assert 1 == len(home.live.asked)
    assert _is_filled(home)
    rows = home.rows()
    assert rows == home.station.collector.refold(SERIAL)[: len(rows)]
    assert ("LogRead", 1) in home.logged()
    (told,) = home.events("LogRead")
    assert told["text"].startswith(f"{SERIAL} log read, 2")
    home.meet()
    assert 1 == len(home.live.asked)
    home.now += timedelta(days=40)
    home.run.step()
    assert all(row.final for row in home.rows()[: len(rows) - 8])
    assert _is_filled(home)


def test_a_gap_that_telegrams_fill_is_asked_for_by_nobody(home: Home) -> None:
    """A day is in a telegram's own history: no battery is spent on a log."""
    home.go_silent(86_400)
    home.meet()
    assert [] == home.live.asked


def test_a_bearer_that_cannot_read_the_log_is_not_asked(home: Home) -> None:
    """When one comes near that can, the next telegram has it asked."""
    home.live.is_near = False
    home.go_silent()
    home.meet()
    assert [] == home.live.asked
    home.live.is_near = True
    home.meet()
    assert _is_filled(home)


def _truncated(answer: LogAnswered) -> LogAnswered:
    return replace(answer, pieces=(answer.pieces[0][:-3], *answer.pieces[1:]))


def _unended(answer: LogAnswered) -> LogAnswered:
    return replace(answer, pieces=answer.pieces[:-1])


def _of_another_key(answer: LogAnswered) -> LogAnswered:
    writer = LogWriter(AesBlock, bytes(16), answer.request)
    pieces = []
    for n in range(200):
        writer.add(244, 1, 1800 * n, 1_000_000 * n)
        pieces.append(writer.take())
    return replace(answer, pieces=(*(piece for piece in pieces if piece), writer.end()))


def _of_another_question(answer: LogAnswered) -> LogAnswered:
    return replace(answer, request=bytes([1, 9]) + answer.request[2:])


def _died(answer: LogAnswered) -> LogUnanswered:
    return LogUnanswered(
        at_utc=answer.at_utc, bearer=answer.bearer, serial=answer.serial, sentence="it broke off"
    )


@pytest.mark.parametrize(
    "change", [_truncated, _unended, _of_another_key, _of_another_question, _died]
)
def test_an_answer_that_is_none_changes_nothing_and_is_asked_for_again(
    home: Home, change: Callable[[LogAnswered], BearerReport]
) -> None:
    """Told once and ever less often asked; the first good answer fills the rows."""
    home.live.change = change
    home.go_silent()
    register = home.station.collector.register(SERIAL)
    home.meet()
    pulses, rows = home.station.collector.register(SERIAL), home.rows()
    assert register < pulses
    assert any(row.pulses is None or row.status & UNMEASURED for row in rows)
    for _ in range(24):
        home.step(home.run, 3_600)
    assert 4 <= len(home.live.asked) <= 5  # after 1, 2, 4, 8 hours
    assert 1 == len(home.events("LogRefused") + home.events("LogUnanswered"))
    kind, times = "LogUnanswered" if change is _died else "LogRefused", len(home.live.asked)
    assert (kind, times) in home.logged()
    home.live.change = lambda answer: answer
    home.step(home.run, 86_400)
    assert ["LogRead"] == [row["event"] for row in home.events("LogRead")]
    home.now += timedelta(hours=1)
    home.meet()
    assert pulses == home.station.collector.register(SERIAL)
    assert _is_filled(home)


def test_a_log_that_contradicts_the_counts_moves_no_register(home: Home) -> None:
    """What an authentic log tells beyond the telegrams' count is in no row, and in no register."""

    def wild(answer: LogAnswered) -> LogAnswered:
        writer = LogWriter(AesBlock, KEY, answer.request)
        pieces = []
        for boot, tick_s, count in answer.entries(KEY):
            writer.add(244, boot, tick_s, count + (1_000_000 if tick_s % 3600 < 1800 else 0))
            pieces.append(writer.take())
        return replace(answer, pieces=(*(piece for piece in pieces if piece), writer.end()))

    home.live.change = wild
    home.go_silent()
    home.meet()
    register = home.station.collector.register(SERIAL)
    assert len(home.turned) + 3 == register
    home.now += timedelta(hours=3)
    home.meet()
    rows = home.rows()
    assert register >= sum(row.pulses or 0 for row in rows)
    assert all(row.pulses is None or row.pulses >= 0 for row in rows)
    assert rows == home.station.collector.refold(SERIAL)[: len(rows)]


def test_a_unit_that_was_unpaired_meanwhile_is_wanted_no_more(home: Home) -> None:
    """Its answer is refused, and nobody asks it again."""
    answers: list[LogAnswered] = []

    def later(answer: LogAnswered) -> UnitUnreached:
        answers.append(answer)
        return UnitUnreached(
            at_utc=answer.at_utc, bearer=answer.bearer, unit=SERIAL, sentence="it takes long"
        )

    home.live.change = later
    home.go_silent()
    home.meet()
    home.station.unpair(SERIAL, home.now)
    rows = home.rows()
    home.live.reports += answers
    home.step(home.run, 7_200)
    (refused,) = home.events("LogRefused")
    assert refused["text"].endswith("the unit is not paired any more")
    assert rows[:200] == home.rows()[:200]
    assert 1 == len(home.live.asked)


@pytest.mark.parametrize("is_full", [False, True], ids=["locked", "full"])
def test_a_log_waits_for_the_database(home: Home, is_full: bool) -> None:
    """While nothing can be written it stays in memory, and nobody is asked twice."""
    connection = home.directory.connection
    connection.execute("PRAGMA busy_timeout = 1")
    home.go_silent()
    home.live.contact(unix_ms(home.now))
    answers: list[BearerReport] = []

    def later(answer: LogAnswered) -> UnitUnreached:
        answers.append(answer)
        return UnitUnreached(
            at_utc=answer.at_utc, bearer=answer.bearer, unit=SERIAL, sentence="it takes long"
        )

    home.live.change = later
    home.step(home.run, 10)
    other = sqlite3.connect(home.directory.path / "meter.sqlite")
    if is_full:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
    else:
        other.execute("BEGIN IMMEDIATE")
    home.live.reports += answers
    home.step(home.run, 3 * 3600)
    assert home.station.is_behind
    assert [] == home.events("LogRead")
    connection.execute("PRAGMA max_page_count = 1000000")
    other.rollback()
    other.close()
    home.step(home.run, 1_000)
    assert not home.station.is_behind
    assert _is_filled(home)
    assert 1 == len(home.live.asked) == len(home.events("LogRead"))


def test_a_restart_while_an_answer_waits_asks_again(home: Home) -> None:
    """What was in memory only is read once more."""
    home.live.change = _died
    home.go_silent()
    home.meet()
    home.live.change = lambda answer: answer
    home.run = Runtime(home.station, [home.live], home.told.append, now=lambda: home.now)
    home.step(home.run, 60)
    assert 2 == len(home.live.asked)
    assert _is_filled(home)


def test_questions_come_ever_less_often_where_answers_fill_nothing() -> None:
    """An hour, then twice the last up to a day; anew where the log was read further."""
    backfill, now = Backfill(), from_unix_ms(BEGIN_MS)
    backfill.heard(SERIAL)
    pauses = []
    for _ in range(8):
        assert [SERIAL] == backfill.due(now)
        backfill.asked(SERIAL, LogPlace(1, 0), "ble", now)
        assert [] == backfill.due(now + ANSWER_MAX - timedelta(seconds=1))
        backfill.answered(SERIAL, now)
        begin = now
        while not backfill.due(now):
            now += timedelta(minutes=30)
        pauses.append(now - begin)
    assert [PAUSE * factor for factor in (1, 2, 4, 8, 16)] == pauses[:5]
    assert {PAUSE_MAX} == set(pauses[5:])
    backfill.asked(SERIAL, LogPlace(1, 1800), "ble", now)
    backfill.lost("stick", now)
    assert [] == backfill.due(now + PAUSE)
    backfill.lost("ble", now)
    assert [SERIAL] == backfill.due(now + PAUSE)
    backfill.asked(SERIAL, LogPlace(1, 3600), "ble", now)
    assert [SERIAL] == backfill.due(now + ANSWER_MAX)
    backfill.seen(SERIAL)
    assert [] == backfill.due(now + 2 * ANSWER_MAX)
    backfill.keep_only(frozenset())
    backfill.answered(SERIAL, now)
    backfill.heard(LABEL.serial)
    assert [LABEL.serial] == backfill.due(now)
