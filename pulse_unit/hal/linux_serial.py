"""A Linux board's serial ports: the wired M-Bus, and a stick that sends radio frames."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

import serial

from pulse_unit.errors import PartLost
from pulse_unit.hal.linux import LinuxBoard, Part, stop
from pulse_unit.hal.sticks import BAUDS, opening, sending
from pulse_unit.slave import WiredSlave

_READ_MAX = 4096
_FRAMES_MAX = 4  # that wait for a stick: an older telegram says nothing that a newer does not


class _Port(Part):
    """A serial port, by its device or a pyserial URL such as `socket://127.0.0.1:5000`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._serial: serial.SerialBase | None = None
        self._lost: asyncio.Future[None] | None = None

    def _open(self, baud: int, parity: str) -> serial.SerialBase:
        try:
            return serial.serial_for_url(self._url, baud, parity=parity, timeout=0, write_timeout=5)
        except (OSError, ValueError) as error:
            raise PartLost(f"{self.name}: {self._url} cannot be opened: {error}") from error

    async def _serve(self, port: serial.SerialBase, opened: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        descriptor = port.fileno()
        self._serial = port
        self._lost = loop.create_future()
        loop.add_reader(descriptor, self._readable)
        opened()
        try:
            await self._lost
        finally:
            self._serial = None
            loop.remove_reader(descriptor)
            with contextlib.suppress(OSError):
                port.close()

    def _readable(self) -> None:
        if self._serial is None:
            return
        try:
            data = self._serial.read(_READ_MAX)
        except OSError as error:
            self._break(error)
            return
        if data:
            self._received(data)

    def _write(self, data: bytes) -> None:
        if self._serial is None:
            return
        try:
            self._serial.write(data)
            self._serial.flush()
        except OSError as error:
            self._break(error)

    def _break(self, error: OSError) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_exception(PartLost(f"{self.name}: {self._url} is gone: {error}"))

    def _received(self, data: bytes) -> None:
        """Take what has come in."""


class WirePort(_Port):
    """The wired M-Bus: 8E1 at the slave's own speed.

    Args:
        url: device or URL.
    """

    name = "the wire"

    def attach(self, board: LinuxBoard) -> None:
        """See `Part`."""
        super().attach(board)
        self._slave = WiredSlave(board.unit, board.unit.wire_settings, board.serial)
        self._heard = asyncio.Event()  # which may have moved the slave's timer

    async def run(self, opened: Callable[[], None]) -> None:
        """See `Part`."""
        port = self._open(self._slave.baud, serial.PARITY_EVEN)
        tasks = [
            asyncio.create_task(self._serve(port, opened)),
            asyncio.create_task(self._handle_timers()),
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            await stop(tasks)

    async def _handle_timers(self) -> None:
        while True:
            self._heard.clear()
            due_ms = self._slave.next_timer()
            left_s = None if due_ms is None else (due_ms - self.board.uptime_ms()) / 1000
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._heard.wait()
            self._slave.handle_timer(self.board.uptime_ms())
            self._keep_speed()

    def _received(self, data: bytes) -> None:
        reply = self._slave.receive_data(data, self.board.uptime_ms())
        if reply:
            self._write(reply)
        self._keep_speed()
        self._heard.set()
        self.board.wake()

    def _keep_speed(self) -> None:
        """Listen at the slave's speed: a reply still leaves at the old one."""
        port = self._serial
        if port is not None and port.baudrate != self._slave.baud:
            port.baudrate = self._slave.baud


class StickPort(_Port):
    """A radio stick that sends what the unit transmits; what it answers is not needed.

    Args:
        kind: of `pulse_unit.hal.sticks.KINDS`.
        url: device or URL.
    """

    name = "the stick"
    has_radio = True

    def __init__(self, kind: str, url: str) -> None:
        super().__init__(url)
        self._kind = kind
        self._frames: deque[bytes] = deque(maxlen=_FRAMES_MAX)

    async def run(self, opened: Callable[[], None]) -> None:
        """See `Part`."""
        port = self._open(BAUDS[self._kind], serial.PARITY_NONE)

        def begin() -> None:
            opened()
            self._write(opening(self._kind))
            while self._frames:
                self._write(sending(self._kind, self._frames.popleft()))

        await self._serve(port, begin)

    def transmit(self, frame: bytes) -> None:
        """See `Part`."""
        if self._serial is None:
            self._frames.append(frame)
        else:
            self._write(sending(self._kind, frame))
