from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from collector import Bearer, ReceivedFrame
from collector.bearers.replay import ReplayFile
from collector.cli import main
from collector.errors import DirectoryInUseError, OrderError, UnitUnknownError
from collector.pairing import PairingSession
from collector.particulars import PairingPlan
from collector.ports.line import ControlLine
from collector.runtime import Runtime
from collector.segments import register_l
from collector.station import Station
from collector.storage.directory import DataDirectory
from shared.timegrid import from_unix_ms, unix_ms
from tests.collector.bench import BEGIN_MS, LABEL, MPRN, Bench, house_call, recorded
from tests.collector.frames import SERIAL

ROOT = Path(__file__).parents[2]
SPEED = 20


class LiveUnit(Bearer):
    """A unit in reach of a two-way radio."""

    is_two_way = True

    def __init__(self, bench: Bench) -> None:
        self.name = "live"
        self.bench = bench
        self.replies: list[bytes] = []
        self.is_closed = False

    def receive_until(self, utc_ms: int) -> list[ReceivedFrame]:
        """What it sent up to now."""
        self.bench.now_ms = utc_ms
        return [
            ReceivedFrame(frame, from_unix_ms(at_ms), self.name, 1, -60)
            for at_ms, frame in self.bench.unit.advance(utc_ms)
        ]

    def next_frame_utc_ms(self) -> int | None:
        """Nothing is known."""
        return None

    def reply(self, serial: str, data: bytes) -> None:
        """It hears what is sent at once."""
        self.replies.append(data)
        self.bench.unit.receive(data, self.bench.now_ms)

    def close(self) -> None:
        """Note it."""
        self.is_closed = True


class BrokenBearer(LiveUnit):
    """A bearer with a bug."""

    def receive_until(self, utc_ms: int) -> list[ReceivedFrame]:
        """Fail in a way that nobody foresaw."""
        raise ZeroDivisionError("of all things")


class House:
    """A directory with a paired unit, its bearer, and what a runtime tells."""

    def __init__(self, directory: DataDirectory) -> None:
        self.directory = directory
        self.bench = Bench()
        self.station = Station(directory, self.bench.now)
        self.told: list[dict[str, Any]] = []
        self.now = self.bench.now

    def pair(self) -> None:
        """Pair the unit."""
        session = PairingSession(self.station.plan(PairingPlan()))
        self.bench.pair(session)
        self.station.commit(session.outcome(), self.bench.now)
        self.now = self.bench.now

    def runtime(self, *bearers: Bearer) -> Runtime:
        """A runtime by the house's own clock."""
        return Runtime(self.station, bearers, self.told.append, now=lambda: self.now)

    def step(self, runtime: Runtime, seconds: int) -> None:
        """Let time pass, ten seconds at a time."""
        for _ in range(seconds // 10):
            self.now += timedelta(seconds=10)
            runtime.step()

    def events(self, name: str) -> list[dict[str, Any]]:
        """What was told of a kind."""
        return [row for row in self.told if row["event"] == name]

    @property
    def litres(self) -> int:
        """The channel's register."""
        return register_l(self.station.pairings.segments(), self.station.collector.register)


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
    (row,) = house.events("bearer_failed")
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


def test_an_unpaired_units_silence_is_nobodys_concern(house: House) -> None:
    """A paired one's is told."""
    house.pair()
    house.step(house.runtime(), 7200)
    assert 1 == len(house.events("UnitSilent"))
    house.told.clear()
    house.station.unpair(SERIAL, house.now)
    house.step(house.runtime(), 7200)
    assert [] == house.told


def reach(directory: Path) -> None:
    """Wait until a collector takes orders."""
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        try:
            with ControlLine(directory):
                return
        except OrderError:
            time.sleep(0.05)
    pytest.fail("nothing takes orders")


def beside(house: House, work: Callable[[LiveUnit], Any]) -> tuple[Any, LiveUnit]:
    """Run a collector in this thread, a unit in its reach, and some work in another thread."""
    live = LiveUnit(house.bench)
    begin_s = time.monotonic()

    def now() -> datetime:
        return from_unix_ms(BEGIN_MS + int((time.monotonic() - begin_s) * SPEED * 1000))

    async def both() -> Any:
        runtime = Runtime(house.station, [live], house.told.append, now=now)
        running = asyncio.ensure_future(runtime.run())
        try:
            await asyncio.to_thread(reach, house.directory.path)
            return await asyncio.to_thread(work, live)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            await running

    return asyncio.run(both()), live


def test_pairing_through_a_collector_that_runs(house: House) -> None:
    """The command reaches it by its socket; the unit is heard by the collector's own radio."""
    path = house.directory.path
    options = ["--mprn", MPRN, "--meter-serial", "G4", "--weight", "0.01 m3", "--dial", "12.345"]

    def install(live: LiveUnit) -> Any:
        live.bench.press()
        live.bench.turn(3)
        for n in range(40):  # a burn that goes on: the installer reads the dial in its midst
            live.bench.unit.pulse(live.bench.now_ms + 30_000 + n * 6_000)
        words = ["pair", "--data", str(path), "--label", "-", *options, "--yes", "--json"]
        paired = CliRunner().invoke(main, words, input=LABEL.qr_text)
        shown = CliRunner().invoke(main, ["units", "--data", str(path), "--json"])
        set_ = CliRunner().invoke(
            main, ["calorific", "set", "2026-01-01", "39", "--data", str(path)]
        )
        named = CliRunner().invoke(main, [*words, "--stick", "hex:/dev/null"], input=LABEL.qr_text)
        unpaired = CliRunner().invoke(main, ["unpair", SERIAL, "--data", str(path), "--json"])
        return paired, shown, set_, named, unpaired

    (paired, shown, set_, named, unpaired), live = beside(house, install)
    assert 0 == paired.exit_code, paired.output
    document = json.loads(paired.stdout)
    assert (SERIAL, "live", -60, True) == (
        document["unit"]["serial"],
        document["signal"]["bearer"],
        document["signal"]["rssi_dbm"],
        document["settings"]["configured"],
    )
    assert [SERIAL] == [row["serial"] for row in json.loads(shown.stdout)]
    assert 0 == set_.exit_code, set_.output
    assert "has its own bearers" in named.stderr
    assert 0 == unpaired.exit_code, unpaired.output
    assert live.is_closed
    assert not (path / "control.sock").exists()
    assert 2 == len(house.station.pairings.certificates())


def test_an_installer_who_goes_leaves_nothing(house: House) -> None:
    """A connection that ends gives its pairing up, and the next one begins anew."""
    path = house.directory.path

    def twice(_: LiveUnit) -> None:
        for _ in range(2):
            with ControlLine(path) as line:
                status = line.ask({"request": "pair.begin", "label": LABEL.qr_text})
                assert "signal" == status["state"]
                with pytest.raises(OrderError, match="no such order"):
                    line.ask({"request": "reboot"})
                with pytest.raises(UnitUnknownError):
                    line.ask({"request": "unpair", "serial": "00000005"})

    beside(house, twice)
    assert {} == house.station.open_segments()


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"hello\n",
        b"[]\n",
        b"{}\n",
        b'{"request": 5}\n',
        b'{"request": "pair.begin", "label": ["a"]}\n',
        b'{"request": "pair.begin", "test_pulses": 1e9}\n',
        b'{"request": "pair.meter"}\n',
        b'{"request": "calorific.set", "from": "tomorrow"}\n',
        b'{"request": "unpair", "serial": "\\u0000"}\n',
        b'{"request": "unpair", "serial": "' + b"9" * 300 + b'"}\n',
        b"[" * 60_000 + b"\n",
        b"x" * 70_000 + b"\n",
        b"\xff\xfe\n",
    ],
    ids=lambda line: repr(line[:30]),
)
def test_what_is_no_order_is_refused(house: House, line: bytes) -> None:
    """One JSON refusal with a sentence, and the collector goes on."""

    def send(_: LiveUnit) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as raw:
            raw.settimeout(20)
            raw.connect(str(house.directory.path / "control.sock"))
            raw.sendall(line)
            reply = json.loads(raw.makefile().readline())
        with ControlLine(house.directory.path) as again:
            assert again.ask({"request": "hello"})["collector"] is True
        return reply

    reply, _ = beside(house, send)
    assert reply["ok"] is False
    assert reply["error"]
    assert not reply["error"].endswith(".")


def test_a_meter_that_runs_there_takes_no_orders_for_units(house: House, tmp_path: Path) -> None:
    """One sentence, with and without a socket that knows no such order."""
    words = ["unpair", SERIAL, "--data", str(house.directory.path), "--yes"]
    house.pair()
    refused = CliRunner().invoke(main, words)
    assert 1 == refused.exit_code
    assert "takes no orders for units: stop it first" in refused.stderr
    with pytest.raises(DirectoryInUseError):
        DataDirectory.open(house.directory.path)

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.makefile().readline()
        connection.sendall(b'{"ok": false, "error": "no such request", "kind": "ControlError"}\n')
        connection.close()

    async def both() -> Any:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(house.directory.path / "control.sock"))
            listener.listen(1)
            serving = asyncio.to_thread(serve, listener)
            asking = asyncio.to_thread(CliRunner().invoke, main, words)
            return (await asyncio.gather(serving, asking))[1]

    refused = asyncio.run(both())
    assert "takes no orders for units: stop it first" in refused.stderr


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


def test_a_process_that_is_stopped_or_killed(tmp_path: Path) -> None:
    """SIGTERM ends it with 0; after SIGKILL the next one goes on."""
    call = tmp_path / "call.txt"
    recorded(call, house_call)
    later = tmp_path / "later.txt"
    at = from_unix_ms(time.time_ns() // 1_000_000) + timedelta(hours=1)
    later.write_text(f"{at.isoformat()} 2E44\n")
    words = [sys.executable, "-m", "collector", "run", "--data", str(tmp_path / "home")]
    words += ["--replay", str(call), "--replay", str(later)]
    for number, status in ((signal.SIGKILL, -9), (signal.SIGTERM, 0)):
        (tmp_path / "home" / "control.sock").unlink(missing_ok=True)  # of the one that was killed
        process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE)
        reach(tmp_path / "home")
        process.send_signal(number)
        assert status == process.wait(60)
        process.stdout.close()
    assert not (tmp_path / "home" / "control.sock").exists()
