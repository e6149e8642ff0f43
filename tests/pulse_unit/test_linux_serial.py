from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import serial

from pulse_unit import slave
from pulse_unit.hal.linux_serial import StickPort, WirePort
from shared.wire.mbus import ACKNOWLEDGE, CI_SEND_DATA, REQ_UD2, SND_UD, Frame, encode_frame
from shared.wire.telegram import decode_records
from tests.pulse_unit.bench import LIMIT_S, Bench
from tests.pulse_unit.listening import told


class Line:
    """The far end of serial ports, on a socket."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(LIMIT_S)
        self.url = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        self._far: socket.socket | None = None

    async def accept(self) -> None:
        """Wait for the port to be opened, again too."""
        self.hang_up()
        self._far, _ = await asyncio.to_thread(self._server.accept)
        self._far.settimeout(LIMIT_S)

    async def read(self, count: int) -> bytes:
        """Return so many bytes."""
        data = b""
        while len(data) < count:
            assert self._far is not None
            data += await asyncio.to_thread(self._far.recv, count - len(data))
        return data

    async def ask(self, request: bytes, count: int) -> bytes:
        """Send a request, again where it is not answered as masters do; return so many bytes."""
        assert self._far is not None
        for _ in range(LIMIT_S):
            self.write(request)
            readable, _, _ = await asyncio.to_thread(select.select, [self._far], [], [], 1)
            if readable:
                break
        return await self.read(count)

    def write(self, data: bytes) -> None:
        """Send bytes to the port."""
        assert self._far is not None
        self._far.sendall(data)

    def hang_up(self) -> None:
        """Unplug the port."""
        if self._far is not None:
            self._far.close()

    def close(self) -> None:
        """End."""
        self.hang_up()
        self._server.close()


@pytest.fixture
def line() -> Iterator[Line]:
    """A serial line."""
    made = Line()
    yield made
    made.close()


def test_telegrams_leave_through_a_stick(tmp_path: Path, line: Line) -> None:
    """Also what was sent before it was there; unplugged, it is tried again and the unit goes on."""
    bench = Bench(tmp_path, StickPort("hex", line.url))

    async def frame() -> bytes:
        text = b""
        while not text.endswith(b"\n"):
            text += await line.read(1)
        return bytes.fromhex(text.decode())

    async def scenario() -> None:
        await line.accept()
        await bench.skip(5_000)
        assert 0 == told(await frame()).count
        line.hang_up()
        await bench.until(lambda: bool(bench.reports))
        await bench.skip(15_000)
        await line.accept()
        assert 20 <= told(await frame()).uptime_s
        await bench.until(lambda: len(bench.reports) == 2)

    bench.run(scenario)
    lost, back = bench.reports
    assert lost.startswith(f"the stick: {line.url} is gone: ")
    assert "the stick works again" == back


@pytest.fixture
def hung_stick() -> Iterator[tuple[str, int]]:
    """A terminal's name, filled until it takes nothing more, and the end that can empty it."""
    near, far = os.openpty()
    tty.setraw(far)
    os.set_blocking(far, False)
    for _ in range(5):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(far, b"x")
        time.sleep(0.02)  # the kernel moves some on and has room again
    os.set_blocking(near, False)
    yield os.ttyname(far), near
    os.close(near)
    os.close(far)


def _add(heard: bytearray, near: int) -> bytearray:
    """Take what a terminal holds."""
    with contextlib.suppress(BlockingIOError):
        while True:
            heard += os.read(near, 4096)
    return heard


def test_a_stick_that_hangs_holds_nothing_up(tmp_path: Path, hung_stick: tuple[str, int]) -> None:
    """The unit counts on; opened anew, the stick works again and gets the newest telegrams."""
    url, near = hung_stick
    bench = Bench(tmp_path, StickPort("hex", url, stall_s=1))
    heard = bytearray()

    async def scenario() -> None:
        for turn in range(12):
            bench.board.edge(turn % 2 == 0)
            await bench.skip(5_000)
        await bench.until(lambda: len(bench.reports) == 2)
        await bench.until(lambda: _add(heard, near).count(b"\n") >= 4)

    assert 6 == bench.run(scenario).count
    assert [f"the stick: {url} takes nothing", "the stick works again"] == bench.reports
    frames = [line for line in heard.lstrip(b"x").splitlines() if line]
    sent = [told(bytes.fromhex(frame.decode())).uptime_s for frame in frames]
    assert len(sent) <= 5
    assert [20, 30, 40, 50] <= sent[-4:]


def test_a_port_that_never_answers_holds_nothing_up(tmp_path: Path) -> None:
    """The unit counts while a connection is tried, and ends while it is."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(server.getsockname())
        port = WirePort(f"socket://127.0.0.1:{server.getsockname()[1]}")
        bench = Bench(tmp_path, port)

        async def scenario() -> None:
            await bench.skip(0)
            for turn in range(8):
                bench.board.edge(turn % 2 == 0)
                await bench.skip(5_000)
            assert [] == bench.reports

        assert 4 == bench.run(scenario).count


def test_a_master_that_does_not_read_holds_nothing_up(tmp_path: Path, line: Line) -> None:
    """Replies that nobody takes are dropped, and the unit counts on."""
    bench = Bench(tmp_path, WirePort(line.url))
    requests = encode_frame(Frame(REQ_UD2, 0)) * 200

    async def scenario() -> None:
        await line.accept()
        sent = 0
        while sent < 400:
            writing = asyncio.create_task(asyncio.to_thread(line.write, requests))
            done, _ = await asyncio.wait([writing], timeout=1)
            sent += 1 if done else 400
        for turn in range(8):
            bench.board.edge(turn % 2 == 0)
            await bench.skip(5_000)
        assert [] == bench.reports

    assert 4 == bench.run(scenario).count


def test_a_link_whose_peer_has_gone_is_closed(
    tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that was reset, so that none is left open with each that follows."""
    links: list[socket.socket] = []
    found = socket.create_connection

    def spied(*arguments: Any, **options: Any) -> socket.socket:
        links.append(found(*arguments, **options))
        return links[-1]

    monkeypatch.setattr(socket, "create_connection", spied)
    bench = Bench(tmp_path, WirePort(line.url))

    async def scenario() -> None:
        await line.accept()
        await line.ask(encode_frame(Frame(REQ_UD2, 0)), 4)
        line.hang_up()  # with bytes that it has not read: the link is reset
        await bench.until(lambda: bool(bench.reports))

    bench.run(scenario)
    assert -1 == links[0].fileno()


def test_a_port_that_is_not_there_is_reported_once(tmp_path: Path) -> None:
    """One sentence, however often it is tried, and the unit counts meanwhile."""
    missing = str(tmp_path / "ttyUSB9")
    bench = Bench(tmp_path, WirePort(missing))

    async def scenario() -> None:
        await bench.until(lambda: bool(bench.reports))
        await asyncio.sleep(1.2)
        for closed in (True, False):
            bench.board.edge(closed)
            await bench.skip(3_000)

    assert 1 == bench.run(scenario).count
    (lost,) = bench.reports
    assert lost.startswith(f"the wire: {missing} cannot be opened: ")


def test_a_master_reads_the_unit_over_the_wire(tmp_path: Path, line: Line) -> None:
    """The count in plain, from the slave that the firmware has, and its new address persists."""
    bench = Bench(tmp_path, WirePort(line.url))
    request = encode_frame(Frame(REQ_UD2, 0))

    async def scenario() -> None:
        await line.accept()
        head = await line.ask(request, 4)
        records = (head + await line.read(head[1] + 2))[19:-2]
        assert 0 == decode_records(records).count
        await bench.skip(1_000)
        line.write(encode_frame(Frame(SND_UD, 0, bytes([CI_SEND_DATA, 1, 0x7A, 9]))))
        assert bytes([ACKNOWLEDGE]) == await line.read(1)

    bench.run(scenario)
    assert 9 == bench.unit.wire_settings.load() & 0xFF


def test_a_speed_at_which_nothing_comes_is_given_up(
    tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The port listens at the new speed after the reply, and at the old one again when it ends."""
    monkeypatch.setattr(slave, "TRIAL_MS", 200)
    ports: list[serial.SerialBase] = []
    found = serial.serial_for_url

    def spied(*arguments: Any, **options: Any) -> serial.SerialBase:
        ports.append(found(*arguments, **options))
        return ports[-1]

    monkeypatch.setattr(serial, "serial_for_url", spied)
    bench = Bench(tmp_path, WirePort(line.url))

    async def scenario() -> None:
        await line.accept()
        request = encode_frame(Frame(SND_UD, 0, b"\xbd"))
        assert bytes([ACKNOWLEDGE]) == await line.ask(request, 1)
        await bench.until(lambda: ports[0].baudrate == 9_600)
        await bench.until(lambda: ports[0].baudrate == 2_400)

    bench.run(scenario)
    assert [] == bench.reports


def test_a_slave_that_fails_at_a_timer_is_reported(
    tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The port is closed and opened again; the unit counts meanwhile."""

    def broken(_slave: slave.WiredSlave, _uptime_ms: int) -> None:
        raise KeyError("no")

    bench = Bench(tmp_path, WirePort(line.url))

    async def scenario() -> None:
        await line.accept()
        monkeypatch.setattr(slave.WiredSlave, "handle_timer", broken)
        monkeypatch.setattr(slave.WiredSlave, "receive_data", lambda *_: b"")
        await bench.until(lambda: bool(bench.reports), speak)

    async def speak() -> None:
        with contextlib.suppress(OSError):  # what comes before the port is open is lost
            line.write(b"\0")

    bench.run(scenario)
    assert ["the wire has failed: KeyError('no')"] == bench.reports
