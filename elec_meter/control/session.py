"""One connection to the control port, without the connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from elec_meter.errors import ControlError, MeterError
from shared.exact_json import exact_json

from .requests import Request, decode_request

LINE_LIMIT: Final = 1 << 20
"""Bytes of a request with its line's end."""

Perform: TypeAlias = Callable[[Request], dict[str, Any]]
"""Does what is asked and gives the reply, once what it says is durable."""


@dataclass(frozen=True, slots=True)
class ControlTiming:
    """How long a client may take.

    Attributes:
        request_s: for a whole request, from the beginning or from the last reply on.
    """

    request_s: int = 30


class ControlSession:
    """Lines in, lines out: each request has one reply, in order. Any bytes are survived.

    What is no request, is too long or does not come in time is told so, and ends the session; an
    order that is refused does not.

    Args:
        perform: does what is asked; its `MeterError` is the reply.
        now: when the connection began, in the host's UTC, as in every other call.
        timing: how long a client may take.
    """

    def __init__(
        self, perform: Perform, now: datetime, timing: ControlTiming | None = None
    ) -> None:
        self._perform = perform
        self._patience_s = (timing or ControlTiming()).request_s
        self._buffer = bytearray()
        self._closed = False
        self._give_up(now)

    @property
    def closed(self) -> bool:
        """Whether it has ended; it answers nothing more."""
        return self._closed

    def receive_data(self, data: bytes, now: datetime) -> bytes:
        """Take bytes; return the replies to the requests that they complete."""
        replies = self.handle_timer(now)
        searched = len(self._buffer)
        if not self._closed:
            self._buffer += data
        while not self._closed:
            end = self._buffer.find(b"\n", searched)
            if max(end + 1, len(self._buffer) if end < 0 else 0) > LINE_LIMIT:
                replies += self._end(f"a request has at most {LINE_LIMIT} bytes")
            if end < 0 or self._closed:
                break
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            searched = 0
            replies += self._answer(line)
            self._give_up(now)
        return replies

    def next_timer(self) -> datetime | None:
        """When `handle_timer` is due; None once closed."""
        return None if self._closed else self._gives_up_at

    def handle_timer(self, now: datetime) -> bytes:
        """Give up on who keeps the meter waiting; calling early or often is harmless."""
        if self._closed or now < self._gives_up_at:
            return b""
        return self._end(f"no whole request came within {self._patience_s} s")

    def _give_up(self, now: datetime) -> None:
        self._gives_up_at = now + timedelta(seconds=self._patience_s)

    def _answer(self, line: bytes) -> bytes:
        try:
            request = decode_request(line)
        except ControlError as error:
            return self._end(str(error))
        try:
            return _line({"ok": True, **self._perform(request)})
        except MeterError as error:
            return refusal_line(error)

    def _end(self, sentence: str) -> bytes:
        self._closed = True
        self._buffer.clear()
        return refusal_line(ControlError(sentence))


def refusal_line(error: MeterError) -> bytes:
    """The reply that tells of an error."""
    return _line({"ok": False, "error": str(error), "kind": type(error).__name__})


def _line(reply: dict[str, Any]) -> bytes:
    return exact_json(reply).encode() + b"\n"
