from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from collector import (
    BearerLost,
    BearerReport,
    BearerSettingError,
    BearerWorks,
    BleBearer,
    BleUnit,
    CommandAnswered,
    LogAnswered,
    LogUnanswered,
    ReceivedFrame,
    UnitPaired,
    UnitUnreached,
)
from collector.bearers.device import COMMAND_LATE
from pulse_unit.entries import Entries
from pulse_unit.hal.linux import static_address
from shared.crypto.backend_cryptography import AesBlock
from shared.extras import installing
from shared.wire.advert import advert_key
from shared.wire.bthome import open_advert
from shared.wire.command import seal_phase
from shared.wire.errors import BadMac
from shared.wire.oms import open_telegram
from shared.wire.telegram import decode_records
from tests.collector.bleak_bumble import Adapter
from tests.collector.devices import SOON, Awaited
from tests.pulse_unit.central import LIMIT_S, PASSKEY, Home
from tests.pulse_unit.listening import KEY, SERIAL

ADDRESS = static_address(KEY)

_Report = TypeVar("_Report", bound=BearerReport)


class House:
    """A unit, and a collector's bearer in the same air."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.passkey = PASSKEY
        self.is_plugged = True
        self.reports: list[BearerReport] = []
        self.frames: list[ReceivedFrame] = []
        self.bearer: BleBearer | None = None

    def run(self, scenario: Callable[[House], Awaitable[None]], **config: int) -> None:
        """Run unit and bearer until a scenario has ended; raise what it raises."""

        async def play() -> None:
            self.adapter = Adapter(self.home.link, self.passkey)
            self.adapter.is_plugged = self.is_plugged
            self.bearer = BleBearer(
                [BleUnit(SERIAL, ADDRESS)],
                backend=self.adapter.backend(),
                clock_ms=lambda: 1_000,
                back_off=SOON,
            )
            try:
                await scenario(self)
            finally:
                await asyncio.get_running_loop().run_in_executor(None, self.bearer.close)
                await asyncio.sleep(0.2)  # the unit sees that its peer has gone

        self.home.run(play, **config)

    @property
    def ble(self) -> BleBearer:
        """The bearer, while it is there."""
        assert self.bearer is not None
        return self.bearer

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something, and take what the bearer has meanwhile."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                await asyncio.sleep(0.02)
                self.reports += self.ble.take_reports()
                self.frames += self.ble.receive_until(1_000)

    async def report(self, kind: type[_Report]) -> _Report:
        """Wait for a report of a kind, and take it."""

        def found() -> list[_Report]:
            return [report for report in self.reports if isinstance(report, kind)]

        await self.until(lambda: bool(found()))
        report = found()[0]
        self.reports.remove(report)
        return report

    async def telegram(self) -> ReceivedFrame:
        """Wait for a frame that came over GATT, and take it."""

        def found() -> list[ReceivedFrame]:
            return [frame for frame in self.frames if frame.address is None]

        await self.until(lambda: bool(found()))
        frame = found()[0]
        self.frames.remove(frame)
        return frame

    async def pair(self) -> None:
        """Press the button, and let the bearer pair."""
        self.ble.ask_pairing(SERIAL)
        await self.home.press()
        assert SERIAL == (await self.report(UnitPaired)).serial


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A unit that nobody has paired with."""
    return House(tmp_path)


def test_adverts_come_with_their_sender(house: House) -> None:
    """Each once, as service data with the address that it opens with; one-way."""

    async def scenario(house: House) -> None:
        while len(house.frames) < 3:
            await house.home.skip(1_000)
            await house.until(lambda: True)
            await asyncio.sleep(0.1)
            house.frames += house.ble.receive_until(1_000)

    house.run(scenario)
    key = advert_key(AesBlock, KEY, ADDRESS)
    counters = []
    for frame in house.frames:
        assert (ADDRESS, False, 60, -70) == (
            frame.address,
            frame.two_way,
            frame.delay_max_s,
            frame.rssi_dbm,
        )
        counters.append(open_advert(AesBlock, frame.data, frame.address or b"", key).counter)
    assert sorted(set(counters)) == counters


def test_a_paired_unit_tells_a_telegram(house: House) -> None:
    """Paired with the passkey of its label, it is read in the same window, and listens."""

    async def scenario(house: House) -> None:
        await house.pair()
        frame = await house.telegram()
        assert frame.two_way
        assert 1 == house.adapter.pairings
        records = open_telegram(AesBlock, frame.data, KEY).records
        assert house.home.unit.count == decode_records(records).count

    house.run(scenario)


def test_a_wrong_passkey_is_told_with_what_to_do(house: House) -> None:
    """One attempt, one sentence; the unit may be asked again."""
    house.passkey = 654_321

    async def scenario(house: House) -> None:
        house.ble.ask_pairing(SERIAL)
        await house.home.press()
        unreached = await house.report(UnitUnreached)
        assert f"pairing with the unit {SERIAL} has failed" in unreached.sentence
        assert "press its button and give the passkey on its label" in unreached.sentence
        assert 1 == house.adapter.pairings
        house.adapter.passkey = PASSKEY
        await house.pair()

    house.run(scenario)


def test_an_unpaired_unit_is_told_with_what_to_do(house: House) -> None:
    """It can be connected to, and reads nothing to strangers."""

    async def scenario(house: House) -> None:
        await house.home.press()
        unreached = await house.report(UnitUnreached)
        address = ":".join(f"{byte:02X}" for byte in ADDRESS)
        assert (
            f"the unit {SERIAL} is not paired with this computer: press its button and run"
            f" bluetoothctl pair {address}"
        ) == unreached.sentence
        assert 0 == house.adapter.pairings

    house.run(scenario)


def test_the_phase_is_set_in_reply_to_a_telegram(house: House) -> None:
    """It is obeyed; given once more, and under another key, it is refused with the reason."""

    async def scenario(house: House) -> None:
        await house.pair()
        await house.telegram()
        phase = seal_phase(AesBlock, KEY, 7, 1_740_000)
        grid_ms = house.home.board.uptime_ms() + 60_000
        house.ble.reply(SERIAL, phase)
        answered = await house.report(CommandAnswered)
        assert (SERIAL, True, "") == (answered.serial, answered.is_obeyed, answered.sentence)
        house.ble.reply(SERIAL, phase)
        assert "it has obeyed a later command" == (await house.report(CommandAnswered)).sentence
        house.ble.reply(SERIAL, seal_phase(AesBlock, bytes(16), 8, 0))
        forged = await house.report(CommandAnswered)
        assert "the command is not authentic: is it this unit's key" == forged.sentence
        await house.home.skip(70_000)
        await asyncio.sleep(0.1)
        (*_, last) = Entries(house.home.unit.history)
        assert 2 >= abs(last[1] - grid_ms // 1000)

    house.run(scenario)


def test_a_reply_outside_a_window_is_told(house: House) -> None:
    """Nothing waits for the next one: a command tells the time."""

    async def scenario(house: House) -> None:
        for serial in (SERIAL, "99999999"):
            house.ble.reply(serial, bytes(17))
            answered = await house.report(CommandAnswered)
            assert (serial, False) == (answered.serial, answered.is_obeyed)
            assert "it is not connected: its window is over" == answered.sentence

    house.run(scenario)


def test_a_command_that_came_too_late_is_not_given(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a long log was being read."""
    monkeypatch.setattr("collector.bearers.ble.COMMAND_MAX_S", -1)

    async def scenario(house: House) -> None:
        await house.pair()
        await house.telegram()
        house.ble.reply(SERIAL, seal_phase(AesBlock, KEY, 7, 0))
        assert COMMAND_LATE == (await house.report(CommandAnswered)).sentence

    house.run(scenario)


def test_thirteen_months_of_log_are_read(house: House) -> None:
    """Over the bearer, authentic under the unit's key alone: all, and the part after an entry."""

    async def scenario(house: House) -> None:
        house.ble.ask_log(SERIAL)
        await house.pair()
        log = list(Entries(house.home.unit.history))
        assert 19_000 < len(log)
        answer = await house.report(LogAnswered)
        assert log == answer.entries(KEY)
        with pytest.raises(BadMac):
            answer.entries(bytes(16))
        boot, tick_s, _ = log[10_000]
        house.ble.ask_log(SERIAL, boot=boot, tick_s=tick_s, limit=50)
        await house.home.skip(61_000)
        assert log[10_001:10_051] == (await house.report(LogAnswered)).entries(KEY)

    house.home.fill_log(19_000)
    house.run(scenario)


def test_a_log_that_breaks_off_is_asked_for_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the next connection, and then it is whole."""
    from collector.bearers.ble_visit import Visit, VisitError

    read_log = Visit.read_log
    attempts = []

    async def broken(visit: Visit, request: bytes) -> tuple[bytes, ...]:
        attempts.append(request)
        if len(attempts) == 1:
            raise VisitError("the log breaks off")
        return await read_log(visit, request)

    monkeypatch.setattr(Visit, "read_log", broken)

    async def scenario(house: House) -> None:
        house.ble.ask_log(SERIAL, limit=5, newest=True)
        await house.pair()
        assert "the log breaks off" == (await house.report(UnitUnreached)).sentence
        log = list(Entries(house.home.unit.history))
        await house.home.skip(61_000)
        assert log[-5:] == (await house.report(LogAnswered)).entries(KEY)
        assert 2 == len(attempts)

    house.home.fill_log(100)
    house.run(scenario)


def test_a_log_that_ever_breaks_off_is_given_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three connections, with one word of it; what is asked for next is read."""
    from collector.bearers.ble_visit import Visit

    read_log = Visit.read_log

    async def broken(visit: Visit, request: bytes) -> tuple[bytes, ...]:
        await visit._client.disconnect()  # the unit has gone out of reach
        return await read_log(visit, request)

    monkeypatch.setattr(Visit, "read_log", broken)

    async def scenario(house: House) -> None:
        house.ble.ask_log(SERIAL, limit=5, newest=True)
        await house.pair()
        for _ in range(3):
            await house.report(UnitUnreached)
            await house.home.skip(61_000)
        unanswered = await house.report(LogUnanswered)
        assert SERIAL == unanswered.serial
        assert unanswered.sentence.endswith("has broken off 3 times")
        monkeypatch.setattr(Visit, "read_log", read_log)
        house.ble.ask_log(SERIAL, limit=2, newest=True)
        await house.home.skip(61_000)
        answer = await house.report(LogAnswered)
        assert list(Entries(house.home.unit.history))[-2:] == answer.entries(KEY)

    house.home.fill_log(100)
    house.run(scenario)


def test_units_come_and_go_while_it_runs(house: House) -> None:
    """One that is dropped is connected to no more; one that is added is, at its address."""

    async def scenario(house: House) -> None:
        await house.pair()
        house.ble.drop_unit(SERIAL)
        assert not house.ble.reads_log(SERIAL)
        with pytest.raises(BearerSettingError):
            house.ble.ask_log(SERIAL)
        with pytest.raises(BearerSettingError, match="six bytes"):
            house.ble.add_unit(SERIAL, b"")
        house.ble.add_unit(SERIAL, bytes(6))
        house.ble.add_unit(SERIAL, ADDRESS)
        house.ble.ask_log(SERIAL, limit=1, newest=True)
        await house.home.skip(61_000)
        assert 1 == len((await house.report(LogAnswered)).entries(KEY))

    house.home.fill_log(100)
    house.run(scenario)


def test_an_adapter_that_is_missing_is_told_and_tried_again(house: House) -> None:
    """Once, with what to look at; when it is plugged in, adverts come."""
    house.is_plugged = False

    async def scenario(house: House) -> None:
        sentence = (await house.report(BearerLost)).sentence
        assert sentence.startswith("ble cannot scan (No Bluetooth adapters found.): is a ")
        house.adapter.is_plugged = True
        await house.report(BearerWorks)
        await house.home.press()
        await house.until(lambda: bool(house.frames))

    house.run(scenario)


def test_without_bluetooth_the_bearer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the library is not installed, with what installs it."""
    monkeypatch.setitem(sys.modules, "bleak", None)
    awaited = Awaited()
    bearer = BleBearer(wake=awaited.wake)
    try:
        (lost,) = awaited.reports(bearer.take_reports, 1)
    finally:
        bearer.close()
    assert isinstance(lost, BearerLost)
    assert f"ble needs bleak: {installing('ble')}" == lost.sentence


def test_units_of_another_bearer_are_refused(house: House) -> None:
    """At once; nothing would ever connect to them."""

    async def scenario(house: House) -> None:
        with pytest.raises(BearerSettingError, match="connects to no unit '00000002'"):
            house.ble.ask_log("00000002")

    house.run(scenario)
    with pytest.raises(BearerSettingError, match="six bytes"):
        BleUnit(SERIAL, b"")
