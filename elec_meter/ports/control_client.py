"""A client of the control port, for commands: one request, one reply, no event loop."""

from __future__ import annotations

import json
import socket
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from elec_meter import config, errors
from elec_meter.control.requests import Request, encode_request
from elec_meter.errors import ControlError, MeterError, NotAllowedError
from elec_meter.ports.control import SOCKET_NAME, require_short

TIMEOUT_S: Final = 20.0
"""More than any commit takes on any disk that still works."""

_REPLY_LIMIT: Final = 16 << 20


def ask(
    directory: Path, request: Request, *, timeout_s: float = TIMEOUT_S
) -> dict[str, Any] | None:
    """What the meter that runs on a directory replies; None if none listens there.

    Raises:
        MeterError: the meter refused; the error is of the meter's own class.
        NotAllowedError: the meter is another user's.
        ControlError: it said nothing that makes sense; whether it did what was asked is unknown.
    """
    path = directory / SOCKET_NAME
    try:
        require_short(path)
    except ControlError:
        return None  # a meter has no socket there either
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(timeout_s)
        try:
            line.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            return None
        except PermissionError:
            raise NotAllowedError(f"{path} is another user's: the meter takes no orders") from None
        except OSError as error:
            raise ControlError(_unanswered(directory, error)) from None
        try:
            line.sendall(encode_request(request))
        except BrokenPipeError:
            pass  # it may have said why before it ended
        except OSError as error:
            raise ControlError(_unanswered(directory, error)) from None
        return _understood(directory, _received(directory, line))


def _received(directory: Path, line: socket.socket) -> bytes:
    reply = bytearray()
    try:
        while not reply.endswith(b"\n") and len(reply) < _REPLY_LIMIT:
            data = line.recv(65_536)
            if not data:
                raise ConnectionResetError(0, "it ended the connection")
            reply += data
    except OSError as error:
        raise ControlError(_unanswered(directory, error)) from None
    return bytes(reply)


def _understood(directory: Path, line: bytes) -> dict[str, Any]:
    try:
        reply = json.loads(line, parse_float=Decimal)
        is_done, sentence = reply.pop("ok"), reply.get("error")
    except (ValueError, KeyError, AttributeError, TypeError):
        raise ControlError(f"the meter on {directory} said nothing that makes sense") from None
    if is_done is True:
        return dict(reply)
    raise _kind(reply.get("kind"))(str(sentence))


def _kind(name: object) -> type[MeterError]:
    """The meter's own class of an error; the root of a later version's."""
    for module in (errors, config):
        found = getattr(module, str(name), None)
        if isinstance(found, type) and issubclass(found, MeterError):
            return found
    return MeterError


def _unanswered(directory: Path, error: OSError) -> str:
    reason = "it did not answer in time" if isinstance(error, TimeoutError) else error.strerror
    return f"the meter on {directory} gave no answer: {str(reason or error).lower()}"
