"""What the event log of a collector of its own keeps: each thing once, and how often it was."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from collector import (
    BearerFailed,
    BearerLost,
    BearerReport,
    BearerWorks,
    CommandAnswered,
    LogUnanswered,
    ScanEnded,
    UnitPaired,
    UnitUnreached,
)
from collector.bearers.base import Bearer
from collector.cli import main
from collector.events import BadCrc, BadMac, LogRefused, LowBattery, UnitSilent
from collector.notes import Note, note_of, note_of_report
from collector.storage.directory import DataDirectory
from collector.storage.eventlog import DEPTH, EventLog
from tests.collector.bench import Bench
from tests.collector.frames import SERIAL, at
from tests.collector.house import BrokenBearer, House, LiveUnit


@pytest.fixture
def log() -> EventLog:
    """An empty one."""
    made = EventLog(sqlite3.connect(":memory:"))
    assert [] == list(made.newest())
    made.make()
    made.make()
    return made


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house without a pairing."""
    with DataDirectory.open(tmp_path / "home") as directory:
        yield House(directory)


def _kinds(log: EventLog) -> list[tuple[str, int]]:
    return [(row["event"], row["times"]) for row in log.newest()]


def _add(log: EventLog, report: BearerReport) -> bool:
    note = note_of_report(report)
    assert note is not None
    return log.add(note)


def test_what_is_tried_again_and_again_is_one_line(log: EventLog) -> None:
    """It is counted for a day, and then said once more; another unit's is another."""
    for hour in range(0, 50, 2):
        for unit in (SERIAL, "00000002"):
            at_utc = at(hour * 3600)
            report = UnitUnreached(at_utc=at_utc, bearer="ble", unit=unit, sentence="too far")
            assert (hour in (0, 24, 48)) == _add(log, report)
    assert [("UnitUnreached", 12)] * 4 + [("UnitUnreached", 1)] * 2 == _kinds(log)
    (first, *_) = log.newest()
    assert ("2026-01-01T00:00:00Z", "2026-01-01T22:00:00Z") == (first["at"], first["last"])


def test_how_a_device_stands_is_said_when_it_changes(log: EventLog) -> None:
    """That it still works is no line, however long after; a loose plug is two lines a day."""
    for day in range(3):
        _add(log, BearerWorks(at_utc=at(day * 86_400), bearer="stick 1"))
    assert [("BearerWorks", 3)] == _kinds(log)
    for minute in range(0, 60, 2):
        now_s = 3 * 86_400 + minute * 60
        _add(log, BearerLost(at_utc=at(now_s), bearer="stick 1", sentence="it is gone"))
        _add(log, BearerWorks(at_utc=at(now_s + 60), bearer="stick 1"))
    assert [("BearerWorks", 3), ("BearerLost", 30), ("BearerWorks", 30)] == _kinds(log)


def test_a_command_is_a_line_when_another_thing_became_of_it(log: EventLog) -> None:
    """A phase that is obeyed each day is one line; a refusal, and what is obeyed after it, are."""
    fixed = {"bearer": "ble", "serial": SERIAL}
    for day in range(5):
        is_obeyed = day != 3
        sentence = "" if is_obeyed else "it is not authentic"
        _add(
            log,
            CommandAnswered(
                at_utc=at(day * 86_400), is_obeyed=is_obeyed, sentence=sentence, **fixed
            ),
        )
    assert [("CommandAnswered", times) for times in (3, 1, 1)] == _kinds(log)


def test_refusals_of_a_kind_are_one_line(log: EventLog) -> None:
    """Whatever number their reason has; what any neighbour brings is none."""
    for number in range(5):
        refusal = BadMac(received_utc=at(number), serial=SERIAL, bearer="r", reason=f"no {number}")
        note = note_of(refusal)
        assert note is not None
        log.add(note)
    assert [("BadMac", 5)] == _kinds(log)
    assert note_of(BadCrc(received_utc=at(0), serial=None, bearer="r", reason="noise")) is None
    assert note_of_report(ScanEnded(at_utc=at(0), bearer="wire 1")) is None


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (LowBattery(received_utc=at(0), serial=SERIAL, battery_left_d=None), "low battery"),
        (UnitSilent(received_utc=at(0), serial=SERIAL, heard_utc=at(0)), "silent since 2026"),
        (
            LogRefused(received_utc=at(0), serial=SERIAL, bearer="ble", reason="no end"),
            "log refused: no end",
        ),
    ],
)
def test_an_event_of_a_unit_is_a_sentence(event: object, text: str) -> None:
    """With its serial first."""
    note = note_of(event)
    assert note is not None
    assert (type(event).__name__, SERIAL) == (note.kind, note.serial)
    assert note.text.startswith(f"{SERIAL} {text}")


@pytest.mark.parametrize(
    ("report", "serial"),
    [
        (BearerFailed(at_utc=at(0), bearer="ble", sentence="ble has failed"), None),
        (LogUnanswered(at_utc=at(0), bearer="ble", serial=SERIAL, sentence="its log"), SERIAL),
        (UnitPaired(at_utc=at(0), bearer="ble", serial=SERIAL), SERIAL),
    ],
)
def test_a_report_is_a_line_about_its_subject(report: BearerReport, serial: str | None) -> None:
    """With the bearer that it came by."""
    note = note_of_report(report)
    assert note is not None
    assert (type(report).__name__, serial, "ble") == (note.kind, note.serial, note.bearer)


def test_the_oldest_lines_leave(log: EventLog) -> None:
    """However much happens, the log has an end."""
    for number in range(DEPTH + 20):
        log.add(Note(at(number), "UnitReset", str(number), SERIAL, mark=str(number)))
    rows = list(log.newest())
    assert (DEPTH, "20", str(DEPTH + 19)) == (len(rows), rows[0]["text"], rows[-1]["text"])
    assert [str(DEPTH + 18), str(DEPTH + 19)] == [row["text"] for row in log.newest(2)]


class Reporting(LiveUnit):
    """A unit in reach, by a bearer that has something to report."""

    def __init__(self, bench: Bench, *reports: BearerReport) -> None:
        super().__init__(bench)
        self.reports = list(reports)

    def take_reports(self) -> list[BearerReport]:
        """What it has, each time again."""
        return self.reports


def test_reports_reach_the_log_and_a_person_once(house: House) -> None:
    """A window in which a unit is not reached ten times is one line, on paper and on screen."""
    unreached = UnitUnreached(at_utc=house.now, bearer="live", unit=SERIAL, sentence="too far")
    runtime = house.runtime(Reporting(house.bench, unreached))
    house.step(runtime, 100)
    (told,) = house.events("UnitUnreached")
    assert "live: too far" == told["text"]
    (row,) = (each for each in house.station.event_rows() if each["event"] != "UnknownUnit")
    assert ("UnitUnreached", 10, SERIAL) == (row["event"], row["times"], row["serial"])


def test_reports_wait_for_the_database(house: House) -> None:
    """Told at once; the log has them when it can be written again."""
    connection = house.directory.connection
    connection.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(house.directory.path / "meter.sqlite")
    other.execute("BEGIN IMMEDIATE")
    bearer: Bearer = BrokenBearer(house.bench)
    runtime = house.runtime(bearer, LiveUnit(Bench("00000009")))
    house.step(runtime, 60)
    assert 1 == len(house.events("BearerFailed"))
    assert [] == house.station.event_rows()
    other.rollback()
    other.close()
    house.step(runtime, 600)
    assert {"BearerFailed", "UnknownUnit"} == {row["event"] for row in house.station.event_rows()}


def test_the_log_is_shown(house: House) -> None:
    """As JSON with every field, while the collector runs; empty before the first line."""
    shown = CliRunner().invoke(main, ["events", "--data", str(house.directory.path), "--json"])
    assert (0, []) == (shown.exit_code, json.loads(shown.output))
    house.pair()
    house.step(house.runtime(), 7_200)
    shown = CliRunner().invoke(main, ["events", "--data", str(house.directory.path), "--json"])
    (row,) = json.loads(shown.output)
    assert ("UnitSilent", SERIAL, None, 1) == (
        row["event"],
        row["serial"],
        row["bearer"],
        row["times"],
    )
    assert row == house.station.event_rows()[0]


def test_a_bearer_that_is_replaced_changes_nothing(log: EventLog) -> None:
    """The same of another bearer is another thing."""
    lost = BearerLost(at_utc=at(0), bearer="stick 1", sentence="it is gone")
    assert _add(log, lost)
    assert _add(log, replace(lost, bearer="stick 2"))
    assert not _add(log, lost)
