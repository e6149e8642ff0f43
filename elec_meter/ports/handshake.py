"""Connections that are encrypted once they are counted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from elec_meter.ports.stream import StreamConnection, StreamServer

if TYPE_CHECKING:
    import ssl


class SecuredConnection(StreamConnection):
    """A connection that begins in clear, and has a session once its TLS handshake has succeeded.

    It takes a place from the first packet on: asyncio's own encrypted server knows only of
    handshakes that succeeded, so who never began one would be held beyond any bound.

    Args:
        server: whose connection it is.
        tls: encrypts it.
    """

    def __init__(self, server: StreamServer, tls: ssl.SSLContext) -> None:
        super().__init__(server)
        self._tls = tls
        self._is_open = False
        self._early = b""

    def begin(self, transport: asyncio.Transport) -> None:
        """See `StreamConnection.begin`; the session comes with the end of the handshake."""
        transport.pause_reading()
        self._securing = self._loop.create_task(self._secure(transport))

    def buffer_updated(self, nbytes: int) -> None:
        """See `asyncio.BufferedProtocol`."""
        if self._is_open:
            super().buffer_updated(nbytes)
        else:  # it came in one segment with the end of the handshake
            self._early += bytes(self._buffer[:nbytes])

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.BufferedProtocol`; the handshake tells of it too, before it or after."""
        if not self.lost.done():
            super().connection_lost(exc)

    async def _secure(self, plain: asyncio.Transport) -> None:
        secured = None
        if not plain.is_closing():  # where it had to make place at once
            try:
                secured = await self._loop.start_tls(
                    plain,
                    self,
                    self._tls,
                    server_side=True,
                    ssl_handshake_timeout=self._server.limits.handshake_s,
                )
            except OSError as error:  # no TLS, too late, or gone
                # Its frames would keep 256 KiB until the next collection of garbage.
                error.__traceback__ = None
        if secured is None or plain.is_closing():
            plain.abort()
            self.connection_lost(None)
            return
        self._is_open = True
        super().begin(secured)
        if self._early:
            early, self._early = self._early, b""
            self._receive(early)
