from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector import PulseHalfHour, ReceivedFrame
from collector.bearers.replay import ReplayFile
from collector.errors import StorageFailedError
from collector.pairing import PairingSession
from collector.particulars import PairingPlan
from collector.runtime import Runtime
from collector.storage.directory import DataDirectory
from shared.label import UnitLabel
from shared.timegrid import from_unix_ms, unix_ms
from tests.collector.bench import BEGIN_MS, Bench, recorded
from tests.collector.frames import KEY, SERIAL
from tests.collector.house import BrokenBearer, House, LiveUnit, reach

ROOT = Path(__file__).parents[2]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house without a pairing."""
    with DataDirectory.open(tmp_path / "home") as directory:
        yield House(directory)


def test_telegrams_become_durable_and_are_told(house: House) -> None:
    """What is told can be read in the database by another process at that moment."""
    house.pair()
    live = LiveUnit(house.bench)
    seen = []

    def tell(row: dict[str, Any]) -> None:
        if row["event"] == "TelegramReceived":
            other = sqlite3.connect(house.directory.path / "meter.sqlite")
            (count,) = other.execute("SELECT max(count) FROM collector_journal").fetchone()
            other.close()
            seen.append((row["count"], count))

    runtime = Runtime(house.station, [live], tell, now=lambda: house.now)
    house.bench.turn(7)
    house.step(runtime, 2000)
    assert 100 == house.litres
    assert seen
    assert all(told <= durable for told, durable in seen)


def test_a_bearer_that_fails_does_not_take_the_others_down(house: House) -> None:
    """It is told and left out; the unit that another one hears goes on."""
    house.pair()
    broken = BrokenBearer(Bench("00000009"))
    runtime = house.runtime(broken, LiveUnit(house.bench))
    house.bench.turn(2)
    house.step(runtime, 1000)
    (row,) = house.events("BearerFailed")
    assert "live has failed and is left out: of all things" == row["text"]
    assert broken.is_closed
    assert 50 == house.litres


def test_a_locked_database_is_said_and_loses_nothing(house: House) -> None:
    """One line when it begins and one when it is over; no command is sent meanwhile."""
    house.pair()
    house.directory.connection.execute("PRAGMA busy_timeout = 1")
    live = LiveUnit(house.bench)
    runtime = house.runtime(live)
    other = sqlite3.connect(house.directory.path / "meter.sqlite")
    other.execute("BEGIN IMMEDIATE")
    house.bench.turn(6)
    house.step(runtime, 3 * 3600)
    assert [] == live.replies
    assert house.station.waiting >= 11
    other.rollback()
    other.close()
    house.step(runtime, 1000)
    (failed,), (recovered,) = house.events("storage_failed"), house.events("storage_recovered")
    assert "another program has locked it" in failed["text"]
    assert failed["at"] < recovered["at"]
    assert (0, 90) == (house.station.waiting, house.litres)
    assert live.replies  # the phase, which was due meanwhile


def test_a_full_disk_is_said_and_loses_nothing(house: House) -> None:
    """What waits is kept as of when it came in: its half-hours are measured all the same."""
    house.pair()
    connection = house.directory.connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    runtime = house.runtime(LiveUnit(house.bench))
    house.bench.turn(100)
    house.step(runtime, 20 * 3600)
    assert house.events("storage_failed")
    connection.execute("PRAGMA max_page_count = 1000000")
    house.step(runtime, 3600)
    assert 1 == len(house.events("storage_recovered"))
    assert 1030 == house.litres
    rows = house.station.collector.half_hours(SERIAL, BEGIN_MS // 1000, BEGIN_MS // 1000 + 72_000)
    assert 103 == sum(row.pulses for row in rows if row.pulses is not None)
    assert {0} == {int(row.status) for row in rows[1:39]}


def test_refusals_of_a_kind_are_told_once(house: House) -> None:
    """A neighbour's telegrams are not told at all, a replay of ours once."""
    house.pair()
    frames = house.bench.unit.advance(unix_ms(house.now) + 900_000)
    runtime = house.runtime()
    replayed = [
        ReceivedFrame(frame, house.now + timedelta(seconds=n), "test", 1)
        for n in range(5)
        for _, frame in frames[:1]
    ]
    runtime._keep(replayed, house.now + timedelta(minutes=1))
    neighbour = Bench("00000009").unit.advance(BEGIN_MS + 60_000)
    runtime._keep([ReceivedFrame(neighbour[0][1], house.now, "test", 1)], house.now)
    assert ["TelegramReceived", "Replayed"] == [row["event"] for row in house.told]


def test_a_paired_units_silence(house: House) -> None:
    """A paired one's is told, once."""
    house.pair()
    runtime = house.runtime()
    house.step(runtime, 7200)
    assert 1 == len(house.events("UnitSilent"))


def test_the_silence_of_a_unit_that_was_unpaired(house: House) -> None:
    """It is what was wanted."""
    house.pair()
    house.station.unpair(SERIAL, house.now)
    house.step(house.runtime(), 7200)
    assert [] == house.told


def test_recordings_are_gone_through_in_their_own_time(house: House, tmp_path: Path) -> None:
    """A day that is long past is measured, and nothing is told to be silent since."""
    path = tmp_path / "day.txt"

    def day(bench: Bench) -> None:
        bench.turn(500)
        bench.step(lambda *_: None, 86_400)

    recorded(path, day)
    session = PairingSession(house.station.plan(PairingPlan()))
    house.bench.pair(session)
    house.station.commit(session.outcome(), house.bench.now)
    runtime = Runtime(
        house.station, [ReplayFile(path, delay_max_s=0)], house.told.append
    )  # by the host's clock, years later or earlier
    asyncio.run(runtime.run())
    assert 5000 == house.litres
    assert [] == house.events("UnitSilent")
    assert 500 == house.events("TelegramReceived")[-1]["count"]


def test_a_recording_ahead_of_this_clock(house: House, tmp_path: Path) -> None:
    """It is gone through in its own time like any other, and ends."""
    path = tmp_path / "recording.txt"

    def day(bench: Bench) -> None:
        bench.turn(500)
        bench.step(lambda *_: None, 86_400)

    recorded(path, day)
    house.pair()
    behind = house.now - timedelta(days=400)
    runtime = Runtime(
        house.station,
        [ReplayFile(path, delay_max_s=0)],
        house.told.append,
        now=lambda: behind,
    )
    asyncio.run(asyncio.wait_for(runtime.run(), 60))
    assert 500 == house.events("TelegramReceived")[-1]["count"]


def test_a_recording_ahead_of_this_clock_beside_another_bearer(
    house: House, tmp_path: Path
) -> None:
    """It waits for its time, which is said."""
    path = tmp_path / "recording.txt"
    path.write_text(f"{(house.now + timedelta(days=1)).isoformat()} 2E44\n")
    house.pair()
    runtime = house.runtime(ReplayFile(path), LiveUnit(house.bench))
    asyncio.run(runtime._replay())
    (notice,) = house.events("notice")
    assert notice["text"].startswith("recording.txt is ahead of this clock until 20")


def test_a_recording_that_a_full_disk_does_not_take(house: House, tmp_path: Path) -> None:
    """How far it came is said in the error; a second run with room goes on from there."""
    path = tmp_path / "recording.txt"

    def days(bench: Bench) -> None:
        bench.turn(500)
        bench.step(lambda *_: None, 20 * 86_400)

    recorded(path, days)
    house.pair()
    connection = house.directory.connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 40}")
    with pytest.raises(StorageFailedError, match=r"it was up to 20.*Z: .*the disk is full"):
        asyncio.run(house.runtime(ReplayFile(path, delay_max_s=0)).run())
    connection.execute("PRAGMA max_page_count = 1000000")
    asyncio.run(house.runtime(ReplayFile(path, delay_max_s=0)).run())
    assert 5000 == house.litres


def test_a_process_that_is_stopped_or_killed(tmp_path: Path, call: Path) -> None:
    """SIGTERM ends it with 0; after SIGKILL the next one goes on."""
    later = tmp_path / "later.txt"
    at = from_unix_ms(time.time_ns() // 1_000_000) + timedelta(hours=1)
    later.write_text(f"{at.isoformat()} 2E44\n")
    (tmp_path / "home").mkdir()
    words = [sys.executable, "-m", "collector", "run", "--data", str(tmp_path / "home")]
    words += ["--replay", str(call), "--replay", str(later), "--stick", f"hex:{tmp_path}/none"]
    for number, status in ((signal.SIGKILL, -9), (signal.SIGTERM, 0)):
        (tmp_path / "home" / "control.sock").unlink(missing_ok=True)  # of the one that was killed
        process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE)
        reach(tmp_path / "home")
        process.send_signal(number)
        assert status == process.wait(60)
        process.stdout.close()
    assert not (tmp_path / "home" / "control.sock").exists()


def _heard_for_days(house: House, *benches: Bench) -> None:
    """Let units be heard for twelve days."""
    for _ in range(12):
        for bench in benches:
            bench.now_ms = unix_ms(house.now)
            bench.turn(9)
            frames = bench.unit.advance(bench.now_ms + 86_400_000)
            heard = [ReceivedFrame(frame, from_unix_ms(ms), "live", 1) for ms, frame in frames]
            house.station.receive(heard, from_unix_ms(bench.now_ms + 86_400_000))
        house.now += timedelta(days=1)


def test_journals_are_condensed_while_it_runs(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unit a step, at the start and each day; no row and no register is another for it."""
    monkeypatch.setattr("collector.storage.past.WINDOW", 50)
    house.pair()
    other = PairingSession(house.station.plan(PairingPlan(channel="other")))
    neighbour = Bench("00000009", at_ms=house.bench.now_ms)
    neighbour.pair(other, label=UnitLabel("00000009", KEY, "111111"))
    house.station.commit(other.outcome(), neighbour.now)
    _heard_for_days(house, house.bench, neighbour)

    def rows() -> list[tuple[int, list[PulseHalfHour]]]:
        until_s = unix_ms(house.now) // 1_800_000 * 1800
        collector = house.station.collector
        return [
            (collector.register(each), collector.half_hours(each, BEGIN_MS // 1000, until_s))
            for each in (SERIAL, "00000009")
        ]

    def entries() -> list[int]:
        query = "SELECT count(*) FROM collector_journal WHERE serial = ?"
        execute = house.directory.connection.execute
        return [execute(query, (each,)).fetchone()[0] for each in (SERIAL, "00000009")]

    house.station.handle_timer(house.now)
    before, runtime = rows(), house.runtime(LiveUnit(Bench("00000008")))
    whole = entries()
    calls: list[tuple[str, int | None]] = []
    compact = house.station.compact

    def counted(serial: str, now: datetime) -> int | None:
        gone = compact(serial, now)
        calls.append((serial, gone))
        return gone

    monkeypatch.setattr(house.station, "compact", counted)
    for _ in range(10):
        runtime.step()
    assert whole == entries()  # nothing is gone, or another, before all was folded
    assert before == rows()
    for _ in range(90):
        runtime.step()
    (first, second) = [(serial, gone) for serial, gone in calls if gone is not None]
    assert [SERIAL, "00000009"] == [first[0], second[0]]
    assert [count - 100 > left for count, left in zip(whole, entries(), strict=True)] == [True] * 2
    assert before == rows()
    made = len(calls)
    house.step(runtime, 1_000)
    assert made == len(calls)
    house.now += timedelta(days=1)
    house.step(runtime, 100)
    assert [(SERIAL, 0), ("00000009", 0)] == calls[made:]
    refolded = house.station.collector.refold(SERIAL)
    assert before[0][1] == refolded[: len(before[0][1])]
