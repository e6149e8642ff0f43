"""A serial port that hosts one sans-I/O session after the other, at the speeds that they want."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import termios
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Self

import serial

from elec_meter.errors import MeterError
from elec_meter.flag import FlagSession, LineSetting, Sending
from elec_meter.line_time import LineTime
from elec_meter.ports.stream import host_utc

_READ_MAX: Final = 256
_REOPEN_S: Final = 5.0
_DRAIN_S: Final = 0.005
_PAUSE_S: Final = 1.0
_STALL_S: Final = 30.0
_CHARACTER_BITS: Final = 10
_REASONS: Final = {
    errno.ENOENT: "it does not exist: is it plugged in",
    errno.EACCES: "this user may not: join the group dialout",
    errno.EBUSY: "another program uses it",
    errno.EAGAIN: "another program uses it",
    errno.EINVAL: "it has no parity: use 8N1",
}


class SerialPortError(MeterError):
    """There is no serving on this serial port.

    Example scenarios: a device that is not plugged in; one that another program uses; a
    pseudo-terminal, which has no parity, with `7E1`.
    """


@dataclass(frozen=True, slots=True)
class SerialDevice:
    """A device, and how characters travel on it.

    Attributes:
        path: such as `/dev/ttyUSB0`.
        bits: `7E1` where the hardware has parity; `8N1` where the session makes it.
        mode: of IEC 62056-21: C, which negotiates the speed, or A, which does not.
    """

    path: str
    bits: Literal["7E1", "8N1"] = "7E1"
    mode: Literal["C", "A"] = "C"

    @classmethod
    def parse(cls, text: str) -> Self:
        """`DEVICE`, with `,8N1` and `,A` behind it where they are wanted."""
        path, *options = text.split(",")
        unknown = [each for each in options if each not in ("7E1", "8N1", "A", "C")]
        if not path or unknown:
            raise SerialPortError(f"{text!r} is no serial port such as /dev/ttyUSB0,8N1")
        return cls(path, "8N1" if "8N1" in options else "7E1", "A" if "A" in options else "C")


class SerialServer:
    """Serves FLAG sessions on a device; one that is unplugged is opened again when it is back.

    Args:
        session_factory: makes the session that begins at the given instant; another one follows
            when it has closed, or has come to rest, and knows what has changed meanwhile.
        device: where.
        now: the time that sessions are given.
    """

    def __init__(
        self,
        session_factory: Callable[[datetime], FlagSession],
        device: SerialDevice,
        *,
        now: Callable[[], datetime] = host_utc,
    ) -> None:
        self._session_factory = session_factory
        self._device = device
        self._now = now
        self._port: Any = None
        self._setting: LineSetting | None = None
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        session_factory: Callable[[datetime], FlagSession],
        device: SerialDevice,
        *,
        now: Callable[[], datetime] = host_utc,
    ) -> Self:
        """A server that serves; arguments as for the class.

        Raises:
            SerialPortError: the device cannot be used.
        """
        server = cls(session_factory, device, now=now)
        server._open(session_factory(now()).setting)
        server._task = asyncio.create_task(server._serve())
        return server

    async def close(self) -> None:
        """Stop, and give the device back; harmless when repeated."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._close_port()

    async def _serve(self) -> None:
        while True:
            try:
                await self._serve_session()
            except (OSError, termios.error):
                self._close_port()
                await self._reopen()
            except Exception as error:  # noqa: BLE001 - a session's failure must not end the port
                context = {"message": f"a session at {self._device.path} failed"}
                asyncio.get_running_loop().call_exception_handler(context | {"exception": error})
                await asyncio.sleep(_PAUSE_S)

    async def _serve_session(self) -> None:
        line_time = LineTime(self._now)
        session = self._session_factory(line_time.now)
        self._apply(session.setting)
        line_time.begin_wait(session.next_timer())
        while not session.closed:
            data = await self._read(line_time.left_s)
            if data:
                sendings = session.receive(data, line_time.tell_heard())
            else:
                sendings = session.expire(line_time.tell_silent())
            # Before sending: the session has already added how long that takes.
            line_time.begin_wait(session.next_timer())
            for sending in sendings:
                await self._send(sending)
            self._apply(session.setting)
            if data and session.is_at_rest:
                return

    async def _read(self, timeout_s: float) -> bytes:
        """What has come in, as soon as something has; empty when the time is over."""
        if not await self._ready(asyncio.get_running_loop().add_reader, timeout_s):
            return b""
        data: bytes = os.read(self._port.fileno(), _READ_MAX)
        if not data:
            raise OSError(errno.EIO, "the device is gone")
        return data

    async def _send(self, sending: Sending) -> None:
        """Send all of it, and wait until it has left: only then may the speed change."""
        await asyncio.sleep(sending.after_ms / 1_000)
        self._apply(sending.setting)
        loop = asyncio.get_running_loop()
        bits = len(sending.data) * _CHARACTER_BITS
        done_at = loop.time() + bits / sending.setting.speed_bps
        rest = memoryview(sending.data)
        while rest:
            if not await self._ready(loop.add_writer, _STALL_S):
                raise OSError(errno.EIO, "the device takes nothing")
            with contextlib.suppress(BlockingIOError):
                rest = rest[os.write(self._port.fileno(), rest) :]
        await asyncio.sleep(max(0.0, done_at - loop.time()))
        given_up_at = loop.time() + _STALL_S
        while self._port.out_waiting and loop.time() < given_up_at:
            await asyncio.sleep(_DRAIN_S)

    async def _ready(self, add: Callable[..., None], timeout_s: float) -> bool:
        loop, number = asyncio.get_running_loop(), self._port.fileno()
        ready: asyncio.Future[None] = loop.create_future()
        add(number, _set, ready)
        try:
            await asyncio.wait((ready,), timeout=timeout_s)
            return ready.done()
        finally:
            loop.remove_reader(number)
            loop.remove_writer(number)

    def _apply(self, setting: LineSetting) -> None:
        if setting == self._setting:
            return
        is_seven = setting.is_seven_bit and self._device.bits == "7E1"
        self._port.apply_settings(
            {
                "baudrate": setting.speed_bps,
                "bytesize": serial.SEVENBITS if is_seven else serial.EIGHTBITS,
                "parity": serial.PARITY_EVEN if is_seven else serial.PARITY_NONE,
            }
        )
        self._setting = setting

    def _open(self, setting: LineSetting) -> None:
        path = self._device.path
        try:
            self._port = serial.Serial(path, setting.speed_bps, timeout=0, exclusive=True)
            self._setting = None
            self._apply(setting)
        except (OSError, termios.error) as error:
            self._close_port()
            number = error.args[0] if isinstance(error, termios.error) else error.errno
            reason = _REASONS.get(number or 0, str(error))
            raise SerialPortError(f"cannot serve on {path}: {reason}") from None

    async def _reopen(self) -> None:
        while self._port is None:
            await asyncio.sleep(_REOPEN_S)
            with contextlib.suppress(SerialPortError):
                self._open(self._session_factory(self._now()).setting)

    def _close_port(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(OSError):
                port.close()


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
