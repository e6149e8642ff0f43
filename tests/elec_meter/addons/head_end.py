"""A head end on the loopback, good or bad, and a meter to which a module is wired."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Self

from dlms_cosem.protocol.xdlms import DataNotification
from dlms_cosem.utils import parse_as_dlms_data

from elec_meter.addon_lines import AddonLines
from elec_meter.addons.errors import LineGarbledError
from elec_meter.addons.line import MeterLine
from elec_meter.addons.wan_tcp import Wan
from elec_meter.config import AddonConfig
from elec_meter.dlms.instants import decode_date_time
from elec_meter.errors import CheckpointFailedError
from tests.elec_meter.flag.programmer import Desktop

HALF_HOUR = timedelta(minutes=30)
WAN = AddonConfig(name="wan", module="wan_tcp")

Rows = list[tuple[datetime, list[int]]]


class HeadEnd:
    """Takes notifications; `manner` says how it behaves."""

    def __init__(self) -> None:
        self.manner = "confirms"
        self.heard = 0
        self.connections = 0
        self.told: list[tuple[str, str, Rows]] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self, tls: ssl.SSLContext | None = None) -> Self:
        """Listen where it did before."""
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=tls, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Go away."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            await dropped(writer)
        self._writers.clear()
        await self._server.wait_closed()

    @property
    def rows(self) -> list[datetime]:
        """When the rows ended that it was told, in the order in which it heard of them."""
        return [end for _, _, rows in self.told for end, _ in rows]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while True:
                head = await reader.readexactly(8)
                length = int.from_bytes(head[6:], "big")
                if self.manner == "closes half way":
                    await reader.readexactly(length // 2)
                    self.heard += 1
                    return
                apdu = await reader.readexactly(length)
                self.heard += 1
                if self.manner == "is silent":
                    continue
                if self.manner == "sends garbage":
                    writer.write(b"GET / HTTP/1.1\r\n\r\n" * 50)
                    continue
                number = apdu[1:5] if self.manner != "confirms another" else b"\x40\x00\x00\x00"
                answer = head[:2] + head[4:6] + head[2:4] + b"\x00\x06\x10" + number + b"\x00"
                if self.manner != "confirms another":
                    self.told.append(told(apdu))
                for octet in answer:
                    writer.write(bytes((octet,)))
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            await dropped(writer)


async def dropped(writer: asyncio.StreamWriter) -> None:
    """Close a stream at once."""
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


def told(apdu: bytes) -> tuple[str, str, Rows]:
    """Serial number, profile and rows, by a library that nobody here wrote."""
    serial, code, rows = parse_as_dlms_data(DataNotification.from_bytes(apdu).body)
    listed: Rows = []
    for stamp, *cells in rows:
        end = listed[-1][0] + HALF_HOUR if stamp is None else decode_date_time(bytes(stamp))
        listed.append((end, cells))
    return bytes(serial).decode(), bytes(code).hex(), listed


class WiredMeter:
    """A real meter with a module's line."""

    def __init__(self) -> None:
        self.desktop = Desktop()
        self.said: list[str] = []
        self.asked = 0
        self.noises = 0
        self.is_full = False

    def durable(self) -> None:
        """What a readout waits for, which a full disk does not give it."""
        if self.is_full:
            raise CheckpointFailedError("the disk is full")
        self.desktop.durable()

    async def live(self, wan: Wan, half_hours: float) -> None:
        """Let the meter's time pass, while nobody is in the middle of a session."""
        async with wan._shared._lock:
            self.desktop.now += half_hours * HALF_HOUR
            self.desktop.durable()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The meter's side of the line, as the slot has it."""
        desktop = self.desktop
        lines = AddonLines(desktop.meter, desktop.desk, lambda: desktop.now, self.durable)
        session = lines._session(WAN, desktop.now)
        while data := await reader.read(256):
            session.handle_timer(desktop.now)
            if session.closed:
                session = lines._session(WAN, desktop.now)
            answer = session.receive_data(data, desktop.now)
            self.asked += bool(answer)
            is_noise = bool(answer) and self.noises > 0
            self.noises -= is_noise
            writer.write(b"noise" if is_noise else answer)
            await writer.drain()

    @asynccontextmanager
    async def line(self) -> Any:
        """The module's end of it."""
        ours, theirs = socket.socketpair()
        inner, outer = await asyncio.open_connection(sock=ours)
        serving = asyncio.create_task(self.serve(inner, outer))
        reader, writer = await asyncio.open_connection(sock=theirs)
        line = MeterLine(reader, writer)
        line.say = self.said.append  # type: ignore[method-assign]  # a test listens
        try:
            yield line
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await dropped(writer)
            await dropped(outer)


class FastPace:
    """Waits pass at once, and are added up: an hour takes no time."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """Note it, and let others work."""
        self.slept.append(seconds)
        await asyncio.sleep(0.002)


async def until(condition: Callable[[], object], failing: Awaitable[Any] | None = None) -> None:
    """Wait until something is so, while a task runs."""
    while not condition():
        if isinstance(failing, asyncio.Task) and failing.done():
            failing.result()
            raise LineGarbledError("the module has ended")
        await asyncio.sleep(0.005)
