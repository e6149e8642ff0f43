"""The meter's end of a module's line, sans I/O: one FLAG session after another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from elec_meter.errors import MeterError, StorageLostError
from elec_meter.line_time import LineTime


class LineSession(Protocol):
    """The meter's side of a FLAG line."""

    @property
    def closed(self) -> bool:
        """Whether it has ended."""

    def receive_data(self, data: bytes, now: datetime) -> bytes:
        """Take what came; return what is to be sent."""

    def next_timer(self) -> datetime | None:
        """When `handle_timer` is due."""

    def handle_timer(self, now: datetime) -> bytes:
        """Let time pass; return what is to be sent."""


class ModuleLine:
    """A line that has a session as long as it is open.

    Args:
        session: makes the session that begins at an instant, by the configuration in force.
        version: tells one configuration in force from the next.
        now: the time of the line, of which only lengths count.
    """

    def __init__(
        self,
        session: Callable[[datetime], LineSession],
        version: Callable[[], int],
        now: Callable[[], datetime],
    ) -> None:
        self._new_session = session
        self._version = version
        self._line_time = LineTime(now)
        self._begin()

    @property
    def left_s(self) -> float:
        """How long to wait for the module before `answer` is told that it was silent."""
        return self._line_time.left_s

    def answer(self, data: bytes) -> bytes:
        """Take what the module said, or nothing, when it was silent; return what it is told.

        What would be said and is not durable is not said; the module will ask again.

        Raises:
            StorageLostError: nothing will be durable ever again.
        """
        now = self._line_time.tell_heard() if data else self._line_time.tell_silent()
        if data.startswith(b"/") and self._served != self._version():
            self._begin()
        session = self._session
        try:
            reply = session.receive_data(data, now) if data else session.handle_timer(now)
        except StorageLostError:
            raise
        except MeterError:
            reply = b""
            self._begin()
        if self._session.closed:
            self._begin()
        self._line_time.begin_wait(self._session.next_timer())
        return reply

    def _begin(self) -> None:
        self._served = self._version()
        self._session = self._new_session(self._line_time.now)
        self._line_time.begin_wait(self._session.next_timer())
