"""The host's clock, believed only as far as the time that has passed agrees with it.

A wall clock may jump: a time server sets it, a person mistypes a date, a battery fails. The time
since the host's start cannot. Where the two part, time goes on as it did, and a jump is due once
the wall clock has stood by it for a quarter of an hour; one that is taken back before then leaves
no trace.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Final

from shared.timegrid import from_unix_ms

JUMP_MS: Final = 10_000
"""More than this between the wall clock and the time that has passed is a jump."""

HELD_MS: Final = 15 * 60_000
"""For so long a wall clock that jumped must go steadily."""


class HostClock:
    """UTC that does not jump by itself.

    Args:
        wall_ms: the host's wall clock, UNIX milliseconds.
        uptime_ms: milliseconds since any instant, by a clock that nobody sets and that goes on
            while the host sleeps.
        lock: held while it is asked, where several threads do.
    """

    def __init__(
        self,
        wall_ms: Callable[[], int],
        uptime_ms: Callable[[], int],
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        self._wall_ms = wall_ms
        self._uptime_ms = uptime_ms
        self._lock: AbstractContextManager[object] = nullcontext() if lock is None else lock
        # What UTC is ahead of the uptime by: as it is believed, and as a clock that jumped has it.
        self._ahead_ms = wall_ms() - uptime_ms()
        self._jumped_ahead_ms: int | None = None
        self._jumped_at_ms = 0

    def now_ms(self) -> int:
        """UNIX milliseconds, as they are believed."""
        with self._lock:
            uptime_ms = self._uptime_ms()
            self._compare(self._wall_ms() - uptime_ms, uptime_ms)
            return uptime_ms + self._ahead_ms

    def now(self) -> datetime:
        """As `now_ms`."""
        return from_unix_ms(self.now_ms())

    def due(self) -> datetime | None:
        """What UTC is by a wall clock that jumped and has held since; None without one."""
        self.now_ms()
        with self._lock:
            uptime_ms, jumped_ms = self._uptime_ms(), self._jumped_ahead_ms
            if jumped_ms is None or uptime_ms - self._jumped_at_ms < HELD_MS:
                return None
            return from_unix_ms(uptime_ms + jumped_ms)

    def believe(self) -> None:
        """Go by the wall clock as it stands."""
        with self._lock:
            self._ahead_ms, self._jumped_ahead_ms = self._wall_ms() - self._uptime_ms(), None

    def _compare(self, ahead_ms: int, uptime_ms: int) -> None:
        if abs(ahead_ms - self._ahead_ms) <= JUMP_MS:
            self._ahead_ms, self._jumped_ahead_ms = ahead_ms, None
            return
        jumped_ms = self._jumped_ahead_ms
        if jumped_ms is None or abs(ahead_ms - jumped_ms) > JUMP_MS:
            self._jumped_at_ms = uptime_ms
        self._jumped_ahead_ms = ahead_ms
