from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bumble.device import AdvertisingType, Device

from pulse_unit.config import config_of, settings_of
from pulse_unit.entries import Entries
from pulse_unit.hal.linux import static_address
from pulse_unit.unit import (
    OBEYED,
    REFUSED_ILLEGAL,
    REFUSED_NOT_AUTHENTIC,
    REFUSED_REPLAYED,
)
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.advert import ADVERTISING_MAX, advert_key
from shared.wire.bthome import open_advert
from shared.wire.command import CONFIGURE, seal_command, seal_phase
from shared.wire.gatt import (
    COMMAND,
    LOG_CONTROL,
    LOG_DATA,
    RESULT,
    SETTINGS,
    TELEGRAM,
    LogRequest,
    decode_result,
    encode_log_request,
)
from shared.wire.log_pieces import LogReader
from shared.wire.oms import open_telegram
from shared.wire.settings import decode_settings
from tests.pulse_unit.bench import LIMIT_S
from tests.pulse_unit.central import Central, Home, paired
from tests.pulse_unit.listening import KEY


def test_the_phase_moves_the_grid(home: Home) -> None:
    """A command over GATT, its result notified and read; once more, it is a replay."""

    async def scenario() -> None:
        central = await paired(home)
        results = await central.subscribe(RESULT)
        phase = seal_phase(AesBlock, KEY, 7, 1_740_000)
        grid_ms = home.board.uptime_ms() + 60_000
        await central.write(COMMAND, phase)
        notified = decode_result(await asyncio.wait_for(results.get(), LIMIT_S))
        assert (7, OBEYED) == (notified.counter, notified.code)
        await central.write(COMMAND, phase)
        assert REFUSED_REPLAYED == decode_result(await central.read(RESULT)).code
        await home.skip(70_000)
        await asyncio.sleep(0.1)
        (*_, last) = Entries(home.unit.history)
        assert 2 >= abs(last[1] - grid_ms // 1000)

    home.run(scenario)


def test_an_illegal_configuration_changes_nothing(home: Home) -> None:
    """Authentic, new, and of no possible unit; a forged one; and then one that is possible."""

    async def scenario() -> None:
        central = await paired(home)
        settings = await central.read(SETTINGS)
        assert settings_of(home.unit.config) == settings
        illegal = bytes(5) + settings[5:]  # a pulse of no volume
        await central.write(COMMAND, seal_command(AesBlock, KEY, CONFIGURE, 1, illegal))
        assert REFUSED_ILLEGAL == decode_result(await central.read(RESULT)).code
        forged = seal_command(AesBlock, bytes(16), CONFIGURE, 2, settings)
        await central.write(COMMAND, forged)
        assert REFUSED_NOT_AUTHENTIC == decode_result(await central.read(RESULT)).code
        assert settings == await central.read(SETTINGS)
        fields = decode_settings(settings)
        other = config_of(settings)
        other.advert_period_s = 30
        await central.write(COMMAND, seal_command(AesBlock, KEY, CONFIGURE, 3, settings_of(other)))
        assert OBEYED == decode_result(await central.read(RESULT)).code
        assert {**fields, "advert_period_s": 30} == decode_settings(await central.read(SETTINGS))

    home.run(scenario)


def test_a_telegram_is_held_until_a_new_one_is_wanted(home: Home) -> None:
    """Parts of a long read belong together; a write asks for a new one, and so does a command."""

    async def scenario() -> None:
        central = await paired(home)
        first = await central.read(TELEGRAM)
        assert first == await central.read(TELEGRAM)
        await central.write(TELEGRAM, b"")
        second = await central.read(TELEGRAM)
        opened = [open_telegram(AesBlock, link, KEY) for link in (first, second)]
        assert 1 == opened[1].message_counter - opened[0].message_counter

    home.run(scenario)


async def ask_log(central: Central, request: LogRequest) -> list[tuple[int, int, int]]:
    """Ask for a range of the log and take the answer."""
    data = encode_log_request(request)
    pieces = await central.subscribe(LOG_DATA)
    reader = LogReader(AesBlock, KEY, data)
    await central.write(LOG_CONTROL, data)
    while not reader.is_complete:
        reader.receive_data(await asyncio.wait_for(pieces.get(), LIMIT_S))
    return reader.entries


def test_thirteen_months_of_log_are_read_in_ranges(home: Home) -> None:
    """All of it, what came after an entry, and the newest: as the unit itself reads it."""

    async def scenario() -> None:
        central = await paired(home)
        log = list(Entries(home.unit.history))
        assert 19_000 < len(log)
        assert log == await ask_log(central, LogRequest(1))
        boot, tick_s, _ = log[10_000]
        assert log[10_001:10_051] == await ask_log(central, LogRequest(2, boot, tick_s, 50))
        assert log[-9:] == await ask_log(central, LogRequest(3, limit=9, newest=True))

    home.fill_log(19_000)
    home.run(scenario)


def test_a_tick_while_the_log_is_read_comes_last(home: Home) -> None:
    """It neither breaks the answer nor is left out."""

    async def scenario() -> None:
        central = await paired(home, mtu=23)
        log = list(Entries(home.unit.history))
        data = encode_log_request(LogRequest(1))
        pieces = await central.subscribe(LOG_DATA)
        reader = LogReader(AesBlock, KEY, data)
        await central.write(LOG_CONTROL, data)
        reader.receive_data(await asyncio.wait_for(pieces.get(), LIMIT_S))
        home.unit.history.append(1_800, home.unit.count)
        while not reader.is_complete:
            reader.receive_data(await asyncio.wait_for(pieces.get(), LIMIT_S))
        assert [*log, (home.unit.boot, 1_800, home.unit.count)] == reader.entries

    home.fill_log(5_000)
    home.run(scenario)


def test_adverts_fit_the_air_and_open_with_the_key(home: Home) -> None:
    """In and out of a window: at most 31 bytes, ours, and each with a counter of its own."""

    async def scenario() -> None:
        await home.central()
        for wanted in (3, 6):
            await home.until(
                lambda wanted=wanted: len(set(home.seen)) >= wanted,
                lambda: home.skip(1_000),
            )
            await home.press()

    home.run(scenario)
    address = static_address(KEY)
    key = advert_key(AesBlock, KEY, address)
    counters = set()
    for data in set(home.seen):
        assert ADVERTISING_MAX >= len(data)
        service_data = data[data.index(b"\xd2\xfc") + 2 :]
        advert = open_advert(AesBlock, service_data, address, key)
        counters.add(advert.counter)
        assert {"count", "battery"} & {each.quantity for each in advert.measurements}
    assert len(set(home.seen)) == len(counters)


def test_only_windows_can_be_connected_to(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adverts between them are of the kind that nobody can; the virtual radio would not tell."""
    asked: list[tuple[AdvertisingType, bytes]] = []
    start = Device.start_advertising

    async def spied(device: Device, kind: AdvertisingType, **wanted: Any) -> None:
        asked.append((kind, wanted["advertising_data"]))
        await start(device, kind, **wanted)

    monkeypatch.setattr(Device, "start_advertising", spied)

    async def scenario() -> None:
        await home.until(lambda: len(asked) >= 2, lambda: home.skip(1_000))
        assert {AdvertisingType.UNDIRECTED} == {kind for kind, _ in asked}
        asked.clear()
        await home.press()
        await home.until(lambda: bool(asked))
        kinds = {kind for kind, _ in asked}
        assert {AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE} == kinds

    home.run(scenario)


def test_a_controller_that_breaks_away_comes_back(home: Home) -> None:
    """Two sentences, no more; the unit counts meanwhile and can be paired with afterwards."""

    async def scenario() -> None:
        central = await paired(home)
        await central.disconnect()
        home.break_controller()
        while len(home.reports) < 2:
            home.board.edge(True)
            await asyncio.sleep(0.2)
            home.board.edge(False)
            await asyncio.sleep(0.5)
        await home.skip(91_000)
        await paired(home)

    unit = home.run(scenario)
    assert ["hci0 is gone", "hci0 works again"] == home.reports
    assert 0 < unit.count
