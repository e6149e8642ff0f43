from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from elec_meter import Meter, Storage
from elec_meter.config import config_to_toml, demo_config
from elec_meter.events import EventCode
from elec_meter.ports import SOCKET_NAME
from elec_meter.runtime import Runtime

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
DEMO = demo_config()


class Host:
    """A computer whose time is what a test says."""

    def __init__(self) -> None:
        self.now = NOON


def running(
    directory: Path, talk: Callable[[Runtime, Host], Awaitable[None]], *, flag: bool = True
) -> None:
    """Run a meter in a directory while a talk lasts."""

    async def run(storage: Storage) -> None:
        host = Host()
        meter = Meter(storage.load_config() or DEMO, storage, NOON)
        address = ("127.0.0.1", 0) if flag else None
        async with Runtime(meter, lambda: host.now, flag=address) as runtime:
            async with asyncio.timeout(20):
                await talk(runtime, host)

    with Storage.open(directory) as storage:
        asyncio.run(run(storage))


async def read_out(runtime: Runtime) -> tuple[bytes, bytes]:
    """Identification and readout of a new FLAG session."""
    host, _, port = runtime.ports["FLAG"].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"/?!\r\n")
    identification = await reader.readuntil(b"\r\n")
    writer.write(b"\x06060\r\n")
    block = await reader.readuntil(b"\x03")
    writer.close()
    return identification, block


async def ordered(directory: Path, **request: Any) -> dict[str, Any]:
    """The reply to a request, from within the same loop."""
    reader, writer = await asyncio.open_unix_connection(str(directory / SOCKET_NAME))
    writer.write(json.dumps(request).encode() + b"\n")
    reply: dict[str, Any] = json.loads(await reader.readline())
    writer.close()
    return reply


def test_new_flag_sessions_use_the_configuration_in_force(tmp_path: Path) -> None:
    """Identification and readout change with it; a session that is under way keeps its own."""

    async def talk(runtime: Runtime, host: Host) -> None:
        before, lines = await read_out(runtime)
        assert b"1.8.2(" in lines
        address, _, port = runtime.ports["FLAG"].rpartition(":")
        reader, writer = await asyncio.open_connection(address, int(port))
        writer.write(b"/?!\r\n")
        assert before == await reader.readuntil(b"\r\n")
        flag = replace(DEMO.flag, identification="OTHER", readout=("1-0:1.8.0",))
        config = replace(DEMO, flag=flag)
        reply = await ordered(tmp_path, request="config.apply", toml=config_to_toml(config))
        assert {"ok": True, "number": 2, "changed": ["flag"]} == reply
        writer.write(b"\x06060\r\n")
        assert b"1.8.2(" in await reader.readuntil(b"\x03")
        writer.close()
        after, lines = await read_out(runtime)
        assert b"OTHER" in after
        assert b"1.8.0(" in lines
        assert b"1.8.2(" not in lines

    running(tmp_path, talk)


def test_the_hosts_time_may_fall(tmp_path: Path) -> None:
    """While it is set back the meter's stands still, and nothing is refused."""

    async def talk(runtime: Runtime, host: Host) -> None:
        host.now = NOON + timedelta(hours=1)
        runtime.durable()
        host.now = NOON - timedelta(hours=2)
        assert NOON + timedelta(hours=1) == runtime.now()
        runtime.durable()
        reply = await ordered(tmp_path, request="clock.adjust", by_s=1)
        assert "2026-04-01T13:00:00Z" == reply["meter_utc"]
        host.now = NOON + timedelta(hours=1, seconds=1)
        runtime.durable()
        assert host.now == runtime.meter.now

    running(tmp_path, talk)


@pytest.mark.skipif(not hasattr(signal, "SIGPWR"), reason="this platform has no such signal")
def test_the_supply_is_lost_and_the_meter_goes_on(tmp_path: Path) -> None:
    """What was measured is durable with an event, and the meter still serves."""

    async def talk(runtime: Runtime, host: Host) -> None:
        host.now += timedelta(seconds=3)
        os.kill(os.getpid(), signal.SIGPWR)
        for _ in range(100):
            await asyncio.sleep(0.01)
            with Storage.open(tmp_path, read_only=True) as seen:
                if EventCode.POWER_DOWN in {each.code for each in seen.events()}:
                    break
        else:
            pytest.fail("nothing was durable")
        assert not runtime.stopping.is_set()
        assert (await ordered(tmp_path, request="status"))["ok"]

    running(tmp_path, talk)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_leaves_when_it_is_told_to(number: int, tmp_path: Path) -> None:
    """With everything durable, and no socket left."""

    async def talk(runtime: Runtime, host: Host) -> None:
        runtime.meter.receive_energy(
            "import", 3_600_000 * 7, NOON, NOON + timedelta(minutes=1), NOON
        )
        os.kill(os.getpid(), number)
        await runtime.stopping.wait()

    running(tmp_path, talk, flag=False)
    assert not (tmp_path / SOCKET_NAME).exists()
    with Storage.open(tmp_path, read_only=True) as seen:
        assert 7 == seen.load().accounts["import"].total


def test_without_a_socket_it_runs_and_says_so(tmp_path: Path) -> None:
    """A path that is too long costs the socket and nothing else."""
    deep = tmp_path / ("d" * 100)

    async def talk(runtime: Runtime, host: Host) -> None:
        (notice,) = runtime.notices
        assert notice.endswith("at most 107 bytes; the meter runs without one")
        assert (await read_out(runtime))[1]

    running(deep, talk)


def test_the_status_knows_ports_and_process(tmp_path: Path) -> None:
    """As documented."""

    async def talk(runtime: Runtime, host: Host) -> None:
        status = await ordered(tmp_path, request="status")
        assert (True, os.getpid(), runtime.ports) == (
            status["durable"],
            status["pid"],
            status["ports"],
        )

    running(tmp_path, talk)
