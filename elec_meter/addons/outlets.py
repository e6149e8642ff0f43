"""Where a stream of telegrams goes: to whoever connects, or out of a serial device.

Readers may be slow or dead: a telegram goes to each whole or not at all, and nothing piles up.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
from abc import ABC, abstractmethod
from typing import Any, Final, Self

import serial

from elec_meter.addons.errors import OutletError
from elec_meter.addons.settings import Address

CLIENTS: Final = 16
STALL_S: Final = 30.0
_REOPEN_S: Final = 5.0
_BAUD: Final = 115_200  # DSMR 5.0.2, 5.1: 8N1


class Outlet(ABC):
    """Takes telegrams; `name` is what people are told."""

    name: str

    @abstractmethod
    def send(self, telegram: bytes) -> None:
        """Pass a telegram on to everybody who has taken the one before."""

    @abstractmethod
    async def close(self) -> None:
        """Stop; harmless when repeated."""


class TcpOutlet(Outlet):
    """Listens; everybody who connects gets every telegram."""

    def __init__(self) -> None:
        self.name = ""
        self._server: asyncio.Server | None = None
        self._clients: dict[asyncio.StreamWriter, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def start(cls, address: Address) -> Self:
        """An outlet that listens; port 0 takes any that is free.

        Raises:
            OutletError: there is no listening there.
        """
        outlet = cls()
        try:
            outlet._server = await asyncio.start_server(outlet._serve, *address, limit=1_024)
        except OSError as error:
            reason = os.strerror(error.errno).lower() if error.errno else str(error)
            raise OutletError(f"cannot listen on {address}: {reason}") from None
        host, port = outlet._server.sockets[0].getsockname()[:2]
        outlet.name = str(Address(host, port))
        return outlet

    def send(self, telegram: bytes) -> None:
        """Pass a telegram on; who has not taken the last one for long is dropped."""
        now_s = asyncio.get_running_loop().time()
        for client, taken_s in list(self._clients.items()):
            if not client.transport.get_write_buffer_size():
                self._clients[client] = now_s
                client.write(telegram)
            elif now_s - taken_s > STALL_S:
                client.transport.abort()

    async def close(self) -> None:
        """Stop listening and drop everybody."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for client in list(self._clients):
                client.transport.abort()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= CLIENTS:
            writer.transport.abort()
            return
        self._clients[writer] = asyncio.get_running_loop().time()
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(OSError):
            while await reader.read(256):
                pass  # nobody has anything to say to a display's port
        del self._clients[writer]
        writer.transport.abort()
        self._tasks.discard(task)


class SerialOutlet(Outlet):
    """A serial device; one that is unplugged is opened again when it is back."""

    def __init__(self, path: str) -> None:
        self.name = path
        self._port: Any = None
        self._rest = b""
        self._opened_s = -_REOPEN_S

    @classmethod
    async def start(cls, path: str) -> Self:
        """An outlet that is open.

        Raises:
            OutletError: the device cannot be used.
        """
        outlet = cls(path)
        outlet._open()
        return outlet

    def send(self, telegram: bytes) -> None:
        """Pass a telegram on, unless the one before has not left yet."""
        if self._port is None and asyncio.get_running_loop().time() - self._opened_s > _REOPEN_S:
            with contextlib.suppress(OutletError):
                self._open()
        if self._port is not None and not self._rest:
            self._rest = telegram
            self._write()

    async def close(self) -> None:
        """Give the device back."""
        port, self._port, self._rest = self._port, None, b""
        if port is not None:
            asyncio.get_running_loop().remove_writer(port.fileno())
            with contextlib.suppress(OSError):
                port.close()

    def _open(self) -> None:
        self._opened_s = asyncio.get_running_loop().time()
        try:
            self._port = serial.Serial(self.name, _BAUD, timeout=0, exclusive=True)
        except (OSError, termios.error) as error:
            raise OutletError(f"cannot write to {self.name}: {error}") from None

    def _write(self) -> None:
        """What the device takes now; the loop comes back for the rest."""
        loop, number = asyncio.get_running_loop(), self._port.fileno()
        try:
            self._rest = self._rest[os.write(number, self._rest) :]
        except BlockingIOError:
            pass
        except OSError:
            loop.remove_writer(number)
            self._rest = b""
            with contextlib.suppress(OSError):
                self._port.close()
            self._port = None
            return
        if self._rest:
            loop.add_writer(number, self._write)
        else:
            loop.remove_writer(number)
