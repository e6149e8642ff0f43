"""A TCP server of sans-I/O sessions."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from datetime import datetime
from typing import Self

from elec_meter.errors import PortInUseError
from elec_meter.ports.address import AddressError, format_address
from elec_meter.ports.stream import SessionFactory, StreamLimits, StreamServer, host_utc


class TcpServer(StreamServer):
    """A stream server on a host and a port; `start` makes one that listens."""

    @classmethod
    async def start(
        cls,
        session_factory: SessionFactory,
        host: str,
        port: int,
        *,
        limits: StreamLimits | None = None,
        now: Callable[[], datetime] = host_utc,
    ) -> Self:
        """A server that listens; arguments as for `StreamServer`, errors as for `listen`."""
        server = cls(session_factory, limits=limits, now=now)
        await server.listen(host, port)
        return server

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

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port that it really listens on, once started."""
        assert self._server is not None, "not started"
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port


def _reason(error: OSError) -> str:
    # asyncio wraps the system's sentence into its own; a failed look-up has no errno of the system.
    if error.errno is not None and error.errno in errno.errorcode:
        return os.strerror(error.errno).lower()
    return (error.strerror or str(error)).lower()
