"""When a unit is silent, and when that is news.

A unit at the edge of its radio's reach is lost and found many times a day: that is told once. It is
told again after it was heard steadily for a day, or once a silence has lasted for a day.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final

STEADY_MS: Final = 86_400_000
"""So long a unit is heard without a silence until the next silence is news."""


class Standing(IntEnum):
    """How a unit is heard; the numbers are kept in the database."""

    STEADY = 0
    TOLD = 1
    PATCHY = 2
    AGAIN = 3


_SILENT: Final = frozenset({Standing.TOLD, Standing.AGAIN})


class Silence:
    """The silences of a unit; instants are UNIX milliseconds.

    Args:
        standing: as it was kept.
        period_s: seconds from one of its telegrams to the next.
        keep: takes each standing that is another one.
    """

    def __init__(self, standing: Standing, period_s: int, keep: Callable[[Standing], None]) -> None:
        self._standing = standing
        self._keep = keep
        self._silent_ms = 2 * period_s * 1000
        self._patchy_since_ms: int | None = None
        self._listening_ms = 0

    @property
    def is_silent(self) -> bool:
        """Whether nothing was heard for more than twice the period."""
        return self._standing in _SILENT

    def listen_from(self, now_ms: int) -> None:
        """Power came, or a clock was set to this: nothing has lasted for any time yet."""
        self._listening_ms, self._patchy_since_ms = now_ms, None

    def hear(self, heard_ms: int) -> None:
        """It was heard."""
        if self.is_silent:
            self._patchy_since_ms = heard_ms
            self._stand(Standing.PATCHY)
        elif self._standing is Standing.PATCHY:
            if self._patchy_since_ms is None:
                self._patchy_since_ms = heard_ms
            elif heard_ms - self._patchy_since_ms >= STEADY_MS:
                self._stand(Standing.STEADY)

    def pass_time(self, heard_ms: int, now_ms: int) -> bool:
        """Let time pass since it was last heard; return whether its silence is news now."""
        while (due_ms := self.next_timer_ms(heard_ms)) is not None and now_ms >= due_ms:
            is_news = self._standing is not Standing.PATCHY
            self._stand(Standing.TOLD if is_news else Standing.AGAIN)
            if is_news:
                return True
        return False

    def next_timer_ms(self, heard_ms: int) -> int | None:
        """When `pass_time` will have something to do; None while it is told already."""
        if self._standing is Standing.TOLD:
            return None
        is_again = self._standing is Standing.AGAIN
        wait_ms = max(self._silent_ms, STEADY_MS) if is_again else self._silent_ms
        return max(heard_ms, self._listening_ms) + wait_ms + 1

    def _stand(self, standing: Standing) -> None:
        self._standing = standing
        self._keep(standing)
