"""The client of a control socket: one request, one reply, no event loop."""

from __future__ import annotations

import contextlib
import json
import socket
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Self

from collector import errors
from collector.errors import CollectorError, OrderError
from shared.exact_json import exact_json

from .control import SOCKET_NAME

_TIMEOUT_S: Final = 20.0
_REPLY_MAX: Final = 4 << 20


class ControlLine:
    """A connection to the collector that runs on a directory; a context manager.

    Raises:
        OrderError: what runs there takes no orders for units.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._received = b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_TIMEOUT_S)
        try:
            self._socket.connect(str(directory / SOCKET_NAME))
            if self.ask({"request": "hello"}).get("collector") is not True:
                raise OrderError("it is no collector")
        except (OSError, CollectorError):
            self.close()
            raise OrderError(
                f"what runs on {directory} takes no orders for units: stop it first"
            ) from None

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to a request.

        Raises:
            CollectorError: it is refused; the error is of the collector's own class.
        """
        try:
            self._socket.sendall(exact_json(request).encode() + b"\n")
            line = self._line()
        except OSError as error:
            reason = error.strerror or "it did not answer in time"
            raise OrderError(f"the collector on {self._directory} is gone: {reason}") from None
        try:
            reply: dict[str, Any] = json.loads(line, parse_float=Decimal)
            if reply.pop("ok"):
                return reply
            kind, sentence = str(reply["kind"]), str(reply["error"])
        except (ValueError, KeyError, AttributeError, TypeError):
            raise OrderError(f"what runs on {self._directory} said nothing with sense") from None
        raise _kind(kind)(sentence)

    def close(self) -> None:
        """Leave: a pairing that was not committed is given up."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _line(self) -> bytes:
        while b"\n" not in self._received:
            data = self._socket.recv(65_536)
            if not data or len(self._received) > _REPLY_MAX:
                raise ConnectionResetError(0, "it ended the connection")
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return line


def _kind(name: str) -> type[CollectorError]:
    found = getattr(errors, name, None)
    if isinstance(found, type) and issubclass(found, CollectorError):
        return found
    return CollectorError
