"""The time that the session of a line is told, sans I/O: nobody is late for whom the host was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

# A clock may be set: never sleep long on one reading of it, and never spin when it stands still.
_WAIT_MAX_S: Final = 60.0
_WAIT_MIN_S: Final = 0.01
_GRACE: Final = timedelta(seconds=_WAIT_MIN_S)


class LineTime:
    """Passes while a session waits for its peer, and stands while the peer waits for the session.

    A session gives up what comes too late, and all it knows is the time that it is told. When the
    host was busy for longer than the session would have waited, the host's clock cannot tell who
    kept whom waiting: whatever is there when the line is looked at again has come in time. So the
    time passes no further than to the session's next timer, and to just before it where something
    came; what the host overslept is left out for good. Only once: whoever goes on saying what makes
    no sense is given up all the same. It never falls, also where the clock is set.

    Args:
        now: the host's clock.
    """

    __slots__ = ("_began", "_due", "_now", "_passes", "_told")

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._told = self._began = now()
        self._due: datetime | None = None
        self._passes = False

    @property
    def now(self) -> datetime:
        """What the session was told last."""
        return self._told

    def begin_wait(self, due: datetime | None) -> None:
        """The session waits from now on.

        Args:
            due: the host's UTC of the session's next timer; None for no timer.
        """
        self._began, self._due, self._passes = self._now(), due, True

    @property
    def left_s(self) -> float:
        """How long to look at the line: never for no time, and for a minute without a timer."""
        if self._due is None:
            return _WAIT_MAX_S
        left_s = (self._due - self._told - self._passed).total_seconds()
        return max(_WAIT_MIN_S, min(_WAIT_MAX_S, left_s))

    def tell_heard(self) -> datetime:
        """The time for what has come: before the session's timer is due, if that is not gone by."""
        latest = None if self._due is None else self._due - _GRACE
        return self._stand(None if latest is None or self._told >= latest else latest)

    def tell_silent(self) -> datetime:
        """The time when nothing has come, and nothing waits on the line."""
        return self._stand(self._due)

    @property
    def _passed(self) -> timedelta:
        return max(timedelta(0), self._now() - self._began) if self._passes else timedelta(0)

    def _stand(self, latest: datetime | None) -> datetime:
        now = self._told + self._passed
        if latest is not None:
            now = max(self._told, min(now, latest))
        self._told, self._passes = now, False
        return now
