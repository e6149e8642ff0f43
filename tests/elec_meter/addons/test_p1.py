from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import tty
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from dsmr_parser import telegram_specifications
from dsmr_parser.clients.telegram_buffer import TelegramBuffer
from dsmr_parser.parsers import TelegramParser

from elec_meter.addons import outlets
from elec_meter.addons.errors import OutletError
from elec_meter.addons.outlets import SerialOutlet, TcpOutlet
from elec_meter.addons.settings import Address
from elec_meter.addons.slot import Slots
from elec_meter.cli.main import main
from elec_meter.cli.views import register_rows
from elec_meter.config import AddonConfig, AddonSetting
from tests.elec_meter.addons.test_slot import Meter, until
from tests.elec_meter.demo.running import demo

WITH_GAS = re.compile(rb"/[^/]*0-1:24\.2\.1\([^/]*![0-9A-F]{4}\r\n")
LOCAL = Address("127.0.0.1", 0)
TELEGRAM = b"/HHY5\r\n\r\n" + b"1-0:1.8.0(000000.000*kWh)\r\n" * 20 + b"!0000\r\n"


def parsed(data: bytes) -> Any:
    """The first whole telegram of a stream, as a reader that nobody here wrote understands it."""
    buffer = TelegramBuffer()
    buffer.append(data.decode("ascii"))
    telegram = next(iter(buffer.get_all()))
    return TelegramParser(telegram_specifications.V5).parse(telegram, throw_ex=True)


def p1_module(**settings: str) -> AddonConfig:
    """The module with these settings."""
    listed = tuple(AddonSetting(name=name, value=value) for name, value in settings.items())
    return AddonConfig(name="p1", module="p1", settings=listed)


def shown(meter: Meter) -> dict[str, Decimal]:
    """What `show registers` has."""
    return {row["obis"]: Decimal(row["value"]) for row in register_rows(meter.meter.directory)}


def require_same(telegram: Any, registers: dict[str, Decimal]) -> None:
    """Import, export and gas are the registers."""
    assert registers["1-0:1.8.0"] == telegram.ELECTRICITY_IMPORTED_TOTAL.value * 1_000
    assert registers["1-0:1.8.1"] == telegram.ELECTRICITY_USED_TARIFF_1.value * 1_000
    assert registers["1-0:1.8.2"] == telegram.ELECTRICITY_USED_TARIFF_2.value * 1_000
    assert registers["1-0:2.8.1"] == telegram.ELECTRICITY_DELIVERED_TARIFF_1.value * 1_000
    (gas,) = telegram.MBUS_DEVICES
    assert registers["0-1:24.2.1"] == gas.MBUS_METER_READING.value


def test_telegrams_on_tcp_and_on_a_serial_line() -> None:
    """Both say what the registers do, one telegram after another, and each is whole."""
    outer, inner = os.openpty()
    tty.setraw(inner)
    device = os.ttyname(inner)

    async def talk() -> None:
        meter = Meter()
        meter.addons = (p1_module(listen="127.0.0.1:0", serial=device),)
        meter.slots = Slots(meter.surroundings(), lambda: meter.addons)
        try:
            async with asyncio.timeout(30):
                await until(lambda: meter.slots.places)
                tcp, _, line = meter.slots.places["p1"].partition(" and ")
                assert device == line
                host, port = tcp.split(":")
                reader, writer = await asyncio.open_connection(host, int(port))
                for _ in range(2):
                    data = await reader.readuntil(b"!") + await reader.readexactly(6)
                    require_same(parsed(data), shown(meter))
                on_line = b""
                while on_line.count(b"!") < 2:
                    on_line += await asyncio.to_thread(os.read, outer, 4_096)
                require_same(parsed(on_line), shown(meter))
                writer.close()
        finally:
            await meter.slots.close()
        assert [] == meter.news

    try:
        asyncio.run(talk())
    finally:
        os.close(outer)
        os.close(inner)


def test_a_full_disk_ends_no_module() -> None:
    """While it is full no telegram is sent, and the next one has what was measured meanwhile."""

    async def talk() -> list[Decimal]:
        meter = Meter()
        meter.addons = (p1_module(listen="127.0.0.1:0"),)
        meter.slots = Slots(meter.surroundings(), lambda: meter.addons)
        imports = []
        try:
            async with asyncio.timeout(30):
                await until(lambda: meter.slots.places)
                host, port = meter.slots.places["p1"].split(":")
                reader, writer = await asyncio.open_connection(host, int(port))
                await reader.readuntil(b"!")
                await reader.readexactly(6)
                meter.is_full = True
                await until(lambda: meter.refused >= 2 and not meter.slots.places)
                assert meter.status("p1")["said"].startswith("sends no telegrams: ")
                meter.meter.book("import", 1_000)
                meter.is_full = False
                await until(lambda: meter.slots.places)
                while not imports or imports[-1] < 124:
                    data = await reader.readuntil(b"!") + await reader.readexactly(6)
                    imports.append(parsed(data).ELECTRICITY_IMPORTED_TOTAL.value)
                writer.close()
        finally:
            await meter.slots.close()
        assert len(meter.said) <= 3
        assert [] == meter.news
        return imports

    assert {Decimal("123.463"), Decimal("124.463")} >= set(asyncio.run(talk()))


def test_a_setting_that_is_wrong_is_said() -> None:
    """The log has the sentence."""

    async def talk(**settings: str) -> str:
        meter = Meter()
        meter.addons = (p1_module(**settings),)
        meter.slots = Slots(meter.surroundings(), lambda: meter.addons)
        try:
            async with asyncio.timeout(30):
                await until(lambda: meter.news)
        finally:
            await meter.slots.close()
        return meter.news[0][1].partition(": ")[2]

    for settings, sentence in (
        ({}, "it ended: p1 needs the setting listen or serial"),
        ({"listen": "8064"}, "it ended: the setting listen: '8064' is no address; write HOST:PORT"),
        ({"listn": "127.0.0.1:0"}, "it ended: there is no setting 'listn'"),
        ({"zone": "Europe/Nowhere"}, "it ended: the setting zone names no time zone"),
        ({"interval_s": "0"}, "it ended: the setting interval_s is a whole number from 1 to 60"),
        ({"serial": "/dev/not-there"}, "it ended: cannot write to /dev/not-there"),
    ):
        assert sentence in asyncio.run(talk(**settings))


def test_who_never_reads_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most a telegram waits for them; others get every one."""

    async def talk() -> None:
        outlet = await TcpOutlet.start(LOCAL)
        host, port = outlet.name.split(":")
        lazy = socket.socket()
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        lazy.connect((host, int(port)))
        reader, writer = await asyncio.open_connection(host, int(port))
        await until(lambda: len(outlet._clients) == 2)
        big = TELEGRAM * 2_000
        for _ in range(20):
            outlet.send(big)
            assert big == await reader.readexactly(len(big))
            waiting = [each.transport.get_write_buffer_size() for each in outlet._clients]
            assert max(waiting) <= len(big)
        monkeypatch.setattr(outlets, "STALL_S", -1.0)
        outlet.send(big)
        await until(lambda: len(outlet._clients) == 1)
        lazy.close()
        writer.close()
        await outlet.close()

    asyncio.run(talk())


def test_only_so_many_are_served() -> None:
    """One more is dropped as it comes, and a place that is left is free again."""

    async def talk() -> None:
        outlet = await TcpOutlet.start(LOCAL)
        host, port = outlet.name.split(":")
        clients = [
            await asyncio.open_connection(host, int(port)) for _ in range(outlets.CLIENTS + 1)
        ]
        assert b"" == await clients[-1][0].read(1)
        clients[0][1].close()
        await until(lambda: len(outlet._clients) == outlets.CLIENTS - 1)
        for _, writer in clients:
            writer.close()
        await outlet.close()

    asyncio.run(talk())


def test_a_port_that_is_taken_is_said() -> None:
    """In one sentence."""

    async def talk() -> None:
        outlet = await TcpOutlet.start(LOCAL)
        host, port = outlet.name.split(":")
        with pytest.raises(
            OutletError, match=r"cannot listen on 127.0.0.1:[0-9]+: address already"
        ):
            await TcpOutlet.start(Address(host, int(port)))
        await outlet.close()

    asyncio.run(talk())


def test_a_serial_line_that_nobody_reads_holds_one_telegram() -> None:
    """What waits is finished before the next begins, so that every telegram is whole."""
    outer, inner = os.openpty()
    tty.setraw(inner)

    async def talk() -> bytes:
        outlet = await SerialOutlet.start(os.ttyname(inner))
        for _ in range(100):
            outlet.send(TELEGRAM)
        assert len(outlet._rest) <= len(TELEGRAM)
        data = b""
        while len(data) % len(TELEGRAM) or outlet._rest or not data:
            data += await asyncio.to_thread(os.read, outer, 4_096)
            await asyncio.sleep(0.01)
        await outlet.close()
        return data

    try:
        data = asyncio.run(talk())
    finally:
        os.close(outer)
        os.close(inner)
    assert TELEGRAM * (len(data) // len(TELEGRAM)) == data


def _telegram_with_energy(line: socket.socket) -> Any:
    """The first telegram that has a gas meter and something imported."""
    data = b""
    while True:
        piece = line.recv(4_096)
        assert piece, "the module has closed the line"
        data = (data + piece)[-8_192:]
        if found := WITH_GAS.search(data):
            telegram = parsed(found[0])
            if telegram.ELECTRICITY_IMPORTED_TOTAL.value > 0:
                return telegram
            data = data[found.end() :]


def test_the_demo_has_a_p1_port(tmp_path: Path) -> None:
    """Its telegrams never say more than the registers do afterwards."""
    words = ("--p1", "127.0.0.1:0", "--speed", 20, "--start", "2026-01-15T19:00:00Z")
    with demo(tmp_path, *words) as (process, _):
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        found = next(filter(None, (re.search(r"p1 listens on (.+):(\d+)", line) for line in lines)))
        with socket.create_connection((found[1], int(found[2])), timeout=20) as line:
            telegram = _telegram_with_energy(line)
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    words = ["show", "registers", "--data", str(tmp_path), "--json"]
    printed = json.loads(CliRunner().invoke(main, words, catch_exceptions=False).stdout)
    registers = {row["obis"]: row["value"] for row in printed}
    assert telegram.ELECTRICITY_IMPORTED_TOTAL.value * 1_000 <= registers["1-0:1.8.0"]
    (gas,) = telegram.MBUS_DEVICES
    assert gas.MBUS_METER_READING.value <= Decimal(str(registers["0-1:24.2.1"]))
