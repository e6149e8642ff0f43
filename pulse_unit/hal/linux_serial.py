"""A Linux board's serial ports: the wired M-Bus, and a stick that sends radio frames.

Nothing here waits for a port: whatever may take long runs in a thread of its own, and what a port
does not take yet is kept, up to a limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import serial

from pulse_unit.errors import PartLost
from pulse_unit.hal.linux import LinuxBoard, Part, stop
from pulse_unit.hal.sticks import BAUDS, opening, sending
from pulse_unit.slave import WiredSlave
from shared import serial_port

_READ_MAX = 4096
_FRAMES_MAX = 4  # that wait for a stick: an older telegram says nothing that a newer does not
_STALL_S = 60.0  # a stick that takes nothing for so long hangs
_DRAIN_S = 0.01  # between looks at whether a reply has left

_T = TypeVar("_T")


class _Port(Part):
    """A serial port, by its device or a pyserial URL such as `socket://127.0.0.1:5000`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._serial: serial.SerialBase | None = None
        self._lost: asyncio.Future[None] | None = None
        self._waiting: deque[bytes] = deque(maxlen=_FRAMES_MAX)
        self._leaving = memoryview(b"")  # the rest of what is being written

    async def _open(self, baud: int, parity: str) -> serial.SerialBase:
        try:
            return await _threaded(
                lambda: serial.serial_for_url(self._url, baud, parity=parity, timeout=0),
                serial.SerialBase.close,
            )
        except (OSError, ValueError) as error:
            raise PartLost(f"{self.name}: {self._url} cannot be opened: {error}") from error

    async def _serve(self, port: serial.SerialBase, first: bytes = b"") -> None:
        """Read and write until the port breaks; ``first`` leaves before what waits."""
        loop = asyncio.get_running_loop()
        descriptor = port.fileno()
        self._serial = port
        self._lost = loop.create_future()
        self._leaving = memoryview(first)
        loop.add_reader(descriptor, self._readable)
        self._write()
        try:
            await self._lost
        finally:
            self._serial = None
            loop.remove_reader(descriptor)
            loop.remove_writer(descriptor)
            hangs = bool(self._leaving)
            await _threaded(lambda: serial_port.close(port, unsent=not hangs), lambda _: None)

    def _readable(self) -> None:
        if self._serial is None:
            return
        try:
            data = self._serial.read(_READ_MAX)
        except OSError as error:
            self._break(f"is gone: {error}")
            return
        if data:
            self._received(data)

    def _write(self) -> None:
        """Write what waits, as far as the port takes it; the rest when it takes more."""
        if self._serial is None:
            return
        descriptor = self._serial.fileno()
        loop = self.board.loop  # the unit sends between two runs of it
        try:
            while self._leaving or self._waiting:
                if not self._leaving:
                    self._leaving = memoryview(self._waiting.popleft())
                self._leaving = self._leaving[os.write(descriptor, self._leaving) :]
                self._took()
        except BlockingIOError:
            loop.add_writer(descriptor, self._write)
            self._blocked()
            return
        except OSError as error:
            self._break(f"is gone: {error}")
        loop.remove_writer(descriptor)

    def _took(self) -> None:
        """Know that the port has taken something."""

    def _blocked(self) -> None:
        """Know that the port takes no more for now."""

    def _break(self, what: str) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_exception(PartLost(f"{self.name}: {self._url} {what}"))

    def _received(self, data: bytes) -> None:
        """Take what has come in."""


class WirePort(_Port):
    """The wired M-Bus: 8E1 at the slave's own speed.

    A reply that finds another one still waiting is dropped: its master does not listen.

    Args:
        url: device or URL.
    """

    name = "the wire"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._tuning: asyncio.Task[None] | None = None

    def attach(self, board: LinuxBoard) -> None:
        """See `Part`."""
        super().attach(board)
        self._slave = WiredSlave(board.unit, board.unit.wire_settings, board.serial)
        self._heard = asyncio.Event()  # which may have moved the slave's timer

    async def run(self, opened: Callable[[], None]) -> None:
        """See `Part`."""
        port = await self._open(self._slave.baud, serial.PARITY_EVEN)
        opened()
        self._waiting.clear()
        tasks = [
            asyncio.create_task(self._serve(port)),
            asyncio.create_task(self._handle_timers()),
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            if self._tuning is not None:
                tasks.append(self._tuning)
                self._tuning = None
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
        if self._tuning is not None:
            return  # it was sent at a speed that is no longer the slave's
        reply = self._slave.receive_data(data, self.board.uptime_ms())
        if reply and not self._waiting and not self._leaving:
            self._waiting.append(reply)
            self._write()
        self._keep_speed()
        self._heard.set()
        self.board.wake()

    def _keep_speed(self) -> None:
        """Listen at the slave's speed: a reply still leaves at the old one."""
        port = self._serial
        if port is None or port.baudrate == self._slave.baud or self._tuning is not None:
            return
        if os.isatty(port.fileno()):
            self._tuning = asyncio.create_task(self._tune(port))
        else:
            port.baudrate = self._slave.baud  # a network's end has no speed of its own

    async def _tune(self, port: serial.SerialBase) -> None:
        while self._leaving or self._waiting:
            await asyncio.sleep(_DRAIN_S)
        try:
            await _threaded(port.flush, lambda _: None)
            port.baudrate = self._slave.baud
            port.reset_input_buffer()
        except (OSError, ValueError) as error:
            self._break(f"is gone: {error}")
        self._tuning = None


class StickPort(_Port):
    """A radio stick that sends what the unit transmits; what it answers is not needed.

    It works once it has taken what it was told. Of frames that it does not take the newest wait.

    Args:
        kind: of `pulse_unit.hal.sticks.KINDS`.
        url: device or URL.
        stall_s: after so long without taking anything it hangs, and is opened anew.
    """

    name = "the stick"
    has_radio = True

    def __init__(self, kind: str, url: str, stall_s: float = _STALL_S) -> None:
        super().__init__(url)
        self._kind = kind
        self._stall_s = stall_s
        self._frames: deque[bytes] = deque(maxlen=_FRAMES_MAX)
        self._stalled: asyncio.TimerHandle | None = None

    async def run(self, opened: Callable[[], None]) -> None:
        """See `Part`."""
        port = await self._open(BAUDS[self._kind], serial.PARITY_NONE)
        first = opening(self._kind)
        self._opened = opened
        if not first and not self._waiting:
            opened()
        try:
            await self._serve(port, first)
        finally:
            self._moved()

    def transmit(self, frame: bytes) -> None:
        """See `Part`."""
        self._waiting.append(sending(self._kind, frame))
        if not self._leaving:
            self._write()

    def _took(self) -> None:
        self._moved()
        if not self._leaving:
            self._opened()

    def _blocked(self) -> None:
        if self._stalled is None:
            self._stalled = self.board.loop.call_later(self._stall_s, self._break, "takes nothing")

    def _moved(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


async def _threaded(work: Callable[[], _T], drop: Callable[[_T], None]) -> _T:
    """Return what ``work`` makes in a thread that ends with the process.

    What is made when nobody waits for it any more goes to ``drop``.
    """
    loop = asyncio.get_running_loop()
    done: Future[_T] = Future()

    def run() -> None:
        try:
            made = work()
        except Exception as error:  # noqa: BLE001  it is raised where it is waited for
            if done.set_running_or_notify_cancel():
                done.set_exception(error)
            return
        if done.set_running_or_notify_cancel():
            done.set_result(made)
        else:
            drop(made)

    threading.Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(done, loop=loop)
