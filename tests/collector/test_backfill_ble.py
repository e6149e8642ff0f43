"""From scan to rows over Bluetooth alone: a pairing, five days away, and the log of a real unit."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from collector import BleBearer, PulseStatus
from collector.runtime import Runtime
from collector.station import Station
from collector.storage.directory import DataDirectory
from pulse_unit.hal.linux import static_address
from shared.label import UnitLabel
from shared.timegrid import HALF_HOUR_MS, from_unix_ms
from tests.collector.bench import BEGIN_MS, MPRN
from tests.collector.bleak_bumble import Adapter
from tests.collector.devices import SOON
from tests.pulse_unit.central import LIMIT_S, Home
from tests.pulse_unit.listening import KEY, SERIAL

DAYS = 5


class Collecting:
    """A unit, and a collector with a Bluetooth adapter in its reach."""

    def __init__(self, folder: Path, directory: DataDirectory) -> None:
        self.home = Home(folder)
        self.directory = directory
        self.told: list[dict[str, Any]] = []
        self.turned_ms: list[int] = []

    def run(self, scenario: Callable[[Collecting], Any]) -> None:
        """Run all of it until a scenario has ended; raise what it raises."""

        async def play() -> None:
            self.adapter = Adapter(self.home.link, int(self.home.passkey))
            self.ble = BleBearer(
                contact_period_s=1,
                backend=self.adapter.backend(),
                clock_ms=self.now_ms,
                back_off=SOON,
            )
            self.station = Station(self.directory, self.now())
            self.runtime = Runtime(self.station, [self.ble], self.told.append, now=self.now)
            try:
                await scenario(self)
            finally:
                await asyncio.get_running_loop().run_in_executor(None, self.ble.close)
                await asyncio.sleep(0.2)  # the unit sees that its peer has gone

        self.home.run(play, advert_period_s=60, window_period_s=14_400)

    def now_ms(self) -> int:
        """UTC, which the unit's clock goes with."""
        return BEGIN_MS + self.home.board.uptime_ms()

    def now(self) -> datetime:
        """The same as an instant."""
        return from_unix_ms(self.now_ms())

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the collector run until something is so."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                self.runtime.step()
                await asyncio.sleep(0.02)

    async def turn(self) -> None:
        """Let the meter turn once."""
        self.turned_ms.append(self.now_ms())
        for is_closed in (True, False):
            self.home.board.edge(is_closed)
            await self.home.skip(4_000)

    async def pair(self) -> None:
        """Pair the unit: find it by its adverts, with the system's pairing beside it."""
        desk = self.runtime.open_desk()

        def state() -> str:
            return str(desk.perform({"request": "pair.status"}, self.now())["state"])

        label = UnitLabel(SERIAL, KEY, self.home.passkey).qr_text
        begin = {"request": "pair.begin", "label": label, "any_telegram": True, "test_pulses": 0}
        desk.perform(begin, self.now())
        await self.home.press()
        await self.until(lambda: self.ble.reads_log(SERIAL))
        self.ble.ask_pairing(SERIAL)
        await self.home.press()
        await self.until(lambda: state() == "meter")
        meter = {"mprn": MPRN, "meter_serial": "G4", "weight": "0.01 m3", "dial": "0"}
        desk.perform({"request": "pair.meter", **meter}, self.now())
        await self.home.skip(31_000)
        await self.until(lambda: state() in ("confirm", "commit"))
        desk.perform({"request": "pair.commit"}, self.now())


def test_five_days_away_from_a_unit_are_read_from_its_log(tmp_path: Path) -> None:
    """Its address was found by its key; met again, its half-hours are what was turned."""

    async def scenario(of: Collecting) -> None:
        await of.pair()
        record = of.station.collector.unit(SERIAL)
        assert (static_address(KEY), True) == (record.address, record.is_log_readable)
        of.adapter.is_plugged = False
        for half_hour in range(48 * DAYS):
            if half_hour % 7 == 0:
                await of.turn()
            await of.home.skip(HALF_HOUR_MS)
        assert not of.station.collector.register(SERIAL)
        of.adapter.is_plugged = True
        await of.home.press()
        await of.until(lambda: any(row["event"] == "LogRead" for row in of.told))
        rows = of.station.collector.half_hours(
            SERIAL, BEGIN_MS // 1000, of.now_ms() // HALF_HOUR_MS * 1800
        )
        turned = Counter(at_ms // HALF_HOUR_MS * 1800 for at_ms in of.turned_ms)
        assert len(of.turned_ms) == of.station.collector.register(SERIAL)
        told = {row.start_s: row.pulses for row in rows if row.pulses}
        assert dict(turned) == told
        measured = [row for row in rows if not row.status & PulseStatus.INTERPOLATED]
        assert len(measured) > len(rows) / 2
        assert all(row.final for row in measured[:-8])
        kinds = [row["event"] for row in of.station.event_rows()]
        assert {"UnitPaired", "CommandAnswered", "LogRead"} <= set(kinds)
        assert 1 == kinds.count("LogRead")

    with DataDirectory.open(tmp_path / "data") as directory:
        Collecting(tmp_path, directory).run(scenario)
