"""The control port's listener: a Unix socket in the data directory, for its owner alone."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import struct
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from elec_meter.control.session import refusal_line
from elec_meter.errors import ControlError, NotAllowedError
from elec_meter.ports.stream import Session, SessionFactory, StreamLimits, StreamServer, host_utc

SOCKET_NAME: Final = "control.sock"
PATH_LIMIT: Final = 107
"""Bytes of a socket's path (unix(7): `sun_path` has 108 with its end)."""

_LIMITS: Final = StreamLimits(connections=64, read_bytes=4_096)
_CREDENTIALS: Final = struct.Struct("=iII")


class ControlServer(StreamServer):
    """A stream server on a Unix socket that only the user who runs it may use.

    Start it only while the directory's lock is held: what lies at the path is then left over from
    a process that has ended, and is replaced.
    """

    gives_way = False  # one user's programs, none of which is to lose the reply to an order

    @classmethod
    async def start(
        cls,
        session_factory: SessionFactory,
        directory: Path,
        *,
        limits: StreamLimits = _LIMITS,
        now: Callable[[], datetime] = host_utc,
    ) -> Self:
        """A server that listens in a data directory; arguments as for `StreamServer`.

        Raises:
            ControlError: there can be no socket there.
        """
        server = cls(session_factory, limits=limits, now=now)
        await server.listen(directory / SOCKET_NAME)
        return server

    async def listen(self, path: Path) -> None:
        """Begin; errors as for `start`."""
        require_short(path)
        loop = asyncio.get_running_loop()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _remove_stale(path)
            listener.bind(str(path))
            # Nobody can connect before `listen`, so nobody did while the mode was another.
            path.chmod(0o600)
            listener.setblocking(False)
            self._server = await loop.create_unix_server(self.connection, sock=listener)
        except OSError as error:
            listener.close()
            raise ControlError(
                f"there can be no control socket at {path}: {error.strerror or error}"
            ) from None
        self._path = path
        self._inode = path.stat().st_ino

    def session(self, transport: asyncio.Transport) -> Session:
        """The session of a connection, or one that refuses another user."""
        if _peer_uid(transport) not in (None, os.geteuid()):
            return _Refused()
        return super().session(transport)

    async def close(self) -> None:
        """Stop listening, drop every connection and remove the socket; harmless when repeated."""
        if self._server is None:
            return
        await super().close()
        try:
            if self._path.lstat().st_ino == self._inode:
                self._path.unlink()
        except OSError:
            pass  # the directory went before the meter: there is nothing left to remove


class _Refused:
    """Says that the meter is another user's, and nothing else."""

    closed = False

    def receive_data(self, data: bytes, now: datetime) -> bytes:  # noqa: ARG002 - nothing is heard
        return b""

    def next_timer(self) -> datetime | None:
        return None

    def handle_timer(self, now: datetime) -> bytes:  # noqa: ARG002 - it is always time
        self.closed = True
        return refusal_line(NotAllowedError("only the user who runs the meter may give it orders"))


def require_short(path: Path) -> None:
    """Refuse a path that no socket can have.

    Raises:
        ControlError: it is too long.
    """
    if len(os.fsencode(path)) > PATH_LIMIT:
        raise ControlError(
            f"there can be no control socket at {path}: a socket's path has at most {PATH_LIMIT}"
            " bytes"
        )


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(0, "something else is there")
    path.unlink()


def _peer_uid(transport: asyncio.Transport) -> int | None:
    """The user at the other end; None on a platform that does not say."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    peer = transport.get_extra_info("socket")
    credentials = peer.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(credentials)[1]
    return uid
