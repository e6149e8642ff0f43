"""Orders by `DIR/control.sock`: one JSON object a line, one reply to each, in order.

The socket is for the user alone who runs the collector. Each connection is one installer: when it
ends, a pairing that was not committed is given up.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from collector.desk import Desk
from collector.errors import CollectorError, OrderError
from shared.errors import SharedError
from shared.exact_json import exact_json

SOCKET_NAME: Final = "control.sock"
PATH_LIMIT: Final = 107
"""Bytes of a socket's path (unix(7): `sun_path` has 108 with its end)."""

_LINE_MAX: Final = 65_536
_SILENCE_S: Final = 900.0
_CREDENTIALS: Final = struct.Struct("=iII")


class ControlPort:
    """Listens in a data directory whose lock is held.

    Args:
        desk: makes the desk of an installer who has come.
        left: is told of a desk whose installer has gone.
        now: the host's UTC.
    """

    def __init__(
        self, desk: Callable[[], Desk], left: Callable[[Desk], None], now: Callable[[], datetime]
    ) -> None:
        self._desk = desk
        self._left = left
        self._now = now
        self._server: asyncio.Server | None = None
        self._path: Path | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, directory: Path) -> None:
        """Begin.

        Raises:
            OrderError: there can be no socket there.
        """
        path = directory / SOCKET_NAME
        if len(os.fsencode(path)) > PATH_LIMIT:
            raise OrderError(f"a socket's path has at most {PATH_LIMIT} bytes, unlike {path}")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            path.unlink(missing_ok=True)  # of a process that was killed: the lock is ours
            listener.bind(str(path))
            path.chmod(0o600)  # nobody can connect before it listens
            self._server = await asyncio.start_unix_server(
                self._serve, sock=listener, limit=_LINE_MAX
            )
        except OSError as error:
            listener.close()
            raise OrderError(f"there can be no socket at {path}: {error.strerror}") from None
        self._path = path

    async def close(self) -> None:
        """Stop, and drop every installer."""
        if self._server is None:
            return
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # a connection is one
        self._tasks.add(task)
        desk = self._desk()
        try:
            if _is_owner(writer):
                await self._converse(desk, reader, writer)
            else:
                writer.write(_refused(OrderError("only the user who runs it may give orders")))
        except (OSError, asyncio.CancelledError):
            pass  # the installer, or we, have gone
        finally:
            self._tasks.discard(task)
            self._left(desk)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _converse(
        self, desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            try:
                async with asyncio.timeout(_SILENCE_S):
                    line = await reader.readline()
            except (TimeoutError, ValueError):
                writer.write(_refused(OrderError("a request is late, or too long")))
                return
            if not line.endswith(b"\n"):
                return
            writer.write(self._reply(desk, line))
            await writer.drain()

    def _reply(self, desk: Desk, line: bytes) -> bytes:
        try:
            request: Any = json.loads(line)
            if not isinstance(request, dict):
                raise OrderError("a request is a JSON object")
            reply = desk.perform(request, self._now())
        except (CollectorError, SharedError) as error:
            return _refused(error)
        except (ValueError, RecursionError):
            return _refused(OrderError("a request is a JSON object"))
        return exact_json({"ok": True, **reply}).encode() + b"\n"


def _refused(error: Exception) -> bytes:
    refusal = {"ok": False, "error": str(error), "kind": type(error).__name__}
    return exact_json(refusal).encode() + b"\n"


def _is_owner(writer: asyncio.StreamWriter) -> bool:
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True  # the socket's mode is all there is
    peer = writer.get_extra_info("socket")
    uid: int = _CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))[1]
    return uid == os.geteuid()
