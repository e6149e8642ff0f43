"""A TCP server of sans-I/O sessions."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final, Self

from elec_meter.errors import PortInUseError
from elec_meter.ports.address import AddressError, format_address
from elec_meter.ports.handshake import SecuredConnection
from elec_meter.ports.stream import (
    Session,
    SessionFactory,
    StreamConnection,
    StreamLimits,
    StreamServer,
    host_utc,
)

if TYPE_CHECKING:
    import ssl


_ENCRYPTED: Final = StreamLimits(connections=256)
"""One that is encrypted takes 300 KiB, others next to nothing."""


class TcpServer(StreamServer):
    """A stream server on a host and a port; `start` makes one that listens.

    Args:
        limits: what strangers may use up; by default 1,024 connections, or 256 through TLS.
        exposed_factory: makes the sessions of connections that come neither from this computer nor
            through TLS; without one they are as all others.
        tls: encrypts every connection.
    """

    def __init__(
        self,
        session_factory: SessionFactory,
        *,
        limits: StreamLimits | None = None,
        now: Callable[[], datetime] = host_utc,
        exposed_factory: SessionFactory | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if limits is None and tls is not None:
            limits = _ENCRYPTED
        super().__init__(session_factory, limits=limits, now=now)
        self._exposed_factory = exposed_factory or session_factory
        self._tls = tls

    @classmethod
    async def start(
        cls,
        session_factory: SessionFactory,
        host: str,
        port: int,
        *,
        limits: StreamLimits | None = None,
        now: Callable[[], datetime] = host_utc,
        exposed_factory: SessionFactory | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Self:
        """A server that listens; arguments as for the class, errors as for `listen`."""
        server = cls(
            session_factory, limits=limits, now=now, exposed_factory=exposed_factory, tls=tls
        )
        await server.listen(host, port)
        return server

    def connection(self) -> asyncio.BaseProtocol:
        """What asyncio is to give a connection to, in clear."""
        return StreamConnection(self) if self._tls is None else SecuredConnection(self, self._tls)

    async def listen(self, host: str, port: int) -> None:
        """Begin; port 0 takes any that is free, and `address` tells which.

        Raises:
            PortInUseError: something else listens there.
            AddressError: this computer cannot listen there.
        """
        loop = asyncio.get_running_loop()
        where = format_address(host, port)
        try:
            self._server = await loop.create_server(self.connection, host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUseError(f"{where} is in use by another program") from None
            raise AddressError(f"cannot listen on {where}: {_reason(error)}") from None

    def session(self, transport: asyncio.Transport) -> Session:
        """The session of a connection: an exposed one unless nobody else can listen to it."""
        is_closed = self._tls is not None or _is_of_this_computer(transport)
        factory = self.session_factory if is_closed else self._exposed_factory
        return factory(self.now())

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port that it really listens on, once started."""
        assert self._server is not None, "not started"
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port


def _is_of_this_computer(transport: asyncio.Transport) -> bool:
    peer = transport.get_extra_info("peername")
    try:
        address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
    except (TypeError, IndexError, ValueError):
        return False  # whoever it is does not say
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _reason(error: OSError) -> str:
    # asyncio wraps the system's sentence into its own; a failed look-up has no errno of the system.
    if error.errno is not None and error.errno in errno.errorcode:
        return os.strerror(error.errno).lower()
    return (error.strerror or str(error)).lower()
