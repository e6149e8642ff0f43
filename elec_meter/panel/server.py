"""Where the panel listens: uvicorn in the meter's own loop, with bounds on what strangers use."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import Panel
from .errors import PanelPortError

CONNECTIONS_MAX: Final = 256
"""Connections that are open at once; for a further one the idlest is dropped."""

REQUEST_S: Final = 10.0
"""How long the first request of a connection may take to come."""

_STALL_MS: Final = 20_000
_HEADERS_MAX: Final = 16_384
_GOING_S: Final = 1


class _Config(uvicorn.Config):
    """Uvicorn's, without its way of encrypting: there only handshakes that succeed are counted."""

    tls: ssl.SSLContext | None = None


class _Connection(H11Protocol):
    """A connection that is dropped when there are too many, or when it asks for nothing.

    It counts from the first packet on: who never ends a handshake takes a place like all others.
    """

    _early: bytearray | None = None
    """What came before the handshake's end was noticed; None when there is no handshake."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it so
        config = self.config
        assert isinstance(config, _Config)
        if config.tls is None:
            super().connection_made(transport)
        else:
            self._early = bytearray()
            self.transport = transport
            self.connections.add(self)
            transport.pause_reading()
            self._securing = self.loop.create_task(self._secure(transport, config.tls))
        self.made_s = self.loop.time()
        self._patience = self.loop.call_later(REQUEST_S, self._give_up)
        if len(self.connections) > CONNECTIONS_MAX:
            others = [each for each in self.connections if isinstance(each, _Connection)]
            idle = [each for each in others if each.is_idle and each is not self]
            idlest = min(idle, key=lambda each: each.made_s, default=self)
            self.connections.discard(idlest)  # it is lost later, and not to be chosen again
            idlest.transport.abort()

    @property
    def is_idle(self) -> bool:
        """Whether nothing that it asked for is being answered."""
        cycle: Any = self.cycle
        return cycle is None or bool(cycle.response_complete)

    def data_received(self, data: bytes) -> None:
        if self._early is None:
            super().data_received(data)
        else:
            self._early += data

    def eof_received(self) -> None:
        if self._early is None:
            super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        patience = getattr(self, "_patience", None)
        if patience is not None:
            patience.cancel()
        if self._early is None:
            super().connection_lost(exc)
        else:
            self.connections.discard(self)

    async def _secure(self, plain: asyncio.Transport, tls: ssl.SSLContext) -> None:
        """Shake hands; from then on all is as without encryption."""
        secured = None
        if not plain.is_closing():  # where it had to make place at once: a handshake takes 256 KiB
            try:
                secured = await self.loop.start_tls(plain, self, tls, server_side=True)
            except OSError as error:  # no TLS, or gone
                # Its frames would keep those until the next collection of garbage.
                error.__traceback__ = None
        if secured is None or plain.is_closing():
            self.connection_lost(None)
            plain.abort()
            return
        early, self._early = self._early, None
        super().connection_made(secured)
        if early:
            super().data_received(bytes(early))

    def _give_up(self) -> None:
        cycle: object = self.cycle
        if cycle is None:  # until the first request
            self.transport.abort()


class _Uvicorn(uvicorn.Server):
    """Leaves signals to whoever owns the loop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class PanelServer:
    """A panel that listens; `start` makes one.

    Args:
        panel: what is served.
        listener: where.
        tls: encrypts every connection; None for none.
    """

    def __init__(
        self, panel: Panel, listener: socket.socket, tls: ssl.SSLContext | None = None
    ) -> None:
        self._panel = panel
        self._listener = listener
        config = _Config(
            panel.app,
            http=_Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            log_level="error",
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=_HEADERS_MAX,
            timeout_graceful_shutdown=_GOING_S,
        )
        config.load()
        config.tls = tls
        self._server = _Uvicorn(config)
        self._tasks: list[asyncio.Task[Any]] = []

    @classmethod
    async def start(
        cls, panel: Panel, host: str, port: int, *, tls: ssl.SSLContext | None = None
    ) -> Self:
        """Listen on a host and a port; 0 takes any that is free.

        Raises:
            PanelPortError: something else listens there, or this computer cannot.
        """
        server = cls(panel, await _listener(host, port), tls)
        server._tasks = [
            asyncio.create_task(server._server.serve(sockets=[server._listener])),
            asyncio.create_task(panel.live.run()),
        ]
        while not server._server.started:
            await asyncio.sleep(0)
            if server._tasks[0].done():
                await server._tasks[0]
        return server

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port that it really listens on."""
        host, port = self._listener.getsockname()[:2]
        return host, port

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._server.server_state.connections)

    async def close(self) -> None:
        """Stop listening and drop every connection; harmless when repeated."""
        tasks, self._tasks = self._tasks, []
        if not tasks:
            return
        await self._panel.live.close()
        self._server.should_exit = True
        serving, living = tasks
        living.cancel()
        with suppress(asyncio.CancelledError):
            await living
        await serving
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()


async def _listener(host: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                # Connections inherit it: who leaves what was sent unread this long is gone.
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _STALL_MS)
            listener.bind(address)
            listener.setblocking(False)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise PanelPortError(f"the panel cannot listen on {where}: {reason}") from None
    return listener
