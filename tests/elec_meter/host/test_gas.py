"""A meter keeps what its own bearers bring: telegrams, logs, and what became of devices."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector import BearerLost, Gathering, Keystore, ReceivedFrame, UnitRecord
from elec_meter import Meter, MeterConfig, Storage
from elec_meter.config import CollectorHost, GasUnitConfig, HostConfig, MainsHost, PanelHost
from elec_meter.errors import CheckpointFailedError
from elec_meter.events import EventCode
from elec_meter.host.base import Host
from elec_meter.host.gas import GasUnits, MeterKeeper, tell_of_units
from elec_meter.ledger import imbalances
from elec_meter.runtime import Runtime
from shared.timegrid import unix_ms
from tests.collector.bench import Bench
from tests.collector.frames import KEY, SERIAL
from tests.collector.test_backfill import Visited
from tests.elec_meter.host.test_edges import BEGIN, host

DAYS = 5
EVERY_MS = 7_200_000
RECEIVER = CollectorHost(sticks=("hex:/dev/ttyUSB0",))


class Home:
    """A meter, its unit out of reach, and the gathering between them."""

    def __init__(self, storage: Storage) -> None:
        self.bench = Bench()
        self.live = Visited(self.bench)
        keystore = Keystore.open(storage.directory)
        config = MeterConfig(gas_units=(GasUnitConfig(serial=SERIAL),))
        self.meter = Meter(config, storage, self.bench.now, keystore=keystore)
        record = UnitRecord(
            serial=SERIAL,
            channel="gas",
            paired_utc=self.bench.now,
            base_count=self.bench.unit.count,
            is_log_readable=True,
        )
        self.meter.pair(record, KEY, self.bench.now)
        self.runtime = Runtime(self.meter, lambda: self.bench.now)
        self.told: list[dict[str, Any]] = []
        keeper = MeterKeeper(self.runtime, keystore)
        self.gathering = Gathering(keeper, [self.live], self.told.append, now=self.runtime.now)

    def step(self, ms: int) -> None:
        """Let time pass."""
        self.bench.now_ms += ms
        self.gathering.step()
        self.runtime.step()

    def contact(self) -> None:
        """Come by with a telegram; then let a minute pass."""
        self.live.contact(self.bench.now_ms)
        for _ in range(60):
            self.step(1_000)

    def codes(self) -> list[int]:
        """Of the event log."""
        return [each.code for each in self.meter.storage.events()]

    def events(self) -> list[str]:
        """What was told, by its kinds."""
        return [row["event"] for row in self.told]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """In a directory of its own."""
    with Storage.open(tmp_path / "home") as storage:
        yield Home(storage)


def test_what_telegrams_left_out_is_read_from_the_units_log(home: Home) -> None:
    """After five days of silence each half-hour has its pulses, and the books balance."""
    home.contact()
    turned: dict[int, int] = {}
    for _ in range(DAYS * 86_400_000 // EVERY_MS):
        home.bench.turn(4)
        start_s = home.bench.now_ms // 1_800_000 * 1_800
        turned[start_s] = 4
        home.bench.now_ms += EVERY_MS
        home.bench.unit.advance(home.bench.now_ms)
    home.contact()
    assert 1 == len(home.live.asked)
    told = [row[1] for row in home.meter.objects["0-1:24.5.0"].rows()]
    assert EventCode.UNIT_LOG_READ in told
    assert "LogRead" in home.events()
    assert 4 * len(turned) == home.meter.ledger.total("gas")
    home.step(40 * 86_400_000)
    rows = {
        row.start_s: row.deltas["gas_pulses"]
        for row in home.meter.ledger.rows(min(turned), max(turned) + 1_800)
    }
    assert turned == {start_s: pulses for start_s, pulses in rows.items() if pulses}
    assert [] == list(imbalances(home.meter.ledger))


def test_what_is_not_durable_is_not_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A telegram waits for the disk in the meter; it is told and booked once."""
    home.bench.turn(3)
    home.bench.now_ms += 60_000
    home.bench.unit.advance(home.bench.now_ms)

    def full() -> None:
        raise CheckpointFailedError("the disk is full")

    with monkeypatch.context() as disk:
        disk.setattr(home.runtime, "durable", full)
        home.live.contact(home.bench.now_ms)
        home.step(1_000)
        assert ["storage_failed"] == home.events()
        home.step(1_000)
        assert ["storage_failed"] == home.events()
    home.step(10_000)
    assert {"TelegramReceived", "storage_recovered"} <= set(home.events())
    assert 1 == [row.get("count") for row in home.told].count(3)
    assert 3 == home.meter.ledger.total("gas")


def test_a_fault_that_nobody_foresaw_leaves_the_meter_running(home: Home) -> None:
    """What gathers has ended: that is told once, and the meter is stepped and left as ever.

    A recording that is ahead waited meanwhile: a meter's time is its own.
    """
    told: list[str] = []

    async def run() -> None:
        data_dir = home.meter.storage.directory
        assert data_dir is not None
        host = Host(
            config=HostConfig(
                mains=MainsHost(synthetic_w=0), collector=CollectorHost(replays=("none.txt",))
            ),
            folder=data_dir,
            data_dir=data_dir,
            keystore=Keystore.open(data_dir),
            now=lambda: home.bench.now,
            tell=told.append,
        )
        (data_dir / "none.txt").write_text("2099-01-01T00:00:00Z 00\n")
        edge = GasUnits(host)
        await edge.open(home.runtime)
        assert edge._gathering is not None
        edge._gathering.step = lambda: 1 // 0  # type: ignore[method-assign]  # a bug
        await asyncio.sleep(0.01)
        for _ in range(2):
            edge.step(home.bench.now)
        await edge.stop()

    asyncio.run(run())
    ahead, fault = told
    assert "none.txt is ahead of this clock until 2099-01-01T00:00:00Z" in ahead
    assert "ZeroDivisionError" in fault


def test_a_bearer_that_breaks_away_is_in_the_log(home: Home) -> None:
    """Told, and an event of the meter's."""
    home.live.reports.append(
        BearerLost(at_utc=home.bench.now, bearer="live", sentence="live has lost its radio")
    )
    home.step(1_000)
    assert [EventCode.BEARER_LOST] == home.codes()[-1:]
    assert "live has lost its radio" == home.told[-1]["text"]


def test_journals_forget_what_no_row_needs(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a day, a part at a time, and with the meter's own commits."""
    asked: list[int] = []
    compact_some = home.meter.collector.compact_some

    def counted(serial: str, now: datetime) -> int | None:
        asked.append(unix_ms(now))
        return compact_some(serial, now)

    monkeypatch.setattr(home.meter.collector, "compact_some", counted)
    for _ in range(3 * 24):
        home.step(timedelta(hours=1) // timedelta(milliseconds=1))
    assert 3 == len(asked)


def test_a_pairing_hears_what_bearers_bring(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each frame once, and what it answers goes into the unit's reply window."""
    heard: list[bytes] = []

    def hear(frame: ReceivedFrame, _: datetime) -> list[tuple[str, bytes]]:
        heard.append(frame.data)
        return [("stick", b"set")]

    monkeypatch.setattr(home.runtime, "hear", hear)
    keeper = MeterKeeper(home.runtime, Keystore.open(home.meter.storage.directory))
    now = home.bench.now
    frame = ReceivedFrame(b"a stranger's", now, "stick", 0)
    keeper.receive([frame], now)
    assert [frame.data] == heard
    assert [("stick", b"set")] == keeper.replies(now)
    assert [] == keeper.replies(now)


@pytest.mark.parametrize("tables", [{"collector": RECEIVER}, {}])
@pytest.mark.parametrize("panel", [PanelHost(), None])
def test_a_unit_that_nobody_has_paired_is_told_of(
    tables: dict[str, Any], panel: PanelHost | None, tmp_path: Path
) -> None:
    """One sentence names it and what to do, whatever the file lacks."""
    told: list[str] = []
    meter = Meter(
        MeterConfig(gas_units=(GasUnitConfig(serial=SERIAL),)), Storage.in_memory(), BEGIN
    )
    tell_of_units(replace(host(tmp_path, panel=panel, **tables), tell=told.append), meter)
    command = f"`elec-meter control pair --data {tmp_path}` pairs it"
    how = command if panel is None else "an installer pairs it on the panel"
    before = "" if tables else "name a receiver under [host.collector], then "
    assert [f"the gas unit {SERIAL} is not paired yet: {before}{how}"] == told


def test_a_paired_unit_that_nothing_hears_is_told_of(home: Home, tmp_path: Path) -> None:
    """With a receiver there is nothing to say; without one there is."""
    told: list[str] = []
    for tables in ({"collector": RECEIVER}, {}):
        tell_of_units(replace(host(tmp_path, **tables), tell=told.append), home.meter)
    assert [f"the gas unit {SERIAL} is not heard: name a receiver under [host.collector]"] == told
