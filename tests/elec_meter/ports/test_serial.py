from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import tty
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import pytest
import serial

from elec_meter.flag import FlagLine, FlagSession
from elec_meter.ports import SerialDevice, SerialPortError, SerialServer
from tests.elec_meter.flag.lines import (
    BREAK,
    IDENTIFICATION,
    SELECT_READOUT,
    SIGN_ON,
    busy_meter,
    flag_port,
)
from tests.elec_meter.loop_clock import LoopClock
from tests.elec_meter.ports.cable import Cable

LINE = FlagLine(port="FLAG optical", opening_bps=300)
PORT = flag_port(busy_meter())


def session(now: datetime) -> FlagSession:
    """A session of an optical port."""
    return PORT.session(now, LINE)


def served(talk: Callable[[serial.Serial, Cable], Awaitable[None]]) -> Cable:
    """Serve on one end of a cable, and talk at the other."""

    async def run(cable: Cable) -> None:
        server = await SerialServer.start(session, SerialDevice(cable.ends[0], "8N1"))
        try:
            with serial.Serial(cable.ends[1], 300, timeout=0) as reader:
                async with asyncio.timeout(60):
                    await talk(reader, cable)
        finally:
            await server.close()

    with Cable() as cable:
        asyncio.run(run(cable))
    return cable


async def heard(reader: serial.Serial, end: bytes) -> bytes:
    """What comes, until these bytes and as many more as belong to them."""
    data = b""
    while end not in data:
        data += reader.read(1000)
        await asyncio.sleep(0.01)
    return data


def test_a_readout_switches_to_19200_and_back() -> None:
    """Identification at 300, the block at 19200; after the break the next sign-on is at 300."""

    async def talk(reader: serial.Serial, cable: Cable) -> None:
        for _ in range(2):
            reader.write(SIGN_ON)
            assert (await heard(reader, b"\r\n")).endswith(IDENTIFICATION)
            reader.write(SELECT_READOUT)
            await asyncio.sleep(0.05)
            reader.baudrate = 19_200
            block = await heard(reader, b"!\r\n\x03")
            assert b"\x020.0.0(00000001)\r\n" in block
            reader.write(BREAK)
            await asyncio.sleep(0.05)
            reader.baudrate = 300
            while cable.speed(0) != 300:
                await asyncio.sleep(0.01)

    cable = served(talk)
    assert [300, 19_200, 300, 19_200] == cable.speeds
    assert 0 == cable.garbled


def test_a_reader_that_stays_at_300_is_understood_again() -> None:
    """It hears nothing that makes sense, and two seconds later its sign-on is answered."""

    async def talk(reader: serial.Serial, cable: Cable) -> None:
        reader.write(SIGN_ON)
        await heard(reader, b"\r\n")
        reader.write(SELECT_READOUT)
        while cable.speed(0) != 19_200:
            await asyncio.sleep(0.01)
        while cable.speed(0) != 300:
            await asyncio.sleep(0.01)
        reader.reset_input_buffer()
        reader.write(SIGN_ON)
        assert IDENTIFICATION in await heard(reader, IDENTIFICATION)

    assert 100 < served(talk).garbled


def test_noise_and_a_wrong_speed_do_not_stop_it() -> None:
    """Bytes at 9600, half a message, then an honest sign-on."""

    async def talk(reader: serial.Serial, cable: Cable) -> None:
        reader.baudrate = 9_600
        reader.write(bytes(range(256)) * 4)
        await asyncio.sleep(0.2)
        reader.baudrate = 300
        reader.write(b"\x01P1\x02(")
        await asyncio.sleep(0.2)
        reader.write(b"\r\n" + SIGN_ON)
        assert IDENTIFICATION == await heard(reader, b"\r\n")

    served(talk)


def test_what_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    """A device that is not there; parity on a pseudo-terminal, which has none."""
    with pytest.raises(SerialPortError, match=r"cannot serve on .*: it does not exist"):
        asyncio.run(SerialServer.start(session, SerialDevice(f"{tmp_path}/ttyUSB0")))
    with Cable() as cable, pytest.raises(SerialPortError, match=r"it has no parity: use 8N1$"):
        asyncio.run(SerialServer.start(session, SerialDevice(cable.ends[0])))


def test_a_device_that_goes_and_comes_back_is_served_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an optical head that is unplugged."""
    monkeypatch.setattr("elec_meter.ports.serial._REOPEN_S", 0.05)

    async def answered(outer: int) -> None:
        """Sign on until there is an answer: it may not be open again yet."""
        os.set_blocking(outer, False)
        data = b""
        while IDENTIFICATION not in data:
            os.write(outer, SIGN_ON)
            await asyncio.sleep(1)
            with contextlib.suppress(BlockingIOError):
                data += os.read(outer, 1000)

    async def run(link: Path) -> None:
        server = None
        for _ in range(2):
            outer, inner = os.openpty()
            link.unlink(missing_ok=True)
            link.symlink_to(os.ttyname(inner))
            server = server or await SerialServer.start(session, SerialDevice(str(link), "8N1"))
            async with asyncio.timeout(60):
                await answered(outer)
            os.close(outer)
            os.close(inner)
        await server.close()

    asyncio.run(run(tmp_path / "tty"))


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("/dev/ttyUSB0", SerialDevice("/dev/ttyUSB0")),
        ("/dev/ttyUSB0,8N1", SerialDevice("/dev/ttyUSB0", "8N1")),
        ("/dev/ttyUSB0,A,7E1", SerialDevice("/dev/ttyUSB0", "7E1", "A")),
    ],
)
def test_a_port_is_written_with_its_options(text: str, device: SerialDevice) -> None:
    """In any order."""
    assert device == SerialDevice.parse(text)


@pytest.mark.parametrize("text", ["", ",8N1", "/dev/ttyUSB0,9600", "/dev/ttyUSB0,"])
def test_what_is_no_port_is_one_sentence(text: str) -> None:
    """With what was written."""
    with pytest.raises(SerialPortError, match=rf"^'{text}' is no serial port such as [^.]*$"):
        SerialDevice.parse(text)


def test_a_session_that_fails_does_not_end_the_port() -> None:
    """A bug that shows once: no readout, and then there is one again."""
    failures = iter([RuntimeError("a bug")])
    reports: list[str] = []

    def durable() -> None:
        for failure in failures:
            raise failure

    port = flag_port(durable=durable)

    async def run(cable: Cable) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, report: reports.append(str(report["exception"])))
        server = await SerialServer.start(
            lambda now: port.session(now, LINE), SerialDevice(cable.ends[0], "8N1")
        )
        with serial.Serial(cable.ends[1], 300, timeout=0) as reader:
            async with asyncio.timeout(60):
                reader.write(SIGN_ON)
                await heard(reader, b"\r\n")
                reader.write(b"\x06000\r\n")
                while not reports:
                    await asyncio.sleep(0.01)
                reader.write(SIGN_ON)
                await heard(reader, b"\r\n")
                reader.write(b"\x06000\r\n")
                assert b"1.8.0(" in await heard(reader, b"!\r\n\x03")
        await server.close()

    with Cable() as cable:
        asyncio.run(run(cable))
    assert ["a bug"] == reports


def test_a_session_that_has_come_to_rest_makes_room_for_a_new_one() -> None:
    """What was configured meanwhile holds from the next sign-on on."""
    made: list[datetime] = []

    async def run(cable: Cable) -> None:
        def counted(now: datetime) -> FlagSession:
            made.append(now)
            return session(now)

        server = await SerialServer.start(counted, SerialDevice(cable.ends[0], "8N1"))
        with serial.Serial(cable.ends[1], 300, timeout=0) as reader:
            async with asyncio.timeout(60):
                for _ in range(2):
                    reader.write(SIGN_ON)
                    await heard(reader, b"\r\n")
                    before = len(made)
                    reader.write(BREAK)
                    while len(made) == before:
                        await asyncio.sleep(0.01)
        await server.close()

    with Cable() as cable:
        asyncio.run(run(cable))
    assert 4 == len(made)


def listens(server: SerialServer) -> bool:
    """Whether it has sent everything, and waits for what comes."""
    watched = asyncio.get_running_loop()._selector.get_map()
    key = watched.get(server._port.fileno())
    return key is not None and bool(key.events & selectors.EVENT_READ)


def test_a_reader_is_not_late_for_a_busy_meter() -> None:
    """Its option select waited on the line while the loop was busy: the readout follows."""

    async def talk() -> None:
        clock, loop = LoopClock(), asyncio.get_running_loop()
        outer, inner = os.openpty()
        tty.setraw(inner)
        os.set_blocking(outer, False)
        line = FlagLine(opening_bps=19_200)

        async def said(end: bytes) -> None:
            data = b""
            while end not in data:
                await asyncio.sleep(0.01)
                with contextlib.suppress(BlockingIOError):
                    data += os.read(outer, 1_000)

        def select() -> None:
            os.write(outer, SELECT_READOUT)
            clock.hold_up(10, until_readable=inner)

        server = await SerialServer.start(
            lambda now: PORT.session(now, line),
            SerialDevice(os.ttyname(inner), "8N1"),
            now=clock.utc,
        )
        try:
            os.write(outer, SIGN_ON)
            await said(b"\r\n")
            while not listens(server):
                await asyncio.sleep(0.01)
            loop.call_soon(select)
            await said(b"!\r\n\x03")
        finally:
            await server.close()
            os.close(outer)
            os.close(inner)

    asyncio.run(asyncio.wait_for(talk(), 60))
