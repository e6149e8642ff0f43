from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from elec_meter import Storage
from elec_meter.panel import (
    PanelExposedError,
    PanelPortError,
    PanelServer,
    require_closed,
    server,
)
from elec_meter.panel.stream import CLIENTS_MAX, LiveStream, event
from elec_meter.ports import server_tls
from tests.certificates import self_signed
from tests.elec_meter.objects.lived import Life
from tests.elec_meter.panel.browsing import Served
from tests.elec_meter.panel.standing import Standing

ASK = b"GET %s HTTP/1.1\r\nhost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A meter with its panel open."""
    meter = Served(lambda: Standing(life=Life(Storage.in_memory())))
    try:
        yield meter
    finally:
        meter.close()


def connected(served: Served, path: bytes = b"") -> socket.socket:
    """A connection that asks for something, or for nothing."""
    host, port = served.url.removeprefix("http://").rstrip("/").split(":")
    line = socket.create_connection((host, int(port)), timeout=20)
    if path:
        line.sendall(ASK % path)
    return line


def events(response: httpx.Response) -> Iterator[tuple[str, Any]]:
    """Names and data of the events of a stream."""
    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_everybody_gets_the_same_snapshots(served: Served) -> None:
    """Two pages see one snapshot each second, and no more is computed for two than for one."""
    with contextlib.ExitStack() as stack:
        streams = [
            events(stack.enter_context(httpx.stream("GET", f"{served.url}api/live", timeout=20)))
            for _ in range(2)
        ]
        for stream in streams:
            next(stream)
        before = served.do(lambda standing: standing.durable_calls)
        first, second = ([next(stream) for _ in range(2)] for stream in streams)
        calls = served.do(lambda standing: standing.durable_calls) - before

    assert {"snapshot"} == {name for name, _ in (*first, *second)}
    assert [name for name, _ in first] == [name for name, _ in second]
    assert calls <= 4
    values = first[0][1]["values"]
    assert values["import_wh"] == served.do(
        lambda standing: standing.life.meter.objects["1-0:1.8.0"].value
    )


def test_nothing_is_computed_while_nobody_looks(served: Served) -> None:
    """Once the last page is closed there are no clients, and no snapshots."""
    with httpx.stream("GET", f"{served.url}api/live", timeout=20) as response:
        next(events(response))
    for _ in range(100):
        if not served.do(lambda standing: standing.panel.live.clients):
            break
        asyncio.run(asyncio.sleep(0.05))
    assert 0 == served.do(lambda standing: standing.panel.live.clients)


def test_a_crowd_of_streams_stops_no_reading(served: Served) -> None:
    """Of many hundreds some are served and all others refused; whoever reads is answered."""
    crowd = [connected(served, b"/api/live") for _ in range(400)]
    try:
        while not served.do(lambda standing: standing.panel.live.clients):
            pass  # of those who have not been read from yet, idle ones would take the places
        crowd += [connected(served) for _ in range(400)]
        for _ in range(5):
            assert 200 == httpx.get(f"{served.url}api/clock", timeout=20).status_code
        clients = served.do(lambda standing: standing.panel.live.clients)
        assert 0 < clients <= CLIENTS_MAX
        assert served.server.connections <= server.CONNECTIONS_MAX
    finally:
        for line in crowd:
            line.close()
    with httpx.stream("GET", f"{served.url}api/live", timeout=20) as response:
        assert response.status_code in (200, 503)


@pytest.mark.parametrize(
    "noise",
    [
        b"\x00" * 1_000,
        b"GET / HTTP/1.1\r\n" + b"x: " + b"y" * 100_000,
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /api/orders HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_noise_ends_its_own_connection(served: Served, noise: bytes) -> None:
    """Whatever is no request is refused; the next reading is answered."""
    line = connected(served)
    with contextlib.suppress(ConnectionError), line:
        line.sendall(noise)
        line.shutdown(socket.SHUT_WR)
        answer = line.recv(65_536)
        assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 404"))

    assert 200 == httpx.get(f"{served.url}api/clock", timeout=20).status_code


def test_who_asks_for_nothing_is_dropped(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection without a request ends."""
    monkeypatch.setattr(server, "REQUEST_S", 0.05)
    with contextlib.suppress(ConnectionError), connected(served) as line:
        assert b"" == line.recv(1)


def test_who_reads_nothing_is_dropped() -> None:
    """A client that a snapshot cannot be sent to is given up; others go on."""

    async def stalled() -> int:
        live = LiveStream(lambda: event("snapshot", "{}"), interval_s=0.01, stall_s=0.02)
        running = asyncio.create_task(live.run())
        got: list[Any] = []

        async def stay() -> dict[str, Any]:
            await asyncio.Event().wait()
            return {}

        async def swallow(message: Any) -> None:
            got.append(message)
            if len(got) > 1:
                await asyncio.Event().wait()

        await asyncio.wait_for(live.serve(stay, swallow), 20)
        running.cancel()
        return live.clients

    assert 0 == asyncio.run(stalled())


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "meter.local", "10.0.0.1"])
def test_a_network_is_not_served_in_clear(host: str) -> None:
    """Anywhere but on this computer it takes a certificate, or the word that it is wanted."""
    with pytest.raises(PanelExposedError, match="--insecure"):
        require_closed(host, is_encrypted=False, is_insecure=False)
    require_closed(host, is_encrypted=True, is_insecure=False)
    require_closed(host, is_encrypted=False, is_insecure=True)
    for own in ("127.0.0.1", "localhost", "::1"):
        require_closed(own, is_encrypted=False, is_insecure=False)


def test_a_port_that_is_taken_is_said(served: Served) -> None:
    """One sentence names the place."""
    port = int(served.url.rstrip("/").rpartition(":")[2])
    standing = Standing(life=Life(Storage.in_memory()))
    with pytest.raises(PanelPortError, match=f"127.0.0.1:{port}"):
        asyncio.run(PanelServer.start(standing.panel, "127.0.0.1", port))
    with pytest.raises(PanelPortError, match=r"nowhere\.invalid"):
        asyncio.run(PanelServer.start(standing.panel, "nowhere.invalid", 0))


def test_over_tls_the_cookie_is_never_sent_in_clear(tmp_path: Path) -> None:
    """A page over TLS is answered, and its cookie is for TLS alone."""
    certificate = self_signed(tmp_path, "panel").both
    context = ssl.create_default_context()
    context.load_verify_locations(certificate)

    async def signed_on() -> str:
        standing = Standing(life=Life(Storage.in_memory()), is_encrypted=True)
        tls = server_tls(certificate, certificate)
        serving = await PanelServer.start(standing.panel, "127.0.0.1", 0, tls=tls)
        url = f"https://localhost:{serving.address[1]}"
        async with httpx.AsyncClient(verify=context) as client:
            token = (await client.get(f"{url}/api/session")).json()["token"]
            response = await client.post(
                f"{url}/api/session",
                json={"level": 1, "password": "reader"},
                headers={"x-csrf-token": token},
            )
        await serving.close()
        return response.headers["set-cookie"]

    assert "Secure" in asyncio.run(signed_on())


def test_a_crowd_that_never_shakes_hands_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes no more places than connections in clear do; whoever speaks TLS is answered."""
    monkeypatch.setattr(server, "CONNECTIONS_MAX", 8)
    certificate = self_signed(tmp_path, "panel").both
    context = ssl.create_default_context(cafile=str(certificate))

    async def ended(crowd: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> None:
        async with asyncio.timeout(20):
            for reader, writer in crowd:
                with contextlib.suppress(ConnectionError):
                    await reader.read()
                writer.close()

    async def crowded() -> tuple[int, int, int]:
        standing = Standing(life=Life(Storage.in_memory()), is_encrypted=True)
        tls = server_tls(certificate, certificate)
        serving = await PanelServer.start(standing.panel, "127.0.0.1", 0, tls=tls)
        crowd = [await asyncio.open_connection(*serving.address) for _ in range(40)]
        crowd[-1][1].write(b"no handshake at all\r\n\r\n")
        async with asyncio.timeout(20):
            assert not [line async for line in crowd[-1][0] if b"HTTP" in line]
        async with httpx.AsyncClient(verify=context) as client:
            for _ in range(2):
                url = f"https://localhost:{serving.address[1]}/api/clock"
                status = (await client.get(url)).status_code
            most = serving.connections
        await ended(crowd[:32])
        await serving.close()
        await ended(crowd[32:])
        return status, most, serving.connections

    status, most, left = asyncio.run(crowded())
    assert 200 == status
    assert 8 >= most
    assert 0 == left


def test_closing_ends_streams(caplog: pytest.LogCaptureFixture) -> None:
    """A server that closes ends open streams itself, and complains of nothing."""

    async def closed() -> str:
        standing = Standing(life=Life(Storage.in_memory()))
        serving = await PanelServer.start(standing.panel, "127.0.0.1", 0)
        url = "http://{}:{}/api/live".format(*serving.address)
        async with httpx.AsyncClient() as client, client.stream("GET", url) as response:
            lines = response.aiter_lines()
            first = await anext(lines)
            closing = asyncio.create_task(serving.close())
            async for _ in lines:
                pass
            await closing
        await serving.close()
        return first

    with caplog.at_level(logging.ERROR):
        assert "event: snapshot" == asyncio.run(closed())
    assert [] == caplog.records
